"""What stands in the ledger and waits for somebody: it needs no comparison, only the time that it has waited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tillbook.kit.clock import rfc3339
from tillbook.kit.money import Money
from tillbook.operations.kinds.refunds.refund_payment import RefundPayment
from tillbook.operations.kinds.registry import kind_of
from tillbook.rules.matching import Discrepancy, of_unreadable
from tillbook.sales import pages

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.ledger.sales import Checkout
    from tillbook.till import Till

DAY_SECONDS = 86_400
_UNFINISHED_SECONDS = 300


def found(ledger: Ledger, now: int) -> Iterator[Discrepancy]:
    """Operations without an end, invoices that differ from their orders, payments of which more was given back than
    came in, records that cannot be understood, and what has waited for more than a day."""
    for operation in ledger.operations.unfinished_before(now - _UNFINISHED_SECONDS):
        asked = kind_of(operation).read(operation.params)
        refund = asked if isinstance(asked, RefundPayment) else None
        yield Discrepancy(
            type="uncertain_operation",
            subject=operation.id,
            amount=refund.money if refund else None,
            at=operation.prepared_at,
            payment=refund.payment if refund else "",
            note=f"{operation.kind} for {operation.subject} is {operation.state}",
        )
    for invoice in ledger.sales.unsound():
        yield Discrepancy(
            type="unsound_invoice",
            subject=invoice.number,
            amount=invoice.total,
            at=invoice.created_at,
            note=invoice.problem,
        )
    for row in ledger.outflows.over_returned():
        yield Discrepancy(
            type="over_returned",
            subject=row["payment"],
            amount=Money(row["returned_minor"] - row["captured_minor"], row["currency"]),
            at=ledger.reconciliation.payment_began(row["provider"], row["payment"]),
            provider=row["provider"],
            payment=row["payment"],
        )
    for record, seen_at in ledger.reconciliation.unreadable():
        yield of_unreadable(record, seen_at)
    yield from (one for one in waiting(ledger) if one.at < now - DAY_SECONDS)


def waiting(ledger: Ledger) -> Iterator[Discrepancy]:
    """Of any age: money of nobody that we know, what customers have left of double payments and the like, documents
    that left somebody something to do in QuickBooks, events that cannot be read."""
    for row in ledger.reconciliation.unmatched():
        yield Discrepancy(
            type="money_of_nobody",
            subject=row["payment"],
            amount=Money(row["amount_minor"], row["currency"]),
            at=row["occurred_at"],
            provider=row["provider"],
            payment=row["payment"],
        )
    for row in ledger.reconciliation.credits():
        yield Discrepancy(
            type="credit_of_customer",
            subject=row["invoice"],
            amount=Money(row["amount_minor"], row["currency"]),
            at=row["since"],
        )
    for document in ledger.documents.noted():
        yield Discrepancy(
            type="note_on_document",
            subject=document.key,
            amount=document.amount,
            at=document.occurred_at,
            payment=document.payment,
            note=document.reason,
        )
    for row in ledger.inbox.parked():
        yield Discrepancy(
            type="parked_event", subject=row["event"], amount=None, at=row["received_at"], note=row["reason"]
        )


def disputed(till: Till, provider: str) -> Iterator[Discrepancy]:
    """Disputes and inquiries that wait for our answer, with the day by which it must be given."""
    for one in till.provider(provider).open_disputes():
        until = f", answer until {rfc3339(one.due_at)[:10]}" if one.due_at else ""
        yield Discrepancy(
            type="open_dispute",
            subject=one.id,
            amount=one.amount,
            at=one.opened_at,
            provider=provider,
            note=one.status + until,
        )


def approved(till: Till, provider: str) -> Iterator[Discrepancy]:
    """Pages that a customer approved without any money having moved: those that wait, and those that came to nothing
    while the invoice is still open."""
    for page in till.ledger.sales.unpaid_checkouts(provider):
        if pages.seen(till, page).status == "approved":
            yield _approval(page, "", f"invoice {page.invoice}")
    for page in till.ledger.sales.uncaptured_checkouts(provider):
        yield _approval(page, "over", f"invoice {page.invoice}, {page.reason or 'approved after it was closed'}")


def _approval(page: Checkout, place: str, note: str) -> Discrepancy:
    return Discrepancy(
        type="approved_not_captured",
        subject=page.id,
        amount=page.amount,
        at=page.created_at,
        provider=page.provider,
        place=place,
        note=note,
    )
