"""Mails that are owed: recorded before they are sent, at least once each, decided on the state when they leave."""

from __future__ import annotations

from tillbook.ledger.sqlite.database import Database, Row

STALE_SECONDS = 7 * 24 * 3600


class Messages:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: str, kind: str, invoice: str, now: int, *, provider: str = "", payment: str = "") -> bool:
        """Owe a mail; False when it was owed already. In a transaction."""
        return bool(
            self._database.run(
                "messages.add", key=key, kind=kind, invoice=invoice, provider=provider, payment=payment, now=now
            )
        )

    def get(self, key: str) -> Row | None:
        return self._database.one("messages.by_key", key=key)

    def due(self, now: int, most: int) -> list[Row]:
        """What may leave now, oldest first; older than seven days is listed by `stale`, not sent."""
        return self._database.all("messages.due", now=now, not_before=now - STALE_SECONDS, most=most)

    def stale(self, now: int) -> list[Row]:
        return self._database.all("messages.stale", not_before=now - STALE_SECONDS)

    def count_waiting(self) -> int:
        row = self._database.one("messages.count_waiting") or {}
        return int(row["number"])

    def of_invoice(self, number: str) -> list[Row]:
        return self._database.all("messages.of_invoice", invoice=number)

    def mark_sent(self, key: str, *, message_id: str, sent_to: str, now: int) -> None:
        self._database.run("messages.mark_sent", key=key, message_id=message_id, sent_to=sent_to, now=now)

    def end(self, key: str, state: str, reason: str) -> None:
        """Failed (the server refused it) or withdrawn (the state changed and it would no longer be true)."""
        self._database.run("messages.end", key=key, state=state, reason=reason)

    def delay(self, key: str, reason: str, next_attempt_at: int) -> None:
        self._database.run("messages.delay", key=key, reason=reason, next_attempt_at=next_attempt_at)
