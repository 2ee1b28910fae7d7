"""Amounts as Stripe writes them: whole numbers of a unit that is not always ISO's."""

from __future__ import annotations

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money, exponent

_WHOLE = ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
_HUNDREDS = ["ISK", "UGX"]  # no decimals any more, still sent with two, which must be 00
_THREE = ["BHD", "JOD", "KWD", "OMR", "TND"]
_DECIMALS = 2


def stripe_amount(money: Money) -> int:
    """The integer that Stripe expects. Raises Refused for what Stripe cannot charge exactly.

    Stripe's unit is not ISO's for MGA (whole ariary), ISK and UGX (hundredths that must be 00). The third decimal of
    BHD, JOD, KWD, OMR and TND must be 0.
    """
    scale = _scale(money.currency)
    amount, rest = divmod(money.minor * 100, scale)
    if rest or (money.currency in _THREE and amount % 10):
        raise Refused(f"{money} does not fit Stripe's smallest amount in {money.currency}")
    return amount


def from_stripe(amount: int, currency: str) -> Money:
    """Stripe's integer and code (any case) as money. Raises Refused for what the currency cannot hold."""
    if type(amount) is not int:
        raise Refused(f"Stripe's amount is a {type(amount).__name__}; expected a whole number")
    code = currency.upper()
    minor, rest = divmod(amount * _scale(code), 100)
    if rest:
        raise Refused(f"Stripe's amount {amount} is not a whole number of {code}")
    return Money(minor, code)


def _scale(currency: str) -> int:
    """How many hundredths of an ISO minor unit make one of Stripe's units."""
    decimals = exponent(currency)
    if currency in _HUNDREDS:
        return 1
    if currency in _WHOLE and decimals:
        return 100 * 100
    if decimals == _DECIMALS or currency in _WHOLE + _THREE:
        return 100
    raise Refused(f"how Stripe writes {currency} is not known; expected a currency that Stripe can charge")
