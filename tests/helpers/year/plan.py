"""A year of a small business, made by a seed: who buys what, how it is paid, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

Json = dict[str, Any]

DAYS = 365
CUSTOMERS = 60
# Each with how often it is chosen.
_PROVIDERS = {"stripe": 65, "paypal": 35}
_CURRENCIES = {"USD": 72, "EUR": 12, "GBP": 6, "JPY": 5, "CAD": 5}
_WAYS = {
    "at once": 80,
    "second try": 6,
    "later": 5,
    "written by hand": 3,
    "at the counter": 3,
    "never": 2,
    "too little": 1,
}
_GIVEN_BACK = {"nothing": 87, "a part": 8, "everything": 5}
_QUESTIONED = {"": 95, "won": 2, "lost": 2, "open": 1}
_GOODS = (("CONSULT", "Consulting"), ("DESIGN", "Design"), ("SUPPORT", "Support"), ("HOSTING", "Hosting"))
_WITHOUT_DECIMALS = ("JPY",)
_TOO_LITTLE = {"description": "Sticker", "sku": "SUPPORT", "quantity": "1", "unit_price": "0.30"}
_NAMES = ("Ada & Sons", "Grace Ltd", "Zoë Ångström", "O'Neill", "山田商店", "Müller GmbH", "Žižka s.r.o.", "Ltd. #7")


@dataclass(frozen=True)
class Sale:
    """One sale of a day: `order` is the file, `way` how it comes and is paid, `back` what is given back, `questioned`
    how a dispute ends, if the customer's bank begins one. What is `too little` is below Stripe's minimum."""

    day: int
    number: str
    order: Json
    provider: str
    way: str
    back: str
    questioned: str


def year(seed: int, sales: int, days: int = DAYS) -> list[list[Sale]]:
    """So many sales over so many days, those of a day together, in their order."""
    chance = Random(f"year {seed}")
    by_day: dict[int, list[Sale]] = {}
    for index, day in enumerate(sorted(chance.randrange(days) for _ in range(sales))):
        by_day.setdefault(day, []).append(_sale(chance, index, day))
    return list(by_day.values())


def _sale(chance: Random, index: int, day: int) -> Sale:
    way, provider = _one(chance, _WAYS), _one(chance, _PROVIDERS)
    small = way == "too little"
    currency = "USD" if small else _one(chance, _CURRENCIES)
    number = f"Y-{index + 1:05d}"
    who = chance.randrange(CUSTOMERS)
    order = {
        "number": number,
        "currency": currency,
        "due": "2030-12-31",
        "customer": {"name": f"{_NAMES[who % len(_NAMES)]} {who}", "email": f"customer{who}@example.com"},
        "lines": [_TOO_LITTLE] if small else [_line(chance, currency) for _ in range(chance.randint(1, 3))],
    }
    back, questioned = _one(chance, _GIVEN_BACK), _one(chance, _QUESTIONED)
    return Sale(day, number, order, "stripe" if small else provider, way, back, questioned)


def _line(chance: Random, currency: str) -> Json:
    """Hosting is taxed, the others are not. Where a currency has no decimals, nothing is taxed."""
    whole = currency in _WITHOUT_DECIMALS
    sku, words = chance.choice(_GOODS[:3] if whole else _GOODS)
    price = f"{chance.randint(800, 9_000)}" if whole else f"{chance.randint(5, 300)}.{chance.randint(0, 99):02d}"
    return {"description": words, "sku": sku, "quantity": str(chance.randint(1, 3)), "unit_price": price}


def _one(chance: Random, weights: dict[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]
