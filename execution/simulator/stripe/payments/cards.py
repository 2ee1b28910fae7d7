"""Stripe's test cards and what a customer can type wrong about a card.

A card's number is looked at once and forgotten: a `Card` holds its last four digits only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Outcome = Literal["success", "decline", "challenge"]


@dataclass(frozen=True)
class Decline:
    """Why a bank said no, in Stripe's codes, and the sentence that the customer reads."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Card:
    """A test card after its number was looked at."""

    last4: str
    outcome: Outcome
    decline: Decline | None = None
    month: int = 12
    year: int = 2040


_DECLINED = Decline("card_declined", "generic_decline", "Your card was declined.")
_NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
NOT_AUTHENTICATED = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)
_CARDS = {
    "4242424242424242": Card("4242", "success"),
    "4000000000000002": Card("0002", "decline", _DECLINED),
    "4000000000009995": Card("9995", "decline", _NO_FUNDS),
    "4000002500003155": Card("3155", "challenge"),
}


def find(number: str, *, month: int = 12, year: int = 2040) -> Card | None:
    """The test card with this number (spaces allowed), or None."""
    card = _CARDS.get(_digits(number))
    return Card(card.last4, card.outcome, card.decline, month, year) if card else None


def number_problem(number: str) -> str | None:
    """The sentence for a number that cannot be used here, or None."""
    digits = _digits(number)
    if not digits:
        return "Enter your card number."
    if not re.fullmatch(r"[0-9]{12,19}", digits) or not _luhn(digits):
        return "Your card number is not valid. Check it and try again."
    if digits not in _CARDS:
        return "No real cards here: use a test card, such as 4242 4242 4242 4242."
    return None


def read_expiry(text: str, now: int) -> tuple[int, int] | str:
    """Month and year of `MM / YY` (or `MM/YYYY`), or the sentence for what is wrong with it."""
    if not text.strip():
        return "Enter the expiration date of your card."
    match = re.fullmatch(r"\s*(0?[1-9]|1[0-2])\s*[/-]?\s*((?:20)?[0-9]{2})\s*", text, re.ASCII)
    if match is None:
        return "Enter the expiration date as month and year, for example 12 / 40."
    month, year = int(match[1]), 2000 + int(match[2]) % 100
    today = datetime.fromtimestamp(now, UTC)
    if (year, month) < (today.year, today.month):
        return "Your card's expiration date is in the past."
    return month, year


def cvc_problem(text: str) -> str | None:
    """The sentence for a wrong security code, or None."""
    if not text.strip():
        return "Enter the security code of your card."
    if not re.fullmatch(r"[0-9]{3}", text.strip()):
        return "The security code has three digits."
    return None


def _digits(number: str) -> str:
    return re.sub(r"[\s-]", "", number)


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * 2 if place % 2 else int(digit) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
