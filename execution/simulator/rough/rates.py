"""What a unit of another currency is worth in US dollars. It changes a little from day to day, as rates do."""

from __future__ import annotations

from decimal import Decimal

HOME = "USD"
_DOLLARS = {
    "AUD": "0.65",
    "BGN": "0.55",
    "CAD": "0.73",
    "CHF": "1.13",
    "EUR": "1.08",
    "GBP": "1.27",
    "HUF": "0.0027",
    "ISK": "0.0072",
    "JPY": "0.0067",
    "PLN": "0.25",
    "SEK": "0.094",
}
_DAY_SECONDS = 86_400


def dollars(currency: str, at: int) -> Decimal:
    """The worth of one unit (`EUR`) at a time (UTC seconds): within one percent of a fixed figure, 1 for others."""
    base = Decimal(_DOLLARS.get(currency, "1"))
    if currency == HOME:
        return base
    swing = (at // _DAY_SECONDS * 37) % 201 - 100
    return base * (1 + Decimal(swing) / 10_000)
