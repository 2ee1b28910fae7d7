"""Rows of operations: prepared before anything leaves us, moved forward only, never deleted."""

from __future__ import annotations

import json

import apsw

from tillbook.kit.errors import Refused
from tillbook.ledger.sqlite.database import Database, Row
from tillbook.rules import operations as rules
from tillbook.rules.operations import Json, Operation, Plan, Stored


class Operations:
    """Calls that change something outside, each committed before it is made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, kind: str, subject: str) -> Stored | None:
        """The newest generation, whatever its state."""
        row = self._database.one("operations.last", kind=kind, subject=subject)
        return _operation(row) if row else None

    def get(self, operation: str) -> Stored | None:
        """The operation of an id, or None."""
        row = self._database.one("operations.by_id", id=operation)
        return _operation(row) if row else None

    def unfinished(self, most: int = 1000) -> list[Stored]:
        """Prepared, sent or unknown, oldest first."""
        return [_operation(row) for row in self._database.all("operations.unfinished", most=most)]

    def unfinished_before(self, moment: int) -> list[Stored]:
        """Those that were prepared before a moment (UTC seconds)."""
        return [_operation(row) for row in self._database.all("operations.unfinished_before", prepared_at=moment)]

    def prepare(self, plan: Plan[object], generation: int = 1, *, renew: str, asked_by: str, now: int) -> Stored:
        """Write a generation of a plan down, before anything leaves us. In a transaction.

        Raises Refused when more would be given back than came in.
        """
        name = rules.operation_id(plan.kind, plan.subject, generation)
        self._run(
            "operations.prepare",
            id=name,
            kind=plan.kind,
            subject=plan.subject,
            generation=generation,
            door=plan.door,
            params=rules.canonical(plan.params),
            params_hash=plan.params_hash,
            renewed=renew,
            asked_by=asked_by,
            now=now,
        )
        return self._stored(name)

    def mark_sent(self, operation: Stored, now: int) -> Stored:
        """The call is about to be made."""
        self._database.run("operations.mark_sent", id=operation.id, now=now)
        return self._stored(operation.id)

    def mark_prepared(self, operation: Stored, reason: str) -> None:
        """Nothing left us, or the vendor said that it did nothing."""
        self._database.run("operations.mark_prepared", id=operation.id, reason=reason)

    def mark_unknown(self, operation: Stored, reason: str) -> None:
        """Nobody can tell yet whether it happened."""
        self._database.run("operations.mark_unknown", id=operation.id, reason=reason)

    def mark_absent(self, operation: Stored, now: int) -> None:
        """Remember the first complete read that lacked it."""
        self._database.run("operations.mark_absent", id=operation.id, now=now)

    def mark_done(self, operation: Stored, result: Json, now: int) -> Stored:
        """The vendor did it, with this result."""
        self._database.run("operations.mark_done", id=operation.id, result=rules.canonical(result), now=now)
        return self._stored(operation.id)

    def mark_refused(self, operation: Stored, reason: str, now: int) -> None:
        """The vendor refused it, so nothing happened."""
        self._database.run("operations.mark_refused", id=operation.id, reason=reason, now=now)

    def _run(self, name: str, **params: object) -> None:
        """A change that the refund bound may refuse. Raises Refused."""
        try:
            self._database.run(name, **params)
        except apsw.ConstraintError as error:
            if "given back" not in str(error):
                raise
            raise Refused(
                "more would be given back than was captured of this payment",
                hint="See what was given back already: show_payment.py with the payment's id.",
            ) from error

    def _stored(self, name: str) -> Stored:
        row = self._database.one("operations.by_id", id=name)
        assert row is not None, f"operation {name} was written in this transaction"
        return _operation(row)


def _operation(row: Row) -> Stored:
    return Operation(
        id=row["id"],
        kind=row["kind"],
        subject=row["subject"],
        generation=row["generation"],
        door=row["door"],
        params=json.loads(row["params"]),
        params_hash=row["params_hash"],
        state=row["state"],
        result=json.loads(row["result"]) if row["result"] else None,
        reason=row["reason"],
        prepared_at=row["prepared_at"],
        sent_at=row["sent_at"],
        absent_since=row["absent_since"],
    )
