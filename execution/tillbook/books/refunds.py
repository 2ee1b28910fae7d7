"""Refunds in the books: the exact documents for what they give back, and the cent of tax that may differ."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tillbook.books import accounts
from tillbook.kit.clock import business_date
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money, parse, percentage
from tillbook.operations.kinds.books.delete_document import DeleteDocument
from tillbook.operations.kinds.refunds.credit_movement import CreditMovement
from tillbook.operations.kinds.refunds.receipt import Receipt, ReceiptLine
from tillbook.operations.kinds.registry import POSTINGS
from tillbook.operations.perform import perform
from tillbook.recording.facts import uses_of
from tillbook.rules.facts import RefundFailed
from tillbook.rules.uses import Return
from tillbook.sales import company, invoices

if TYPE_CHECKING:
    from tillbook.ledger.documents import StoredDocument
    from tillbook.operations.kinds.quickbooks import Posted
    from tillbook.rules.events import BookedInvoice
    from tillbook.rules.operations import Plan
    from tillbook.till import Till

MOST_ROUNDING_MINOR = 5
ROUNDING = "Refund rounding"


def plan(till: Till, document: StoredDocument) -> tuple[Plan[Posted], str]:
    """The operation that posts a refund's document, and why it is another one than the last (or empty)."""
    kind = POSTINGS[document.purpose]
    if issubclass(kind, Receipt):
        return _receipt_plan(till, kind, document)
    assert issubclass(kind, CreditMovement), "what a refund gives back is a sale or a credit"
    return _movement(till, kind, document).plan(document.key), ""


def _receipt_plan(till: Till, kind: type[Receipt], document: StoredDocument) -> tuple[Plan[Posted], str]:
    """A receipt whose total came out different is deleted first and posted again with a rounding line.

    Raises Refused when it is more than five minor units. After a person let it try again, it is tried without that
    line.
    """
    last = kind.last(till.ledger, document.key)
    rounding = Money.zero(document.amount.currency)
    renew = ""
    if last is not None and last.state == "done":
        posted = kind.result_of(last)
        if difference := document.amount - parse(posted.total, document.amount.currency):
            rounding = _deleted(till, document, posted, difference)
            renew = f"its total differed by {difference}"
    elif last is not None and last.state == "refused":
        rounding = _rounding_of(last.params)
    return _receipt(till, kind, document, rounding).plan(document.key), renew


def _receipt(till: Till, kind: type[Receipt], document: StoredDocument, rounding: Money) -> Receipt:
    booked = invoices.known_or_adopted(till, document.invoice).booked
    return kind(
        customer_id=booked.customer_id,
        currency=document.amount.currency,
        date=business_date(document.occurred_at, company.zone(till)).isoformat(),
        account_id=accounts.clearing_account(till, document.provider, document.amount.currency),
        note=_note(document),
        lines=_lines(till, document, booked, rounding),
    )


def _movement(till: Till, kind: type[CreditMovement], document: StoredDocument) -> CreditMovement:
    booked = invoices.known_or_adopted(till, document.invoice).booked
    return kind(
        customer_id=booked.customer_id,
        currency=document.amount.currency,
        date=business_date(document.occurred_at, company.zone(till)).isoformat(),
        account_id=accounts.clearing_account(till, document.provider, document.amount.currency),
        note=_note(document),
        amount=document.amount.text,
        receivable_account_id=till.books.receivable_account(document.amount.currency),
        description=f"Refund of invoice {document.invoice}",
    )


def _note(document: StoredDocument) -> str:
    return f"{document.provider} {document.payment}, document {document.key}"


def _rounding_of(receipt: Receipt) -> Money:
    """The rounding line of an attempt that never arrived: the next one needs it just as much."""
    amounts = (
        parse(line.amount, receipt.currency, negative=True)
        for line in receipt.lines
        if line.description.startswith(ROUNDING)
    )
    return sum(amounts, Money.zero(receipt.currency))


def _deleted(till: Till, document: StoredDocument, posted: Posted, difference: Money) -> Money:
    """Delete the receipt of the wrong total. Returns the rounding that the next one needs.

    Raises Refused, once for each receipt, when that would be too much.
    """
    outcome = perform(till, DeleteDocument(document.kind, posted.id).plan())
    if abs(difference.minor) <= MOST_ROUNDING_MINOR:
        return difference
    if not outcome.already_done:
        raise Refused(
            f"QuickBooks made a {document.kind} of {posted.total} out of the refund of {document.amount}; it"
            " was deleted, for the tax there is another than that of the invoice",
            hint="Mend the tax in QuickBooks.",
        )
    return Money.zero(difference.currency)


def _lines(till: Till, document: StoredDocument, booked: BookedInvoice, rounding: Money) -> tuple[ReceiptLine, ...]:
    """The refunded sale as one taxable and one untaxed line on the Service item, and a rounding line if need be."""
    returned = given(till, document)
    item = accounts.refund_item(till)
    taxable = _taxable_part(till, document.invoice, returned, booked)
    parts = [
        ("Refund", taxable, True),
        ("Refund", returned.sale - taxable, False),
        (ROUNDING, rounding, False),
    ]
    return tuple(
        ReceiptLine(f"{words} of {document.invoice}", item, amount.text, taxed)
        for words, amount, taxed in parts
        if amount
    )


def given(till: Till, document: StoredDocument) -> Return:
    """What the refund of a document gives back. For a refund that failed it is what that refund had given."""
    view = uses_of(till.ledger, document.invoice, till.ledger.facts.of_invoice(document.invoice))
    for fact in till.ledger.documents.facts(document.key):
        use = view[(fact.provider, fact.key)]
        if isinstance(use, Return):
            return -use if isinstance(fact, RefundFailed) else use
    raise AssertionError(f"document {document.key} rests on a refund of a known invoice")


def _taxable_part(till: Till, number: str, given: Return, booked: BookedInvoice) -> Money:
    """How much of the sale carries tax. An invoice that was made by hand with tax has it on all of the sale."""
    if not given.tax:
        return Money.zero(given.sale.currency)
    invoice = till.ledger.sales.invoice(number)
    order = invoice.order() if invoice else None
    if order is None:
        return given.sale
    return percentage(Decimal(100) * order.taxable_net.minor / order.net.minor, given.sale)
