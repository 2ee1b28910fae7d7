"""Objects altered or removed behind everybody's back: a vendor whose word no longer fits what happened.

No event, no SyncToken and no change feed tells of it; only a comparison finds it.
"""

from __future__ import annotations

from typing import Any

from simulator.quickbooks.company import TRANSACTIONS, Company
from simulator.quickbooks.payments import show_settlement
from simulator.world import World

Json = dict[str, Any]

_IDENTITY = ("id", "Id", "object")


def alter(world: World, vendor: str, kind: str, key: str, changes: Json) -> Json:
    """Overwrite fields of an object; what it did to balances stays. Raises ValueError when that makes no sense."""
    thing = _find(world, vendor, kind, key)
    if names := [name for name in changes if name in _IDENTITY]:
        raise ValueError(f"{names[0]} is what an object is known by, and stays")
    if _has_float(changes):
        raise ValueError("amounts are whole minor units for stripe, decimal text for the others, never fractions")
    return world.save(f"{vendor}.{kind}", key, {**thing, **changes})


def forget(world: World, vendor: str, kind: str, key: str) -> None:
    """Remove an object; with a transaction of QuickBooks go its effects. Raises ValueError for an unknown one."""
    _find(world, vendor, kind, key)
    if vendor != "quickbooks" or kind not in TRANSACTIONS:
        world.delete(f"{vendor}.{kind}", key)
        return
    company = Company(world)
    effects = company.take_back(f"{kind}/{key}")
    world.delete(f"{vendor}.{kind}", key)
    for application in effects.applied:
        target, _, target_key = application.target.partition("/")
        show_settlement(company, target, target_key, changed=True)


def _find(world: World, vendor: str, kind: str, key: str) -> Json:
    thing = world.get(f"{vendor}.{kind}", key)
    if thing is None:
        raise ValueError(f"{vendor} has no {kind} {key!r}")
    return thing


def _has_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_float(one) for one in value.values())
    return any(_has_float(one) for one in value) if isinstance(value, list) else isinstance(value, float)
