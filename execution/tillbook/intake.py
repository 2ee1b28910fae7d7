"""The one door through which everything becomes facts: webhooks, polling, reconciliation and our own operations.

An event is only a hint. Its object is read at the vendor by id; the facts that it proves, their entries, documents
and messages are written in one commit with the end of every event that the read answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook import bookkeeping, journal
from tillbook.books import BookedInvoice
from tillbook.errors import NotAllowed, Refused, Unavailable
from tillbook.facts import Fact, InvoiceChanged, InvoiceFact, InvoiceIssued, PaymentFact, PaymentRefunded
from tillbook.ledger import Ledger
from tillbook.money import Money
from tillbook.operations import Json
from tillbook.orders import parse_order, total_problem
from tillbook.patience import next_attempt
from tillbook.uses import Uses, uses

if TYPE_CHECKING:
    from tillbook.events import Event
    from tillbook.ledger.inbox import Waiting
    from tillbook.providers import Reading
    from tillbook.workshop import Workshop

MAILS = {"PaymentSucceeded": ("confirmation", "owner"), "PaymentRefunded": ("refund",)}
POLL_OVERLAP_SECONDS = 300
FIRST_POLL_SECONDS = 30 * 24 * 3600  # as far back as a provider lists events


@dataclass(frozen=True, slots=True)
class Processed:
    """How many events one round applied, parked and ignored, and how many wait."""

    applied: int
    parked: int
    ignored: int
    remaining: int


def process(shop: Workshop, *, limit: int, progress: Callable[[int], None] = lambda _: None) -> Processed:
    """Apply up to `limit` waiting events, one vendor read for all events of the same object.

    What cannot be read now is parked with its reason and tried again later; nothing is dropped.
    """
    counts = {"applied": 0, "parked": 0, "ignored": 0}
    seen: set[int] = set()
    for event in shop.ledger.inbox.due(shop.clock.now(), limit):
        if event.id not in seen:
            group, state = _process_group(shop, event)
            seen.update(waiting.id for waiting in group)
            counts[state] += len(group)
            progress(len(group))
    remaining, _ = shop.ledger.inbox.waiting()
    return Processed(**counts, remaining=remaining)


def poll(shop: Workshop, provider: str) -> tuple[int, int]:
    """Fetch a provider's events since the last poll, and what its open pages show, into the inbox: how many were new,
    how many were seen.

    An overlap is read again, for an event may be listed late; the cursor moves only when the whole list was kept.
    """
    name, started = f"events:{provider}", shop.clock.now()
    since = shop.ledger.activity.cursor(name) or started - FIRST_POLL_SECONDS
    pages = [page.id for page in shop.ledger.sales.unpaid_checkouts(provider)]
    counted = _keep_polled(shop, shop.provider(provider).events(since - POLL_OVERLAP_SECONDS, pages))
    with shop.ledger.transaction():
        shop.ledger.activity.set_cursor(name, started)
    return counted


def _keep_polled(shop: Workshop, events: Iterable[Event]) -> tuple[int, int]:
    new = seen = 0
    batch: list[Event] = []
    for event in events:
        batch.append(event)
        if len(batch) == 100:  # noqa: PLR2004  a write transaction stays short
            new, seen, batch = new + _keep(shop, batch), seen + len(batch), []
    return new + _keep(shop, batch), seen + len(batch)


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
    problem = "" if known.order_json == "{}" else _problem(known.order_json, booked)
    ledger.sales.book_invoice(
        booked.number,
        quickbooks_id=booked.id,
        customer=booked.customer_id,
        total=booked.total,
        tax=booked.tax,
        balance=booked.balance,
        problem=problem,
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
    for document in bookkeeping.documents_for(facts, number, view):
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
        operation = ledger.operations.get(fact.operation)
        if operation is not None and operation.kind == "refund_payment":
            purposes[operation.id] = str(operation.params["purpose"])
        elif (credit := _credit_in_documents(ledger, fact)) is not None:
            decided[(fact.provider, fact.key)] = credit
    return uses(number, facts, purposes, decided)


def _credit_in_documents(ledger: Ledger, fact: PaymentRefunded) -> Money | None:
    """How much credit a refund gives back by its documents, which never change; None while it has none."""
    receipt, purchase = (
        ledger.documents.get(bookkeeping.document_key(kind, fact.provider, fact.key))
        for kind in ("RefundReceipt", "Purchase")
    )
    if purchase is not None:
        return purchase.amount
    return None if receipt is None else Money.zero(fact.amount.currency)


def booked_from_json(result: Json) -> BookedInvoice:
    """A BookedInvoice back from the result of a `create_invoice` operation, which is its `asdict`."""
    return BookedInvoice(
        **{**result, **{name: Money(**result[name]) for name in ("total", "tax", "balance")}},
    )


def _keep(shop: Workshop, events: Sequence[Event]) -> int:
    if not events:
        return 0
    with shop.ledger.transaction():
        return sum(shop.ledger.inbox.add(event, source="poll", now=shop.clock.now()) for event in events)


def _process_group(shop: Workshop, event: Waiting) -> tuple[list[Waiting], str]:
    """Read the object of an event once and end everything that waits for it."""
    ledger = shop.ledger
    group = ledger.inbox.same_object(event) if event.object else [event]
    reason = _stranger(shop, event)
    try:
        if not event.object:
            return _end(shop, group, "ignored", "nothing to read for this type")
        if reason:
            return _park(shop, group, reason)
        reading = shop.provider(event.provider).read(event.object)
    except (Unavailable, NotAllowed) as error:
        return _park(shop, group, error.message)
    except Refused as error:
        page = ledger.sales.checkout(event.object)
        if error.code == "resource_missing" and page is not None and page.status == "expired":
            return _end(shop, group, "ignored", "its page is over, and its provider does not know it any more")
        return _park(shop, group, f"cannot be read: {error.message}")
    now = shop.clock.now()
    with ledger.transaction():
        record_reading(ledger, event.provider, reading, now)
        ledger.inbox.end(group, "applied", "", now)
    return group, "applied"


def _stranger(shop: Workshop, event: Waiting) -> str:
    """Why an event is not for this ledger: another mode or another account (A14); else empty."""
    if event.livemode != (shop.settings.mode == "live"):
        return f"a {'live' if event.livemode else 'test'} event in a ledger of {shop.settings.mode} mode"
    account = shop.ledger.binding.bound().get(event.provider, "")
    if event.account and account and event.account != account:
        return f"belongs to account {event.account}, not to {account}"
    return ""


def _end(shop: Workshop, group: list[Waiting], state: str, reason: str) -> tuple[list[Waiting], str]:
    with shop.ledger.transaction():
        shop.ledger.inbox.end(group, state, reason, shop.clock.now())
    return group, state


def _park(shop: Workshop, group: list[Waiting], reason: str) -> tuple[list[Waiting], str]:
    with shop.ledger.transaction():
        attempts = max(event.attempts for event in group)
        shop.ledger.inbox.park(group, reason, next_attempt(shop.clock.now(), attempts))
    return group, "parked"


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
        target = journal.target(fact, view.get((fact.provider, fact.key)))
        if lines := journal.correction(target, ledger.facts.posted(fact)):
            ledger.facts.add_entry(fact, lines, reason, now)


def _problem(order_json: str, booked: BookedInvoice) -> str:
    return total_problem(parse_order(json.loads(order_json)), booked.total, booked.tax)
