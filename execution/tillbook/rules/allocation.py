"""Rules: how the money of one invoice is used: a view over its facts by (vendor time, key), equal for any order.

A payment is applied to what is open when its turn comes. What is over becomes the customer's credit. A refund gives
back a `sale` (revenue and its share of the tax), a `credit`, or a `payment` whose sale stands (the invoice is open
again). Our own refunds say which. One made in a dashboard gives back credit first and the sale after that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tillbook.kit.money import Money
from tillbook.rules.bookkeeping import rule_of
from tillbook.rules.facts import Fact, InvoiceFact, PaymentRefunded, PaymentSucceeded, RefundFailed
from tillbook.rules.uses import Allocation, Return, Use, Uses


def uses(
    invoice: str,
    facts: Sequence[Fact],
    purposes: Mapping[str, str],
    decided: Mapping[tuple[str, str], Money] | None = None,
) -> Uses:
    """The use of every payment, refund and failed refund of one invoice, by (provider, key).

    `purposes` maps our refund operations to what they give back. `decided` has the credit of dashboard refunds, by
    (provider, key), whose documents were opened before: what the books were told stays. None stands for money in
    another currency than the invoice's, or while the invoice itself is not known: it waits in Suspense.
    """
    issued = [fact for fact in facts if isinstance(fact, InvoiceFact)]
    moves = sorted(
        (fact for fact in facts if isinstance(fact, PaymentSucceeded | PaymentRefunded | RefundFailed)),
        key=lambda fact: (fact.occurred_at, rule_of(fact).turn, fact.key, fact.provider),
    )
    if not issued:
        return {(fact.provider, fact.key): None for fact in moves}
    total = sum((fact.total for fact in issued[1:]), issued[0].total)
    tax = sum((fact.tax for fact in issued[1:]), issued[0].tax)
    state = _State(invoice, total, tax, dict(purposes), dict(decided or {}))
    return {(fact.provider, fact.key): state.use(fact) for fact in moves}


@dataclass
class _State:
    """What is open, credited and returned at one moment of an invoice's story."""

    invoice: str
    total: Money
    tax: Money
    purposes: dict[str, str]
    decided: dict[tuple[str, str], Money]
    opened: Money = field(init=False)
    credits: dict[tuple[str, str], Money] = field(default_factory=dict)
    returned: Money = field(init=False)
    returned_tax: Money = field(init=False)
    returns: dict[tuple[str, str], Return] = field(default_factory=dict)

    def __post_init__(self) -> None:
        zero = Money.zero(self.total.currency)
        self.opened = max(self.total, zero)
        self.returned = self.returned_tax = zero

    def use(self, fact: PaymentSucceeded | PaymentRefunded | RefundFailed) -> Use:
        if fact.amount.currency != self.total.currency:
            return None
        if isinstance(fact, PaymentSucceeded):
            return self._pay(fact)
        if isinstance(fact, PaymentRefunded):
            return self._refund(fact)
        return self._fail(fact)

    def _pay(self, fact: PaymentSucceeded) -> Allocation:
        applied = min(fact.amount, self.opened)
        self.opened -= applied
        place = (fact.provider, fact.payment)
        self.credits[place] = self.credits.get(place, Money.zero(applied.currency)) + fact.amount - applied
        return Allocation(self.invoice, applied, fact.amount - applied)

    def _refund(self, fact: PaymentRefunded) -> Return:
        zero = Money.zero(fact.amount.currency)
        purpose = self.purposes.get(fact.operation, "")
        place = (fact.provider, fact.payment)
        credit = reopened = zero
        if purpose == "credit":
            credit = fact.amount
        elif purpose == "payment":
            reopened = fact.amount
        elif not purpose:
            own = min(fact.amount, max(self.credits.get(place, zero), zero))
            credit = self.decided.get((fact.provider, fact.key), own)
        given = self._return_of(fact.amount, credit, reopened)
        self.returns[(fact.provider, fact.refund)] = given
        self._apply(place, given)
        return given

    def _return_of(self, amount: Money, credit: Money, reopened: Money) -> Return:
        """The sale's part carries tax so that all parts together give back the tax exactly: the last takes the rest."""
        gross = amount - credit - reopened
        tax = _share(self.tax, self.returned + gross, self.total) - self.returned_tax if gross else gross
        return Return(self.invoice, gross - tax, tax, credit, reopened)

    def _fail(self, fact: RefundFailed) -> Return | None:
        """The mirror of its refund, or None while that is not known."""
        given = self.returns.pop((fact.provider, fact.refund), None)
        if given is None:
            return None
        self._apply((fact.provider, fact.payment), -given)
        return -given

    def _apply(self, place: tuple[str, str], given: Return) -> None:
        zero = Money.zero(given.sale.currency)
        self.credits[place] = self.credits.get(place, zero) - given.credit
        self.opened += given.reopened
        self.returned += given.sale + given.tax
        self.returned_tax += given.tax


def _share(tax: Money, part: Money, whole: Money) -> Money:
    """tax x part / whole, rounded half up, never more than the whole tax."""
    if part.minor >= whole.minor:
        return tax
    doubled, twice = 2 * tax.minor * part.minor + whole.minor, 2 * whole.minor
    return Money(doubled // twice, tax.currency)
