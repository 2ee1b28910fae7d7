"""Money that a customer approved is moved, and pages that ask for another amount are closed.

An approved page brings no money until we capture it, whether the customer comes back or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused, Uncertain
from tillbook.kit.money import Money
from tillbook.operations.kinds.sales.capture_checkout import CaptureCheckout
from tillbook.operations.perform import perform, withdraw
from tillbook.sales.balance import unpaid
from tillbook.sales.pages import pages_of, read_page, refreshed, wrong_pages

if TYPE_CHECKING:
    from tillbook.ledger.sales import Checkout
    from tillbook.till import Till
    from tillbook.vendors.protocols import CheckoutState


def settle_pages(till: Till, number: str) -> int:
    """Bring every page of an invoice as far as it goes. Says how many ended.

    Each page that may still bring money is read. What its customer approved is captured. A page that asks for another
    amount than what is open is closed. Raises Unavailable, Refused, Uncertain.
    """
    with till.ledger.lock(f"checkouts:{number}"):
        unfinished = {page.id for page in pages_of(till, number) if page.status != "paid"}
        states = refreshed(till, number)
        doubt = _end_captures(till, number, states)
        close_others(till, number, states)
        if doubt is not None:
            raise doubt
        if _capture(till, number, states):
            close_others(till, number, refreshed(till, number))
        going_on = {page.id for page in pages_of(till, number) if page.status != "paid"}
    return len(unfinished - going_on)


def settle_pages_of(till: Till, checkout_id: str) -> None:
    """Settle all pages of the invoice that a page is for: only together it is known what money is still due."""
    page = till.ledger.sales.checkout(checkout_id)
    assert page is not None, "pages are never deleted"
    settle_pages(till, page.invoice)


def _end_captures(till: Till, number: str, states: list[CheckoutState]) -> Uncertain | None:
    """End unfinished captures of pages that wait for none any more. Nothing is sent for them again.

    A doubt is returned instead of raised, so that it does not keep the other pages open.
    """
    approved = {state.id for state in states if state.status == "approved"}
    doubt: Uncertain | None = None
    for page in till.ledger.sales.checkouts_of_invoice(number):
        if page.id in approved:
            continue
        try:
            if _end_capture(till, page) and page.status == "expired":
                read_page(till, page)
        except Uncertain as error:
            doubt = error
    return doubt


def _end_capture(till: Till, page: Checkout) -> bool:
    """End an unfinished capture without sending it. Says whether it turned out to be done.

    Raises Uncertain while nobody can tell.
    """
    last = CaptureCheckout.last(till.ledger, CaptureCheckout.subject(page.id))
    return last is not None and last.unfinished and withdraw(till, last).state == "done"


def _capture(till: Till, number: str, states: list[CheckoutState]) -> bool:
    """Move the money of every approved page that is not closed. Says whether there was one.

    First the invoice's open pages are closed, for one of them could be paid meanwhile. A page whose capture is refused
    is over. The reason is kept, and its customer gets another page.
    """
    left = {page.id: page for page in pages_of(till, number)}
    approved = [state for state in states if state.status == "approved" and state.id in left]
    if approved:
        close(till, [left[state.id] for state in states if state.status == "open" and state.id in left])
    for state in approved:
        plan = till.provider(left[state.id].provider).settle(state)
        assert plan is not None, "an approved page lacks something"
        try:
            perform(till, plan)
        except Refused as refusal:
            with till.ledger.transaction():
                till.ledger.sales.set_checkout_status(state.id, "expired", refusal.message)
    return bool(approved)


def close(till: Till, pages: list[Checkout]) -> None:
    """Close pages for good. A page whose capture turns out to be done is paid, and stays.

    Raises Uncertain for a page of which nobody can tell, after all the others were closed.
    """
    doubt: Uncertain | None = None
    for page in pages:
        try:
            if _end_capture(till, page):
                continue
        except Uncertain as error:
            doubt = error
            continue
        perform(till, till.provider(page.provider).plan_close(page.id))
    if doubt is not None:
        raise doubt


def close_others(till: Till, number: str, states: list[CheckoutState]) -> None:
    """Close the pages that ask for another amount than what is open.

    QuickBooks is asked before the first is closed, and whenever money waits for our capture: money must not move by
    what the balance was some time ago.
    """
    invoice = till.ledger.sales.invoice(number)
    assert invoice is not None, "a page belongs to an invoice"
    zero = Money.zero(invoice.currency)
    due = any(state.status == "approved" for state in states)
    if not due and not wrong_pages(till, number, states, unpaid(till.ledger, number, invoice.balance or zero, states)):
        return
    with till.ledger.lock(f"invoice-balance:{number}"):  # nothing is posted between these two reads
        booked = till.books.invoice(invoice.quickbooks_id)
        amount = unpaid(till.ledger, number, booked.balance if booked else zero, states)
    close(till, wrong_pages(till, number, states, amount))
