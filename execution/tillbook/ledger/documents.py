"""Documents that facts call for: waiting until the books have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.money import Money
from tillbook.ledger.sqlite.database import Database, Row
from tillbook.rules.documents import Purpose
from tillbook.rules.facts import from_json

if TYPE_CHECKING:
    from tillbook.rules.documents import Document
    from tillbook.rules.facts import Fact


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document with where it stands: waiting, posted (with its QuickBooks id) or failed (with the reason)."""

    key: str
    kind: str
    purpose: Purpose
    provider: str
    invoice: str
    payment: str
    amount: Money
    occurred_at: int
    state: str
    quickbooks_id: str
    reason: str
    attempts: int


class Documents:
    """QuickBooks records that facts call for, and how far each one is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, document: Document, now: int) -> bool:
        """Open a document and list its facts. False when it was open already. In a transaction."""
        added = self._database.run(
            "documents.add",
            key=document.key,
            kind=document.kind,
            purpose=document.purpose,
            provider=document.provider,
            invoice=document.invoice,
            payment=document.payment,
            amount_minor=document.amount.minor,
            currency=document.amount.currency,
            occurred_at=document.occurred_at,
            now=now,
        )
        for fact in document.facts if added else ():
            self._database.run(
                "documents.add_fact",
                document=document.key,
                kind=document.kind,
                provider=document.provider,
                fact_key=fact,
            )
        return bool(added)

    def facts(self, key: str) -> list[Fact]:
        """The facts that a document records."""
        return [from_json(row["kind"], row["body"]) for row in self._database.all("documents.facts", key=key)]

    def recording(self, purpose: Purpose, fact: Fact) -> StoredDocument | None:
        """The document of this purpose that records a fact, or None when there is none."""
        row = self._database.one("documents.recording", purpose=purpose, provider=fact.provider, fact_key=fact.key)
        return _stored(row) if row else None

    def due(self, now: int, most: int) -> list[StoredDocument]:
        """Waiting documents whose time has come."""
        return [_stored(row) for row in self._database.all("documents.due", now=now, most=most)]

    def count_waiting(self) -> int:
        """How many documents wait to be posted."""
        row = self._database.one("documents.count_waiting") or {}
        return int(row["number"])

    def get(self, key: str) -> StoredDocument | None:
        """The document of a key, or None."""
        row = self._database.one("documents.by_key", key=key)
        return _stored(row) if row else None

    def failed(self) -> list[StoredDocument]:
        """Documents that QuickBooks refused."""
        return [_stored(row) for row in self._database.all("documents.failed")]

    def of_invoice(self, number: str) -> list[StoredDocument]:
        """The documents of an invoice, oldest first."""
        return [_stored(row) for row in self._database.all("documents.of_invoice", invoice=number)]

    def of_payment(self, provider: str, payment: str) -> list[StoredDocument]:
        """The documents of a payment, oldest first."""
        return [_stored(row) for row in self._database.all("documents.of_payment", provider=provider, payment=payment)]

    def unposted_of_invoice(self, number: str, currency: str) -> Money:
        """Payments of an invoice that QuickBooks has not heard of."""
        row = self._database.one("documents.unposted_of_invoice", invoice=number) or {}
        return Money(row["amount_minor"], currency)

    def noted(self) -> list[StoredDocument]:
        """Posted ones that a person should look at in the books, each with its reason."""
        return [_stored(row) for row in self._database.all("documents.noted")]

    def mark_posted(self, key: str, quickbooks_id: str, now: int, *, note: str = "") -> None:
        """The books have it. `note` is what a person should still do there."""
        self._database.run("documents.mark_posted", key=key, quickbooks_id=quickbooks_id, note=note, now=now)

    def mark_failed(self, key: str, reason: str) -> None:
        """A rule or the books said no: a person must look."""
        self._database.run("documents.mark_failed", key=key, reason=reason)

    def mark_waiting(self, key: str, now: int) -> None:
        """Try a failed one again."""
        self._database.run("documents.mark_waiting", key=key, now=now)

    def reopen(self, key: str, reason: str, now: int) -> None:
        """Let a posted one wait again, because QuickBooks does not hold it any more."""
        self._database.run("documents.reopen", key=key, reason=reason, now=now)

    def held_up(self) -> dict[str, int]:
        """How many were tried and could not be posted yet, by the reason."""
        return {row["reason"]: row["number"] for row in self._database.all("documents.held_up")}

    def hurry(self, now: int) -> None:
        """Try all that wait again at once: what held them up has ended. In a transaction."""
        self._database.run("documents.hurry", now=now)

    def delay(self, key: str, reason: str, next_attempt_at: int) -> None:
        """Keep why a document was not posted, and when it is tried again (UTC seconds)."""
        self._database.run("documents.delay", key=key, reason=reason, next_attempt_at=next_attempt_at)


def _stored(row: Row) -> StoredDocument:
    return StoredDocument(
        key=row["key"],
        kind=row["kind"],
        purpose=Purpose(row["purpose"]),
        provider=row["provider"],
        invoice=row["invoice"],
        payment=row["payment"],
        amount=Money(row["amount_minor"], row["currency"]),
        occurred_at=row["occurred_at"],
        state=row["state"],
        quickbooks_id=row["quickbooks_id"] or "",
        reason=row["reason"],
        attempts=row["attempts"],
    )
