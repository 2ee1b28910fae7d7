"""Open or mint the pages where an invoice's open balance is paid.

An invoice has at most two open pages at a provider. One ends by itself, for a customer who is here now. One lasts, for
a mail. Both ask for the open balance and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.ledger.sales import Checkout
from tillbook.operations.kinds.sales.create_checkout import CheckoutRequest
from tillbook.operations.perform import perform
from tillbook.sales import company, invoices
from tillbook.sales.balance import open_now, require_enough
from tillbook.sales.captures import close
from tillbook.sales.pages import pages_of, refreshed, wrong_pages
from tillbook.vendors.providers import declared

if TYPE_CHECKING:
    from tillbook.sales.invoices import Issued
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class Opened:
    """The open page of an invoice. `already_done` when it was open before."""

    checkout: Checkout
    already_done: bool


def open_checkout(till: Till, number: str, provider: str) -> Opened:
    """The one open page of an invoice at a provider, for what is still open.

    It comes back to us and lives for a day, or it lasts where there is no address to come back to. A page of another
    amount is closed first. Raises Refused for a payment in progress, nothing open, or an unsound total.
    """
    lasting = not till.settings.return_url
    return _opened(till, number, lambda: invoices.known_or_adopted(till, number), provider, lasting=lasting)


def lasting_checkout(till: Till, issued: Issued) -> Checkout:
    """The page for a mail. It lives until it is paid, or until the invoice's open balance changes.

    It may stand beside a page of a day. When one of the two is paid, the other is closed. Raises as `open_checkout`,
    and Refused when no provider that is set up has pages that last.
    """
    provider = next((name for name in till.settings.providers if declared(name).lasting_pages), None)
    if provider is None:
        raise Refused(
            f"no link for invoice {issued.invoice.number} can be mailed: the pages of our provider live for hours only",
            hint="Set TILLBOOK_BASE_URL to the public address of receive_webhooks.py: then links lead to our own page.",
        )
    known = issued.invoice
    return _opened(till, known.number, lambda: invoices.refresh(till, known), provider, lasting=True).checkout


def _opened(till: Till, number: str, read: Callable[[], Issued], provider: str, *, lasting: bool) -> Opened:
    with till.ledger.lock(f"checkouts:{number}"):
        while True:
            opened, adopted = _open_or_minted(till, number, read, provider, lasting=lasting)
            if not adopted:
                return opened


def _open_or_minted(
    till: Till, number: str, read: Callable[[], Issued], provider: str, *, lasting: bool
) -> tuple[Opened, bool]:
    """The open page, and whether the provider showed one that the ledger had forgotten: that is still to be looked at,
    for it may be paid, over, or ask for another amount."""
    states = refreshed(till, number)
    with till.ledger.lock(f"invoice-balance:{number}"):  # nothing is posted between these two reads
        issued = invoices.require_sound(read())
        amount = open_now(till, issued, states)
    close(till, wrong_pages(till, number, states, amount))
    unending = lasting or not declared(provider).expiring_pages
    for page in pages_of(till, number):
        if page.status == "open" and page.provider == provider and page.lasting is unending:
            return Opened(page, already_done=True), False
    minted = _mint(till, issued, provider, amount, lasting=lasting)
    return minted, minted.already_done


def _mint(till: Till, issued: Issued, provider: str, amount: Money, *, lasting: bool) -> Opened:
    require_enough(amount, [provider])
    number = issued.invoice.number
    back = "" if lasting else f"{till.settings.return_url}/pay/{issued.invoice.token}"
    plan = till.provider(provider).plan_checkout(
        CheckoutRequest(
            invoice=number,
            amount=amount,
            description=f"Invoice {number} from {company.known(till).name}",
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
    if not minted.url and not till.dry_run:
        raise Refused(
            f"{declared(provider).title} made page {minted.id}, but its answer cannot be understood",
            hint="Nobody was sent there. Run the same command again: it closes that page and opens another.",
        )
    return Opened(minted, outcome.already_done)
