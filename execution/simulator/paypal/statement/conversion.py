"""Money in another currency that PayPal converts at once, because the account holds none of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from simulator.paypal.account import Account
from simulator.paypal.statement import rows
from simulator.paypal.wire import amounts
from simulator.rough import habits, rates
from simulator.world import Json

_KEPT = Decimal("0.97")  # PayPal converts at the rate of the day less three percent
_CODE = "T0200"


@dataclass(frozen=True)
class Converted:
    """An amount in minor units of a currency, the worth of one unit in US dollars, and the cents that it makes."""

    minor: int
    currency: str
    rate: Decimal
    cents: int

    @property
    def shown(self) -> Json:
        """`receivable_amount` and `exchange_rate` of a capture."""
        rate = {"source_currency": self.currency, "target_currency": rates.HOME, "value": format(self.rate, "f")}
        return {"receivable_amount": amounts.money(self.cents, rates.HOME), "exchange_rate": rate}


def converted(account: Account, minor: int, currency: str, at: int) -> Converted | None:
    """What becomes of an amount at a time (UTC seconds), or None where it stays in its currency."""
    if currency == rates.HOME or not habits.has(account.world, "conversion"):
        return None
    rate = (rates.dollars(currency, at) * _KEPT).quantize(Decimal("0.00000001"))
    units = Decimal(minor).scaleb(-amounts.places(currency))
    return Converted(minor, currency, rate, int((units * rate * 100).quantize(Decimal(1), ROUND_HALF_UP)))


def book(account: Account, change: Converted, reference: str, at: int) -> None:
    """The two rows of a conversion: the amount goes, and the dollars come. A negative amount is the other way round."""
    for minor, currency in ((-change.minor, change.currency), (change.cents, rates.HOME)):
        rows.add_row(
            account,
            transaction_id=account.identifier(),
            code=_CODE,
            at=at,
            amount_minor=minor,
            currency=currency,
            reference_id=reference,
            reference_type="TXN",
        )
