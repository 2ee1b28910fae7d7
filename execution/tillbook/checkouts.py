"""Open or mint the page where an invoice's open balance is paid: never two for the same money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook import effects, invoices
from tillbook.errors import Refused
from tillbook.facts import PaymentSucceeded
from tillbook.ledger.sales import Checkout
from tillbook.money import Money
from tillbook.providers import CheckoutRequest, CheckoutState

if TYPE_CHECKING:
    from tillbook.invoices import Issued
    from tillbook.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Opened:
    """The open page of an invoice. `already_done` when it was open before."""

    checkout: Checkout
    already_done: bool


def open_checkout(shop: Workshop, number: str, provider: str) -> Opened:
    """The one open page of an invoice at a provider, for what is still open.

    A page of another amount is closed first; a payment in progress, nothing open, or an unsound total is Refused.
    """
    issued = invoices.require_sound(invoices.known_or_adopted(shop, number))
    with shop.ledger.lock(f"checkouts:{number}"):
        states = _refresh(shop, number)
        amount = open_balance(shop, issued, states)
        live = {state.id for state in states if state.status == "open"}
        for page in shop.ledger.sales.checkouts_of_invoice(number):
            if page.id in live and page.amount != amount:
                effects.perform(shop, shop.provider(page.provider).plan_close(page.id))
            elif page.id in live and page.provider == provider:
                return Opened(page, already_done=True)
        return _mint(shop, issued, provider, amount)


def open_balance(shop: Workshop, issued: Issued, states: list[CheckoutState]) -> Money:
    """QuickBooks' balance less what is paid but not posted there, and less what is on its way.

    Raises Refused when nothing is open or a payment is in progress.
    """
    number = issued.invoice.number
    if any(state.status == "processing" for state in states):
        raise Refused(f"a payment for invoice {number} is in progress", hint="Wait until it succeeded or failed.")
    unposted = shop.ledger.documents.unposted_of_invoice(number, issued.booked.balance.currency)
    known = {fact.payment for fact in shop.ledger.facts.of_invoice(number) if isinstance(fact, PaymentSucceeded)}
    unread = [state.amount for state in states if state.status == "paid" and state.payment not in known]
    amount = issued.booked.balance - unposted - sum(unread, Money.zero(unposted.currency))
    if amount.minor <= 0:
        raise Refused(
            f"nothing is open on invoice {number}",
            hint=f"See its payments: python execution/show_payment.py {number}",
        )
    return amount


def settle_open(shop: Workshop, *, limit: int) -> int:
    """Read every page that may still bring money, finish what its provider leaves to us; says how many ended."""
    ended = 0
    for page in shop.ledger.sales.open_checkouts(limit):
        state = _read(shop, page)
        plan = shop.provider(page.provider).settle(state)
        if plan is not None:
            effects.perform(shop, plan)
        ended += state.status in ("paid", "expired")
    return ended


def _refresh(shop: Workshop, number: str) -> list[CheckoutState]:
    """Every page of the invoice that may still bring money, or brought some, as its provider sees it now."""
    pages = shop.ledger.sales.checkouts_of_invoice(number)
    return [_read(shop, page) for page in pages if page.status != "expired"]


def _read(shop: Workshop, page: Checkout) -> CheckoutState:
    state = shop.provider(page.provider).checkout(page.id)
    if state.status != page.status:
        with shop.ledger.transaction():
            shop.ledger.sales.set_checkout_status(page.id, state.status)
    return state


def _mint(shop: Workshop, issued: Issued, provider: str, amount: Money) -> Opened:
    number, back = issued.invoice.number, _return_address(shop, issued)
    door = shop.provider(provider)
    plan = door.plan_checkout(
        CheckoutRequest(
            invoice=number,
            amount=amount,
            description=f"Invoice {number} from {invoices.company(shop).name}",
            email=issued.booked.email,
            success_url=f"{back}/paid",
            cancel_url=f"{back}/cancelled",
        )
    )
    last = shop.ledger.operations.last(plan.kind, plan.subject)
    page = shop.ledger.sales.checkout_of_operation(last.id) if last and last.state == "done" else None
    outcome = effects.perform(shop, plan, renew=f"checkout {page.id} is {page.status}" if page else "")
    minted = shop.ledger.sales.checkout_of_operation(outcome.operation.id)
    assert minted is not None, "recorded with its operation"
    return Opened(minted, outcome.already_done)


def _return_address(shop: Workshop, issued: Issued) -> str:
    """Where the customer comes back to: our own pages for this invoice."""
    if not shop.settings.return_url:
        raise Refused(
            "a checkout page needs an address of ours that the customer comes back to",
            hint="Set TILLBOOK_BASE_URL to the public address of receive_webhooks.py.",
        )
    return f"{shop.settings.return_url}/pay/{issued.invoice.token}"
