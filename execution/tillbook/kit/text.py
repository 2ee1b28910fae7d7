"""Text from outside, made safe to print: the one function that every name, memo and vendor message goes through."""

from __future__ import annotations

from tillbook.kit.errors import Refused

_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # controls, halves of characters, line and paragraph separators
_KEPT = "\u200d\ufe0f"  # what emoji are joined with


def clean(text: str) -> str:
    """Text without control and invisible formatting characters (terminal escapes, bidi).

    Tab and newline become a space.
    """
    if text.isprintable():  # then it holds none of them; nearly every text, and cheaper to ask
        return text
    import unicodedata  # noqa: PLC0415  start-up time

    spaced = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return "".join(c for c in spaced if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))


def refuse_unprintable(what: str, text: str, allowed: str = "") -> None:
    """No value can end a header line or break the encoding of a part. Raises Refused naming `what`."""
    import unicodedata  # noqa: PLC0415  start-up time

    bad = next((char for char in text if unicodedata.category(char) in _UNPRINTABLE and char not in allowed), "")
    if bad:
        raise Refused(
            f"{what} holds the control character U+{ord(bad):04X}; expected printable text",
            hint="Remove line breaks and control characters from the names that the letter uses.",
        )
