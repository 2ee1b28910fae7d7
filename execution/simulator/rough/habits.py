"""What the real vendors do and a demonstration does without: habits of the world, each off until it is taken on."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.world import Json, World

HABITS = {
    "minimums": "Stripe refuses a page whose amount is below its minimum",
    "conversion": "money in another currency settles in US dollars, at the rate of the day",
    "disputed_money": "a dispute takes its amount and a fee at once, and brings the amount back when it is won",
    "fractions": "QuickBooks computes tax to the hundredth in every currency, PayPal writes every amount with decimals",
    "strangers": "other programs and people use the same accounts, by chances that follow from a seed",
}
_KIND, _ALL = "simulator.habits", "all"


def take_on(world: World, names: Iterable[str], seed: int) -> None:
    """Have these habits and no others until the next reset. Raises ValueError for a name that is none."""
    wanted = list(names)
    for name in wanted:
        if name not in HABITS:
            raise ValueError(f"a habit is one of {', '.join(HABITS)}, not {name!r}")
    world.save(_KIND, _ALL, {"habits": wanted, "seed": seed})


def has(world: World, name: str) -> bool:
    """Whether the world has a habit (one of HABITS)."""
    return name in kept(world)["habits"]


def kept(world: World) -> Json:
    """The `habits` of the world and their `seed`: those chosen last, else those that the simulator was started with."""
    chosen = world.get(_KIND, _ALL)
    if chosen is not None:
        return chosen
    rough = world.rough_seed is not None
    return {"habits": list(HABITS) if rough else [], "seed": world.rough_seed or 0}
