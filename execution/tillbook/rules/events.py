"""What vendors tell us: events, what an object proves when it is read, and an invoice as the books hold it.

An event is a hint, never a truth: facts come from reading the object by id.
"""

from __future__ import annotations

from collections.abc import Iterable
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
class UnreadableRecord:
    """A record of a vendor's with a field that cannot be understood. It stands in the place of what it would have told.

    `id` is the vendor's and may be empty, and so may `currency`. `payment` is the payment that it is about, where that
    much can be read. `at` is in UTC seconds, 0 when it is not known.
    """

    vendor: str
    id: str
    field: str
    reason: str
    currency: str = ""
    payment: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What an object proves now: every fact, whatever event prompted the read.

    `operation` and `invoice` are what we wrote on the object ourselves, or empty when it is not ours.
    `released` are our refund operations whose refund ended without moving money. `unreadable` is what could not be
    understood of it, while the rest was.
    """

    object_id: str
    facts: tuple[Fact, ...]
    operation: str
    invoice: str
    released: tuple[str, ...] = ()
    unreadable: tuple[UnreadableRecord, ...] = ()

    @classmethod
    def of(
        cls,
        object_id: str,
        told: Iterable[Fact | UnreadableRecord],
        operation: str,
        invoice: str,
        released: tuple[str, ...],
    ) -> Reading:
        """A reading of facts and of what stands in the place of some."""
        every = tuple(told)
        facts = tuple(one for one in every if not isinstance(one, UnreadableRecord))
        odd = tuple(one for one in every if isinstance(one, UnreadableRecord))
        return cls(object_id, facts, operation, invoice, released, odd)


@dataclass(frozen=True, slots=True)
class BookedInvoice:
    """An invoice as QuickBooks holds it now. `due` and `date` are YYYY-MM-DD, `created_at` is UTC seconds. `version`
    is QuickBooks' SyncToken, which grows with every change.

    With a `problem` only id, number and customer are QuickBooks' word: the rest of its answer cannot be understood.
    """

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
    problem: str = ""
