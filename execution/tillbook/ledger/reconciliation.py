"""What reconciliation asks the ledger, and what a person accepted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from tillbook.kit.money import Money
from tillbook.ledger.sqlite.database import Database, Row
from tillbook.rules.events import UnreadableRecord
from tillbook.rules.matching import MOST_REASONS, Discrepancy, Movement


class Reconciliation:
    """What the ledger holds of a window of time, to be compared with others."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def providers(self) -> list[str]:
        """Whose movements the ledger knows."""
        return [row["provider"] for row in self._database.all("reconciliation.providers")]

    def facts(self, provider: str, since: int, until: int) -> Iterator[Movement]:
        """What moved money from `since` to before `until`, by key, one at a time."""
        for row in self._database.each("reconciliation.facts", provider=provider, since=since, until=until):
            yield Movement(
                row["key"], row["kind"], row["amount_minor"], row["currency"], row["occurred_at"], row["payment"]
            )

    def documents(self, provider: str, since: int, until: int) -> list[Movement]:
        """The documents of a window, by the key of the fact that each rests on."""
        rows = self._database.all("reconciliation.documents", provider=provider, since=since, until=until)
        return [
            Movement(
                key=row["fact"],
                kind=row["kind"],
                minor=row["amount_minor"],
                currency=row["currency"],
                at=row["occurred_at"],
                payment=row["payment"],
                subject=row["key"],
                record=row["quickbooks_id"] or "",
                state=row["state"],
            )
            for row in rows
        ]

    def subjects(self, marks: Iterable[str]) -> dict[str, str]:
        """The document that each mark stands for: a mark is the id of the operation that posted it."""
        rows = self._database.all("reconciliation.operation_subjects", ids=json.dumps(sorted(marks)))
        return {row["id"]: row["subject"] for row in rows}

    def receivables(self) -> dict[str, dict[str, int]]:
        """What each customer owes who owes something (credit is negative), in minor units by currency."""
        owed: dict[str, dict[str, int]] = {}
        for row in self._database.all("reconciliation.receivables"):
            owed.setdefault(row["customer"], {})[row["currency"]] = row["amount_minor"]
        return owed

    def unposted(self) -> dict[tuple[str, str], Money]:
        """The sum of documents that wait or failed, by customer and kind: a customer has one currency."""
        rows = self._database.all("reconciliation.unposted")
        return {(row["customer"], row["kind"]): Money(row["amount_minor"], row["currency"]) for row in rows}

    def open_of(self, customer: str) -> list[Row]:
        """The invoices of a customer that are open or in credit, each with its QuickBooks id and minor units."""
        return self._database.all("reconciliation.open_of", customer=customer)

    def invoices_of(self, customer: str) -> list[Row]:
        """The invoices of a customer, by QuickBooks id."""
        return self._database.all("reconciliation.invoices_of", customer=customer)

    def knows_record(self, kind: str, quickbooks_id: str) -> bool:
        """Whether a QuickBooks record is one of ours."""
        return self._database.one("reconciliation.known_record", kind=kind, quickbooks_id=quickbooks_id) is not None

    def customer_of(self, document: str) -> str:
        """The QuickBooks id of the customer of a document's invoice, or empty when it is not known."""
        row = self._database.one("reconciliation.customer_of", document=document)
        return str(row["customer"] or "") if row else ""

    def unmatched(self) -> list[Row]:
        """What is left of payments that no invoice is known for, the oldest first."""
        return self._database.all("reconciliation.unmatched")

    def credits(self) -> list[Row]:
        """Every invoice whose customer has credit that is left of it."""
        return self._database.all("reconciliation.credits")

    def wrongly_unmatched(self) -> Iterator[Row]:
        """Payments that are kept as unmatched and are not by their facts, or the other way round."""
        return self._database.each("reconciliation.wrong_unmatched")

    def payment_began(self, provider: str, payment: str) -> int:
        """UTC seconds of the first fact of a payment."""
        row = self._database.one("reconciliation.first_of_payment", provider=provider, payment=payment) or {}
        return int(row["occurred_at"])

    # -- what could not be understood --------------------------------------------------------------

    def note_unreadable(self, records: Iterable[UnreadableRecord], now: int) -> int:
        """Keep what could not be understood until it is read well, or a person accepts it. Returns how many were not
        known yet. In a transaction."""
        return sum(
            self._database.run(
                "reconciliation.note_unreadable",
                vendor=one.vendor,
                record=one.id,
                field=one.field,
                reason=one.reason,
                currency=one.currency,
                payment=one.payment,
                at=one.at,
                now=now,
            )
            for one in records
        )

    def read_again(self, vendor: str, payment: str, odd: Iterable[UnreadableRecord]) -> None:
        """A payment was read, and only these of its records could not be understood. In a transaction."""
        still_odd = json.dumps([one.id for one in odd])
        self._database.run("reconciliation.read_well", vendor=vendor, payment=payment, still_odd=still_odd)

    def read_well(self, vendor: str, record: str) -> None:
        """A record was understood. In a transaction."""
        self._database.run("reconciliation.forget_unreadable", vendor=vendor, record=record)

    def unreadable(self) -> Iterator[tuple[UnreadableRecord, int]]:
        """What could not be understood, and since when (UTC seconds), oldest first."""
        for row in self._database.all("reconciliation.unreadable"):
            seen_at, key = row.pop("seen_at"), row.pop("record")
            yield UnreadableRecord(id=key, **row), seen_at

    # -- what a person accepted --------------------------------------------------------------------

    def accept(self, found: Discrepancy, *, reason: str, accepted_by: str, now: int) -> None:
        """A person takes a discrepancy as it is. In a transaction."""
        self._database.run(
            "reconciliation.accept",
            type=found.type,
            subject=found.subject,
            provider=found.provider,
            amount_minor=found.amount.minor if found.amount else None,
            currency=found.amount.currency if found.amount else "",
            effect_minor=found.effect_minor,
            occurred_at=found.at,
            reason=reason,
            accepted_by=accepted_by,
            now=now,
        )

    def is_accepted(self, found: Discrepancy) -> bool:
        """Whether exactly this one, with this amount, was accepted."""
        row = self._database.one(
            "reconciliation.accepted",
            type=found.type,
            subject=found.subject,
            amount_minor=found.amount.minor if found.amount else None,
            currency=found.amount.currency if found.amount else "",
        )
        return row is not None

    def accepted_effects(self, provider: str, since: int) -> dict[str, int]:
        """What was accepted and lies before a window explains of a balance, in minor units by currency."""
        rows = self._database.all("reconciliation.accepted_effects", provider=provider, since=since)
        return {row["currency"]: row["effect_minor"] for row in rows}

    def acceptances_before(self, provider: str, currency: str, since: int) -> list[str]:
        """In a few words each, the newest acceptances that explain a balance and lie before a window."""
        rows = self._database.all(
            "reconciliation.acceptances_before", provider=provider, currency=currency, since=since, most=MOST_REASONS
        )
        return [_words(row) for row in rows]

    def accepted_of_proof(self, name: str, currency: str) -> Money:
        """How much of a proof's difference was accepted."""
        row = self._database.one("reconciliation.accepted_of_proof", subject=name) or {}
        return Money(row["amount_minor"], currency)

    def acceptances_of_proof(self, name: str) -> list[str]:
        """In a few words each, the newest acceptances of a proof's difference."""
        rows = self._database.all("reconciliation.acceptances_of_proof", subject=name, most=MOST_REASONS)
        return [_words(row) for row in rows]

    def acceptances(self, most: int) -> list[Row]:
        """The newest acceptances that stand."""
        return self._database.all("reconciliation.acceptances", most=most)

    def withdraw(self, acceptance: int, *, reason: str, withdrawn_by: str, now: int) -> Row | None:
        """Take back an acceptance that stands: what it was, or None when there is none. In a transaction."""
        row = self._database.one("reconciliation.standing_acceptance", id=acceptance)
        if row is not None:
            self._database.run(
                "reconciliation.withdraw", acceptance=acceptance, reason=reason, withdrawn_by=withdrawn_by, now=now
            )
        return row


def _words(row: Row) -> str:
    amount = "" if row["amount_minor"] is None else Money(row["amount_minor"], row["currency"])
    return f"accepted as {row['id']}: {row['type']} {row['subject']} {amount}".strip()
