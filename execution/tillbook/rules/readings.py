"""What an object of a vendor proves, as a provider reads it."""

from __future__ import annotations

from dataclasses import dataclass

from tillbook.rules.facts import Fact


@dataclass(frozen=True, slots=True)
class Reading:
    """What an object proves now: every fact, whatever event prompted the read.

    `operation` and `invoice` are what we wrote on the object ourselves; empty when it is not ours. `released` are our
    refund operations whose refund ended without moving money.
    """

    object_id: str
    facts: tuple[Fact, ...]
    operation: str
    invoice: str
    released: tuple[str, ...] = ()
