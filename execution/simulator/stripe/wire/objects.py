"""How Stripe shows an object: its id and kind first, then every field by name, those without a value as null."""

from __future__ import annotations

from typing import Any

from simulator.names import names
from simulator.world import Json


def shaped(what: str, key: str, nothing: str, **fields: Any) -> Json:
    """A new object of the kind `what`. `nothing` names the fields that are null."""
    return {"id": key, "object": what, **in_order(nothing, **fields)}


def in_order(nothing: str, **fields: Any) -> Json:
    """Fields sorted by name, together with those that are null."""
    return dict(sorted({**dict.fromkeys(names(nothing)), **fields}.items()))
