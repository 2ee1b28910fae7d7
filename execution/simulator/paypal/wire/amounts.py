"""How PayPal writes amounts: decimal strings, at most two places, three currencies without any."""

from __future__ import annotations

import re
from typing import Any

from simulator.paypal.wire.errors import PayPalError, invalid, unprocessable
from simulator.world import Json

WITHOUT_DECIMALS = frozenset({"HUF", "JPY", "TWD"})
_CODES = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN RUB SEK SGD THB TWD USD"
SUPPORTED = frozenset(re.findall("[A-Z]+", _CODES))
_SYNTAX = re.compile(r"-?[0-9]+|-?[0-9]*[.][0-9]+")
_LARGEST = 99_999_999_999_999_999
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CAD": "CA$", "AUD": "A$", "NZD": "NZ$", "BRL": "R$"}
_NO_DECIMALS = (
    "Currency does not support decimals. Please refer to "
    "https://developer.paypal.com/docs/api/reference/currency-codes/ for more information."
)
_NOTHING = (
    "Must be greater than zero. If the currency supports decimals, only two decimal place precision is supported."
)
_UNKNOWN = (
    "Currency code is not currently supported. Please refer "
    "https://developer.paypal.com/docs/integration/direct/rest/currency-codes/ for list of supported currency codes."
)


def places(currency: str) -> int:
    """How many decimals a currency has at PayPal."""
    return 0 if currency in WITHOUT_DECIMALS else 2


def money(minor: int, currency: str) -> Json:
    """Minor units as PayPal's money object: `{"currency_code": "USD", "value": "60.00"}`."""
    whole, rest = divmod(abs(minor), 10 ** places(currency))
    sign = "-" if minor < 0 else ""
    value = f"{sign}{whole}" + (f".{rest:02d}" if places(currency) else "")
    return {"currency_code": currency, "value": value}


def minor(amount: Json) -> int:
    """The minor units of a money object that PayPal made itself."""
    sign = -1 if amount["value"].startswith("-") else 1
    whole, _, rest = amount["value"].lstrip("-").partition(".")
    wanted = places(amount["currency_code"])
    return int(sign * int(whole + rest.ljust(wanted, "0")[:wanted]))


def read(given: Any, field: str) -> tuple[int, str]:
    """Minor units and currency of an amount that a client sent. `field` is its JSON pointer. Raises PayPalError."""
    value, currency = _texts(given, field)
    if currency not in SUPPORTED:
        raise unprocessable("CURRENCY_NOT_SUPPORTED", _UNKNOWN, field=f"{field}/currency_code", value=currency)
    whole, point, rest = value.lstrip("-").partition(".")
    if point and not places(currency):
        raise unprocessable("DECIMALS_NOT_SUPPORTED", _NO_DECIMALS, field=f"{field}/value", value=value)
    if len(rest) > places(currency):
        raise _precision(field, value)
    amount = int(whole + rest.ljust(places(currency), "0"))
    if value.startswith("-") or not amount:
        raise unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE", _NOTHING, field=f"{field}/value", value=value)
    if amount > _LARGEST:
        sentence = "Should be less than or equal to 999999999999999.99."
        raise unprocessable("MAX_VALUE_EXCEEDED", sentence, field=f"{field}/value", value=value)
    return amount, currency


def fee(amount: int) -> int:
    """What PayPal keeps of a payment: 3.49 % rounded half up, and 49 minor units."""
    return (amount * 349 + 5_000) // 10_000 + 49


def spoken(amount: Json) -> str:
    """An amount as a payer reads it: `$1,234.50`, `¥1,200`, `CHF 8.00`."""
    whole, point, rest = amount["value"].partition(".")
    number = f"{int(whole):,}{point}{rest}"
    symbol = _SYMBOLS.get(amount["currency_code"])
    return f"{symbol}{number}" if symbol else f"{amount['currency_code']} {number}"


def _texts(given: Any, field: str) -> tuple[str, str]:
    if not isinstance(given, dict):
        raise invalid("INVALID_PARAMETER_SYNTAX", field=field)
    for name in ("currency_code", "value"):
        if name not in given:
            raise invalid("MISSING_REQUIRED_PARAMETER", field=f"{field}/{name}")
        if not isinstance(given[name], str):
            raise invalid("INVALID_PARAMETER_SYNTAX", field=f"{field}/{name}")
    value, currency = given["value"], given["currency_code"]
    if len(currency) != 3 or len(value) > 32:
        raise invalid("INVALID_STRING_LENGTH", field=field, value=currency)
    if not _SYNTAX.fullmatch(value):
        raise invalid("INVALID_PARAMETER_SYNTAX", field=f"{field}/value", value=value)
    return value, currency


def _precision(field: str, value: str) -> PayPalError:
    sentence = "If the currency supports decimals, only two decimal place precision is supported."
    return unprocessable("DECIMAL_PRECISION", sentence, field=f"{field}/value", value=value)
