"""What vendors told us: durable before the answer, kept for ever, ended with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.ledger.sqlite.database import Database, Row

if TYPE_CHECKING:
    from tillbook.rules.events import Event


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that still has to be applied. `object` is what to read. Times are UTC seconds."""

    id: int
    provider: str
    event: str
    type: str
    object: str
    account: str
    livemode: bool
    attempts: int
    created_at: int
    received_at: int


class Inbox:
    """Events as they came, each until it is applied or ignored."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, event: Event, *, source: str, now: int) -> bool:
        """Keep an event. False when it was here already, or another one came by its delivery. In a transaction."""
        values = (
            event.provider,
            event.id,
            event.type,
            event.object_id,
            event.account,
            int(event.livemode),
            event.api_version,
            event.created_at,
            now,
            source,
            event.body,
            now,  # when it is due
            event.delivery,
        )
        return bool(self._database.run("inbox.add", values))  # by place: names are a quarter of an insert

    def is_taken(self, event: Event) -> bool:
        """Whether its delivery brought another message before: a signature may fit two of them."""
        return (
            self._database.one(
                "inbox.other_by_delivery",
                provider=event.provider,
                delivery=event.delivery,
                event=event.id,
                body=event.body,
            )
            is not None
        )

    def due(self, now: int, most: int) -> list[Waiting]:
        """Waiting events whose time has come, oldest first."""
        return [_waiting(row) for row in self._database.all("inbox.due", now=now, most=most)]

    def same_object(self, event: Waiting) -> list[Waiting]:
        """Everything that one read of this event's object answers: the same object of the same account and mode."""
        rows = self._database.all(
            "inbox.same_object",
            provider=event.provider,
            object=event.object,
            account=event.account,
            livemode=int(event.livemode),
        )
        return [_waiting(row) for row in rows]

    def end(self, events: Iterable[Waiting], state: str, reason: str, now: int) -> None:
        """Applied or ignored, for good."""
        for event in events:
            self._database.run("inbox.end", id=event.id, state=state, reason=reason, now=now)

    def park(self, events: Iterable[Waiting], reason: str, next_attempt_at: int) -> None:
        """Its object cannot be read yet, or belongs to another account."""
        for event in events:
            self._database.run("inbox.park", id=event.id, reason=reason, next_attempt_at=next_attempt_at)

    def waiting(self) -> tuple[int, int | None]:
        """How many events still wait, and when the oldest of them came."""
        row = self._database.one("inbox.waiting") or {}
        return row["number"], row["oldest"]

    def parked(self) -> list[Row]:
        """Events that could not be applied yet, with their reasons."""
        return self._database.all("inbox.parked")

    def newest(self) -> dict[str, int]:
        """When the last event of each provider came."""
        return {row["provider"]: row["received_at"] for row in self._database.all("inbox.newest")}


def _waiting(row: Row) -> Waiting:
    return Waiting(**{**row, "livemode": bool(row["livemode"])})
