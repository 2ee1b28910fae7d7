"""Facts with their hashes and seals, and the entries that rest on them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tillbook.kit.money import Money
from tillbook.ledger.sqlite.database import Database, Row
from tillbook.rules.facts import AboutInvoice, AboutPayment, Fact, fingerprint, from_json, to_json

if TYPE_CHECKING:
    from tillbook.rules.entries import Line

GENESIS = "0" * 64


class Facts:
    """Facts in the order in which they were learned, sealed, with their balanced entries."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._appended_at: int | None = None
        database.before_commit.append(self._seal)

    def of_nobody(self, after: int = 0) -> Iterator[Fact]:
        """The facts after a place in the ledger that no invoice is known for, one at a time."""
        for row in self._database.each("facts.of_nobody", after=after):
            yield _fact(row)

    def invoices_after(self, after: int) -> list[str]:
        """The invoices with a fact newer than this one, by its place in the ledger."""
        return [row["invoice"] for row in self._database.all("facts.invoices_after", after=after)]

    def append(self, fact: Fact, now: int) -> bool:
        """Keep a fact. False when this vendor movement was known. In a transaction."""
        body, about = to_json(fact), fact.about
        added = self._database.run(
            "facts.append",
            provider=fact.provider,
            key=fact.key,
            kind=fact.kind,
            payment=about.payment if isinstance(about, AboutPayment) else "",
            invoice=about.invoice if isinstance(about, AboutInvoice) else "",
            occurred_at=fact.occurred_at,
            body=body,
            hash=fingerprint(fact.kind, body),
            now=now,
        )
        if added:
            self._appended_at = now
        return bool(added)

    def of_invoice(self, number: str) -> list[Fact]:
        """The invoice's own facts and those of its payments, as they came in."""
        return [_fact(row) for row in self._database.all("facts.of_invoice", invoice=number)]

    def of_payment(self, provider: str, payment: str) -> list[Fact]:
        """The facts of a payment, in the order in which they were learned."""
        return [_fact(row) for row in self._database.all("facts.of_payment", provider=provider, payment=payment)]

    def posted(self, fact: Fact) -> list[Line]:
        """What the entries of a fact add up to so far."""
        from tillbook.rules.entries import Line  # noqa: PLC0415  start-up time

        rows = self._database.all("facts.posted_lines", fact=self._sequence(fact))
        return [Line(row["account"], Money(row["amount_minor"], row["currency"]), row["invoice"]) for row in rows]

    def add_entry(self, fact: Fact, lines: Sequence[Line], reason: str, now: int) -> None:
        """Post one balanced entry for a fact. In a transaction. The database refuses unequal sums."""
        self._database.run("facts.add_entry", fact=self._sequence(fact), reason=reason, now=now)
        entry = self._database.inserted()
        for position, line in enumerate(lines):
            self._database.run(
                "facts.add_line",
                entry=entry,
                position=position,
                account=line.account,
                amount_minor=line.amount.minor,
                currency=line.amount.currency,
                invoice=line.invoice,
            )
        self._database.run("facts.complete_entry", entry=entry)

    def entries(self, fact: Fact) -> list[Row]:
        """The entries of a fact as rows."""
        return self._database.all("facts.entries_of_fact", fact=self._sequence(fact))

    def last_entry(self) -> int:
        """The id of the newest entry, 0 when there is none."""
        row = self._database.one("facts.last_entry") or {}
        return int(row["id"])

    def lines_after(self, entry: int) -> list[Row]:
        """The lines of every entry newer than this one."""
        return self._database.all("facts.lines_after", entry=entry)

    def balances(self) -> dict[tuple[str, str], Money]:
        """Every account and currency that is not zero: debit positive."""
        return _balances(self._database.all("facts.balances"))

    def currencies(self, account: str) -> list[str]:
        """In which an account ever held something, also when it is empty now."""
        return [row["currency"] for row in self._database.all("facts.currencies", account=account)]

    def added_up(self) -> dict[tuple[str, str], Money]:
        """The balances again, from every line."""
        return _balances(self._database.all("facts.added_up"))

    def wrong_sums(self, added_up: dict[tuple[str, str], Money]) -> Iterator[str]:
        """What the sums are kept of that are not what the lines add up to."""
        kept = self.balances()
        for account, currency in sorted({*added_up, *kept}):
            if added_up.get((account, currency)) != kept.get((account, currency)):
                yield f"{account} {currency}"
        for row in self._database.each("facts.wrong_balances"):
            yield f"{row['account']} {row['currency']} of invoice {row['invoice']}"

    def invoice_balances(self, number: str) -> dict[tuple[str, str], Money]:
        """What the accounts of an invoice add up to, by account and currency."""
        return _balances(self._database.all("facts.invoice_balances", invoice=number))

    def count(self) -> int:
        """How many facts there are."""
        row = self._database.one("facts.count") or {}
        return int(row["number"])

    def last_seal(self) -> int:
        """The newest seal, 0 before there is one."""
        row = self._database.one("facts.last_seal")
        return int(row["id"]) if row else 0

    def seal_hash(self) -> str:
        """The hash of the newest seal, which stands for every fact under it."""
        row = self._database.one("facts.last_seal")
        return str(row["hash"]) if row else GENESIS

    def last_movement(self) -> int:
        """When the newest movement happened, in UTC seconds by its vendor's time. 0 without one."""
        row = self._database.one("facts.last_movement") or {}
        return int(row["occurred_at"] or 0)

    def sealed_until(self, seal: int) -> int:
        """The place of the last fact under a seal, 0 for none."""
        row = self._database.one("facts.seal_of", id=seal)
        return int(row["last_seq"]) if row else 0

    def broken_seals(self, after: int = 0) -> Iterator[str]:
        """Read every fact and seal after a seal again, in pages, and say each place where a hash does not fit."""
        known = self._database.one("facts.seal_of", id=after) or {"hash": GENESIS, "last_seq": 0}
        previous, last, sealed = known["hash"], after, known["last_seq"]
        while seals := self._database.all("facts.seals_after", id=last, most=200):
            for seal in seals:
                last, sealed = seal["id"], seal["last_seq"]
                rows = self._database.all("facts.facts_between", first_seq=seal["first_seq"], last_seq=seal["last_seq"])
                for row in rows:
                    if _altered(row):
                        yield f"fact {row['seq']} was altered"
                if seal["previous"] != previous or seal["hash"] != _seal_hash(previous, rows):
                    yield f"seal {seal['id']} over facts {seal['first_seq']} to {seal['last_seq']} is broken"
                previous = seal["hash"]
        for row in self._database.all("facts.unsealed", last_seq=sealed):
            yield f"fact {row['seq']} is not sealed: it was not written by Tillbook"

    def _seal(self) -> None:
        """Close the range of facts that this transaction appended."""
        if self._appended_at is None:
            return
        last = self._database.one("facts.last_seal") or {"last_seq": 0, "hash": GENESIS}
        rows = self._database.all("facts.unsealed", last_seq=last["last_seq"])
        if rows:
            self._database.run(
                "facts.seal",
                first_seq=rows[0]["seq"],
                last_seq=rows[-1]["seq"],
                previous=last["hash"],
                hash=_seal_hash(last["hash"], rows),
                now=self._appended_at,
            )
        self._appended_at = None

    def _sequence(self, fact: Fact) -> int:
        row = self._database.one("facts.by_key", provider=fact.provider, key=fact.key)
        assert row is not None, f"fact {fact.key} is in the ledger"
        return int(row["seq"])


def _seal_hash(previous: str, rows: Sequence[Row]) -> str:
    import hashlib  # noqa: PLC0415  start-up time

    chained = "\n".join([previous, *(f"{row['seq']} {row['hash']}" for row in rows)])
    return hashlib.sha256(chained.encode()).hexdigest()


def _altered(row: Row) -> bool:
    """Whether a fact is not what its hash says, or what it is found by is not what it says itself."""
    if fingerprint(row["kind"], row["body"]) != row["hash"]:
        return True
    said = json.loads(row["body"])
    return any(said.get(name, "") != row[name] for name in ("provider", "key", "payment", "invoice", "occurred_at"))


def _fact(row: Row) -> Fact:
    return from_json(row["kind"], row["body"])


def _balances(rows: list[Row]) -> dict[tuple[str, str], Money]:
    return {(row["account"], row["currency"]): Money(row["amount_minor"], row["currency"]) for row in rows}
