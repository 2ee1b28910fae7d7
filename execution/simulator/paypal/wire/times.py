"""Times as PayPal writes them, and as it wants to be told them: with `Z` or an offset that has its colon."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from simulator.paypal.wire.errors import invalid

_GRAMMAR = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


def moment(text: str, field: str) -> float:
    """UTC seconds, with the fraction that was given. Raises PayPalError for anything else, `-0700` included."""
    if _GRAMMAR.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).timestamp()
        except (ValueError, OverflowError):
            pass
    raise invalid("INVALID_PARAMETER_SYNTAX", "The value is no date and time.", field=field, value=text)


def precise(at: int) -> str:
    """A time as PayPal's events have it: `2026-11-26T09:05:00.000Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def stamp(at: int) -> str:
    """A time as PayPal writes it: `2026-11-26T09:05:00Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> int:
    """UTC seconds of such a time."""
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
