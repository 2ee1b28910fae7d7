"""Refunds in the books: the exact documents for what they give back, and the cent of tax that may differ."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tillbook.books import accounts
from tillbook.kit.clock import business_date
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money, parse, percentage
from tillbook.operations.perform import perform
from tillbook.recording.facts import uses_of
from tillbook.rules.allocation import Return
from tillbook.rules.facts import PaymentRefunded, RefundFailed
from tillbook.rules.operations import Json, Operation, Plan
from tillbook.sales import company, invoices

if TYPE_CHECKING:
    from tillbook.ledger.documents import StoredDocument
    from tillbook.rules.invoices import BookedInvoice
    from tillbook.till import Till

KINDS = {
    "RefundReceipt": "post_refund_receipt",
    "SalesReceipt": "post_sales_receipt",
    "Purchase": "post_purchase",
    "Deposit": "post_deposit",
}
MOST_ROUNDING_MINOR = 5
ROUNDING = "Refund rounding"


def plan(till: Till, document: StoredDocument) -> tuple[Plan, str]:
    """The operation that posts a refund's document, and why it is another one than the last (or empty).

    A receipt whose total came out different is deleted first and posted again with a rounding line. Raises Refused
    when it is more than five minor units; after a person let it try again, it is tried without that line.
    """
    kind = KINDS[document.kind]
    last = till.ledger.operations.last(kind, document.key)
    difference = rounding = _difference(document, last)
    if last is not None and difference:
        rounding = _deleted(till, document, last, difference)
    elif last is not None and last.state == "refused":
        rounding = _rounding_of(last, document.amount.currency)
    issued = invoices.known_or_adopted(till, document.invoice)
    common: Json = {
        "customer_id": issued.booked.customer_id,
        "currency": document.amount.currency,
        "date": business_date(document.occurred_at, company.zone(till)).isoformat(),
        "account_id": accounts.clearing_account(till, document.provider, document.amount.currency),
        "note": f"{document.provider} {document.payment}, document {document.key}",
    }
    if document.kind in ("Purchase", "Deposit"):
        params: Json = common | {
            "amount": document.amount.text,
            "receivable_account_id": till.books.receivable_account(document.amount.currency),
            "description": f"Refund of invoice {document.invoice}",
        }
    else:
        params = common | {"lines": _lines(till, document, issued.booked, rounding)}
    renew = f"its total differed by {difference}" if difference else ""
    return Plan(kind, document.key, "quickbooks", params), renew


def _difference(document: StoredDocument, last: Operation | None) -> Money:
    """What the document's amount is more than the receipt that stands in the books; zero when none stands."""
    zero = Money.zero(document.amount.currency)
    if last is None or last.state != "done" or not last.result or "total" not in last.result:
        return zero
    return document.amount - parse(last.result["total"], zero.currency)


def _rounding_of(last: Operation, currency: str) -> Money:
    """The rounding line of an attempt that never arrived: the next one needs it just as much."""
    lines = last.params.get("lines", [])
    amounts = [
        parse(one["amount"], currency, negative=True) for one in lines if one["description"].startswith(ROUNDING)
    ]
    return sum(amounts, Money.zero(currency))


def _deleted(till: Till, document: StoredDocument, last: Operation, difference: Money) -> Money:
    """Delete the receipt of the wrong total; the rounding that the next one needs. Raises Refused, once for each
    receipt, when that would be too much."""
    assert last.result is not None, "a done operation has a result"
    params: Json = {"entity": document.kind, "id": last.result["id"]}
    plan = Plan("delete_document", f"{document.kind} {last.result['id']}", "quickbooks", params)
    outcome = perform(till, plan)
    if abs(difference.minor) <= MOST_ROUNDING_MINOR:
        return difference
    if not outcome.already_done:
        raise Refused(
            f"QuickBooks made a {document.kind} of {last.result['total']} out of the refund of {document.amount}; it"
            " was deleted, for the tax there is another than that of the invoice",
            hint="Mend the tax in QuickBooks.",
        )
    return Money.zero(difference.currency)


def _lines(till: Till, document: StoredDocument, booked: BookedInvoice, rounding: Money) -> list[Json]:
    """The refunded sale as one taxable and one untaxed line on the Service item, and a rounding line if need be."""
    returned = given(till, document)
    item = accounts.refund_item(till)
    taxable = _taxable_part(till, document.invoice, returned, booked)
    parts = [
        ("Refund", taxable, True),
        ("Refund", returned.sale - taxable, False),
        (ROUNDING, rounding, False),
    ]
    return [
        {"description": f"{words} of {document.invoice}", "item_id": item, "amount": amount.text, "taxable": taxed}
        for words, amount, taxed in parts
        if amount
    ]


def given(till: Till, document: StoredDocument) -> Return:
    """What the refund of a document gives back; the same, not its mirror, for one that failed."""
    facts = till.ledger.facts.of_invoice(document.invoice)
    view = uses_of(till.ledger, document.invoice, facts)
    for fact in facts:
        if isinstance(fact, PaymentRefunded | RefundFailed) and document.key.endswith(f":{fact.provider}:{fact.key}"):
            use = view[(fact.provider, fact.key)]
            assert isinstance(use, Return), "a refund of a known invoice is a return"
            return -use if isinstance(fact, RefundFailed) else use
    raise AssertionError(f"document {document.key} rests on a fact")


def _taxable_part(till: Till, number: str, given: Return, booked: BookedInvoice) -> Money:
    """How much of the sale carries tax: as in the order; all of it for an invoice that was made by hand with tax."""
    if not given.tax:
        return Money.zero(given.sale.currency)
    invoice = till.ledger.sales.invoice(number)
    order = invoice.order() if invoice else None
    if order is None:
        return given.sale
    return percentage(Decimal(100) * order.taxable_net.minor / order.net.minor, given.sale)
