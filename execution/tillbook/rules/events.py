"""What a vendor told us. A hint, never a truth: facts come from reading the object by id."""

from __future__ import annotations

from typing import NamedTuple


class Event(NamedTuple):  # made for every webhook: a frozen dataclass takes almost three times as long
    """What a vendor told us, verified: a hint that `object_id` changed, never a truth.

    `object_id` groups events: it is what `Provider.read` takes, as a rule the payment. It is empty for a type that
    means nothing to us.
    `delivery` is the vendor's id of this transmission, under which another body is never taken; empty where the vendor
    has none, and for what was polled.
    """

    provider: str
    id: str
    type: str
    object_id: str
    account: str
    livemode: bool
    api_version: str
    created_at: int
    body: bytes
    delivery: str = ""
