"""QuickBooks Online: the books of one company, read in pages or exactly by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from tillbook.kit.clock import rfc3339
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.rules.events import BookedInvoice, UnreadableRecord
from tillbook.rules.operations import Evidence, Json, Stored
from tillbook.vendors.books import RECORD_KINDS, BookedCustomer, ChangedInvoices, Company, Item, Lock, Record
from tillbook.vendors.one_by_one import each, parted
from tillbook.vendors.quickbooks import query, read
from tillbook.vendors.quickbooks.operations import QuickBooksOperations
from tillbook.vendors.quickbooks.records import EVERYBODY, Records, readable
from tillbook.vendors.quickbooks.session import Connection

if TYPE_CHECKING:
    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings
    from tillbook.operations.kinds.handlers import Handlers

_OWED = ("Invoice", "Payment", "CreditMemo")
_SKUS_A_QUERY = 40
_CAPTURED_SECONDS = 30 * 24 * 3600 - 3600  # an hour less than Intuit keeps, for clocks that differ
_MOST_CAPTURED = 1000


class QuickBooksOnline:
    """The books of one company. Safe to share between threads as far as `lock` is."""

    name = "quickbooks"

    def __init__(self, settings: Settings, clock: Clock, lock: Lock) -> None:
        self.connection = Connection(settings, clock, lock)
        self._clock = clock
        self._records = Records(self.connection)
        self._home = self._records.home_currency

    @property
    def realm(self) -> str:
        """The company that is connected. Raises NotAllowed when none is."""
        return self.connection.realm

    def days_left(self, now: int) -> int | None:
        """Whole days until the connection dies of disuse, or None before its first refresh."""
        return self.connection.days_left(now)

    # -- reads -------------------------------------------------------------------------------------

    def company(self) -> Company:
        """CompanyInfo and Preferences, read now."""
        realm = self.connection.realm
        info = self.connection.call(lambda client: client.get_single_object("CompanyInfo", realm))
        preferences = self.connection.call(
            lambda client: client.get(f"{client.api_url}/company/{client.company_id}/preferences")
        )
        with readable():
            return read.company(realm, info["CompanyInfo"], preferences["Preferences"])

    def uses_currency(self, currency: str) -> bool:
        """Whether a company with many currencies has this one on its list. Its home currency is not on the list."""
        rows = self._records.rows("CompanyCurrency", query.matching("Code", currency))
        return any(raw.get("Code") == currency and raw.get("Active", True) for raw in rows)

    def items_by_sku(self, skus: set[str]) -> dict[str, Item]:
        """The active items of these SKUs. One that is missing has no key. A SKU used twice raises Refused."""
        found: dict[str, Item] = {}
        for where in _sku_queries(skus):
            for raw in self._records.rows("Item", where):
                sku = raw.get("Sku")
                if sku not in skus:
                    continue
                if sku in found and found[sku].id != raw["Id"]:
                    raise Refused(
                        f"two active QuickBooks items have the SKU {sku!r}: {found[sku].name!r} and {raw['Name']!r}",
                        hint="Make one of them inactive in QuickBooks, or change its SKU.",
                    )
                with readable():
                    found[sku] = read.item(raw)
        return found

    def customer(self, quickbooks_id: str) -> BookedCustomer | None:
        """The customer of an id, or None."""
        return self._records.by_id("Customer", quickbooks_id, read.customer)

    def customers_by_email(self, email: str) -> list[BookedCustomer]:
        """Active customers whose primary address is exactly this one, capitals aside."""
        wanted = email.casefold()
        rows = self._records.rows("Customer", query.matching("PrimaryEmailAddr", email))
        with readable():
            return [self._customer(raw) for raw in rows if read.email_of(raw).casefold() == wanted]

    def names_taken(self, start: str) -> set[str]:
        """The display names of customers, vendors and employees that begin so, in lower case (casefold).

        Inactive ones hold their names too, and QuickBooks does not tell capitals apart.
        """
        where = f"{query.beginning('DisplayName', start)} AND {EVERYBODY}"
        rows = [raw for kind in ("Customer", "Vendor", "Employee") for raw in self._records.rows(kind, where)]
        names = {str(raw.get("DisplayName", "")).casefold() for raw in rows}
        return {name for name in names if name.startswith(start.casefold())}

    def invoice(self, quickbooks_id: str) -> BookedInvoice | None:
        """The invoice as it is now, or None when it was deleted."""
        return self._records.by_id("Invoice", quickbooks_id, read.invoice)

    def invoice_by_number(self, number: str) -> BookedInvoice | None:
        """The one invoice of exactly this number. Two of them raise Refused."""
        raw = self._records.only(f"invoice {number}", self._records.exact("Invoice", "DocNumber", number))
        with readable():
            return None if raw is None else read.invoice(raw, self._home)

    def invoices_changed(self, since: int, wanted: Callable[[str], bool]) -> ChangedInvoices:
        """Every invoice changed at or after `since` (UTC seconds) whose id is wanted, in one call as a rule.

        Change Data Capture alone tells of deletions, but reaches back 30 days and keeps quiet about what is more than
        a thousand records: then a query finds the living ones.
        """
        captured = since >= self._clock.now() - _CAPTURED_SECONDS
        rows = self._records.captured("Invoice", since) if captured else []
        if not captured or len(rows) >= _MOST_CAPTURED:
            rows = [
                *rows,
                *self._records.rows("Invoice", f"MetaData.LastUpdatedTime >= {query.literal(rfc3339(since))}"),
            ]
        with readable():
            deleted = {str(raw["Id"]) for raw in rows if raw.get("status") == "Deleted"}
            living = {raw["Id"]: raw for raw in rows if raw["Id"] not in deleted and wanted(raw["Id"])}
        invoices = each(living.values(), lambda raw: (read.invoice(raw, self._home),), partial(read.named, "Invoice"))
        changed, odd = parted(invoices)
        newest = max(map(read.changed_at, rows), default=0)
        return ChangedInvoices(tuple(changed), tuple(sorted(deleted)), odd, newest)

    def account(self, quickbooks_id: str) -> Json | None:
        """The account of an id, active or not, or None: `{"id", "name", "type", "subtype", "currency", "active"}`."""
        return self._records.by_id("Account", quickbooks_id, read.account)

    def account_named(self, name: str, account_type: str) -> Json | None:
        """The active account of exactly this name, as `account` gives it."""
        rows = [raw for raw in self._records.exact("Account", "Name", name) if raw.get("AccountType") == account_type]
        raw = self._records.only(f"account {name}", rows)
        with readable():
            return None if raw is None else read.account(raw, self._home)

    def receivable_account(self, currency: str) -> str:
        """The id of the Accounts Receivable account of a currency. Raises Refused when there is none."""
        rows = self._records.exact("Account", "AccountType", "Accounts Receivable")
        found = [raw for raw in rows if read.currency_of(raw, self._home) == currency]
        if not found:
            raise Refused(
                f"QuickBooks has no Accounts Receivable account in {currency}",
                hint="It appears with the first invoice in that currency: look at the company's settings.",
            )
        return str(min(found, key=lambda raw: int(raw["Id"]))["Id"])

    def income_account(self) -> str:
        """The id of the income account that sales of services go to. Raises Refused when there is none."""
        rows = [raw for raw in self._records.rows("Item", "Type = 'Service'") if read.part(raw, "IncomeAccountRef")]
        if not rows:
            raise Refused(
                "QuickBooks has no Service item, so the income account of refunds is not known",
                hint="Make one Service item in QuickBooks, with the income account that sales go to.",
            )
        return str(min(rows, key=lambda raw: int(raw["Id"]))["IncomeAccountRef"]["value"])

    def sells(self, quickbooks_id: str) -> bool:
        """Whether the item of an id is an active Service item."""
        raw = self._records.raw("Item", quickbooks_id)
        return raw is not None and raw.get("Active", True) is True and raw.get("Type") == "Service"

    def service_item(self, name: str) -> str | None:
        """The id of the active Service item of exactly this name."""
        rows = [raw for raw in self._records.exact("Item", "Name", name) if raw.get("Type") == "Service"]
        raw = self._records.only(f"item {name}", rows)
        return None if raw is None else str(raw["Id"])

    def payment(self, quickbooks_id: str) -> Json | None:
        """A posted payment: `{"id", "amount_minor", "currency", "unapplied_minor", "invoices": {id: minor}}`."""
        return self._records.by_id("Payment", quickbooks_id, read.payment)

    def records_between(self, first: str, last: str, kinds: Sequence[str] = RECORD_KINDS) -> Iterator[Record]:
        """Every record of these kinds that is dated from `first` to `last`, in pages of a thousand."""
        where = f"TxnDate >= {query.literal(first)} AND TxnDate <= {query.literal(last)}"
        for kind in kinds:
            for raw in self._records.rows(kind, where):
                yield self._record(kind, raw)

    def record(self, kind: str, quickbooks_id: str) -> Record | None:
        """One record by id, or None when it was deleted."""
        raw = self._records.raw(kind, quickbooks_id)
        return None if raw is None else self._record(kind, raw)

    def receivables(self) -> dict[str, Money | UnreadableRecord]:
        """What each customer owes, by QuickBooks id, active or not."""
        rows = self._records.rows("Customer", EVERYBODY)
        return {raw["Id"]: read.amount("Customer", raw, "Balance", self._home) for raw in rows}

    def receivable_records(self, customer_id: str) -> list[Record]:
        """Every Invoice, Payment and CreditMemo of a customer."""
        where = f"CustomerRef = {query.literal(customer_id)}"
        return [self._record(kind, raw) for kind in _OWED for raw in self._records.rows(kind, where)]

    def _customer(self, raw: Json) -> BookedCustomer:
        return read.customer(raw, self._home)

    def _record(self, kind: str, raw: Json) -> Record:
        with readable():
            return read.record(kind, raw, self._home)

    # -- operations --------------------------------------------------------------------------------

    @cached_property
    def _handlers(self) -> Handlers:
        """Made when it is first needed: most steps only read."""
        return QuickBooksOperations(self._records).handlers

    def evidence(self, kind: str) -> Evidence:
        """How an operation of a kind is found again."""
        return self._handlers.evidence(kind)

    def send(self, operation: Stored) -> Json:
        """Change the books as the operation says. Raises Refused, NotAllowed, Unavailable or Uncertain."""
        return self._handlers.send(operation)

    def find(self, operation: Stored) -> Json | None:
        """What the operation changed as it is read back, or None when a complete read lacks it."""
        return self._handlers.find(operation)

    def latest(self, operation: Stored) -> int | None:
        """The newest generation from this one on whose mark the books show."""
        return self._handlers.latest(operation)


def _sku_queries(skus: set[str]) -> Iterator[str]:
    """Conditions that together find every one of the SKUs."""
    plain = sorted(sku for sku in skus if sku.isascii())
    for start in range(0, len(plain), _SKUS_A_QUERY):
        yield query.any_of("Sku", plain[start : start + _SKUS_A_QUERY])
    for sku in sorted(skus - set(plain)):
        yield query.matching("Sku", sku)
