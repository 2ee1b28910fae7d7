"""Text from outside, made safe to print: the one function that every name, memo and vendor message goes through."""

from __future__ import annotations

import unicodedata

_KEPT = "\u200d\ufe0f"  # what emoji are joined with


def clean(text: str) -> str:
    """The same text without control and invisible formatting characters (terminal escapes, bidi); tab and newline
    become a space."""
    spaced = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return "".join(c for c in spaced if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
