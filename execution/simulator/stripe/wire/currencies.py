"""How Stripe writes amounts: integers in a currency's smallest unit, with Stripe's own exceptions."""

from __future__ import annotations

from simulator.names import names
from simulator.stripe.wire.errors import StripeError, invalid

ZERO_DECIMAL = names("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
THREE_DECIMAL = names("bhd jod kwd omr tnd")
# Sent with two decimals though the coins do not exist: only whole units can be charged.
WHOLE_UNITS = names("isk ugx")
_OTHERS = names(
    """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve
    czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd kzt lak
    lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar
    ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd yer zar
    zmw
    """
)
SUPPORTED = {*ZERO_DECIMAL, *THREE_DECIMAL, *WHOLE_UNITS, *_OTHERS}
LARGEST_AMOUNT = 99_999_999
_SYMBOLS = {
    "usd": "$",
    "eur": "€",
    "gbp": "£",
    "jpy": "¥",
    "inr": "₹",
    "krw": "₩",
    "cad": "CA$",
    "aud": "A$",
    "nzd": "NZ$",
    "brl": "R$",
}


def check_currency(currency: str, param: str) -> str:
    """The code in lower case. Raises StripeError for one that Stripe does not take."""
    code = currency.lower()
    if code not in SUPPORTED:
        known = ", ".join(sorted(SUPPORTED))
        raise invalid(f"Invalid currency: {currency}. Stripe currently supports these currencies: {known}", param)
    return code


def check_amount(amount: int, currency: str) -> None:
    """Refuse a total that Stripe could not charge: zero, too large, or finer than the currency's rule."""
    if amount < 1:
        raise StripeError(400, "The total must be at least one minor unit.", code="amount_too_small")
    if amount > LARGEST_AMOUNT:
        largest = spoken(LARGEST_AMOUNT, currency)
        message = f"The Checkout Session's total amount must be no more than {largest}."
        raise StripeError(400, message, code="amount_too_large")
    if currency in WHOLE_UNITS and amount % 100:
        message = f"Invalid amount: {currency.upper()} amounts must be divisible by 100."
        raise StripeError(400, message, code="invalid_charge_amount")
    if currency in THREE_DECIMAL and amount % 10:
        message = f"Invalid amount: the last digit of {currency.upper()} amounts must be 0."
        raise StripeError(400, message, code="invalid_charge_amount")


def fee(amount: int) -> int:
    """What Stripe keeps of a card payment: 2.9 % rounded half up, and 30 minor units."""
    return (amount * 29 + 500) // 1000 + 30


def spoken(amount: int, currency: str) -> str:
    """An amount as a customer reads it: `$1,234.50`, `¥1,200`, `CHF 8.00`."""
    places = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    whole, rest = divmod(amount, 10**places)
    if currency in WHOLE_UNITS:
        places = 0
    number = f"{whole:,}" + (f".{rest:0{places}d}" if places else "")
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{currency.upper()} {number}"
