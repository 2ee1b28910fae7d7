"""Throttling: how many requests a company takes per minute and second before it answers 429."""

from __future__ import annotations

from collections import deque

from simulator.quickbooks import faults
from simulator.world import World

PER_MINUTE = 500
# The real service also allows 10 a second. On localhost a script makes ten calls in a blink, so this
# limit is off (0) until somebody asks for it.
PER_SECOND = 0
_MINUTE_SECONDS = 60.0


def set_limits(world: World, per_minute: int = PER_MINUTE, per_second: int = PER_SECOND) -> None:
    """Change the limits until the next reset. A limit of 0 is off."""
    world.save("quickbooks.limits", "limits", {"per_minute": per_minute, "per_second": per_second})


def forget_requests(world: World) -> None:
    """Start counting anew: the clock was put back."""
    world.delete("quickbooks.limits", "counting")


class Limiter:
    """Counts the requests of the last minute by the simulated clock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._times: deque[float] = deque()

    def check(self) -> None:
        """Count one request. Raises Fault 3001 when it is one too many (a refused one does not count)."""
        now = self._world.time()
        if self._world.get("quickbooks.limits", "counting") is None:  # a new world: nothing was asked in it yet
            self._times.clear()
            self._world.save("quickbooks.limits", "counting", {})
        while self._times and self._times[0] <= now - _MINUTE_SECONDS:
            self._times.popleft()
        limits = self._world.get("quickbooks.limits", "limits") or {}
        per_minute = int(limits.get("per_minute", PER_MINUTE))
        per_second = int(limits.get("per_second", PER_SECOND))
        in_second = sum(1 for one in self._times if one > now - 1.0) if per_second else 0
        if (per_minute and len(self._times) >= per_minute) or (per_second and in_second >= per_second):
            raise faults.throttled()
        self._times.append(now)
