"""Submitted orders: durable before they are acknowledged, ended with an invoice or a reason."""

from __future__ import annotations

from tillbook.ledger.sqlite.database import Database, Row


class Forms:
    """Orders that strangers sent by a web form, each until it is an invoice or refused."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, number: str, order_json: str, now: int) -> bool:
        """Keep an order. False when this number was submitted with other content. In a transaction.

        A corrected order takes the place of one that was refused, dismissed, or whose invoice was voided.
        """
        self._database.run("forms.add", number=number, order_json=order_json, now=now)
        row = self._database.one("forms.by_number", number=number)
        return row is not None and row["order_json"] == order_json

    def leave_out(self, number: str, reason: str, now: int) -> bool:
        """Keep that a form of this number came that is not to be billed. False when the number is known: then all
        stays as it is. In a transaction."""
        return bool(self._database.run("forms.leave_out", number=number, reason=reason, now=now))

    def waiting(self, most: int) -> list[Row]:
        """Orders that are no invoice yet, oldest first."""
        return self._database.all("forms.waiting", most=most)

    def refused(self) -> list[Row]:
        """Orders that a person must look at."""
        return self._database.all("forms.refused")

    def count(self) -> dict[str, int]:
        """How many forms there are in each state."""
        return {row["state"]: row["number"] for row in self._database.all("forms.count")}

    def delay(self, number: str, reason: str) -> None:
        """Keep why an order is no invoice yet. In a transaction."""
        self._database.run("forms.delay", number=number, reason=reason)

    def held_up(self) -> dict[str, int]:
        """How many were tried and are no invoice yet, by the reason."""
        return {row["reason"]: row["number"] for row in self._database.all("forms.held_up")}

    def dismiss(self, number: str, reason: str, now: int) -> bool:
        """A person ends a refused order. False when there is none of this number. In a transaction."""
        return bool(self._database.run("forms.dismiss", number=number, reason=reason, now=now))

    def reopen(self, number: str) -> bool:
        """Let a refused order wait again. False when there is none of this number. In a transaction."""
        return bool(self._database.run("forms.reopen", number=number))

    def end(self, number: str, state: str, reason: str, now: int) -> None:
        """Invoiced, or refused with the reason. In a transaction."""
        self._database.run("forms.end", number=number, state=state, reason=reason, now=now)
