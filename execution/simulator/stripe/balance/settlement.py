"""What an amount is in the currency that the account settles in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from simulator.rough import habits, rates
from simulator.stripe.account import Account
from simulator.stripe.wire.currencies import places

_KEPT = Decimal("0.98")  # Stripe converts at the rate of the day less two percent


@dataclass(frozen=True)
class Settled:
    """An amount (minor units) as a row of the balance has it. `rate` is between minor units, None without conversion.

    A row that takes has a negative amount.
    """

    amount: int
    currency: str
    rate: float | None = None

    def negated(self) -> Settled:
        """The amount with the other sign."""
        return Settled(-self.amount, self.currency, self.rate)


def settled(account: Account, amount: int, currency: str, at: int) -> Settled:
    """The amount as it settles at a time (UTC seconds): in US dollars where the world has that habit, else as it is."""
    if currency == rates.HOME.lower() or not habits.has(account.world, "conversion"):
        return Settled(amount, currency)
    worth = rates.dollars(currency.upper(), at) * _KEPT
    rate = (worth * Decimal(10) ** (2 - places(currency))).quantize(Decimal("0.00000001"))
    return Settled(int((amount * rate).quantize(Decimal(1), ROUND_HALF_UP)), rates.HOME.lower(), float(rate))
