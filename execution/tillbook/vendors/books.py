"""The company's books. QuickBooks Online is the one we know. Another would be named in `open_books`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from tillbook.kit.money import Money
from tillbook.operations.kinds.registry import MARKS
from tillbook.rules.events import BookedInvoice, UnreadableRecord
from tillbook.rules.operations import Door, Json

if TYPE_CHECKING:
    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings

Lock = Callable[[str], AbstractContextManager[None]]
RECORD_KINDS = tuple(MARKS)
"""What documents of ours become in QuickBooks."""


@dataclass(frozen=True, slots=True)
class Company:
    """Whose books these are. `zone` is an IANA name, empty when the company has none set."""

    realm: str
    name: str
    country: str
    home_currency: str
    multi_currency: bool
    custom_numbers: bool
    closed_until: str
    zone: str


@dataclass(frozen=True, slots=True)
class Item:
    """A thing that can be sold. `on_hand` is None when QuickBooks keeps no stock of it."""

    id: str
    sku: str
    name: str
    on_hand: Decimal | None


@dataclass(frozen=True, slots=True)
class BookedCustomer:
    """A customer in the books."""

    id: str
    name: str
    email: str
    currency: str
    active: bool


@dataclass(frozen=True, slots=True)
class ChangedInvoices:
    """Invoices that were changed or paid, as they are now, the QuickBooks ids of deleted ones, and the invoices that
    cannot be understood. `newest` is QuickBooks' time of the newest change of anybody's, 0 without any."""

    changed: tuple[BookedInvoice, ...]
    deleted: tuple[str, ...]
    unreadable: tuple[UnreadableRecord, ...] = ()
    newest: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the books that a document of ours may have become. `mark` is the operation's id where it is ours,
    `note` its private note. `amount` may be what cannot be understood: it matters only of a record that is ours."""

    kind: str
    id: str
    mark: str
    note: str
    amount: Money | UnreadableRecord
    date: str
    customer_id: str
    voided: bool


class Books(Door, Protocol):
    """What a step may ask of the books. Changes go through `send` as operations of the kinds that are InQuickBooks.

    Every read raises Refused or Unavailable.
    """

    name: str

    @property
    def realm(self) -> str:
        """The company that is connected. Raises NotAllowed when none is."""
        ...

    def days_left(self, now: int) -> int | None:
        """Whole days until the connection dies of disuse, or None before its first refresh."""
        ...

    def company(self) -> Company:
        """The company and what it is set to, read now."""
        ...

    def uses_currency(self, currency: str) -> bool:
        """Whether a company with many currencies has this one, other than its home currency, on its list."""
        ...

    def items_by_sku(self, skus: set[str]) -> dict[str, Item]:
        """The active items of these SKUs. One that is missing has no key. A SKU used twice raises Refused."""
        ...

    def customer(self, quickbooks_id: str) -> BookedCustomer | None:
        """The customer of an id, or None."""
        ...

    def customers_by_email(self, email: str) -> list[BookedCustomer]:
        """Active customers whose primary address is exactly this one."""
        ...

    def names_taken(self, start: str) -> set[str]:
        """The display names of customers, vendors and employees that begin so, in lower case (casefold)."""
        ...

    def invoice(self, quickbooks_id: str) -> BookedInvoice | None:
        """The invoice of an id, or None when there is none."""
        ...

    def invoice_by_number(self, number: str) -> BookedInvoice | None:
        """The one invoice of exactly this number. Two of them raise Refused."""
        ...

    def invoices_changed(self, since: int, wanted: Callable[[str], bool]) -> ChangedInvoices:
        """Every invoice changed at or after `since` (UTC seconds) whose id is wanted. Nothing else is read of others.
        Deletions are known for 30 days only."""
        ...

    def account(self, quickbooks_id: str) -> Json | None:
        """The account of an id, active or not: as `account_named`, and `"active"`. None when there is none."""
        ...

    def account_named(self, name: str, account_type: str) -> Json | None:
        """The active account of exactly this name: `{"id", "name", "type", "subtype", "currency", "active"}`."""
        ...

    def receivable_account(self, currency: str) -> str:
        """The id of the Accounts Receivable account of a currency. Raises Refused when there is none."""
        ...

    def income_account(self) -> str:
        """The id of the income account that sales of services go to. Raises Refused when there is none."""
        ...

    def sells(self, quickbooks_id: str) -> bool:
        """Whether the item of an id is an active Service item."""
        ...

    def service_item(self, name: str) -> str | None:
        """The id of the active Service item of exactly this name."""
        ...

    def payment(self, quickbooks_id: str) -> Json | None:
        """A posted payment: `{"id", "amount_minor", "currency", "unapplied_minor", "invoices": {id: minor}}`."""
        ...

    def records_between(self, first: str, last: str, kinds: Sequence[str] = RECORD_KINDS) -> Iterator[Record]:
        """Every record of these kinds that is dated from `first` to `last` (YYYY-MM-DD, both included)."""
        ...

    def record(self, kind: str, quickbooks_id: str) -> Record | None:
        """One of them by id, or None when it was deleted."""
        ...

    def receivables(self) -> dict[str, Money | UnreadableRecord]:
        """What each customer owes, by QuickBooks id, active or not."""
        ...

    def receivable_records(self, customer_id: str) -> list[Record]:
        """Every Invoice, Payment and CreditMemo of a customer."""
        ...


def open_books(settings: Settings, clock: Clock, lock: Lock) -> Books:
    """QuickBooks Online, imported only now. `lock` is the ledger's lock between processes."""
    from tillbook.vendors.quickbooks.books import QuickBooksOnline  # noqa: PLC0415

    return QuickBooksOnline(settings, clock, lock)
