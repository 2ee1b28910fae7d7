"""Text from outside: made safe to print, quoted in a message, or refused. Every name, memo and vendor message."""

from __future__ import annotations

import unicodedata

from tillbook.kit.errors import Refused

_INVISIBLE = ("Cc", "Cf", "Cs", "Co")  # controls, direction marks and their like, halves of characters, private ones
_ENDS_A_LINE = ("Cc", "Cs", "Zl", "Zp")
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINER = "\u200d"
_KEPT = "\u200d\ufe0f"  # what emoji are joined with
_EMOJI = ("So", "Sk", "Cn")  # newer emoji than this Python knows are unassigned to it


def clean(text: str) -> str:
    """Text without control and invisible formatting characters (terminal escapes, bidi).

    Tab and newline become a space.
    """
    if text.isprintable():  # then it holds none of them; nearly every text, and cheaper to ask
        return text
    spaced = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return "".join(c for c in spaced if c in _KEPT or unicodedata.category(c) not in _INVISIBLE)


def refuse_unprintable(what: str, text: str, allowed: str = "") -> None:
    """No value can end a header line or break the encoding of a part. Raises Refused naming `what`."""
    bad = next((char for char in text if unicodedata.category(char) in _ENDS_A_LINE and char not in allowed), "")
    if bad:
        raise Refused(
            f"{what} holds the control character U+{ord(bad):04X}; expected printable text",
            hint="Remove line breaks and control characters from the names that the letter uses.",
        )


def hidden_character(text: str, *, allowed: str = "") -> str:
    """The code of the first character that nobody sees (controls, direction marks, broken halves), like U+202E.

    The joiner inside an emoji is seen, and allowed.
    """
    if text.isascii() and text.isprintable():
        return ""
    for index, character in enumerate(text):
        if unicodedata.category(character) not in _HIDDEN or character in allowed:
            continue
        if character != _JOINER or not (_emoji(text[index - 1 : index]) and _emoji(text[index + 1 : index + 2])):
            return f"U+{ord(character):04X}"
    return ""


def _emoji(character: str) -> bool:
    return character == "\ufe0f" or (bool(character) and unicodedata.category(character) in _EMOJI)


def printable(text: str) -> str:
    """The beginning of a stranger's text as a message may quote it."""
    return "".join(character if character.isprintable() else "?" for character in text[:40])
