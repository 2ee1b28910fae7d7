"""What other people and other programs do meanwhile: the habit `strangers`.

Each movement has a number. The seed and the number decide when it happens, at which vendor, and what it is. So the same
seed lets the same things happen, as time and requests go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from simulator.rough import habits
from simulator.vendor import Processor, Vendor
from simulator.world import Json, World

HABIT = "strangers"
_KIND, _NEXT = "simulator.background", "next"
_SOONEST_SECONDS, _LATEST_SECONDS = 4 * 3600, 20 * 3600
_REQUESTS_APART = 40


class Background:
    """The movements of strangers at some vendors. What is due next is kept in the World."""

    def __init__(self, world: World, vendors: Sequence[Vendor]) -> None:
        self._world = world
        self._vendors = list(vendors)
        self._processors = [vendor for vendor in vendors if isinstance(vendor, Processor)]

    def pass_time(self) -> None:
        """Let everything happen that is due, ours and theirs, each at its time. Call it in the event loop."""
        if habits.has(self._world, HABIT):
            now = self._world.now()
            while (following := self._next())["at"] <= now:
                self._happen(following, following["at"])
        for processor in self._processors:
            processor.pass_time()

    def asked(self) -> None:
        """A vendor is about to answer a request. Every fortieth one finds that the next movement has just happened."""
        if not habits.has(self._world, HABIT):
            return
        self.pass_time()
        if self._world.number(_KIND) % _REQUESTS_APART == 0:
            self._happen(self._next(), self._world.now())

    def _next(self) -> Json:
        seed = habits.kept(self._world)["seed"]
        kept = self._world.get(_KIND, _NEXT)
        if kept is None or kept["seed"] != seed:
            kept = self._plan(seed, 1, self._world.now())
        return kept

    def _plan(self, seed: int, number: int, after: int) -> Json:
        at = after + _chance(seed, number, "when").randint(_SOONEST_SECONDS, _LATEST_SECONDS)
        return self._world.save(_KIND, _NEXT, {"id": _NEXT, "seed": seed, "number": number, "at": at})

    def _happen(self, movement: Json, at: int) -> None:
        for processor in self._processors:
            processor.happen_until(at)
        seed, number = movement["seed"], movement["number"]
        chance = _chance(seed, number, "what")
        chance.choice(self._vendors).stranger(chance, at)
        self._plan(seed, number + 1, at)


def _chance(seed: int, number: int, about: str) -> Random:
    return Random(f"{seed}/{number}/{about}")  # noqa: S311  no secret
