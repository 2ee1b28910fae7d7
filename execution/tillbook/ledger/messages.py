"""Mails that are to be sent, each at least once. What they say is decided when they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.ledger.sqlite.database import Database, Row
from tillbook.rules.facts import from_json

if TYPE_CHECKING:
    from tillbook.rules.facts import Fact

STALE_SECONDS = 7 * 24 * 3600


class Messages:
    """Mails, each until it is sent, refused or withdrawn."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: str, kind: str, now: int, *, invoice: str = "", fact: Fact | None = None) -> bool:
        """Note a mail that is to be sent. False when it was noted already. In a transaction.

        It is about an invoice, about a fact, or about both.
        """
        provider, fact_key = (fact.provider, fact.key) if fact else ("", "")
        return bool(
            self._database.run(
                "messages.add",
                key=key,
                kind=kind,
                invoice=invoice or None,
                provider=provider,
                fact_key=fact_key,
                now=now,
            )
        )

    def fact(self, key: str) -> Fact | None:
        """The fact that called for a mail, or None when a person or a step did."""
        row = self._database.one("messages.fact", key=key)
        return from_json(row["kind"], row["body"]) if row else None

    def get(self, key: str) -> Row | None:
        """The message of a key, or None."""
        return self._database.one("messages.by_key", key=key)

    def due(self, now: int, most: int) -> list[Row]:
        """What may leave now, oldest first. What is older than seven days is listed by `stale` instead."""
        return self._database.all("messages.due", now=now, not_before=now - STALE_SECONDS, most=most)

    def stale(self, now: int) -> list[Row]:
        """Waiting messages that are too old to be sent."""
        return self._database.all("messages.stale", not_before=now - STALE_SECONDS)

    def count_waiting(self) -> int:
        """How many messages wait to be sent."""
        row = self._database.one("messages.count_waiting") or {}
        return int(row["number"])

    def of_invoice(self, number: str) -> list[Row]:
        """The messages about an invoice."""
        return self._database.all("messages.of_invoice", invoice=number)

    def mark_sent(self, key: str, *, message_id: str, sent_to: str, now: int) -> None:
        """The mail server accepted it for this address."""
        self._database.run("messages.mark_sent", key=key, message_id=message_id, sent_to=sent_to, now=now)

    def end(self, key: str, state: str, reason: str) -> None:
        """Failed (the server refused it) or withdrawn (the state changed and it would no longer be true)."""
        self._database.run("messages.end", key=key, state=state, reason=reason)

    def held_up(self, now: int) -> dict[str, int]:
        """How many were tried and could not be sent yet, by the reason. What is too old is listed by `stale`."""
        rows = self._database.all("messages.held_up", not_before=now - STALE_SECONDS)
        return {row["reason"]: row["number"] for row in rows}

    def hurry(self, now: int) -> None:
        """Try all that wait again at once: what held them up has ended. In a transaction."""
        self._database.run("messages.hurry", now=now)

    def delay(self, key: str, reason: str, next_attempt_at: int) -> None:
        """Keep why a message was not sent, and when it is tried again (UTC seconds)."""
        self._database.run("messages.delay", key=key, reason=reason, next_attempt_at=next_attempt_at)
