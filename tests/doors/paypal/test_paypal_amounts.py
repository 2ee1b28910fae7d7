"""Amounts as PayPal writes them, each way, in every currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tillbook.kit.errors import Refused
from tillbook.kit.money import EXPONENTS, Money, exponent, parse
from tillbook.vendors.paypal.amounts import from_paypal, paypal_amount

# Written by hand from PayPal's list of currencies: money, and PayPal's decimal string.
PAYPAL_LITERALS = [
    ("60.00", "USD", "60.00"),
    ("0.01", "USD", "0.01"),
    ("1234.56", "EUR", "1234.56"),
    ("5000", "JPY", "5000"),
    ("99.00", "HUF", "99"),
    ("1300.00", "TWD", "1300"),
    ("7.50", "BRL", "7.50"),
    ("999999999999.99", "USD", "999999999999.99"),
]


@pytest.mark.parametrize(("text", "currency", "paypal"), PAYPAL_LITERALS)
def test_d1_d2_d5_amounts_of_paypal_equal_hand_written_literals(text: str, currency: str, paypal: str) -> None:
    """D2: each direction is held against PayPal's own figure, so two wrong factors cannot hide each other."""
    money = parse(text, currency)
    assert paypal_amount(money) == paypal
    assert from_paypal(paypal, currency) == money
    assert from_paypal(f"-{paypal}", currency) == -money


@pytest.mark.parametrize("code", sorted(EXPONENTS))
def test_d5_every_code_is_written_for_paypal_or_refused(code: str) -> None:
    """Twenty-five currencies, listed here again by hand; three of them without decimals."""
    known = "AUD BRL CAD CNY CZK DKK EUR HKD HUF ILS JPY MYR MXN TWD NZD NOK PHP PLN GBP RUB SGD SEK CHF THB USD"
    seven = Money(7 * 10 ** exponent(code), code)
    if code in known.split():
        assert paypal_amount(seven) == ("7" if code in ("HUF", "JPY", "TWD") else "7.00")
        return
    with pytest.raises(Refused, match="PayPal"):
        paypal_amount(seven)
    with pytest.raises(Refused, match="PayPal"):
        from_paypal("7.00", code)


@pytest.mark.parametrize(("minor", "code"), [(9990, "HUF"), (1, "TWD"), (150, "TWD")])
def test_d4_d5_cents_that_paypal_cannot_hold_are_refused(minor: int, code: str) -> None:
    """ISO 4217 gives forints and Taiwan dollars two decimals, PayPal takes none: nothing is rounded."""
    with pytest.raises(Refused, match="without decimals"):
        paypal_amount(Money(minor, code))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        *((value, "USD") for value in ("60.001", "1e3", "NaN", "1,00", "", " 1.00", "1.", ".5", "--1", "\uff11.00")),
        *((value, "USD") for value in (60, 60.0, None, Decimal(60), "9" * 16)),
        ("99.50", "HUF"),
        ("1.50", "JPY"),
        ("60.00", "usd"),
        ("60.00", None),
    ],
)
def test_d5_amounts_of_paypal_that_are_no_money_are_refused(value: Any, code: Any) -> None:
    """A third place, another type, another script, an exponent or an unknown code never becomes money."""
    with pytest.raises(Refused, match="PayPal"):
        from_paypal(value, code)


def test_d5_zeros_are_no_decimals_to_paypal() -> None:
    """Yen that come with zeros at the end are whole yen all the same."""
    assert from_paypal("5000.00", "JPY") == from_paypal("5000", "JPY") == Money(5000, "JPY")
    assert from_paypal("60", "USD") == from_paypal("60.0", "USD") == Money(6000, "USD")
