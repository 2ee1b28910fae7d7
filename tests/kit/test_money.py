"""Money: exact, in one currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbook.kit.errors import Refused
from tillbook.kit.money import (
    EXPONENTS,
    LARGEST_MINOR,
    Money,
    exponent,
    from_decimal,
    parse,
    percentage,
    rounded_product,
    share,
    total,
)
from tillbook.vendors.quickbooks.write import amount

CODES = st.sampled_from(sorted(EXPONENTS))
MINORS = st.integers(-(10**15), 10**15)
MONEYS = st.builds(Money, MINORS, CODES)

# Written by hand from QuickBooks' documents: money, and its number.
LITERALS = [
    ("60.00", "USD", "60.00"),
    ("0.01", "USD", "0.01"),
    ("1234.56", "EUR", "1234.56"),
    ("5000", "JPY", "5000"),
    ("5000", "KRW", "5000"),
    ("700", "CLP", "700"),
    ("5", "ISK", "5"),
    ("5", "UGX", "5"),
    ("5.00", "MGA", "5.00"),
    ("1.230", "KWD", "1.23"),
    ("10.500", "BHD", "10.50"),
    ("99.90", "HUF", "99.90"),
    ("99.90", "TWD", "99.90"),
    ("7.00", "MRU", "7.00"),
]


@pytest.mark.parametrize(("text", "currency", "quickbooks"), LITERALS)
def test_d1_d2_amounts_of_quickbooks_equal_hand_written_literals(text: str, currency: str, quickbooks: str) -> None:
    """Each direction is held against QuickBooks' own figure, so two wrong factors cannot hide each other."""
    money = parse(text, currency)
    assert amount(money.text) == Decimal(quickbooks)
    assert from_decimal(Decimal(quickbooks), currency) == money


def test_d1_the_table_has_every_active_code_of_iso_4217() -> None:
    """Codes are counted by their number of decimals, and the odd ones are named."""
    counts = {decimals: list(EXPONENTS.values()).count(decimals) for decimals in (0, 2, 3, 4)}
    assert counts == {0: 17, 2: 139, 3: 7, 4: 2}
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)
    odd = {"JPY": 0, "ISK": 0, "UGX": 0, "KWD": 3, "IQD": 3, "CLF": 4, "UYW": 4, "UYI": 0, "MGA": 2, "MRU": 2, "HUF": 2}
    assert {code: exponent(code) for code in odd} == odd


def test_a_currency_that_was_withdrawn_is_read_and_not_ordered() -> None:
    """Records of the past are in it: 25.00 Bulgarian leva are 2500 stotinki. Nobody orders in it any more."""
    assert (parse("25.00", "BGN"), "BGN" in EXPONENTS) == (Money(2500, "BGN"), False)
    assert parse("25", "BYR").minor == 25


@pytest.mark.parametrize("code", ["usd", "USDX", "", "XAU", "XXX", "DEM", "\uff35\uff33\uff24", "US\n", None, 840])
def test_unknown_currencies_are_refused(code: Any) -> None:
    """Only ISO codes in capitals name a currency, and none that is long gone."""
    with pytest.raises(Refused, match="ISO 4217"):
        Money(1, code)


def test_quickbooks_never_loses_a_third_decimal() -> None:
    """QuickBooks keeps two decimals: 1.234 KWD is refused before anything is sent."""
    with pytest.raises(Refused, match="QuickBooks"):
        amount(Money(1234, "KWD").text)


BAD_TEXTS = (
    "|-1.00|+1.00|1,00|1.000,00|1e3|1E400|NaN|Infinity|0x10|007|00.10|.5|5.| 1.00|1.00 |1 000|1_000"
    "|\uff11\uff10\uff10|\u0661\u0662|60.001|1.00\n|$1.00|1.00USD|--1|1.2.3|1000000000000.00|\u20091"
)


@pytest.mark.parametrize("text", BAD_TEXTS.split("|"))
def test_d15_amounts_outside_the_strict_grammar_are_refused(text: str) -> None:
    """Signs, exponents, commas, spaces, other digits, leading zeros and too many digits are all refused."""
    with pytest.raises(Refused):
        parse(text, "USD")


@pytest.mark.parametrize("value", [60.0, 60, True, None, b"60.00", Decimal("60.00"), ["60.00"]])
def test_d6_other_types_than_text_are_refused(value: Any) -> None:
    """The message shows what an amount looks like."""
    with pytest.raises(Refused, match=r'amounts are decimal strings like "60.00"'):
        parse(value, "USD")


def test_parse_knows_the_decimals_of_the_currency() -> None:
    """Fewer decimals are fine, more are refused with the number that fits."""
    assert [parse(text, "USD").minor for text in ("60", "60.0", "60.00", "0", "0.01")] == [6000, 6000, 6000, 0, 1]
    with pytest.raises(Refused, match="USD has 2 decimals"):
        parse("60.001", "USD")
    with pytest.raises(Refused, match="JPY has no decimals"):
        parse("60.0", "JPY")
    assert parse("999999999999.99", "USD").text == "999999999999.99"


def test_a_negative_amount_needs_permission() -> None:
    """Only a caller who expects a minus gets one."""
    assert parse("-60.00", "USD", negative=True) == Money(-6000, "USD")
    with pytest.raises(Refused, match="negative"):
        parse("-60.00", "USD")


