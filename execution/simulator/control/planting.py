"""Objects altered or removed behind everybody's back: a vendor whose word no longer fits what happened.

No event, no SyncToken and no change feed tells of it. Only a comparison finds it.
"""

from __future__ import annotations

from typing import Any

from simulator.vendor import Vendor
from simulator.world import Json

_IDENTITY = ("id", "Id", "object")


def alter(vendor: Vendor, kind: str, key: str, changes: Json) -> Json:
    """Overwrite fields of an object. What it did to balances stays. Raises ValueError when that makes no sense."""
    thing = _find(vendor, kind, key)
    if names := [name for name in changes if name in _IDENTITY]:
        raise ValueError(f"{names[0]} is what an object is known by, and stays")
    if _has_float(changes):
        raise ValueError("amounts are whole minor units for stripe, decimal text for the others, never fractions")
    return vendor.world.save(f"{vendor.name}.{kind}", key, {**thing, **changes})


def forget(vendor: Vendor, kind: str, key: str) -> None:
    """Remove an object with its effects. Raises ValueError for an unknown one."""
    _find(vendor, kind, key)
    vendor.forget(kind, key)


def _find(vendor: Vendor, kind: str, key: str) -> Json:
    thing = vendor.world.get(f"{vendor.name}.{kind}", key)
    if thing is None:
        raise ValueError(f"{vendor.name} has no {kind} {key!r}")
    return thing


def _has_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_float(one) for one in value.values())
    return any(_has_float(one) for one in value) if isinstance(value, list) else isinstance(value, float)
