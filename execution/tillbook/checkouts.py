"""Open or mint the pages where an invoice's open balance is paid, and close those that ask for something else.

An invoice has at most two open pages at a provider: one that ends by itself, for a customer who is here now, and one
that lasts, for a mail. Both ask for the open balance and nothing else. Where an approved page brings no money until we
capture it, that is done here, whether the customer came back or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook import effects, intake, invoices
from tillbook.errors import NotAllowed, Refused, Uncertain
from tillbook.facts import PaymentSucceeded
from tillbook.journal import provider_name
from tillbook.ledger.sales import Checkout
from tillbook.money import Money
from tillbook.providers import CheckoutRequest, CheckoutState

if TYPE_CHECKING:
    from tillbook.invoices import Issued
    from tillbook.operations import Operation
    from tillbook.workshop import Workshop

CAPTURE = "capture_checkout"


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
    lasting = not shop.settings.return_url
    return _opened(shop, number, lambda: invoices.known_or_adopted(shop, number), provider, lasting=lasting)


def lasting_checkout(shop: Workshop, issued: Issued) -> Checkout:
    """The page for a mail: it lives until it is paid, or until the invoice's open balance changes.

    It may stand beside a page of a day; whichever is paid, the other one is closed. Raises as `open_checkout`, and
    Refused when no provider that is set up has pages that last.
    """
    provider = next((name for name in shop.settings.providers if shop.provider(name).lasting), None)
    if provider is None:
        raise Refused(
            f"no link for invoice {issued.invoice.number} can be mailed: the pages of our provider live for hours only",
            hint="Set TILLBOOK_BASE_URL to the public address of receive_webhooks.py: then links lead to our own page.",
        )
    known = issued.invoice
    return _opened(shop, known.number, lambda: invoices.refresh(shop, known), provider, lasting=True).checkout


def open_balance(shop: Workshop, issued: Issued, states: list[CheckoutState]) -> Money:
    """QuickBooks' balance less what is paid but not posted there, and less what is on its way.

    Raises Refused when nothing is open or a payment is in progress.
    """
    number = issued.invoice.number
    if any(state.status in ("approved", "processing") for state in states):
        raise Refused(
            f"a payment for invoice {number} is in progress",
            hint="Wait until it succeeded or failed; python execution/run_pending.py finishes what waits for us.",
        )
    amount = _unpaid(shop, number, issued.booked.balance, states)
    if amount.minor <= 0:
        raise Refused(
            f"nothing is open on invoice {number}",
            hint=f"See its payments: python execution/show_payment.py {number}",
        )
    return amount


def settle_pages(shop: Workshop, number: str) -> int:
    """Read every page of an invoice that may still bring money, capture what its customer approved, and close those
    that ask for other than what is open; says how many ended."""
    with shop.ledger.lock(f"checkouts:{number}"):
        unfinished = {page.id for page in _pages(shop, number) if page.status != "paid"}
        states = _refresh(shop, number)
        doubt = _end_captures(shop, number, states)
        _close_others(shop, number, states)
        if doubt is not None:
            raise doubt
        if _capture(shop, number, states):
            _close_others(shop, number, _refresh(shop, number))
        going_on = {page.id for page in _pages(shop, number) if page.status != "paid"}
    return len(unfinished - going_on)


def settle_capture(shop: Workshop, operation: Operation) -> None:
    """Finish a capture that some run left behind, together with the pages of its invoice: only there it is known
    whether the money is still due."""
    page = shop.ledger.sales.checkout(operation.subject)
    assert page is not None, "a capture is of a page of ours"
    settle_pages(shop, page.invoice)


def _end_captures(shop: Workshop, number: str, states: list[CheckoutState]) -> Uncertain | None:
    """End what was begun for pages that wait for no capture: paid by it, or over. Nothing is sent for them again.

    What nobody can tell yet is returned: it must not keep the other pages open.
    """
    approved = {state.id for state in states if state.status == "approved"}
    doubt: Uncertain | None = None
    for page in shop.ledger.sales.checkouts_of_invoice(number):
        if page.id in approved:
            continue
        try:
            if _is_captured(shop, page) and page.status == "expired":
                _read(shop, page)
        except Uncertain as error:
            doubt = error
    return doubt


def _is_captured(shop: Workshop, page: Checkout) -> bool:
    """Whether a capture that was left unfinished turns out to be done; ended without being sent when it is not.

    Raises Uncertain while nobody can tell.
    """
    last = shop.ledger.operations.last(CAPTURE, page.id)
    return last is not None and last.unfinished and effects.withdraw(shop, last).state == "done"


def _capture(shop: Workshop, number: str, states: list[CheckoutState]) -> bool:
    """Move the money of every approved page that is not closed; whether there was one.

    First the invoice's other pages are closed, for one of them could be paid meanwhile. A page whose capture is refused
    is over: its customer gets another one, and the reason is kept.
    """
    left = {page.id: page for page in _pages(shop, number)}
    approved = [state for state in states if state.status == "approved" and state.id in left]
    if approved:
        _close(shop, [left[state.id] for state in states if state.status == "open" and state.id in left])
    for state in approved:
        plan = shop.provider(left[state.id].provider).settle(state)
        assert plan is not None, "an approved page lacks something"
        try:
            effects.perform(shop, plan)
        except NotAllowed:
            raise
        except Refused as refusal:
            with shop.ledger.transaction():
                shop.ledger.sales.set_checkout_status(state.id, "expired", refusal.message)
    return bool(approved)


def _opened(shop: Workshop, number: str, read: Callable[[], Issued], provider: str, *, lasting: bool) -> Opened:
    with shop.ledger.lock(f"checkouts:{number}"):
        states = _refresh(shop, number)
        with shop.ledger.lock(f"invoice-balance:{number}"):  # nothing is posted between these two reads
            issued = invoices.require_sound(read())
            amount = open_balance(shop, issued, states)
        _close(shop, _wrong(shop, number, states, amount))
        for page in _pages(shop, number):
            if page.status == "open" and page.provider == provider and page.lasting is lasting:
                return Opened(page, already_done=True)
        return _mint(shop, issued, provider, amount, lasting=lasting)


def _close_others(shop: Workshop, number: str, states: list[CheckoutState]) -> None:
    """Close the pages that ask for other than what is open. QuickBooks is asked before the first, and whenever money
    waits for our capture: it must not move by what the balance was some time ago."""
    invoice = shop.ledger.sales.invoice(number)
    assert invoice is not None, "a page belongs to an invoice"
    zero = Money.zero(invoice.currency)
    due = any(state.status == "approved" for state in states)
    if not due and not _wrong(shop, number, states, _unpaid(shop, number, invoice.balance or zero, states)):
        return
    with shop.ledger.lock(f"invoice-balance:{number}"):  # nothing is posted between these two reads
        booked = shop.books.invoice(invoice.quickbooks_id)
        amount = _unpaid(shop, number, booked.balance if booked else zero, states)
    _close(shop, _wrong(shop, number, states, amount))


def _unpaid(shop: Workshop, number: str, balance: Money, states: list[CheckoutState]) -> Money:
    """A balance of QuickBooks less what is paid but not posted there, and less what is on its way."""
    unposted = shop.ledger.documents.unposted_of_invoice(number, balance.currency)
    known = {fact.payment for fact in shop.ledger.facts.of_invoice(number) if isinstance(fact, PaymentSucceeded)}
    moving = [state for state in states if state.status in ("paid", "processing")]
    unread = [state.amount for state in moving if state.payment not in known]
    return balance - unposted - sum(unread, Money.zero(balance.currency))


def _wrong(shop: Workshop, number: str, states: list[CheckoutState], amount: Money) -> list[Checkout]:
    """The open pages that ask for another amount, and the approved ones that ask for more than is open."""
    status = {state.id: state.status for state in states}
    return [
        page
        for page in _pages(shop, number)
        if (status.get(page.id) == "open" and page.amount != amount)
        or (status.get(page.id) == "approved" and page.amount > amount)
    ]


def _close(shop: Workshop, pages: list[Checkout]) -> None:
    """Close pages for good; one whose capture turns out to be done is paid, and stays.

    Raises Uncertain for one of which nobody can tell, after all the others.
    """
    doubt: Uncertain | None = None
    for page in pages:
        try:
            if _is_captured(shop, page):
                continue
        except Uncertain as error:
            doubt = error
            continue
        effects.perform(shop, shop.provider(page.provider).plan_close(page.id))
    if doubt is not None:
        raise doubt


def _pages(shop: Workshop, number: str) -> list[Checkout]:
    """Every page of the invoice that may still bring money, or brought some."""
    return [page for page in shop.ledger.sales.checkouts_of_invoice(number) if page.status != "expired"]


def _refresh(shop: Workshop, number: str) -> list[CheckoutState]:
    """The same, as their providers see them now; the ledger learns it too."""
    return [_read(shop, page) for page in _pages(shop, number)]


def seen(shop: Workshop, page: Checkout) -> CheckoutState:
    """A page as its provider sees it now; one that its provider does not know any more can bring no money."""
    try:
        return shop.provider(page.provider).checkout(page.id)
    except Refused as refusal:
        if refusal.code != "resource_missing":
            raise
        return CheckoutState(page.id, "expired", "", page.amount, page.expires_at, "", gone=True)


def _read(shop: Workshop, page: Checkout) -> CheckoutState:
    """The same, and the ledger learns it. With a page that turned paid its facts are written: no event is needed."""
    state = seen(shop, page)
    status = "processing" if state.status == "approved" else state.status
    if status != page.status:
        reading = shop.provider(page.provider).read(state.payment) if status == "paid" else None
        with shop.ledger.transaction():
            shop.ledger.sales.set_checkout_status(page.id, status, _why_over(page, state))
            if reading is not None:
                intake.record_reading(shop.ledger, page.provider, reading, shop.clock.now())
    return state


def _why_over(page: Checkout, state: CheckoutState) -> str:
    """Why a page that may have been used brought no money; empty for all others."""
    name = provider_name(page.provider)
    if state.gone:
        return f"not captured: {name} does not know it any more"
    if page.status == "processing" and state.status == "expired":
        return f"not captured: {name} did not complete the payment"
    return ""


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
