"""Card numbers in free text are found and masked; other numbers are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbook.kit.cards import contains_card_number, mask_card_numbers

CARDS = [
    ("4242424242424242", "4242"),
    ("4242 4242 4242 4242", "4242"),
    ("4242-4242-4242-4242", "4242"),
    ("5555555555554444", "4444"),
    ("2223003122003222", "3222"),
    ("378282246310005", "0005"),
    ("3782 822463 10005", "0005"),
    ("30569309025904", "5904"),
    ("3056 930902 5904", "5904"),
    ("6011 1111 1111 1117", "1117"),
    ("3566002020360505", "0505"),
    ("4222222222222", "2222"),
    ("\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12", "4242"),
    ("4242\u00a04242\u20134242\u200b4242", "4242"),
]
NOT_CARDS = [
    "4242424242424241",
    "14242424242424242",
    "42424242424242424242",
    "1234567890123",
    "9999999999999995",
    "2027-01-31 2026-12-31",
    "+1 512 555 0100",
    "INV-2001",
    "pi_3Nabc",
    "4242.4242.4242.4242",
    "",
]


@pytest.mark.parametrize(("text", "last_four"), CARDS)
def test_g8_card_numbers_are_found_in_every_spelling(text: str, last_four: str) -> None:
    """Spaces, dashes, other scripts' digits and words around it hide nothing."""
    for around in ("{}", "my card is {}, thanks", "card{}x"):
        assert contains_card_number(around.format(text)) == last_four


def test_g8_numbers_beside_a_card_hide_nothing() -> None:
    """An amount before it, its date and its security code after it; any grouping when it stands alone."""
    assert contains_card_number("12 4242 4242 4242 4242 12 29 123") == "4242"
    assert contains_card_number("12 4242424242424242 1229 123") == "4242"
    assert contains_card_number("12 3782 822463 10005 1229") == "0005"
    assert contains_card_number("42 42 42 42 42 42 42 42") == "4242"


@pytest.mark.parametrize("text", NOT_CARDS)
def test_g8_other_numbers_are_left_alone(text: str) -> None:
    """Dates, phone numbers, longer runs and wrong check digits are no cards."""
    assert contains_card_number(text) == ""
    assert mask_card_numbers(text) == text


@pytest.mark.parametrize(("text", "last_four"), CARDS)
def test_g8_masking_leaves_the_last_four_digits_only(text: str, last_four: str) -> None:
    """Words around a card stay; masking twice changes nothing more."""
    masked = mask_card_numbers(f"declined: {text}; then {text}.")
    assert masked == f"declined: [card ending {last_four}]; then [card ending {last_four}]."
    assert mask_card_numbers(masked) == masked


@given(st.text(alphabet="0123456789 -x", max_size=80))
def test_g8_masked_text_holds_no_card_number(text: str) -> None:
    """Whatever surrounds them, no card number survives masking."""
    assert contains_card_number(mask_card_numbers(text)) == ""


@given(st.integers(10**13, 10**15 - 1), st.sampled_from(" -"))
def test_g8_every_made_up_card_number_is_found(body: int, between: str) -> None:
    """A number with the right check digit is found in one piece; any other check digit is not."""
    digits = f"4{body}"
    found = [digit for digit in "0123456789" if contains_card_number(digits + digit)]
    assert len(found) == 1
    number = digits + found[0]
    assert contains_card_number(between.join(number)) == number[-4:]