@given(MONEYS)
def test_text_and_decimal_are_exact(money: Money) -> None:
    """Text parses back to the same money and has exactly the currency's decimals."""
    assert parse(money.text, money.currency, negative=True) == money if abs(money.minor) < 10**12 else True
    assert from_decimal(money.decimal, money.currency) == money
    assert len(money.text.partition(".")[2]) == exponent(money.currency)
    assert str(money) == f"{money.text} {money.currency}"


@given(st.text(max_size=20))
def test_d15_any_text_is_either_refused_or_kept_exactly(text: str) -> None:
    """What is accepted has the value that Python's exact decimals give it."""
    try:
        money = parse(text, "USD")
    except Refused:
        return
    assert money.decimal == Decimal(text)


@pytest.mark.parametrize("value", ["60.001", "NaN", "Infinity", "1e400", "1e-400", "0.005", "1e18"])
def test_from_decimal_refuses_what_does_not_fit(value: str) -> None:
    """No rounding, no infinities, no numbers that would fill the memory."""
    with pytest.raises(Refused):
        from_decimal(Decimal(value), "USD")


def test_d7_from_decimal_takes_exact_numbers_only() -> None:
    """Whole numbers and zeros at the end are exact; a float is refused whatever its value."""
    assert from_decimal(Decimal("60.000"), "USD") == from_decimal(60, "USD") == Money(6000, "USD")
    assert from_decimal(Decimal("1E+2"), "JPY") == Money(100, "JPY")
    assert from_decimal(Decimal("0E+99999"), "USD") == Money.zero("USD")
    assert from_decimal(Decimal("-0.10"), "USD") == Money(-10, "USD")
    assert from_decimal(Decimal("9007199254740993.01"), "USD").text == "9007199254740993.01"
    for value in (60.0, True, "60"):
        wrong: Any = value
        with pytest.raises(Refused):
            from_decimal(wrong, "USD")


def test_c21_currencies_never_mix() -> None:
    """Sums and comparisons across currencies, or with plain numbers, are refused."""
    one, other, number = Money(1, "USD"), Money(1, "EUR"), 1
    wrong: Any = number
    for action in (
        lambda: one + other,
        lambda: one - other,
        lambda: one < other,
        lambda: one <= other,
        lambda: one > other,
        lambda: one >= wrong,
    ):
        with pytest.raises(Refused):
            action()
    assert one != other


@pytest.mark.parametrize("minor", [1.0, True, "1", None, Decimal(1), LARGEST_MINOR + 1])
def test_d6_minor_units_are_whole_numbers_within_reason(minor: Any) -> None:
    """A float, a truth value or a giant is no amount."""
    with pytest.raises(Refused):
        Money(minor, "USD")


@given(MINORS, MINORS)
def test_arithmetic_and_order_follow_the_integers(first: int, second: int) -> None:
    """Money of one currency behaves as its minor units do."""
    a, b = Money(first, "USD"), Money(second, "USD")
    assert (a + b).minor == first + second
    assert (a - b).minor == first - second
    assert (-a).minor == -first
    assert (a < b, a <= b, a > b, a >= b) == (first < second, first <= second, first > second, first >= second)
    assert bool(a) == (first != 0)
    assert total([a, b], "USD") == a + b


@given(MONEYS, st.lists(st.integers(0, 10**6), min_size=1, max_size=40))
def test_d8_c22_shares_sum_exactly(money: Money, weights: list[int]) -> None:
    """No cent is lost or made, and no part is a whole unit away from its exact share."""
    if not sum(weights):
        weights = [1, *weights]
    parts = share(money, weights)
    assert total(parts, money.currency) == money
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor * sum(weights) - money.minor * weight) < sum(weights)


def test_d8_shares_go_by_largest_remainder() -> None:
    """Ten cents over three is 4, 3, 3; the exact halves go to the first."""
    assert [part.minor for part in share(Money(10, "USD"), [1, 1, 1])] == [4, 3, 3]
    assert [part.minor for part in share(Money(-10, "USD"), [1, 1, 1])] == [-4, -3, -3]
    assert [part.minor for part in share(Money(100, "USD"), [1, 0, 2])] == [33, 0, 67]
    assert share(Money.zero("USD"), [0, 0]) == [Money.zero("USD")] * 2
    for weights in ([], [0, 0], [2, -1]):
        with pytest.raises(Refused):
            share(Money(1, "USD"), weights)


def test_products_and_percentages_round_half_up() -> None:
    """Half a minor unit goes away from zero, and nothing else moves."""
    assert rounded_product(Decimal("0.5"), Decimal("9801"), "JPY") == Money(4901, "JPY")
    assert rounded_product(Decimal("0.33333"), Decimal("100.00"), "USD") == Money(3333, "USD")
    assert rounded_product(Decimal("7000"), Decimal("0.1648"), "USD") == Money(115360, "USD")
    assert rounded_product(Decimal("7123"), Decimal("0.1648"), "USD") == Money(117387, "USD")
    assert percentage(Decimal("8.25"), Money(9000, "USD")) == Money(743, "USD")
    assert percentage(Decimal("12.5"), Money(25330, "USD")) == Money(3166, "USD")
