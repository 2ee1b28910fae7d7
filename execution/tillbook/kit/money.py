"""Money: an integer of minor units and a currency, exact and in one currency.

Amounts are never floats. "Minor" is the smallest unit that ISO 4217 gives the currency: 6000 USD minor is 60.00 USD,
6000 JPY minor is 6000 yen. Everything that does not fit exactly is Refused. Nothing is ever rounded in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tillbook.kit.errors import Refused

LARGEST_MINOR = 10**18 - 1
"""The largest amount, so that every one fits an integer of the ledger (64 bits) with room for sums."""

PRICE_DECIMALS = 4
"""The most decimals of the price of one piece."""

_GRAMMAR = re.compile(r"(-?)(0|[1-9][0-9]{0,11})(?:\.([0-9]+))?", re.ASCII)
_STRINGS_ONLY = 'amounts are decimal strings like "60.00"'

# ISO 4217, the active codes that have a minor unit, by its number of decimals. Metals, XDR, XTS, XXX have none.
_BY_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
        CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
        IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
        MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
        SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG
        YER ZAR ZMW ZWG""",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENTS = {code: decimals for decimals, codes in _BY_DECIMALS.items() for code in codes.split()}
"""The decimals of every active currency: what an order may be in."""

# Withdrawn since 2010, and still in records that vendors show. ISO's list of them tells no decimals any more.
_WITHDRAWN_BY_DECIMALS = {0: "BYR", 2: "ANG BGN CUC EEK HRK LTL LVL MRO SLL STD VEF ZMK ZWL"}
_WITHDRAWN = {code: decimals for decimals, codes in _WITHDRAWN_BY_DECIMALS.items() for code in codes.split()}


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`minor` units of `currency` (ISO 4217, upper case). Raises Refused for another type or an unknown code."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise Refused(f"minor units are a whole number, not a {type(self.minor).__name__}; {_STRINGS_ONLY}")
        exponent(self.currency)
        if abs(self.minor) > LARGEST_MINOR:
            raise Refused("the amount is too large to be kept")

    @classmethod
    def zero(cls, currency: str) -> Money:
        """No money in a currency."""
        return cls(0, currency)

    @property
    def text(self) -> str:
        """The amount with exactly the currency's decimals and no currency: "60.00"."""
        decimals = exponent(self.currency)
        sign = "-" if self.minor < 0 else ""
        digits = str(abs(self.minor)).zfill(decimals + 1)
        if decimals == 0:
            return sign + digits
        return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.text)

    def __str__(self) -> str:
        return f"{self.text} {self.currency}"

    def __bool__(self) -> bool:
        return self.minor != 0

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def _same(self, other: Money) -> int:
        """The other's minor units. Raises Refused when it is not money of this currency."""
        if not isinstance(other, Money):
            raise Refused(f"{self.currency} was to be combined with a {type(other).__name__}; expected money")
        if other.currency != self.currency:
            raise Refused(f"{self.currency} and {other.currency} cannot be combined; expected one currency")
        return other.minor


def exponent(currency: str) -> int:
    """How many decimals the currency has or had. Raises Refused for a code that is none of ISO 4217, or long gone."""
    decimals = EXPONENTS.get(currency, _WITHDRAWN.get(currency)) if isinstance(currency, str) else None
    if decimals is None:
        raise Refused(f"{str(currency)[:12]!r} is not a currency; expected an ISO 4217 code in capitals, like USD")
    return decimals


def parse(text: str, currency: str, *, negative: bool = False) -> Money:
    """An amount as people and forms write it: "60", "60.00", and "-60.00" only if `negative`.

    Raises Refused for any other type, spaces, signs, exponents, commas, digits that are not ASCII, leading zeros, more
    decimals than the currency has, more than 12 digits before the point.
    """
    decimals = exponent(currency)
    if not isinstance(text, str):
        raise Refused(f"the amount is a {type(text).__name__}; {_STRINGS_ONLY}")
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise Refused(f"{text[:24]!r} is not an amount; {_STRINGS_ONLY}, with at most 12 digits before the point")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if sign and not negative:
        raise Refused(f"{text[:24]!r} is negative; expected an amount of zero or more")
    if len(fraction) > decimals:
        raise Refused(f"{text[:24]!r} does not fit: {currency} has {decimals or 'no'} decimals")
    minor = int(whole + fraction.ljust(decimals, "0"))
    return Money(-minor if sign else minor, currency)


