"""QuickBooks Online: reads, and the operations that make a document there once.

Every change carries the operation's id twice: as `requestid`, for which QuickBooks repeats its first answer, and in a
field of the document, by which it is found again when no answer came. Rows of a query are compared once more with the
exact value: a query finds too much (see `query.py`), and QuickBooks itself compares without regard to case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cached_property, partial
from typing import TYPE_CHECKING

from tillbook.kit.clock import rfc3339
from tillbook.kit.errors import NotAllowed, Refused, Unavailable, Uncertain
from tillbook.kit.money import Money, from_decimal, parse
from tillbook.rules.invoices import BookedInvoice
from tillbook.rules.operations import Evidence, Json, Operation
from tillbook.vendors.books import BookedCustomer, ChangedInvoices, Company, Item, Lock
from tillbook.vendors.quickbooks import applications, query, read
from tillbook.vendors.quickbooks.errors import PENDING_HINT
from tillbook.vendors.quickbooks.find import Standing
from tillbook.vendors.quickbooks.records import readable
from tillbook.vendors.quickbooks.session import Connection, RefusedInDoubt
from tillbook.vendors.quickbooks.write import BODIES, bears_mark, to_bytes

if TYPE_CHECKING:
    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings

_READ_BACK = {
    "create_invoice": "Invoice",
    "post_payment": "Payment",
    "post_refund_receipt": "RefundReceipt",
    "post_sales_receipt": "SalesReceipt",
}
_WITHDRAWALS = ("void_document", "delete_document")
_CHANGED_MEANWHILE = "5010"
_TAKEN = ("6140", "6240")  # the number or the name: perhaps by our own first attempt
_EVERYBODY = "Active IN (true, false)"  # queries leave inactive names out unless asked
_SKUS_A_QUERY = 40
_READ_LAG_SECONDS = 30
_CAPTURED_SECONDS = 30 * 24 * 3600 - 3600  # an hour less than Intuit keeps, for clocks that differ
_MOST_CAPTURED = 1000


class QuickBooksOnline(Standing):
    """The books of one company. Safe to share between threads as far as `lock` is."""

    name = "quickbooks"

    def __init__(self, settings: Settings, clock: Clock, lock: Lock) -> None:
        super().__init__(Connection(settings, clock, lock))
        self._clock = clock

    @property
    def realm(self) -> str:
        """The company that is connected. Raises NotAllowed when none is."""
        return self.connection.realm

    def days_left(self, now: int) -> int | None:
        """Whole days until the connection dies of disuse; None before its first refresh."""
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
        rows = self._rows("CompanyCurrency", query.matching("Code", currency))
        return any(raw.get("Code") == currency and raw.get("Active", True) for raw in rows)

    def items_by_sku(self, skus: set[str]) -> dict[str, Item]:
        """The active items of these SKUs; one that is missing has no key; a SKU used twice raises Refused."""
        found: dict[str, Item] = {}
        for where in _sku_queries(skus):
            for raw in self._rows("Item", where):
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
        return self._by_id("Customer", quickbooks_id, read.customer)

    def customers_by_email(self, email: str) -> list[BookedCustomer]:
        """Active customers whose primary address is exactly this one, capitals aside."""
        wanted = email.casefold()
        rows = self._rows("Customer", query.matching("PrimaryEmailAddr", email))
        with readable():
            return [self._customer(raw) for raw in rows if read.email_of(raw).casefold() == wanted]

    def name_taken(self, name: str) -> str:
        """The kind of record ('Customer', 'Vendor', 'Employee') that holds this display name, or empty.

        Inactive ones hold their names too, and QuickBooks does not tell capitals apart.
        """
        where = f"{query.matching('DisplayName', name)} AND {_EVERYBODY}"
        for kind in ("Customer", "Vendor", "Employee"):
            if any(str(raw.get("DisplayName", "")).casefold() == name.casefold() for raw in self._rows(kind, where)):
                return kind
        return ""

    def invoice(self, quickbooks_id: str) -> BookedInvoice | None:
        """The invoice as it is now; None when it was deleted."""
        return self._by_id("Invoice", quickbooks_id, read.invoice)

    def invoice_by_number(self, number: str) -> BookedInvoice | None:
        """The one invoice of exactly this number; two of them raise Refused."""
        raw = self._only(f"invoice {number}", self._exact("Invoice", "DocNumber", number))
        with readable():
            return None if raw is None else read.invoice(raw, self._home_currency)

    def invoices_changed(self, since: int) -> ChangedInvoices:
        """Every invoice changed at or after `since` (UTC seconds), in one call as a rule.

        Change Data Capture alone tells of deletions, but reaches back 30 days and keeps quiet about what is more than
        a thousand records: then a query finds the living ones.
        """
        captured = since >= self._clock.now() - _CAPTURED_SECONDS
        rows = self._captured("Invoice", since) if captured else []
        if not captured or len(rows) >= _MOST_CAPTURED:
            rows = [*rows, *self._rows("Invoice", f"MetaData.LastUpdatedTime >= {query.literal(rfc3339(since))}")]
        with readable():
            deleted = {str(raw["Id"]) for raw in rows if raw.get("status") == "Deleted"}
            living = {raw["Id"]: raw for raw in rows if raw["Id"] not in deleted}
            changed = tuple(read.invoice(raw, self._home_currency) for raw in living.values())
        return ChangedInvoices(changed, tuple(sorted(deleted)))

    def account_named(self, name: str, account_type: str) -> Json | None:
        """The active account of exactly this name: `{"id", "name", "type", "subtype", "currency"}`."""
        rows = [raw for raw in self._exact("Account", "Name", name) if raw.get("AccountType") == account_type]
        raw = self._only(f"account {name}", rows)
        with readable():
            return None if raw is None else read.account(raw, self._home_currency)

    def receivable_account(self, currency: str) -> str:
        """The id of the Accounts Receivable account of a currency. Raises Refused when there is none."""
        rows = self._exact("Account", "AccountType", "Accounts Receivable")
        found = [raw for raw in rows if read.currency_of(raw, self._home_currency) == currency]
        if not found:
            raise Refused(
                f"QuickBooks has no Accounts Receivable account in {currency}",
                hint="It appears with the first invoice in that currency: look at the company's settings.",
            )
        return str(min(found, key=lambda raw: int(raw["Id"]))["Id"])

    def income_account(self) -> str:
        """The id of the income account that sales of services go to. Raises Refused when there is none."""
        rows = [raw for raw in self._rows("Item", "Type = 'Service'") if read.part(raw, "IncomeAccountRef")]
        if not rows:
            raise Refused(
                "QuickBooks has no Service item, so the income account of refunds is not known",
                hint="Make one Service item in QuickBooks, with the income account that sales go to.",
            )
        return str(min(rows, key=lambda raw: int(raw["Id"]))["IncomeAccountRef"]["value"])

    def service_item(self, name: str) -> str | None:
        """The id of the active Service item of exactly this name."""
        rows = [raw for raw in self._exact("Item", "Name", name) if raw.get("Type") == "Service"]
        raw = self._only(f"item {name}", rows)
        return None if raw is None else str(raw["Id"])

    def payment(self, quickbooks_id: str) -> Json | None:
        """A posted payment: `{"id", "amount_minor", "currency", "unapplied_minor", "invoices": {id: minor}}`."""
        return self._by_id("Payment", quickbooks_id, read.payment)

    def _customer(self, raw: Json) -> BookedCustomer:
        return read.customer(raw, self._home_currency)

    # -- operations --------------------------------------------------------------------------------

    def evidence(self, kind: str) -> Evidence:
        """How long QuickBooks repeats an answer is not documented: after any doubt we look first."""
        return Evidence(window_seconds=0, read_lag_seconds=_READ_LAG_SECONDS)

    def send(self, operation: Operation) -> Json:
        """Make the operation's document and say what it became.

        Results: `create_account`, `create_customer` `{"id"}`; `create_invoice` a BookedInvoice as JSON;
        `post_payment` `{"id", "amount", "unapplied", "links_differ"}`. Raises Refused, NotAllowed, Unavailable,
        Uncertain.
        """
        if operation.kind in _WITHDRAWALS:
            return self.withdraw(operation)
        if operation.kind == "apply_credit":
            return self._apply(operation)
        entity, body_of = BODIES[operation.kind]
        body = to_bytes(body_of(operation))
        try:
            answer = self.connection.call(lambda client: client.create_object(entity, body, request_id=operation.id))
        except NotAllowed:
            raise
        except Refused as refusal:
            return self._after_refusal(operation, refusal)
        try:
            return self._made(operation, read.entity(answer, entity))
        except (Refused, Unavailable) as error:
            raise Uncertain(
                f"{entity} was made, but not read back: {error.message}",
                hint=PENDING_HINT,
            ) from error

    def find(self, operation: Operation) -> Json | None:
        """What the operation made, by its mark; None when a complete read lacks it."""
        if operation.kind in _WITHDRAWALS:
            return self.withdrawn(operation)
        if operation.kind == "apply_credit":
            raw = self._raw("Payment", operation.params["payment_id"])
            return applications.result(operation) if raw and applications.is_applied(raw, operation) else None
        found = self._finders[operation.kind](operation)
        raw = self._only(f"{operation.kind} {operation.id}", found)
        return None if raw is None else self._result(operation, raw)

    def _apply(self, operation: Operation) -> Json:
        """Apply a Purchase to the unapplied rest of a Payment; every line of the Payment is sent again."""
        raw = self._raw("Payment", operation.params["payment_id"])
        if raw is None:
            raise Refused(f"QuickBooks has no payment {operation.params['payment_id']} any more")
        if applications.is_applied(raw, operation):
            return applications.result(operation)
        body = to_bytes(applications.applied_body(raw, operation))
        request = f"{operation.id}-{raw['SyncToken']}"  # another version is another request
        try:
            self.connection.call(lambda client: client.update_object("Payment", body, request_id=request))
        except NotAllowed:
            raise
        except Refused as refusal:
            if refusal.code == _CHANGED_MEANWHILE and not isinstance(refusal, RefusedInDoubt):
                raise Unavailable(refusal.message, hint="Run the same command again.") from refusal
            return self._after_refusal(operation, refusal)
        return applications.result(operation)

    def _after_refusal(self, operation: Operation, refusal: Refused) -> Json:
        """A refusal may be the echo of our own first attempt: then what that one made is the result."""
        in_doubt = isinstance(refusal, RefusedInDoubt)
        if not in_doubt and refusal.code not in _TAKEN:
            raise refusal
        try:
            found = self.find(operation)
        except (Refused, Unavailable) as error:
            raise Uncertain(f"{refusal.message}; then: {error.message}", hint=PENDING_HINT) from error
        if found is not None:
            return found
        if in_doubt:
            raise Uncertain(
                f"an attempt got no answer, the next one: {refusal.message}",
                hint=PENDING_HINT,
            )
        raise refusal

    def _made(self, operation: Operation, raw: Json) -> Json:
        """Read back what counts: QuickBooks may have computed another total, its AutoApply may have moved the money."""
        if operation.kind in _READ_BACK:
            raw = self._raw(_READ_BACK[operation.kind], raw["Id"]) or {}
        return self._result(operation, raw)

    def _result(self, operation: Operation, raw: Json) -> Json:
        with readable():
            if operation.kind == "create_invoice":
                return asdict(read.invoice(raw, self._home_currency))
            if operation.kind == "post_payment":
                return _payment_result(operation, read.payment(raw, self._home_currency))
            if "TotalAmt" in raw:
                currency = read.currency_of(raw, self._home_currency)
                return {"id": raw["Id"], "total": from_decimal(raw["TotalAmt"], currency).text}
            return {"id": raw["Id"]}

    @cached_property
    def _finders(self) -> dict[str, Callable[[Operation], list[Json]]]:
        return {
            "create_account": self._find_account,
            "create_customer": self._find_customer,
            "create_invoice": self._find_invoice,
            "post_payment": self._find_payment,
            "create_item": lambda operation: self._exact("Item", "Name", operation.params["name"]),
            "post_refund_receipt": partial(self._find_numbered, "RefundReceipt"),
            "post_sales_receipt": partial(self._find_numbered, "SalesReceipt"),
            "post_purchase": partial(self._find_numbered, "Purchase"),
            "post_deposit": partial(self._find_numbered, "Deposit"),
        }

    def _find_numbered(self, entity: str, operation: Operation) -> list[Json]:
        return self._exact(entity, "DocNumber", operation.id)

    def _find_account(self, operation: Operation) -> list[Json]:
        params = operation.params
        return [
            raw
            for raw in self._exact("Account", "Name", params["name"])
            if raw.get("AccountType") == params["type"]
            and read.currency_of(raw, self._home_currency) == params["currency"]
        ]

    def _find_customer(self, operation: Operation) -> list[Json]:
        rows = self._exact("Customer", "DisplayName", operation.params["name"], also=_EVERYBODY)
        return [raw for raw in rows if bears_mark(raw.get("Notes"), operation)]

    def _find_invoice(self, operation: Operation) -> list[Json]:
        rows = self._exact("Invoice", "DocNumber", operation.params["number"])
        return [raw for raw in rows if bears_mark(raw.get("PrivateNote"), operation)]

    def _find_payment(self, operation: Operation) -> list[Json]:
        return self._exact("Payment", "PaymentRefNum", operation.id)


def _payment_result(operation: Operation, posted: Json) -> Json:
    """Amounts as text, and whether the money lies on other invoices than it was meant for."""
    currency = posted["currency"]
    asked: dict[str, int] = {}
    for applied in operation.params["applied"]:
        key = applied["invoice_id"]
        asked[key] = asked.get(key, 0) + parse(applied["amount"], currency).minor
    return {
        "id": posted["id"],
        "amount": Money(posted["amount_minor"], currency).text,
        "unapplied": Money(posted["unapplied_minor"], currency).text,
        "links_differ": posted["invoices"] != asked,
    }


def _sku_queries(skus: set[str]) -> Iterator[str]:
    """Conditions that together find every one of the SKUs."""
    plain = sorted(sku for sku in skus if sku.isascii())
    for start in range(0, len(plain), _SKUS_A_QUERY):
        yield query.any_of("Sku", plain[start : start + _SKUS_A_QUERY])
    for sku in sorted(skus - set(plain)):
        yield query.matching("Sku", sku)
