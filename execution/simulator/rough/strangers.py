"""Who the strangers are: names, addresses and amounts, and a note of what is theirs."""

from __future__ import annotations

from random import Random

from simulator.world import World

_KIND = "simulator.stranger"
NAMES = (
    "Blue Heron Supplies & Söhne",
    "O'Brien; DROP TABLE customers --",
    "株式会社テスト",
    '=HYPERLINK("http://x.example","pay")',
    "Zoë \U0001f9f6 Wolle",
    "محمد الفاتح",
    "<script>alert(1)</script>",
    "A\u200bB\u202eC Ltd",
    "Ľubomír Šťastný, s.r.o.",
    "x" * 100,
)
# The least and the most of an amount in major units.
_RANGE = (1, 400)


def name(chance: Random) -> str:
    """A name that a program should not stumble over."""
    return chance.choice(NAMES)


def mail(chance: Random) -> str:
    """An address of somebody."""
    return f"someone+{chance.randint(1, 9_999)}@elsewhere.example"


def minor(chance: Random, places: int) -> int:
    """An amount in minor units of a currency with so many places."""
    unit = int(10**places)
    return chance.randint(*_RANGE) * unit + chance.randint(0, unit - 1)


def note(world: World, vendor: str, kind: str, key: str) -> None:
    """Remember that an object is a stranger's, so that a test can tell."""
    world.save(_KIND, f"{vendor}/{kind}/{key}", {"id": key, "vendor": vendor, "kind": kind})


def noted(world: World, vendor: str, kind: str) -> list[str]:
    """The ids of the strangers' objects of a kind at a vendor, oldest first."""
    return [str(one["id"]) for one in world.all(_KIND) if (one["vendor"], one["kind"]) == (vendor, kind)]


def owned(world: World) -> list[tuple[str, str, str]]:
    """Vendor, kind and id of every object of a stranger, oldest first."""
    return [(one["vendor"], one["kind"], one["id"]) for one in world.all(_KIND)]
