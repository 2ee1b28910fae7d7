"""The whole chain of a sale, from anything that names one part of it. Reads the ledger only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tillbook.clock import rfc3339
from tillbook.errors import Refused
from tillbook.facts import Fact, InvoiceFact
from tillbook.ledger import Ledger
from tillbook.money import Money

Link = dict[str, Any]


def of(ledger: Ledger, anything: str) -> list[Link]:
    """Each link with `what`, `id`, `status`, `amount`, `at` and `detail`, oldest first by kind.

    `anything`: an invoice number, a mail address (every invoice of it), a payment, charge, checkout, event,
    operation or QuickBooks id. Raises Refused when nothing is known by it.
    """
    numbers = _invoices(ledger, anything)
    links = [link for number in numbers for link in _links(ledger, number)]
    links = links or list(_strays(ledger, anything))
    if not links:
        raise Refused(
            f"nothing in the ledger is known as {anything!r}",
            hint="Pass an invoice number, a mail address, or an id of Stripe or QuickBooks as it is written there.",
        )
    return links


def _invoices(ledger: Ledger, anything: str) -> list[str]:
    """The invoices that this names, directly or through one of their parts."""
    if ledger.sales.invoice(anything):
        return [anything]
    if "@" in anything:
        return ledger.sales.invoices_of_email(anything)
    found = {row["invoice"] for row in ledger.sales.named(anything)}
    return sorted(number for number in found if number)


def _links(ledger: Ledger, number: str) -> Iterator[Link]:
    yield from _sale(ledger, number)
    for page in ledger.sales.checkouts_of_invoice(number):
        yield _link(
            "checkout",
            page.id,
            page.status,
            page.amount,
            page.created_at,
            f"{page.provider}, operation {page.operation}",
        )
    for match in ledger.sales.payments_of_invoice(number):
        yield from _events(ledger, match["provider"], match["payment"])
    for fact in ledger.facts.of_invoice(number):
        yield from _fact(ledger, fact)
    for document in ledger.documents.of_invoice(number):
        detail = f"QuickBooks {document.quickbooks_id}" if document.quickbooks_id else document.reason
        yield _link(
            f"document {document.kind}", document.key, document.state, document.amount, document.occurred_at, detail
        )
    for message in ledger.messages.of_invoice(number):
        detail = message["reason"] or f"to {message['sent_to']}, {message['message_id']}"
        yield _link(f"mail {message['kind']}", message["key"], message["state"], None, message["created_at"], detail)


def _sale(ledger: Ledger, number: str) -> Iterator[Link]:
    invoice = ledger.sales.invoice(number)
    assert invoice is not None, "named by the caller"
    if invoice.order_json != "{}":
        yield _link("order", number, "accepted", None, invoice.created_at, f"due {invoice.due}")
    if customer := ledger.sales.customer(invoice.customer):
        detail = f"{customer['name']} <{customer['email']}>"
        yield _link("customer", customer["quickbooks_id"], "in QuickBooks", None, None, detail)
    status = _invoice_status(ledger, number, invoice.problem)
    detail = invoice.problem or f"QuickBooks {invoice.quickbooks_id or 'does not have it yet'}"
    yield _link("invoice", number, status, invoice.total, invoice.created_at, detail)


def _invoice_status(ledger: Ledger, number: str, problem: str) -> str:
    if problem:
        return "problem"
    balances = ledger.facts.invoice_balances(number)
    owed = [amount for (account, _), amount in balances.items() if account == "Receivable"]
    return "paid" if owed and not any(owed) else "open"


def _events(ledger: Ledger, provider: str, object_id: str) -> Iterator[Link]:
    for row in ledger.inbox.of_object(provider, object_id):
        detail = row["reason"] or f"{row['type']} by {row['source']}"
        yield _link("event", row["event"], row["state"], None, row["created_at"], detail)


def _fact(ledger: Ledger, fact: Fact) -> Iterator[Link]:
    amount = fact.total if isinstance(fact, InvoiceFact) else fact.amount
    about = fact.invoice if isinstance(fact, InvoiceFact) else fact.payment
    yield _link(f"fact {fact.kind}", fact.key, "recorded", amount, fact.occurred_at, f"{fact.provider} {about}")
    for row in ledger.facts.entries(fact):
        side = "Dr" if row["amount_minor"] > 0 else "Cr"
        posted = Money(abs(row["amount_minor"]), row["currency"])
        yield _link("entry", str(row["id"]), "posted", posted, None, f"{side} {row['account']}")


def _strays(ledger: Ledger, anything: str) -> Iterator[Link]:
    """What belongs to no invoice: a payment of nobody we know, an event, an operation."""
    for provider in ledger.inbox.newest():
        yield from _events(ledger, provider, anything)
        for fact in ledger.facts.of_payment(provider, anything):
            yield from _fact(ledger, fact)
    for row in ledger.inbox.by_event(anything):
        yield _link("event", row["event"], row["state"], None, row["created_at"], row["reason"] or row["type"])
    if operation := ledger.operations.get(anything):
        detail = f"{operation.kind} for {operation.subject} {operation.reason}".strip()
        yield _link("operation", operation.id, operation.state, None, operation.prepared_at, detail)


def _link(what: str, name: str, status: str, amount: Money | None, at: int | None, detail: str) -> Link:
    return {
        "what": what,
        "id": name,
        "status": status,
        "amount": amount,
        "at": rfc3339(at) if at is not None else "",
        "detail": detail,
    }
