"""The one way by which facts come into the ledger, with all that follows from them.

Webhooks, polling, reconciliation and our own operations all end here. Facts, their entries, documents and messages are
written in one commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tillbook.kit.money import Money
from tillbook.ledger import Ledger
from tillbook.rules import documents, entries
from tillbook.rules.allocation import Uses, uses
from tillbook.rules.facts import Fact, InvoiceChanged, InvoiceFact, InvoiceIssued, PaymentFact, PaymentRefunded
from tillbook.rules.invoices import BookedInvoice
from tillbook.rules.orders import total_problem

if TYPE_CHECKING:
    from tillbook.ledger.sales import Invoice
    from tillbook.rules.readings import Reading

MAILS = {"PaymentSucceeded": ("confirmation", "owner"), "PaymentRefunded": ("refund",)}


def record_reading(ledger: Ledger, provider: str, reading: Reading, now: int) -> None:
    """Facts, match, entries, documents and messages of what a provider's object proves. In a transaction."""
    payments = {fact.payment for fact in reading.facts if isinstance(fact, PaymentFact)}
    for payment in payments:
        _match(ledger, provider, payment, reading, now)
        record_facts(ledger, provider, payment, reading.facts, now)
    for operation in reading.released:
        ledger.outflows.release(operation, now)


def record_facts(ledger: Ledger, provider: str, payment: str, facts: Iterable[Fact], now: int) -> None:
    """Facts of a payment, with the entries, documents and messages that they call for. In a transaction."""
    for fact in facts:
        ledger.facts.append(fact, now)
    invoice = ledger.sales.match_of(provider, payment)
    if invoice:
        post_invoice(ledger, invoice, now)
    else:
        _post(ledger, ledger.facts.of_payment(provider, payment), {}, "payment of an unknown invoice", now)


def record_invoice(ledger: Ledger, booked: BookedInvoice, now: int) -> None:
    """What QuickBooks holds for an invoice: its row, its facts and their entries. In a transaction.

    A total other than the order's is recorded as the invoice's problem: nothing may be charged until it is mended.
    """
    known = ledger.sales.invoice(booked.number)
    assert known is not None, "an invoice is asked for or adopted before it is recorded"
    same = (known.total, known.tax) == (booked.total, booked.tax)
    ledger.sales.book_invoice(
        booked.number,
        quickbooks_id=booked.id,
        customer=booked.customer_id,
        total=booked.total,
        tax=booked.tax,
        balance=booked.balance,
        problem=known.problem if same else _problem(known, booked),
    )
    if fact := _invoice_fact(ledger, booked, now):
        ledger.facts.append(fact, now)
        post_invoice(ledger, booked.number, now)


def post_invoice(ledger: Ledger, number: str, now: int) -> None:
    """Bring the entries, documents and messages of an invoice to what its facts say now. In a transaction."""
    facts = ledger.facts.of_invoice(number)
    view = uses_of(ledger, number, facts)
    _post(ledger, facts, view, f"invoice {number}", now)
    if not any(isinstance(fact, InvoiceFact) for fact in facts):
        return
    for document in documents.documents_for(facts, number, view):
        ledger.documents.add(document, now)
    for fact in facts:
        for kind in MAILS.get(fact.kind, ()):
            assert not isinstance(fact, InvoiceFact), "mails are about payments"
            key = f"{kind}:{fact.provider}:{fact.key}"
            ledger.messages.add(key, kind, number, now, provider=fact.provider, payment=fact.payment)


def uses_of(ledger: Ledger, number: str, facts: Sequence[Fact]) -> Uses:
    """How the money of an invoice is used; our own refund operations say what they give back."""
    purposes: dict[str, str] = {}
    decided: dict[tuple[str, str], Money] = {}
    for fact in facts:
        if not isinstance(fact, PaymentRefunded):
            continue
        if purpose := ledger.outflows.purpose(fact.operation):
            purposes[fact.operation] = purpose
        elif (credit := _credit_in_documents(ledger, fact)) is not None:
            decided[(fact.provider, fact.key)] = credit
    return uses(number, facts, purposes, decided)


def _credit_in_documents(ledger: Ledger, fact: PaymentRefunded) -> Money | None:
    """How much credit a refund gives back by its documents, which never change; None while it has none."""
    receipt, purchase = (
        ledger.documents.get(documents.document_key(kind, fact.provider, fact.key))
        for kind in ("RefundReceipt", "Purchase")
    )
    if purchase is not None:
        return purchase.amount
    return None if receipt is None else Money.zero(fact.amount.currency)


def _match(ledger: Ledger, provider: str, payment: str, reading: Reading, now: int) -> None:
    """Say which invoice a payment is for: our own operation proves it, nothing else does."""
    operation = ledger.operations.get(reading.operation) if reading.operation else None
    if operation is not None and operation.params.get("invoice") == reading.invoice:
        ledger.sales.match(provider, payment, reading.invoice, f"operation {operation.id}", now)


def _invoice_fact(ledger: Ledger, booked: BookedInvoice, now: int) -> InvoiceFact | None:
    """The first sight of an invoice, or how its total changed since the last one; None when nothing did."""
    known = [fact for fact in ledger.facts.of_invoice(booked.number) if isinstance(fact, InvoiceFact)]
    zero = Money.zero(booked.total.currency)
    total = sum((fact.total for fact in known), zero)
    tax = sum((fact.tax for fact in known), zero)
    if known and (total, tax) == (booked.total, booked.tax):
        return None
    if known:
        return InvoiceChanged(
            provider="quickbooks",
            key=f"invoice:{booked.id}:{booked.version}",
            occurred_at=now,
            invoice=booked.number,
            total=booked.total - total,
            tax=booked.tax - tax,
        )
    return InvoiceIssued(
        provider="quickbooks",
        key=f"invoice:{booked.id}",
        occurred_at=booked.created_at,
        invoice=booked.number,
        total=booked.total,
        tax=booked.tax,
    )


def _post(ledger: Ledger, facts: Sequence[Fact], view: Uses, reason: str, now: int) -> None:
    """One correcting entry for each fact whose entries do not yet say what the rules say."""
    for fact in facts:
        target = entries.target(fact, view.get((fact.provider, fact.key)), ledger.clearing)
        if lines := entries.correction(target, ledger.facts.posted(fact)):
            ledger.facts.add_entry(fact, lines, reason, now)


def _problem(known: Invoice, booked: BookedInvoice) -> str:
    """Why the total in the books is not the order's; empty when it is, or when no order is known."""
    order = known.order()
    return "" if order is None else total_problem(order, booked.total, booked.tax)
