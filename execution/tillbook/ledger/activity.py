"""Every command with its outcome, and the cursors of polling."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tillbook.ledger.sqlite.database import Database

SHORTEST_CARD_NUMBER = 13


class Activity:
    """The runs of scripts, and the cursors of readers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, script: str, arguments: Mapping[str, object], asked_by: str, now: int) -> int:
        """A command starts. A card number given by mistake is masked. In a transaction."""
        masked = {name: _masked(text) if isinstance(text, str) else text for name, text in arguments.items()}
        text = json.dumps(masked, default=str)
        self._database.run("activity.begin", script=script, arguments=text, asked_by=asked_by, now=now)
        return self._database.inserted()

    def end(self, activity: int, exit_code: int, outcome: str, now: int) -> None:
        """Note how a run ended, its card numbers masked."""
        masked = _masked(outcome)
        self._database.run("activity.end", id=activity, exit_code=exit_code, outcome=masked, now=now)

    def cursor(self, name: str) -> int:
        """How far a reader got, 0 before it ever ran."""
        row = self._database.one("activity.cursor", name=name)
        return int(row["value"]) if row else 0

    def touch(self, now: int) -> bool:
        """Write that the ledger can be written to. In a transaction."""
        self.set_cursor("health", now)
        return True

    def set_cursor(self, name: str, value: int) -> None:
        """Move a cursor forward, never back. In a transaction."""
        self._database.run("activity.set_cursor", name=name, value=value)


def _masked(text: str) -> str:
    """Text without card numbers. Most texts have too few digits to hold one and cost no import (start-up time)."""
    if sum(map(str.isdigit, text)) < SHORTEST_CARD_NUMBER:
        return text
    from tillbook.kit.cards import mask_card_numbers  # noqa: PLC0415

    return mask_card_numbers(text)
