"""Card numbers in free text: found, so that they are refused on input and masked in vendor text.

What counts: 13 to 19 digits whose first ones belong to a card scheme and whose last one is the check digit (Luhn), in
one piece or in groups with spaces or dashes between, never a part of a longer unbroken run of digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_BETWEEN = r"[ \-\u00a0\u2007\u2009\u200b-\u200d\u2010-\u2015\u202f\u2060\u2212]{1,3}"
_RUN = re.compile(rf"[0-9]+(?:{_BETWEEN}[0-9]+)*")
_GROUP = re.compile(r"[0-9]+")
_SCHEMES = re.compile(r"(?:2[1-7]|[3-6])[0-9]{11,17}[0-9]")  # 20.. would be every date of this century
_SHAPES = re.compile(r"1[3-9]|4 4 4 4(?: [1-3])?|4 6 [45]|6 13")
_MOST_DIGITS = 19
_EAN_DIGITS = 13
_TEN = 10


def contains_card_number(text: str) -> str:
    """The last four digits of the first card number in the text, or empty."""
    return next((number[-4:] for _, _, number in _card_numbers(text)), "")


def is_barcode(text: str) -> bool:
    """Whether a text is an EAN-13: thirteen digits with its check digit. Many of them pass a card's check, too."""
    if len(text) != _EAN_DIGITS or not (text.isascii() and text.isdigit()):
        return False
    return (sum(map(int, text[0::2])) + 3 * sum(map(int, text[1::2]))) % _TEN == 0


def mask_card_numbers(text: str) -> str:
    """The text with every card number replaced by its last four digits."""
    masked, done = "", 0
    for start, end, number in _card_numbers(text):
        masked += f"{text[done:start]}[card ending {number[-4:]}]"
        done = end
    return masked + text[done:]


def _card_numbers(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and digits of each card number, from left to right, none overlapping."""
    plain = _ascii_digits(text)
    for run in _RUN.finditer(plain):
        groups = list(_GROUP.finditer(plain, run.start(), run.end()))
        first = 0
        while first < len(groups):
            last = _last_group(groups, first)
            if last >= first:
                yield groups[first].start(), groups[last].end(), "".join(g[0] for g in groups[first : last + 1])
            first = max(last, first) + 1


def _last_group(groups: list[re.Match[str]], first: int) -> int:
    """The group that ends the longest card number beginning at group `first`, or -1.

    A card number fills its whole run of groups, or has the shape in which cards print it: a date and a security code
    may stand beside it.
    """
    found, digits, shape = -1, "", ""
    for last in range(first, len(groups)):
        digits += groups[last][0]
        if len(digits) > _MOST_DIGITS:
            break
        shape = f"{shape} {len(groups[last][0])}".lstrip()
        whole = first == 0 and last == len(groups) - 1
        if (whole or _SHAPES.fullmatch(shape)) and _SCHEMES.fullmatch(digits) and _luhn(digits):
            found = last
    return found


def _luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), _TEN)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % _TEN == 0


def _ascii_digits(text: str) -> str:
    """Text with the digits of every script (full-width ones too) as 0 to 9, each at its position."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(character, character)) for character in text)
