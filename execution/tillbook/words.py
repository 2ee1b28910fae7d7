"""Text from outside, made safe to print: the one function that every name, memo and vendor message goes through."""

from __future__ import annotations

_KEPT = "\u200d\ufe0f"  # what emoji are joined with


def clean(text: str) -> str:
    """The same text without control and invisible formatting characters (terminal escapes, bidi); tab and newline
    become a space."""
    if text.isprintable():  # then it holds none of them; nearly every text, and cheaper to ask
        return text
    import unicodedata  # noqa: PLC0415  start-up time

    spaced = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return "".join(c for c in spaced if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
