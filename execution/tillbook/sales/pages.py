"""The pages of an invoice as their providers see them now. The ledger learns it with every look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused
from tillbook.recording.facts import record_reading
from tillbook.vendors.protocols import CheckoutState
from tillbook.vendors.providers import declared

if TYPE_CHECKING:
    from tillbook.kit.money import Money
    from tillbook.ledger.sales import Checkout
    from tillbook.till import Till


def pages_of(till: Till, number: str) -> list[Checkout]:
    """Every page of the invoice that may still bring money, or brought some."""
    return [page for page in till.ledger.sales.checkouts_of_invoice(number) if page.status != "expired"]


def refreshed(till: Till, number: str) -> list[CheckoutState]:
    """Those pages as their providers see them now. The ledger learns it too."""
    return [read_page(till, page) for page in pages_of(till, number)]


def seen(till: Till, page: Checkout) -> CheckoutState:
    """A page as its provider sees it now. A page that the provider does not know any more can bring no money."""
    try:
        return till.provider(page.provider).checkout(page.id)
    except Refused as refusal:
        if refusal.code != "resource_missing":
            raise
        return CheckoutState(page.id, "expired", "", page.amount, page.expires_at, "", gone=True)


def read_page(till: Till, page: Checkout) -> CheckoutState:
    """Look at a page and let the ledger learn it. A page that turned paid brings its facts, without any event."""
    state = seen(till, page)
    status = "processing" if state.status == "approved" else state.status
    if status != page.status:
        reading = till.provider(page.provider).read(state.payment) if status == "paid" else None
        with till.ledger.transaction():
            till.ledger.sales.set_checkout_status(page.id, status, _why_over(page, state))
            if reading is not None:
                record_reading(till.ledger, page.provider, reading, till.clock.now())
    return state


def _why_over(page: Checkout, state: CheckoutState) -> str:
    """Why a page that may have been used brought no money. Empty for all others."""
    name = declared(page.provider).title
    if state.gone:
        return f"not captured: {name} does not know it any more"
    if page.status == "processing" and state.status == "expired":
        return f"not captured: {name} did not complete the payment"
    return ""


def wrong_pages(till: Till, number: str, states: list[CheckoutState], amount: Money) -> list[Checkout]:
    """The open pages that ask for another amount or have no address, and the approved ones that ask for more than is
    open."""
    asked = {state.id: state for state in states}
    return [page for page in pages_of(till, number) if page.id in asked and _is_wrong(page, asked[page.id], amount)]


def _is_wrong(page: Checkout, state: CheckoutState, amount: Money) -> bool:
    """What the provider says of the amount counts: the ledger may have adopted a page that it had forgotten."""
    if state.status == "open":
        return state.amount != amount or not page.url
    return state.status == "approved" and state.amount > amount
