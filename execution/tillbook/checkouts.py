"""Open or mint the pages where an invoice's open balance is paid, and close those that ask for something else.

An invoice has at most two open pages at a provider: one of a day, for a customer who is here now, and one that lasts,
for a mail. Both ask for the open balance and nothing else.
"""

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
    """The one open page of an invoice at a provider, for what is still open: one that comes back to us and lives for
    a day, or one that lasts where there is no address to come back to.

    A page of another amount is closed first; a payment in progress, nothing open, or an unsound total is Refused.
    """
    issued = invoices.require_sound(invoices.known_or_adopted(shop, number))
    return _opened(shop, issued, provider, lasting=not shop.settings.return_url)


def lasting_checkout(shop: Workshop, issued: Issued, provider: str) -> Checkout:
    """The page for a mail: it lives until it is paid, or until the invoice's open balance changes.

    It may stand beside a page of a day; whichever is paid, the other one is closed. Raises as `open_checkout`.
    """
    return _opened(shop, issued, provider, lasting=True).checkout


def open_balance(shop: Workshop, issued: Issued, states: list[CheckoutState]) -> Money:
    """QuickBooks' balance less what is paid but not posted there, and less what is on its way.

    Raises Refused when nothing is open or a payment is in progress.
    """
    number = issued.invoice.number
    if any(state.status == "processing" for state in states):
        raise Refused(f"a payment for invoice {number} is in progress", hint="Wait until it succeeded or failed.")
    amount = _unpaid(shop, number, issued.booked.balance, states)
    if amount.minor <= 0:
        raise Refused(
            f"nothing is open on invoice {number}",
            hint=f"See its payments: python execution/show_payment.py {number}",
        )
    return amount


def settle_pages(shop: Workshop, number: str) -> int:
    """Read every page of an invoice that may still bring money, finish what its provider leaves to us, and close those
    that ask for other than what is open; says how many ended."""
    with shop.ledger.lock(f"checkouts:{number}"):
        unfinished = {page.id for page in _pages(shop, number) if page.status != "paid"}
        states = _refresh(shop, number)
        for page in _pages(shop, number):
            plan = shop.provider(page.provider).settle(next(state for state in states if state.id == page.id))
            if plan is not None:
                effects.perform(shop, plan)
        closed = _close_others(shop, number, states)
    ended = {state.id for state in states if state.status in ("paid", "expired")}
    return closed + len(unfinished & ended)


def _opened(shop: Workshop, issued: Issued, provider: str, *, lasting: bool) -> Opened:
    number = issued.invoice.number
    with shop.ledger.lock(f"checkouts:{number}"):
        states = _refresh(shop, number)
        amount = open_balance(shop, issued, states)
        _close(shop, _wrong(shop, number, states, amount))
        for page in _pages(shop, number):
            if page.status == "open" and page.provider == provider and page.lasting is lasting:
                return Opened(page, already_done=True)
        return _mint(shop, issued, provider, amount, lasting=lasting)


def _close_others(shop: Workshop, number: str, states: list[CheckoutState]) -> int:
    """Close the pages that ask for other than what is open; says how many. QuickBooks is asked before the first."""
    invoice = shop.ledger.sales.invoice(number)
    assert invoice is not None, "a page belongs to an invoice"
    zero = Money.zero(invoice.currency)
    if not _wrong(shop, number, states, _unpaid(shop, number, invoice.balance or zero, states)):
        return 0
    with shop.ledger.lock(f"invoice-balance:{number}"):  # nothing is posted between these two reads
        booked = shop.books.invoice(invoice.quickbooks_id)
        amount = _unpaid(shop, number, booked.balance if booked else zero, states)
    wrong = _wrong(shop, number, states, amount)
    _close(shop, wrong)
    return len(wrong)


def _unpaid(shop: Workshop, number: str, balance: Money, states: list[CheckoutState]) -> Money:
    """A balance of QuickBooks less what is paid but not posted there, and less what is on its way."""
    unposted = shop.ledger.documents.unposted_of_invoice(number, balance.currency)
    known = {fact.payment for fact in shop.ledger.facts.of_invoice(number) if isinstance(fact, PaymentSucceeded)}
    moving = [state for state in states if state.status in ("paid", "processing")]
    unread = [state.amount for state in moving if state.payment not in known]
    return balance - unposted - sum(unread, Money.zero(balance.currency))


def _wrong(shop: Workshop, number: str, states: list[CheckoutState], amount: Money) -> list[Checkout]:
    """The open pages that ask for another amount."""
    live = {state.id for state in states if state.status == "open"}
    return [page for page in _pages(shop, number) if page.id in live and page.amount != amount]


def _close(shop: Workshop, pages: list[Checkout]) -> None:
    for page in pages:
        effects.perform(shop, shop.provider(page.provider).plan_close(page.id))


def _pages(shop: Workshop, number: str) -> list[Checkout]:
    """Every page of the invoice that may still bring money, or brought some."""
    return [page for page in shop.ledger.sales.checkouts_of_invoice(number) if page.status != "expired"]


def _refresh(shop: Workshop, number: str) -> list[CheckoutState]:
    """The same, as their providers see them now; the ledger learns it too."""
    return [_read(shop, page) for page in _pages(shop, number)]


def _read(shop: Workshop, page: Checkout) -> CheckoutState:
    state = shop.provider(page.provider).checkout(page.id)
    if state.status != page.status:
        with shop.ledger.transaction():
            shop.ledger.sales.set_checkout_status(page.id, state.status)
    return state


def _mint(shop: Workshop, issued: Issued, provider: str, amount: Money, *, lasting: bool) -> Opened:
    number = issued.invoice.number
    back = "" if lasting else f"{shop.settings.return_url}/pay/{issued.invoice.token}"
    plan = shop.provider(provider).plan_checkout(
        CheckoutRequest(
            invoice=number,
            amount=amount,
            description=f"Invoice {number} from {invoices.company(shop).name}",
            email=issued.booked.email,
            success_url=back and f"{back}/paid",
            cancel_url=back and f"{back}/cancelled",
        )
    )
    last = shop.ledger.operations.last(plan.kind, plan.subject)
    page = shop.ledger.sales.checkout_of_operation(last.id) if last and last.state == "done" else None
    outcome = effects.perform(shop, plan, renew=f"checkout {page.id} is {page.status}" if page else "")
    minted = shop.ledger.sales.checkout_of_operation(outcome.operation.id)
    assert minted is not None, "recorded with its operation"
    return Opened(minted, outcome.already_done)
