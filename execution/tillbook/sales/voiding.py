"""An invoice that must not stand is ended: its pages are closed, it is voided, and its number is free again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.operations.kinds.books.void_document import VoidDocument
from tillbook.operations.perform import perform
from tillbook.recording.facts import record_invoice
from tillbook.sales.balance import paid_by_ledger
from tillbook.sales.captures import close
from tillbook.sales.pages import pages_of, refreshed

if TYPE_CHECKING:
    from tillbook.ledger.sales import Invoice
    from tillbook.rules.events import BookedInvoice
    from tillbook.till import Till

WHY = "the invoice was voided"


@dataclass(frozen=True, slots=True)
class Voided:
    """An ended invoice. `amount` is what it was over before, `pages_closed` how many pages this run closed."""

    invoice: str
    quickbooks_id: str
    amount: Money
    pages_closed: int
    already_done: bool


def void(till: Till, number: str) -> Voided:
    """End an invoice: close its pages, then void it in QuickBooks. Asked again it says what was done.

    Raises Refused for one that is unknown, paid in part or in whole, or about to be paid. Raises Unavailable,
    Uncertain.
    """
    with till.ledger.lock(f"order:{number}"), till.ledger.lock(f"checkouts:{number}"):
        invoice = _standing(till, number)
        before = invoice.total or Money.zero(invoice.currency)
        if invoice.voided_at is not None:
            return Voided(number, invoice.quickbooks_id, before, 0, already_done=True)
        closed = _close_pages(till, number)
        with till.ledger.lock(f"invoice-balance:{number}"):  # nothing is posted between the look and the void
            booked = till.books.invoice(invoice.quickbooks_id)
            if booked is not None and not booked.voided:
                before = booked.total
                _require_unpaid(till, number, booked)
                perform(till, VoidDocument("Invoice", invoice.quickbooks_id).plan())
            _end(till, invoice, booked)
    return Voided(number, invoice.quickbooks_id, before, closed, already_done=False)


def _standing(till: Till, number: str) -> Invoice:
    invoice = till.ledger.sales.invoice(number)
    if invoice is None or not invoice.quickbooks_id:
        raise Refused(
            f"no invoice {number} of ours stands in QuickBooks",
            hint=f"See what is known: python execution/show_payment.py {number}",
        )
    return invoice


def _close_pages(till: Till, number: str) -> int:
    """Close every page of it. Raises Refused when one was used: its money is moving, or has moved."""
    states = refreshed(till, number)
    if used := [state.status for state in states if state.status not in ("open", "expired")]:
        raise Refused(
            f"a page of invoice {number} is {used[0]}, so it is not voided",
            hint=f"See its payments: python execution/show_payment.py {number}",
        )
    left = [page for page in pages_of(till, number) if page.status == "open"]
    close(till, left)
    return len(left)


def _require_unpaid(till: Till, number: str, booked: BookedInvoice) -> None:
    paid = paid_by_ledger(till.ledger.facts.of_invoice(number), booked.total.currency)
    if paid or booked.balance != booked.total:
        raise Refused(
            f"{max(paid, booked.total - booked.balance)} of invoice {number} is paid, so it is not voided",
            hint=f"Give it back instead: python execution/refund_payment.py {number}. "
            "What was entered by hand is taken off it in QuickBooks.",
        )


def _end(till: Till, invoice: Invoice, booked: BookedInvoice | None) -> None:
    """Nothing is owed for it from now on, and no mail asks for it."""
    now, zero = till.clock.now(), Money.zero(invoice.currency)
    with till.ledger.transaction():
        if booked is not None:
            voided = replace(booked, number=invoice.number, total=zero, tax=zero, balance=zero, voided=True)
            record_invoice(till.ledger, replace(voided, version=booked.version + (not booked.voided)), now)
        till.ledger.sales.end_invoice(invoice.number, now)
        for message in till.ledger.messages.of_invoice(invoice.number):
            if message["kind"] == "invoice" and message["state"] == "waiting":
                till.ledger.messages.end(message["key"], "withdrawn", WHY)
