"""Amounts as Stripe writes them, each way, in every currency."""

from __future__ import annotations

from typing import Any

import pytest

from tillbook.kit.errors import Refused
from tillbook.kit.money import EXPONENTS, Money, exponent, parse
from tillbook.vendors.stripe.amounts import from_stripe, stripe_amount

# Written by hand from Stripe's documents: money, and Stripe's integer.
LITERALS = [
    ("60.00", "USD", 6000),
    ("0.01", "USD", 1),
    ("1234.56", "EUR", 123456),
    ("5000", "JPY", 5000),
    ("5000", "KRW", 5000),
    ("700", "CLP", 700),
    ("5", "ISK", 500),
    ("5", "UGX", 500),
    ("5.00", "MGA", 5),
    ("1.230", "KWD", 1230),
    ("10.500", "BHD", 10500),
    ("99.90", "HUF", 9990),
    ("99.90", "TWD", 9990),
    ("7.00", "MRU", 700),
]


@pytest.mark.parametrize(("text", "currency", "stripe"), LITERALS)
def test_d1_d2_d3_d4_amounts_of_stripe_equal_hand_written_literals(text: str, currency: str, stripe: int) -> None:
    """Each direction is held against Stripe's own figure, so two wrong factors cannot hide each other."""
    money = parse(text, currency)
    assert stripe_amount(money) == stripe
    assert from_stripe(stripe, currency.lower()) == money


@pytest.mark.parametrize("code", sorted(EXPONENTS))
def test_d1_every_code_is_written_for_stripe_as_its_rule_says_or_refused(code: str) -> None:
    """One major unit is 1, 100 or 1000 at Stripe, by groups that are listed here again, by hand."""
    whole = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
    one = Money(10 ** exponent(code), code)
    if code in ("CLF", "UYW", "UYI", "IQD", "LYD"):
        with pytest.raises(Refused):
            stripe_amount(one)
        return
    expected = 1 if code in whole else 1000 if code in "BHD JOD KWD OMR TND" else 100
    assert stripe_amount(one) == expected


@pytest.mark.parametrize(("minor", "code"), [(1234, "KWD"), (150, "MGA"), (1, "MGA"), (10000, "CLF")])
def test_d3_amounts_that_stripe_cannot_hold_are_refused(minor: int, code: str) -> None:
    """A third decimal other than 0, or a part of a whole unit, is refused and never rounded."""
    with pytest.raises(Refused):
        stripe_amount(Money(minor, code))


@pytest.mark.parametrize(("amount", "code"), [(550, "isk"), (1, "ugx"), (True, "usd"), (1.0, "usd"), (100, "zzz")])
def test_d4_amounts_of_stripe_that_are_no_money_are_refused(amount: Any, code: str) -> None:
    """Half a krona, another type and an unknown code never become money."""
    with pytest.raises(Refused):
        from_stripe(amount, code)
