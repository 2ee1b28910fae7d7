"""Amounts as PayPal writes them: decimal texts, in the currencies that it knows."""

from __future__ import annotations

import re
from decimal import Decimal

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money, from_decimal

_CURRENCIES = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN RUB SEK SGD THB TWD USD"
_WHOLE = ("HUF", "JPY", "TWD")  # PayPal takes no decimals of them, whatever ISO 4217 says
_GRAMMAR = re.compile(r"-?[0-9]{1,15}(?:\.([0-9]{1,2}))?", re.ASCII)


def paypal_amount(money: Money) -> str:
    """The decimal string that PayPal expects: two places, none for HUF, JPY and TWD.

    Raises Refused for a currency that PayPal does not support, and for cents of one that it takes without.
    """
    _require_known(money.currency)
    if money.currency not in _WHOLE:
        return money.text
    whole, _, cents = money.text.partition(".")
    if cents.strip("0"):
        raise Refused(f"{money} does not fit: PayPal takes {money.currency} without decimals")
    return whole


def from_paypal(value: object, currency: object) -> Money:
    """PayPal's decimal string and code as money. Raises Refused for what is not an amount of that currency."""
    if not isinstance(value, str) or not isinstance(currency, str):
        raise Refused("PayPal's amount is not written as text; expected a decimal string and a code")
    _require_known(currency)
    match = _GRAMMAR.fullmatch(value)
    if match is None or (currency in _WHOLE and (match[1] or "").strip("0")):
        raise Refused(f"PayPal's amount {value[:24]!r} is not a decimal string of {currency}")
    return from_decimal(Decimal(value), currency)


def _require_known(currency: str) -> None:
    if currency not in _CURRENCIES.split():
        raise Refused(f"PayPal does not support {currency[:12]!r}; expected one of its currencies, like USD")
