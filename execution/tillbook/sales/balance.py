"""What of an invoice is still open: the one owner of that figure.

`open_by_ledger` is what a customer is told, from facts alone. `unpaid` and `open_now` are what a page asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.rules.facts import Fact, PaymentSucceeded
from tillbook.vendors.providers import declared

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.sales.invoices import Issued
    from tillbook.till import Till
    from tillbook.vendors.protocols import CheckoutState


BELOW_MINIMUM = "below_minimum"


def paid_by_ledger(facts: Iterable[Fact], currency: str) -> Money:
    """The sum of the payments among an invoice's facts, whatever went back of them."""
    return sum((fact.amount for fact in facts if isinstance(fact, PaymentSucceeded)), Money.zero(currency))


def open_by_ledger(total: Money, facts: Iterable[Fact]) -> Money:
    """The total less the payments that the ledger knows, at least zero."""
    return max(total - paid_by_ledger(facts, total.currency), Money.zero(total.currency))


def unpaid(ledger: Ledger, number: str, balance: Money, states: Sequence[CheckoutState]) -> Money:
    """A balance of QuickBooks less what is paid but not posted there, and less what is on its way."""
    unposted = ledger.documents.unposted_of_invoice(number, balance.currency)
    known = {fact.payment for fact in ledger.facts.of_invoice(number) if isinstance(fact, PaymentSucceeded)}
    moving = [state for state in states if state.status in ("paid", "processing")]
    unread = [state.amount for state in moving if state.payment not in known]
    return balance - unposted - sum(unread, Money.zero(balance.currency))


def require_enough(amount: Money, providers: Sequence[str]) -> None:
    """Raises Refused when an amount is below the minimum of every one of these providers."""
    least = {name: Money(declared(name).least.get(amount.currency, 0), amount.currency) for name in providers}
    if least and all(amount < minimum for minimum in least.values()):
        minimums = ", ".join(f"{declared(name).title} takes {minimum} or more" for name, minimum in least.items())
        raise Refused(
            f"{amount} is too little for a page: {minimums}",
            hint="It has to be paid in another way. Enter that payment in QuickBooks.",
            code=BELOW_MINIMUM,
        )


def open_now(till: Till, issued: Issued, states: Sequence[CheckoutState]) -> Money:
    """What a new page may ask for. Raises Refused when nothing is open or a payment is in progress."""
    number = issued.invoice.number
    if any(state.status in ("approved", "processing") for state in states):
        raise Refused(
            f"a payment for invoice {number} is in progress",
            hint="Wait until it succeeded or failed; python execution/run_pending.py finishes what waits for us.",
        )
    amount = unpaid(till.ledger, number, issued.booked.balance, states)
    if amount.minor <= 0:
        raise Refused(
            f"nothing is open on invoice {number}",
            hint=f"See its payments: python execution/show_payment.py {number}",
        )
    return amount