def from_decimal(value: Decimal | int, currency: str) -> Money:
    """Major units as vendors' numbers give them, exactly. Zeros at the end are no decimals ("60.000" is 60.00 USD).

    Raises Refused for a float, for what is not finite, and for more decimals than the currency has.
    """
    decimals = exponent(currency)
    if type(value) is int:
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise Refused(f"the amount is a {type(value).__name__}; expected an exact decimal")
    if not value.is_finite() or (value and value.adjusted() > len(str(LARGEST_MINOR))):
        raise Refused(f"{str(value)[:24]} is not an amount that can be kept")
    if not value:
        return Money.zero(currency)
    return Money(_scaled(value, decimals, currency), currency)


def _scaled(value: Decimal, decimals: int, currency: str) -> int:
    """A finite value times ten to the `decimals`, in integers: a Decimal's own arithmetic rounds at 28 digits."""
    sign, digits, power = value.as_tuple()
    text, shift = "".join(map(str, digits)), int(power) + decimals
    if shift < 0:
        if text[shift:].strip("0") or -shift > len(text):
            raise Refused(f"{str(value)[:24]} does not fit: {currency} has {decimals or 'no'} decimals")
        text, shift = text[:shift] or "0", 0
    magnitude = int(text + "0" * shift)
    return -magnitude if sign else magnitude


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of amounts of one currency, zero for none."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result


def share(whole: Money, weights: Sequence[int]) -> list[Money]:
    """Split an amount in proportion to weights of zero or more, by largest remainder: the parts sum to it exactly.

    Raises Refused when nothing can carry the amount: no weights, all of them zero, or one negative.
    """
    if any(weight < 0 for weight in weights) or (whole and not sum(weights)):
        raise Refused(f"{whole} cannot be shared out; expected weights of zero or more, one of them above")
    if not whole:
        return [whole] * len(weights)
    parts = [divmod(abs(whole.minor) * weight, sum(weights)) for weight in weights]
    minors = [quotient for quotient, _ in parts]
    by_remainder = sorted(range(len(parts)), key=lambda index: (-parts[index][1], index))
    for index in by_remainder[: abs(whole.minor) - sum(minors)]:
        minors[index] += 1
    return [Money(-minor if whole.minor < 0 else minor, whole.currency) for minor in minors]


def parse_price(text: str, currency: str) -> Decimal:
    """A price of one piece in major units: an amount, or one with up to four decimals where the currency has some.

    A kilowatt-hour costs 0.1648. It always has the decimals of its currency: "60" is 60.00. Raises Refused as `parse`.
    """
    decimals = exponent(currency)
    match = _GRAMMAR.fullmatch(text) if isinstance(text, str) else None
    fraction = (match[3] or "").rstrip("0") if match else ""
    if match is None or match[1] or not 0 < decimals < len(fraction) <= PRICE_DECIMALS:
        return parse(text, currency).decimal
    return Decimal(f"{match[2]}.{fraction}")


def rounded_product(quantity: Decimal, unit_price: Decimal, currency: str) -> Money:
    """Quantity times price, half a minor unit rounded up (away from zero), and nothing rounded before."""
    numerator, denominator = unit_price.as_integer_ratio()
    return _half_up(quantity, denominator, Money(numerator * 10 ** exponent(currency), currency))


def percentage(percent: Decimal, of: Money) -> Money:
    """So many per cent of an amount, half a minor unit rounded up (away from zero)."""
    return _half_up(percent, 100, of)


def _half_up(factor: Decimal, divisor: int, of: Money) -> Money:
    """Money times an exact factor, in integers: a Decimal's own arithmetic rounds at 28 digits."""
    numerator, denominator = factor.as_integer_ratio()
    product, denominator = numerator * of.minor, denominator * divisor
    minor = (2 * abs(product) + denominator) // (2 * denominator)
    return Money(-minor if product < 0 else minor, of.currency)
