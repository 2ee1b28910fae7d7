"""`--dry-run`: the same step on a ledger that forgets, with doors that only write down what would be sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from tillbook.operations.kinds.base import to_json
from tillbook.operations.kinds.registry import kind_of
from tillbook.rules.operations import Door, Evidence, Json, Stored


@dataclass
class DryRun:
    """Every operation that the real run would send, in order."""

    planned: list[Stored] = field(default_factory=list)
    mails: list[Json] = field(default_factory=list)

    def of(self, door: Door) -> Door:
        """A door that reads through the given one and writes down what it would change."""
        return _DryDoor(door, self)

    @property
    def plan(self) -> list[Json]:
        """The plan for people and machines."""
        return [{"kind": op.kind, "subject": op.subject, "door": op.door, "params": op.params} for op in self.planned]


class _DryDoor:
    """Reads are the real door's. A change is written down and answered with what it would most likely make."""

    def __init__(self, door: Door, dry_run: DryRun) -> None:
        self.name = door.name
        self._door = door
        self._dry_run = dry_run

    def send(self, operation: Stored) -> Json:
        self._dry_run.planned.append(operation)
        return to_json(kind_of(operation).read(operation.params).assumed(operation))

    def find(self, operation: Stored) -> Json | None:
        return self._door.find(operation)

    def latest(self, operation: Stored) -> int | None:
        return self._door.latest(operation)

    def evidence(self, kind: str) -> Evidence:
        return self._door.evidence(kind)
