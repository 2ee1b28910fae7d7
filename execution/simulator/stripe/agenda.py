"""What will happen later in simulated time: money that settles, sessions that expire."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from simulator.world import World

_KIND = "stripe.due"


class Agenda:
    """Due actions, earliest first. They are kept in the World, so a restart forgets none."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._heap: list[tuple[int, str]] = []
        self.read()

    def read(self) -> None:
        """Know what the World keeps, and nothing else."""
        self._heap = [(int(row["at"]), str(row["id"])) for row in self._world.all(_KIND)]
        heapq.heapify(self._heap)

    def add(self, at: int, action: str, subject: str) -> None:
        """Let `action` happen to `subject` (an id) at `at` (UTC seconds of simulated time)."""
        key = f"{self._world.number(_KIND):012d}"
        self._world.save(_KIND, key, {"id": key, "at": at, "action": action, "subject": subject})
        heapq.heappush(self._heap, (at, key))

    def take_due(self, now: int) -> Iterator[tuple[int, str, str]]:
        """Yield (at, action, subject) of everything due, and forget each after the caller has acted."""
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if row := self._world.get(_KIND, key):
                yield at, row["action"], row["subject"]
                self._world.delete(_KIND, key)

    def clear(self) -> None:
        """Forget everything: the World was reset."""
        self._heap.clear()
