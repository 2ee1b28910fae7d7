"""Long lists of names, written as text."""

from __future__ import annotations


def names(text: str) -> tuple[str, ...]:
    """The names in a text, which stand between white space."""
    return tuple(text.split())
