"""What vendors tell us: events, what an object proves when it is read, and an invoice as the books hold it.

An event is a hint, never a truth: facts come from reading the object by id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tillbook.kit.money import Money
from tillbook.rules.facts import Fact


class Event(NamedTuple):  # made for every webhook: a frozen dataclass takes almost three times as long
    """What a vendor told us, verified: a hint that `object_id` changed, never a truth.

    `object_id` groups events: it is what `Provider.read` takes, as a rule the payment. It is empty for a type that
    means nothing to us.
    `delivery` is the vendor's id of this transmission, under which another body is never taken. It is empty where the
    vendor has none, and for what was polled.
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


@dataclass(frozen=True, slots=True)
class Reading:
    """What an object proves now: every fact, whatever event prompted the read.

    `operation` and `invoice` are what we wrote on the object ourselves, or empty when it is not ours.
    `released` are our refund operations whose refund ended without moving money.
    """

    object_id: str
    facts: tuple[Fact, ...]
    operation: str
    invoice: str
    released: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BookedInvoice:
    """An invoice as QuickBooks holds it now. `due` and `date` are YYYY-MM-DD, `created_at` is UTC seconds. `version`
    is QuickBooks' SyncToken, which grows with every change."""

    id: str
    number: str
    customer_id: str
    email: str
    total: Money
    tax: Money
    balance: Money
    date: str
    due: str
    voided: bool
    created_at: int
    version: int
