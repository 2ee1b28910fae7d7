"""The faults that a test orders: which request fails, how, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

# The request never reaches the vendor, or its answer never comes back.
LOST_BEFORE, LOST_AFTER = frozenset({"timeout", "drop_before"}), frozenset({"timeout_after", "drop_after"})
# Nothing happens at the vendor: the request is lost, or refused with this answer.
BEFORE = LOST_BEFORE | {"500", "429", "409", "403", "html_502"}
# The vendor acts, and its answer is late or lost.
AFTER = LOST_AFTER | {"slow"}
_HOLD_SECONDS = {"timeout": 120.0, "timeout_after": 120.0, "slow": 2.0}
_MOST_TIMES = 1_000_000


@dataclass
class Fault:
    """One order: the first `skip` requests that match pass, the next `times` fail in this way."""

    vendor: str
    method: str
    path: str
    kind: str
    times: int
    seconds: float
    skip: int = 0

    def matches(self, vendor: str, method: str, path: str) -> bool:
        """Whether the order is about such a request."""
        return self.vendor == vendor and self.method in ("*", method) and fnmatchcase(path, self.path)

    def shown(self) -> dict[str, Any]:
        """The order as JSON, with the times that are left."""
        return dict(vars(self))


class Faults:
    """All orders, first come first served. Of the `vendors`, by name, `busy` answer 409 for a key that is in use."""

    def __init__(self, vendors: Sequence[str], busy: Sequence[str]) -> None:
        self._vendors, self._busy = vendors, busy
        self._orders: list[Fault] = []

    def add(self, order: Mapping[str, Any]) -> Fault:
        """Take an order from `/_control/faults`. Raises ValueError with a sentence when it makes no sense."""
        fault = self._read(order)
        self._orders.append(fault)
        return fault

    def take(self, vendor: str, method: str, path: str) -> Fault | None:
        """The fault that hits this request, counted down, or None."""
        for fault in self._orders:
            if fault.matches(vendor, method, path):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if not fault.times:
                    self._orders.remove(fault)
                return fault
        return None

    def shown(self) -> list[dict[str, Any]]:
        """The orders that are left, as JSON."""
        return [fault.shown() for fault in self._orders]

    def clear(self) -> None:
        """Forget every order."""
        self._orders.clear()

    def _read(self, order: Mapping[str, Any]) -> Fault:
        if unknown := set(order) - {"vendor", "method", "path", "kind", "times", "seconds", "skip"}:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        kind, vendor = order.get("kind"), order.get("vendor")
        if kind not in BEFORE | AFTER:
            raise ValueError(f"kind is one of {', '.join(sorted(BEFORE | AFTER))}, not {kind!r}")
        if vendor not in self._vendors:
            raise ValueError(f"vendor is one of {', '.join(self._vendors)}, not {vendor!r}")
        if kind == "409" and vendor not in self._busy:
            raise ValueError(f"only {', '.join(self._busy)} answers 409 (its idempotency key is in use)")
        method, path = order.get("method", "*"), order.get("path", "*")
        if not isinstance(method, str) or not isinstance(path, str):
            raise ValueError("method and path are text; * matches everything")
        times, skip = _whole(order, "times", 1), _whole(order, "skip", 0)
        seconds = order.get("seconds", _HOLD_SECONDS.get(str(kind), 0.0))
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 3600:
            raise ValueError(f"seconds is a number from 0 to 3600, not {seconds!r}")
        return Fault(str(vendor), method.upper(), path, str(kind), times, float(seconds), skip)


def _whole(order: Mapping[str, Any], name: str, least: int) -> int:
    """A whole number, `least` when it is not given."""
    value = order.get(name, least)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST_TIMES:
        raise ValueError(f"{name} is a whole number from {least} to {_MOST_TIMES}, not {value!r}")
    return value
