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
# The least that can be charged, in minor units, where the account settles in that currency.
LEAST = {
    "aed": 200,
    "aud": 50,
    "bgn": 100,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17_500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
    "usd": 50,
}
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


def check_minimum(amount: int, currency: str, settled: int, settles_in: str) -> None:
    """Refuse a total that is too small for Stripe, in minor units, by what it is in the currency that it settles in."""
    least = LEAST.get(settles_in, 50)
    if settled >= least:
        return
    if currency == settles_in:
        message = (
            f"The Checkout Session's total amount due must add up to at least {spoken(least, currency)} {currency}"
        )
    else:
        both = f"{spoken(amount, currency)} converts to approximately {spoken(settled, settles_in)}"
        smallest = "50 cents" if settles_in == "usd" else spoken(least, settles_in)
        message = f"The Checkout Session's total amount must convert to at least {smallest}. {both}."
    raise StripeError(400, message, code="amount_too_small")


def places(currency: str) -> int:
    """How many decimals the minor unit of a currency stands for at Stripe."""
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def fee(amount: int) -> int:
    """What Stripe keeps of a card payment: 2.9 % rounded half up, and 30 minor units."""
    return (amount * 29 + 500) // 1000 + 30


def spoken(amount: int, currency: str) -> str:
    """An amount as a customer reads it: `$1,234.50`, `¥1,200`, `CHF 8.00`."""
    whole, rest = divmod(amount, 10 ** places(currency))
    shown = 0 if currency in WHOLE_UNITS else places(currency)
    number = f"{whole:,}" + (f".{rest:0{shown}d}" if shown else "")
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{currency.upper()} {number}"
