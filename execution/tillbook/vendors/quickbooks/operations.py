"""Operations in QuickBooks: a record is made, changed or taken back once, and found again.

Every change carries the operation's id twice: as `requestid`, for which QuickBooks repeats its first answer, and in a
field of the record where it has one, by which it is found again when no answer came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from tillbook.kit.errors import Refused, Unavailable, Uncertain, Unreadable
from tillbook.kit.money import Money
from tillbook.operations.kinds.books.create_account import CreateAccount
from tillbook.operations.kinds.books.create_item import CreateItem
from tillbook.operations.kinds.books.delete_document import DeleteDocument
from tillbook.operations.kinds.books.post_payment import PaymentPosted, PostPayment
from tillbook.operations.kinds.books.void_document import VoidDocument
from tillbook.operations.kinds.handlers import Handlers
from tillbook.operations.kinds.quickbooks import InQuickBooks, Made, Posted, Posting
from tillbook.operations.kinds.refunds.apply_credit import ApplyCredit
from tillbook.operations.kinds.refunds.post_deposit import PostDeposit
from tillbook.operations.kinds.refunds.post_purchase import PostPurchase
from tillbook.operations.kinds.refunds.post_refund_receipt import PostRefundReceipt
from tillbook.operations.kinds.refunds.post_sales_receipt import PostSalesReceipt
from tillbook.operations.kinds.sales.create_customer import CreateCustomer
from tillbook.operations.kinds.sales.create_invoice import CreateInvoice
from tillbook.rules.events import BookedInvoice
from tillbook.rules.operations import Json, Operation, marks_in
from tillbook.vendors.errors import PENDING_HINT
from tillbook.vendors.quickbooks import query, read, write, write_refunds
from tillbook.vendors.quickbooks.records import EVERYBODY, Records, readable
from tillbook.vendors.quickbooks.session import RefusedInDoubt

_CHANGED_MEANWHILE = "5010"
_TAKEN = ("6140", "6240")  # the number or the name: perhaps by our own first attempt
_VOID = {"operation": "update", "include": "void"}
_VOID_INVOICE = {"operation": "void"}
_SAME_NUMBER = {"include": "allowduplicatedocnum"}

_OF_CUSTOMERS = ("Invoice", "Payment", "SalesReceipt", "RefundReceipt")
"""The kinds of records that a query finds by their customer."""

Document = TypeVar("Document", bound=Posting[Any])
Asked = TypeVar("Asked", bound=InQuickBooks[Any])
Result = TypeVar("Result")
Send = Callable[[Operation[Asked]], Result]
Find = Callable[[Operation[Asked]], Result | None]
Marks = Callable[[Operation[Asked]], Iterable[str]]


class QuickBooksOperations:
    """The operations of one company. `handlers` has one for each kind that is InQuickBooks."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._call = records.connection.call
        payments = self._posting(PostPayment, write.payment_body, self._payment, _standing_payment, read_back=True)
        refunds = self._posting(PostRefundReceipt, write_refunds.receipt_body, self._posted, _standing, read_back=True)
        mirrored = self._posting(PostSalesReceipt, write_refunds.receipt_body, self._posted, _standing, read_back=True)
        purchases = self._posting(PostPurchase, write_refunds.purchase_body, self._posted, _standing)
        deposits = self._posting(PostDeposit, write_refunds.deposit_body, self._posted, _standing)
        customers = self._making("Customer", write.customer_body, self._customers, _made, _by_id)
        invoices = self._making(
            "Invoice",
            write.invoice_body,
            self._invoices,
            self._invoice,
            _standing_invoice,
            read_back=True,
            options=self._numbering,
        )
        accounts = self._making("Account", write.account_body, self._accounts, _made, _by_id)
        items = self._making("Item", write.item_body, self._items, _made, _by_id)
        self.handlers = Handlers(
            "QuickBooks",
            [
                CreateAccount.in_quickbooks(*accounts),
                CreateCustomer.in_quickbooks(*customers, self._customer_marks),
                CreateItem.in_quickbooks(*items),
                CreateInvoice.in_quickbooks(*invoices, self._invoice_marks),
                PostPayment.in_quickbooks(*payments),
                PostRefundReceipt.in_quickbooks(*refunds),
                PostSalesReceipt.in_quickbooks(*mirrored),
                PostPurchase.in_quickbooks(*purchases),
                PostDeposit.in_quickbooks(*deposits),
                ApplyCredit.in_quickbooks(self._apply, self._find_applied),
                DeleteDocument.in_quickbooks(self._delete, self._find_deleted),
                VoidDocument.in_quickbooks(self._void, self._find_voided),
            ],
        )

    # -- records that are made ---------------------------------------------------------------------

    def _making(
        self,
        entity: str,
        body: Callable[[Operation[Asked]], Json],
        rows: Callable[[Operation[Asked]], list[Json]],
        result: Callable[[Operation[Asked], Json], Result],
        standing: Callable[[Operation[Asked], str, str], Result],
        *,
        read_back: bool = False,
        options: Callable[[Operation[Asked]], dict[str, str]] = lambda _: {},
    ) -> tuple[Send[Asked, Result], Find[Asked, Result]]:
        """How a record is made of a body, and found among the rows that may be it. `options` go with the request.

        It is read back where it counts: QuickBooks may have computed another total, its AutoApply may have moved the
        money. `standing` is the result for a record that is there, by its id, and cannot be understood otherwise.
        """

        def send(operation: Operation[Asked]) -> Result:
            content, more = write.to_bytes(body(operation)), options(operation)
            try:
                answer = self._call(
                    lambda client: client.create_object(entity, content, request_id=operation.id, params=dict(more))
                )
            except Refused as refusal:
                return _after_refusal(refusal, lambda: find(operation))
            try:
                raw = read.entity(answer, entity)
                return understood(operation, (self._records.raw(entity, raw["Id"]) or raw) if read_back else raw)
            except (Refused, Unavailable) as error:
                raise Uncertain(
                    f"{entity} was made, but not read back: {error.message}",
                    hint=PENDING_HINT,
                ) from error

        def find(operation: Operation[Asked]) -> Result | None:
            raw = self._records.only(f"{operation.kind} {operation.id}", rows(operation))
            return None if raw is None else understood(operation, raw)

        def understood(operation: Operation[Asked], raw: Json) -> Result:
            try:
                with readable():
                    return result(operation, raw)
            except Unreadable as error:
                return standing(operation, str(raw["Id"]), error.message)

        return send, find

    def _posting(
        self,
        kind: type[Posting[Result]],
        body: Callable[[Operation[Document]], Json],
        result: Callable[[Operation[Document], Json], Result],
        standing: Callable[[Operation[Document], str, str], Result],
        *,
        read_back: bool = False,
    ) -> tuple[Send[Document, Result], Find[Document, Result], Marks[Document]]:
        """How a document is posted, and found by the field that carries the operation's id."""
        entity = kind.entity()

        def rows(operation: Operation[Document]) -> list[Json]:
            return self._records.exact(entity, kind.mark(), operation.id) or self._newest(
                entity, operation, operation.params.customer_id
            )

        def marks(operation: Operation[Document]) -> list[str]:
            held = self._records.rows(entity, query.any_of(kind.mark(), operation.generations))
            held = held or self._newest_rows(entity, operation.params.customer_id)
            return [one for raw in held for one in (str(raw.get(kind.mark())), *marks_in(raw.get("PrivateNote")))]

        return *self._making(entity, body, rows, result, standing, read_back=read_back), marks

    def _newest(self, entity: str, operation: Operation[object], customer_id: str) -> list[Json]:
        """The records with our mark among the newest of this kind and customer, whatever number they bear.

        QuickBooks numbers by itself when its owner wants that, and a person may change any number.
        """
        rows = self._newest_rows(entity, customer_id)
        return [raw for raw in rows if write.bears_mark(raw.get("PrivateNote"), operation)]

    def _newest_rows(self, entity: str, customer_id: str) -> list[Json]:
        if not (customer_id.isascii() and customer_id.isdigit()):
            return []  # a dry run goes on with a customer that is not there yet
        where = f"CustomerRef = {query.literal(customer_id)}" if entity in _OF_CUSTOMERS else ""
        return self._records.newest(entity, where)

    def _accounts(self, operation: Operation[CreateAccount]) -> list[Json]:
        asked = operation.params
        return [
            raw
            for raw in self._records.exact("Account", "Name", asked.name)
            if raw.get("AccountType") == asked.type
            and read.currency_of(raw, self._records.home_currency) == asked.currency
        ]

    def _customers(self, operation: Operation[CreateCustomer]) -> list[Json]:
        for rows in self._named(operation):
            if ours := [raw for raw in rows if write.bears_mark(raw.get("Notes"), operation)]:
                return ours
        return []

    def _customer_marks(self, operation: Operation[CreateCustomer]) -> Iterator[str]:
        return (mark for rows in self._named(operation) for raw in rows for mark in marks_in(raw.get("Notes")))

    def _named(self, operation: Operation[CreateCustomer]) -> Iterator[list[Json]]:
        """The customers of the name, then the newest ones, each asked for when it is needed."""
        yield self._records.exact("Customer", "DisplayName", operation.params.name, also=EVERYBODY)
        yield self._records.newest("Customer", EVERYBODY)

    def _items(self, operation: Operation[CreateItem]) -> list[Json]:
        return self._records.exact("Item", "Name", operation.params.name)

    def _invoices(self, operation: Operation[CreateInvoice]) -> list[Json]:
        for rows in self._numbered(operation):
            if ours := [raw for raw in rows if write.bears_mark(raw.get("PrivateNote"), operation)]:
                return ours
        return []

    def _invoice_marks(self, operation: Operation[CreateInvoice]) -> Iterator[str]:
        return (mark for rows in self._numbered(operation) for raw in rows for mark in marks_in(raw.get("PrivateNote")))

    def _numbered(self, operation: Operation[CreateInvoice]) -> Iterator[list[Json]]:
        """The invoices of the number, then the newest ones of the customer, each asked for when it is needed."""
        yield self._records.exact("Invoice", "DocNumber", operation.params.number)
        yield self._newest_rows("Invoice", operation.params.customer_id)

    def _numbering(self, operation: Operation[CreateInvoice]) -> dict[str, str]:
        """A number whose invoices are all voided is given once more. QuickBooks would refuse it as taken."""
        if operation.generation == 1:
            return {}
        numbered = self._records.exact("Invoice", "DocNumber", operation.params.number)
        free = bool(numbered) and all(self._is_void("Invoice", raw) for raw in numbered)
        return _SAME_NUMBER if free else {}

    def _invoice(self, operation: Operation[CreateInvoice], raw: Json) -> BookedInvoice:
        """Under the number of the order, whatever QuickBooks made of it."""
        return replace(read.invoice(raw, self._records.home_currency), number=operation.params.number)

    def _payment(self, operation: Operation[PostPayment], raw: Json) -> PaymentPosted:
        """Amounts as text, and whether the money lies on other invoices than it was meant for."""
        posted = read.payment(raw, self._records.home_currency)
        asked = {invoice: amount.minor for invoice, amount in operation.params.by_invoice.items()}
        return PaymentPosted(
            posted["id"],
            Money(posted["amount_minor"], posted["currency"]).text,
            Money(posted["unapplied_minor"], posted["currency"]).text,
            links_differ=posted["invoices"] != asked,
        )

    def _posted(self, operation: Operation[object], raw: Json) -> Posted:
        return Posted(raw["Id"], read.total(raw, self._records.home_currency).text)

    # -- records that are changed ------------------------------------------------------------------

    def _apply(self, operation: Operation[ApplyCredit]) -> Made:
        """Apply a Purchase to the unapplied rest of a Payment. Every line of the Payment is sent again."""
        asked = operation.params
        raw = self._records.raw("Payment", asked.payment_id)
        if raw is None:
            raise Refused(f"QuickBooks has no payment {asked.payment_id} any more")
        if write_refunds.is_applied(raw, asked):
            return Made(asked.payment_id)
        content = write.to_bytes(write_refunds.applied_body(raw, asked))
        request = f"{operation.id}-{raw['SyncToken']}"  # another version is another request
        try:
            self._call(lambda client: client.update_object("Payment", content, request_id=request))
        except Refused as refusal:
            if refusal.code == _CHANGED_MEANWHILE and not isinstance(refusal, RefusedInDoubt):
                raise Unavailable(refusal.message, hint="Run the same command again.") from refusal
            return _after_refusal(refusal, lambda: self._find_applied(operation))
        return Made(asked.payment_id)

    def _find_applied(self, operation: Operation[ApplyCredit]) -> Made | None:
        raw = self._records.raw("Payment", operation.params.payment_id)
        applied = raw is not None and write_refunds.is_applied(raw, operation.params)
        return Made(operation.params.payment_id) if applied else None

    def _delete(self, operation: Operation[DeleteDocument]) -> Made:
        asked = operation.params
        if (raw := self._records.raw(asked.entity, asked.id)) is not None:
            content = write.to_bytes({"Id": asked.id, "SyncToken": raw["SyncToken"]})
            self._call(lambda client: client.delete_object(asked.entity, content, request_id=operation.id))
        return Made(asked.id)

    def _find_deleted(self, operation: Operation[DeleteDocument]) -> Made | None:
        asked = operation.params
        return Made(asked.id) if self._records.raw(asked.entity, asked.id) is None else None

    def _void(self, operation: Operation[VoidDocument]) -> Made:
        asked = operation.params
        raw = self._records.raw(asked.entity, asked.id)
        if not self._is_void(asked.entity, raw):
            assert raw is not None, "what is gone is void"
            how = _VOID_INVOICE if asked.entity == "Invoice" else _VOID
            content = write.to_bytes({"Id": asked.id, "SyncToken": raw["SyncToken"], "sparse": True})
            self._call(
                lambda client: client.update_object(asked.entity, content, request_id=operation.id, params=dict(how))
            )
        return Made(asked.id)

    def _find_voided(self, operation: Operation[VoidDocument]) -> Made | None:
        asked = operation.params
        gone = self._is_void(asked.entity, self._records.raw(asked.entity, asked.id))
        return Made(asked.id) if gone else None

    def _is_void(self, entity: str, raw: Json | None) -> bool:
        with readable():
            return raw is None or read.record(entity, raw, self._records.home_currency).voided


def _made(operation: Operation[object], raw: Json) -> Made:
    return Made(raw["Id"])


def _by_id(operation: Operation[object], key: str, problem: str) -> Made:
    return Made(key)


def _standing(operation: Operation[object], key: str, problem: str) -> Posted:
    return Posted(key, "", problem)


def _standing_payment(operation: Operation[PostPayment], key: str, problem: str) -> PaymentPosted:
    return PaymentPosted(key, operation.params.amount, "", links_differ=False, problem=problem)


def _standing_invoice(operation: Operation[CreateInvoice], key: str, problem: str) -> BookedInvoice:
    """With what was asked for in place of QuickBooks' words."""
    asked = operation.params
    untyped: Operation[Any] = operation
    return replace(asked.assumed(untyped), id=key, problem=problem)


def _after_refusal(refusal: Refused, look: Callable[[], Result | None]) -> Result:
    """A refusal may be the echo of our own first attempt: then what that one made is the result."""
    in_doubt = isinstance(refusal, RefusedInDoubt)
    if not in_doubt and refusal.code not in _TAKEN:
        raise refusal
    try:
        found = look()
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
