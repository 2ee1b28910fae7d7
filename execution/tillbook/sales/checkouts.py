"""Open or mint the pages where an invoice's open balance is paid, and close those that ask for something else.

An invoice has at most two open pages at a provider: one that ends by itself, for a customer who is here now, and one
that lasts, for a mail. Both ask for the open balance and nothing else. Where an approved page brings no money until we
capture it, that is done here, whether the customer came back or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.errors import NotAllowed, Refused, Uncertain
from tillbook.kit.money import Money
from tillbook.ledger.sales import Checkout
from tillbook.operations.perform import perform, withdraw
from tillbook.recording.facts import record_reading
from tillbook.rules.entries import provider_name
from tillbook.rules.facts import PaymentSucceeded
from tillbook.sales import invoices
from tillbook.vendors.providers import CheckoutRequest, CheckoutState

if TYPE_CHECKING:
    from tillbook.rules.operations import Operation
    from tillbook.sales.invoices import Issued
    from tillbook.till import Till

CAPTURE = "capture_checkout"


@dataclass(frozen=True, slots=True)
class Opened:
    """The open page of an invoice. `already_done` when it was open before."""

    checkout: Checkout
    already_done: bool


def open_checkout(till: Till, number: str, provider: str) -> Opened:
    """The one open page of an invoice at a provider, for what is still open: one that comes back to us and lives for
    a day, or one that lasts where there is no address to come back to.

    A page of another amount is closed first; a payment in progress, nothing open, or an unsound total is Refused.
    """
    lasting = not till.settings.return_url
    return _opened(till, number, lambda: invoices.known_or_adopted(till, number), provider, lasting=lasting)


def lasting_checkout(till: Till, issued: Issued) -> Checkout:
    """The page for a mail: it lives until it is paid, or until the invoice's open balance changes.

    It may stand beside a page of a day; whichever is paid, the other one is closed. Raises as `open_checkout`, and
    Refused when no provider that is set up has pages that last.
    """
    provider = next((name for name in till.settings.providers if till.provider(name).lasting), None)
    if provider is None:
        raise Refused(
            f"no link for invoice {issued.invoice.number} can be mailed: the pages of our provider live for hours only",
            hint="Set TILLBOOK_BASE_URL to the public address of receive_webhooks.py: then links lead to our own page.",
        )
    known = issued.invoice
    return _opened(till, known.number, lambda: invoices.refresh(till, known), provider, lasting=True).checkout


def open_balance(till: Till, issued: Issued, states: list[CheckoutState]) -> Money:
    """QuickBooks' balance less what is paid but not posted there, and less what is on its way.

    Raises Refused when nothing is open or a payment is in progress.
    """
    number = issued.invoice.number
    if any(state.status in ("approved", "processing") for state in states):
        raise Refused(
            f"a payment for invoice {number} is in progress",
            hint="Wait until it succeeded or failed; python execution/run_pending.py finishes what waits for us.",
        )
    amount = _unpaid(till, number, issued.booked.balance, states)
    if amount.minor <= 0:
        raise Refused(
            f"nothing is open on invoice {number}",
            hint=f"See its payments: python execution/show_payment.py {number}",
        )
    return amount


def settle_pages(till: Till, number: str) -> int:
    """Read every page of an invoice that may still bring money, capture what its customer approved, and close those
    that ask for other than what is open; says how many ended."""
    with till.ledger.lock(f"checkouts:{number}"):
        unfinished = {page.id for page in _pages(till, number) if page.status != "paid"}
        states = _refresh(till, number)
        doubt = _end_captures(till, number, states)
        _close_others(till, number, states)
        if doubt is not None:
            raise doubt
        if _capture(till, number, states):
            _close_others(till, number, _refresh(till, number))
        going_on = {page.id for page in _pages(till, number) if page.status != "paid"}
    return len(unfinished - going_on)


def settle_capture(till: Till, operation: Operation) -> None:
    """Finish a capture that some run left behind, together with the pages of its invoice: only there it is known
    whether the money is still due."""
    page = till.ledger.sales.checkout(operation.subject)
    assert page is not None, "a capture is of a page of ours"
    settle_pages(till, page.invoice)


def _end_captures(till: Till, number: str, states: list[CheckoutState]) -> Uncertain | None:
    """End what was begun for pages that wait for no capture: paid by it, or over. Nothing is sent for them again.

    What nobody can tell yet is returned: it must not keep the other pages open.
    """
    approved = {state.id for state in states if state.status == "approved"}
    doubt: Uncertain | None = None
    for page in till.ledger.sales.checkouts_of_invoice(number):
        if page.id in approved:
            continue
        try:
            if _is_captured(till, page) and page.status == "expired":
                _read(till, page)
        except Uncertain as error:
            doubt = error
    return doubt


def _is_captured(till: Till, page: Checkout) -> bool:
    """Whether a capture that was left unfinished turns out to be done; ended without being sent when it is not.

    Raises Uncertain while nobody can tell.
    """
    last = till.ledger.operations.last(CAPTURE, page.id)
    return last is not None and last.unfinished and withdraw(till, last).state == "done"


def _capture(till: Till, number: str, states: list[CheckoutState]) -> bool:
    """Move the money of every approved page that is not closed; whether there was one.

    First the invoice's other pages are closed, for one of them could be paid meanwhile. A page whose capture is refused
    is over: its customer gets another one, and the reason is kept.
    """
    left = {page.id: page for page in _pages(till, number)}
    approved = [state for state in states if state.status == "approved" and state.id in left]
    if approved:
        _close(till, [left[state.id] for state in states if state.status == "open" and state.id in left])
    for state in approved:
        plan = till.provider(left[state.id].provider).settle(state)
        assert plan is not None, "an approved page lacks something"
        try:
            perform(till, plan)
        except NotAllowed:
            raise
        except Refused as refusal:
            with till.ledger.transaction():
                till.ledger.sales.set_checkout_status(state.id, "expired", refusal.message)
    return bool(approved)


def _opened(till: Till, number: str, read: Callable[[], Issued], provider: str, *, lasting: bool) -> Opened:
    with till.ledger.lock(f"checkouts:{number}"):
        states = _refresh(till, number)
        with till.ledger.lock(f"invoice-balance:{number}"):  # nothing is posted between these two reads
            issued = invoices.require_sound(read())
            amount = open_balance(till, issued, states)
        _close(till, _wrong(till, number, states, amount))
        for page in _pages(till, number):
            if page.status == "open" and page.provider == provider and page.lasting is lasting:
                return Opened(page, already_done=True)
        return _mint(till, issued, provider, amount, lasting=lasting)


def _close_others(till: Till, number: str, states: list[CheckoutState]) -> None:
    """Close the pages that ask for other than what is open. QuickBooks is asked before the first, and whenever money
    waits for our capture: it must not move by what the balance was some time ago."""
    invoice = till.ledger.sales.invoice(number)
    assert invoice is not None, "a page belongs to an invoice"
    zero = Money.zero(invoice.currency)
    due = any(state.status == "approved" for state in states)
    if not due and not _wrong(till, number, states, _unpaid(till, number, invoice.balance or zero, states)):
        return
    with till.ledger.lock(f"invoice-balance:{number}"):  # nothing is posted between these two reads
        booked = till.books.invoice(invoice.quickbooks_id)
        amount = _unpaid(till, number, booked.balance if booked else zero, states)
    _close(till, _wrong(till, number, states, amount))


def _unpaid(till: Till, number: str, balance: Money, states: list[CheckoutState]) -> Money:
    """A balance of QuickBooks less what is paid but not posted there, and less what is on its way."""
    unposted = till.ledger.documents.unposted_of_invoice(number, balance.currency)
    known = {fact.payment for fact in till.ledger.facts.of_invoice(number) if isinstance(fact, PaymentSucceeded)}
    moving = [state for state in states if state.status in ("paid", "processing")]
    unread = [state.amount for state in moving if state.payment not in known]
    return balance - unposted - sum(unread, Money.zero(balance.currency))


def _wrong(till: Till, number: str, states: list[CheckoutState], amount: Money) -> list[Checkout]:
    """The open pages that ask for another amount, and the approved ones that ask for more than is open."""
    status = {state.id: state.status for state in states}
    return [
        page
        for page in _pages(till, number)
        if (status.get(page.id) == "open" and page.amount != amount)
        or (status.get(page.id) == "approved" and page.amount > amount)
    ]


def _close(till: Till, pages: list[Checkout]) -> None:
    """Close pages for good; one whose capture turns out to be done is paid, and stays.

    Raises Uncertain for one of which nobody can tell, after all the others.
    """
    doubt: Uncertain | None = None
    for page in pages:
        try:
            if _is_captured(till, page):
                continue
        except Uncertain as error:
            doubt = error
            continue
        perform(till, till.provider(page.provider).plan_close(page.id))
    if doubt is not None:
        raise doubt


def _pages(till: Till, number: str) -> list[Checkout]:
    """Every page of the invoice that may still bring money, or brought some."""
    return [page for page in till.ledger.sales.checkouts_of_invoice(number) if page.status != "expired"]


def _refresh(till: Till, number: str) -> list[CheckoutState]:
    """The same, as their providers see them now; the ledger learns it too."""
    return [_read(till, page) for page in _pages(till, number)]


def seen(till: Till, page: Checkout) -> CheckoutState:
    """A page as its provider sees it now; one that its provider does not know any more can bring no money."""
    try:
        return till.provider(page.provider).checkout(page.id)
    except Refused as refusal:
        if refusal.code != "resource_missing":
            raise
        return CheckoutState(page.id, "expired", "", page.amount, page.expires_at, "", gone=True)


def _read(till: Till, page: Checkout) -> CheckoutState:
    """The same, and the ledger learns it. With a page that turned paid its facts are written: no event is needed."""
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
    """Why a page that may have been used brought no money; empty for all others."""
    name = provider_name(page.provider)
    if state.gone:
        return f"not captured: {name} does not know it any more"
    if page.status == "processing" and state.status == "expired":
        return f"not captured: {name} did not complete the payment"
    return ""


def _mint(till: Till, issued: Issued, provider: str, amount: Money, *, lasting: bool) -> Opened:
    number = issued.invoice.number
    back = "" if lasting else f"{till.settings.return_url}/pay/{issued.invoice.token}"
    plan = till.provider(provider).plan_checkout(
        CheckoutRequest(
            invoice=number,
            amount=amount,
            description=f"Invoice {number} from {invoices.company(till).name}",
            email=issued.booked.email,
            success_url=back and f"{back}/paid",
            cancel_url=back and f"{back}/cancelled",
        )
    )
    last = till.ledger.operations.last(plan.kind, plan.subject)
    page = till.ledger.sales.checkout_of_operation(last.id) if last and last.state == "done" else None
    outcome = perform(till, plan, renew=f"checkout {page.id} is {page.status}" if page else "")
    minted = till.ledger.sales.checkout_of_operation(outcome.operation.id)
    assert minted is not None, "recorded with its operation"
    return Opened(minted, outcome.already_done)
