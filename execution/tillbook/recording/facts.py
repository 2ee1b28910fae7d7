"""The one way by which facts come into the ledger, with all that follows from them.

Webhooks, polling, reconciliation and our own operations all end here. Facts, their entries, documents and messages are
written in one commit, whatever they are about: an invoice, a payment or a provider's account.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, assert_never

from tillbook.kit.money import Money
from tillbook.ledger import Ledger
from tillbook.rules.allocation import uses
from tillbook.rules.bookkeeping import documents_for, rule_of, target
from tillbook.rules.documents import Purpose
from tillbook.rules.entries import correction
from tillbook.rules.events import BookedInvoice
from tillbook.rules.facts import (
    About,
    AboutAccount,
    AboutInvoice,
    AboutPayment,
    Fact,
    InvoiceChanged,
    InvoiceFact,
    InvoiceIssued,
    PaymentRefunded,
)
from tillbook.rules.forms.totals import total_problem
from tillbook.rules.operations import opened_page
from tillbook.rules.uses import Uses

if TYPE_CHECKING:
    from tillbook.ledger.sales import Invoice
    from tillbook.rules.events import Reading


def record_reading(ledger: Ledger, provider: str, reading: Reading, now: int) -> int:
    """What a provider's object proves: facts, which invoice they are for, and all that follows. In a transaction.

    Returns how many records could not be understood of it that were not known for it yet.
    """
    payments = {fact.about.payment for fact in reading.facts if isinstance(fact.about, AboutPayment)}
    for payment in payments:
        _match(ledger, provider, payment, reading, now)
        ledger.reconciliation.read_again(provider, payment, reading.unreadable)
    record_facts(ledger, reading.facts, now)
    for operation in reading.released:
        ledger.outflows.release(operation, now)
    return ledger.reconciliation.note_unreadable(reading.unreadable, now)


def record_facts(ledger: Ledger, facts: Sequence[Fact], now: int) -> None:
    """Facts, with the entries, documents and messages that they call for. In a transaction."""
    for fact in facts:
        ledger.facts.append(fact, now)
    for about in dict.fromkeys(_place(ledger, fact.about) for fact in facts):
        _bring_up_to_date(ledger, about, facts, now)


def post_invoice(ledger: Ledger, number: str, now: int) -> None:
    """Bring the entries, documents and messages of an invoice to what its facts say now. In a transaction."""
    _bring_up_to_date(ledger, AboutInvoice(number), (), now)


def called_for(ledger: Ledger, about: About) -> tuple[list[Fact], Uses]:
    """Every fact about an invoice or a payment, and how its money is used. Facts about an account stand alone."""
    match about:
        case AboutInvoice(number):
            facts = ledger.facts.of_invoice(number)
            return facts, uses_of(ledger, number, facts)
        case AboutPayment(provider, payment):
            return ledger.facts.of_payment(provider, payment), {}
        case AboutAccount():
            return [], {}
        case _:
            assert_never(about)


def message_key(kind: str, fact: Fact) -> str:
    """What a mail that a fact calls for is known by."""
    return f"{kind}:{fact.provider}:{fact.key}"


def _place(ledger: Ledger, about: About) -> About:
    """Where the consequences of a fact are judged: those of a payment with its invoice, once that is known."""
    if isinstance(about, AboutPayment) and (number := ledger.sales.match_of(*about)):
        return AboutInvoice(number)
    return about


def _bring_up_to_date(ledger: Ledger, about: About, new: Iterable[Fact], now: int) -> None:
    """Write what the rules call for now and is not there yet: entries, documents, messages."""
    facts, view = called_for(ledger, about)
    number = about.invoice if isinstance(about, AboutInvoice) else ""
    facts = facts or [fact for fact in new if fact.about == about]
    for fact in facts:
        use = view.get((fact.provider, fact.key))
        if lines := correction(target(fact, use, ledger.clearing), ledger.facts.posted(fact)):
            ledger.facts.add_entry(fact, lines, _reason(about), now)
    if isinstance(about, AboutPayment) or (number and not any(isinstance(fact, InvoiceFact) for fact in facts)):
        return  # nothing is told of money before it is known what it is for
    for fact in facts:
        for document in documents_for(fact, number, view.get((fact.provider, fact.key))):
            ledger.documents.add(document, now)
        for kind in rule_of(fact).messages:
            ledger.messages.add(message_key(kind, fact), kind, now, invoice=number, fact=fact)


def _reason(about: About) -> str:
    """What an entry says of why it was posted."""
    match about:
        case AboutInvoice(number):
            return f"invoice {number}"
        case AboutPayment():
            return "payment of an unknown invoice"
        case AboutAccount(provider):
            return f"account at {provider}"
        case _:
            assert_never(about)


def record_invoice(ledger: Ledger, booked: BookedInvoice, now: int) -> None:
    """What QuickBooks holds for an invoice: its row, its facts and their entries. In a transaction.

    A total other than the order's is recorded as the invoice's problem: nothing may be charged until it is mended. So
    is an answer that cannot be understood, and nothing else follows from that.
    """
    known = ledger.sales.invoice(booked.number)
    assert known is not None, "an invoice is asked for or adopted before it is recorded"
    if booked.problem:
        ledger.sales.book_unread_invoice(
            booked.number, quickbooks_id=booked.id, customer=booked.customer_id, problem=booked.problem
        )
        return
    if known.problem:
        ledger.reconciliation.read_well("quickbooks", f"Invoice {booked.id}")
    same = (known.total, known.tax) == (booked.total, booked.tax)
    ledger.sales.book_invoice(
        booked.number,
        quickbooks_id=booked.id,
        customer=booked.customer_id,
        total=booked.total,
        tax=booked.tax,
        balance=booked.balance,
        problem="" if same and not known.problem else _problem(known, booked),
    )
    if fact := _invoice_fact(ledger, booked, now):
        ledger.facts.append(fact, now)
        post_invoice(ledger, booked.number, now)


def uses_of(ledger: Ledger, number: str, facts: Sequence[Fact]) -> Uses:
    """How the money of an invoice is used. Our own refund operations say what they give back."""
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
    """How much credit a refund gives back by its documents, which never change, or None while it has none."""
    if purchase := ledger.documents.recording(Purpose.CREDIT_REFUND, fact):
        return purchase.amount
    receipt = ledger.documents.recording(Purpose.SALE_REFUND, fact)
    return None if receipt is None else Money.zero(fact.amount.currency)


def _match(ledger: Ledger, provider: str, payment: str, reading: Reading, now: int) -> None:
    """Say which invoice a payment is for: our own operation proves it, nothing else does.

    A ledger that was restored from a copy may not hold the operation. Then its id proves the same, for it is made of
    provider and invoice.
    """
    operation = ledger.operations.get(reading.operation) if reading.operation else None
    if operation is not None:
        ours = operation.params.get("invoice") == reading.invoice
    else:
        known = reading.invoice and ledger.sales.invoice(reading.invoice)
        ours = bool(known) and opened_page(reading.operation, provider, reading.invoice)
    if ours:
        ledger.sales.match(provider, payment, reading.invoice, f"operation {reading.operation}", now)


def _invoice_fact(ledger: Ledger, booked: BookedInvoice, now: int) -> InvoiceFact | None:
    """The first sight of an invoice, or how its total changed since the last one. None when nothing did."""
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


def _problem(known: Invoice, booked: BookedInvoice) -> str:
    """Why the total in the books is not the order's. Empty when it is, or when no order is known."""
    order = known.order()
    return "" if order is None else total_problem(order, booked.total, booked.tax)
