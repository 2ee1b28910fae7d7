"""The figures that must be equal, side by side: what the processor holds, and what customers owe.

Each proof has two figures, the part of their difference that is explained by something with a name, and what remains.
What remains is a discrepancy of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tillbook.kit.money import Money
from tillbook.proof.moved import is_of_another, moves, stands_elsewhere
from tillbook.rules.entries import RECEIVABLE
from tillbook.rules.events import UnreadableRecord
from tillbook.rules.matching import MOST_REASONS, Discrepancy, Tally, of_unreadable, words
from tillbook.vendors.providers import declared

if TYPE_CHECKING:
    from tillbook.proof.statements import Balance
    from tillbook.till import Till

# What a record of QuickBooks does to what its customer owes; receipts do nothing to it.
OWED_SIGNS = {"Invoice": 1, "Payment": -1, "CreditMemo": -1, "Purchase": 1, "Deposit": -1}

Explained = tuple[int, list[str]]
"""Minor units, and the items that they are made of."""


@dataclass(frozen=True, slots=True)
class Proof:
    """`left` less `right` is `explained` by named items. `difference` is what is left of it, zero when it is proven.

    `because` names the items, the first ones of many.
    """

    name: str
    left: Money
    right: Money
    explained: Money
    because: tuple[str, ...]
    difference: Money


@dataclass(slots=True)
class Proofs:
    """What was proven. `open_items` are records of other people that explain a difference by their names.

    `customers` counts those whose balance QuickBooks told.
    """

    customers: int = 0
    proofs: list[Proof] = field(default_factory=list)
    open_items: list[dict[str, Any]] = field(default_factory=list)
    discrepancies: list[Discrepancy] = field(default_factory=list)

    def add(
        self,
        till: Till,
        subject: str,
        name: str,
        figures: tuple[int, int, int],
        currency: str,
        reasons: Sequence[str] = (),
    ) -> None:
        """Add a proof of (left, right, explained) minor units. What remains of it is reported.

        `reasons` name what explains it, besides what a person has accepted of this very proof.
        """
        left, right, explained = figures
        explained += till.ledger.reconciliation.accepted_of_proof(subject, currency).minor
        because = [*reasons, *till.ledger.reconciliation.acceptances_of_proof(subject)]
        rest = Money(left - right - explained, currency)
        sides = (Money(left, currency), Money(right, currency), Money(explained, currency))
        self.proofs.append(Proof(name, *sides, tuple(because[:MOST_REASONS]), rest))
        if rest:
            now = till.clock.now()
            self.discrepancies.append(Discrepancy(type="proof_failed", subject=subject, amount=rest, at=now, note=name))


def holdings(till: Till, proofs: Proofs, provider: str, tally: Tally, held: Balance | None, since: int) -> None:
    """Ledger = processor. Up to now: all that the ledger says the processor holds, against its own balance.

    Without a balance, of a past window or of a processor that tells none: what moved in the window, against the sum of
    the statement.
    """
    who = declared(provider).title
    if held is None:
        for currency in sorted({*tally.ledger, *tally.processor}):
            ledger, theirs, explained = (
                sums.get(currency, 0) for sums in (tally.ledger, tally.processor, tally.explained)
            )
            subject, title = f"statement:{provider}:{currency}", f"{who} statement {currency}"
            reasons = tally.reasons.get(currency, ())
            proofs.add(till, subject, title, (ledger, theirs, explained), currency, reasons)
        return
    account = declared(provider).clearing.ledger
    ours = {code: amount.minor for (name, code), amount in till.ledger.facts.balances().items() if name == account}
    before = till.ledger.reconciliation.accepted_effects(provider, since)
    for currency in sorted({*ours, *held}):
        known = held.get(currency) or Money.zero(currency)
        if isinstance(known, UnreadableRecord):
            proofs.discrepancies.append(of_unreadable(replace(known, id=f"balance {currency}"), till.clock.now()))
            continue
        theirs = known.minor
        explained = tally.explained.get(currency, 0) + before.get(currency, 0)
        figures = (ours.get(currency, 0), theirs, explained)
        reasons = [
            *tally.reasons.get(currency, ()),
            *till.ledger.reconciliation.acceptances_before(provider, currency, since),
        ]
        proofs.add(till, f"balance:{provider}:{currency}", f"{who} balance {currency}", figures, currency, reasons)


def receivables(till: Till, proofs: Proofs, found: Sequence[Discrepancy]) -> None:
    """Books = ledger, for what customers owe: QuickBooks' balance of every customer that the ledger knows, against
    Receivable less Customer Credit. Records that are not ours explain a difference as open items, each by its id."""
    sums = {currency: [0, 0, 0] for currency in till.ledger.facts.currencies(RECEIVABLE)}
    if not sums:
        return
    booked, reasons = till.books.receivables(), dict[str, list[str]]()
    known = _explained(till, found)
    owed = _owed(till, booked, known)
    for move in moves(till, _differing(booked, owed, known)):
        _add(known, move.customer, move.more.minor, move.because)
        owed.setdefault(move.customer, {move.more.currency: 0})
    proofs.customers = len(booked)
    for customer, amounts in owed.items():
        balance = booked.get(customer)
        if isinstance(balance, UnreadableRecord):
            proofs.discrepancies.append(of_unreadable(balance, till.clock.now()))
            continue
        for currency, ledger in amounts.items():
            theirs = balance.minor if balance else 0
            explained, because = known.get(customer, (0, []))
            if theirs - ledger != explained:
                more, items = _foreign(till, proofs, customer, found)
                explained, because = explained + more, [*because, *items]
            total = sums.setdefault(currency, [0, 0, 0])
            if theirs - ledger == explained:
                total[:] = [total[0] + theirs, total[1] + ledger, total[2] + explained]
                reasons.setdefault(currency, []).extend(because)
            else:
                name = f"Receivables {currency} of customer {customer}"
                subject = f"receivables:{customer}:{currency}"
                proofs.add(till, subject, name, (theirs, ledger, explained), currency, because)
    for currency, (theirs, ledger, explained) in sorted(sums.items()):
        figures, subject = (theirs, ledger, explained), f"receivables:{currency}"
        proofs.add(till, subject, f"Receivables {currency}", figures, currency, reasons.get(currency, ()))


def _owed(
    till: Till, booked: Mapping[str, Money | UnreadableRecord], known: dict[str, Explained]
) -> dict[str, dict[str, int]]:
    """What each customer owes by the ledger, also those who owe nothing there: QuickBooks says something of them, or
    something `known` explains a difference."""
    owed = till.ledger.reconciliation.receivables()
    for customer in {*(customer for customer, amount in booked.items() if amount), *known} - set(owed):
        if ours := till.ledger.sales.customer(customer):
            owed[customer] = {ours["currency"]: 0}
    return owed


def _differing(
    booked: Mapping[str, Money | UnreadableRecord], owed: dict[str, dict[str, int]], known: dict[str, Explained]
) -> list[str]:
    """The customers of whom QuickBooks says something else than the ledger, more than is explained."""
    found = []
    for customer, amounts in owed.items():
        for currency, ledger in amounts.items():
            theirs = booked.get(customer, Money.zero(currency))
            explained = known.get(customer, (0, []))[0]
            if isinstance(theirs, Money) and theirs.minor - ledger != explained:
                found.append(customer)
    return found


def _explained(till: Till, found: Sequence[Discrepancy]) -> dict[str, Explained]:
    """By customer: how much more QuickBooks says than the ledger, for documents that wait or were found to differ."""
    known: dict[str, Explained] = {}
    for (customer, kind), amount in till.ledger.reconciliation.unposted().items():
        _add(known, customer, -OWED_SIGNS.get(kind, 0) * amount.minor, f"{kind} of {customer} that waits {amount}")
    for one in found:
        if effect := _effect(one):
            _add(known, till.ledger.reconciliation.customer_of(_document_of(one)), effect, words(one))
    return known


def _add(known: dict[str, Explained], customer: str, minor: int, because: str) -> None:
    if minor:
        before, reasons = known.get(customer, (0, []))
        known[customer] = before + minor, [*reasons, because]


def _effect(found: Discrepancy) -> int:
    """What a discrepancy of the books makes QuickBooks say more than the ledger. Those that wait count as unposted."""
    minor = OWED_SIGNS.get(found.kind, 0) * (found.amount.minor if found.amount else 0)
    if found.type == "missing_in_books":
        return -minor if found.note == "posted" else 0
    return minor if found.type == "duplicate_in_books" or found.place == "books" else 0


def _document_of(found: Discrepancy) -> str:
    return found.note if found.type == "duplicate_in_books" else found.subject


def _foreign(till: Till, proofs: Proofs, customer: str, found: Sequence[Discrepancy]) -> Explained:
    """What a customer's records in QuickBooks that we know nothing of add to what is owed. Each is a named item."""
    duplicates = {(one.kind, one.record) for one in found if one.type == "duplicate_in_books"}
    ours = {row["quickbooks_id"]: row for row in till.ledger.reconciliation.invoices_of(customer)}
    effect, seen, reasons = 0, set[str](), list[str]()
    for record in till.books.receivable_records(customer):
        amount, is_invoice = record.amount, record.kind == "Invoice" and record.id in ours
        seen |= {record.id} if is_invoice else set()
        if not is_invoice and ((record.kind, record.id) in duplicates or _is_ours(till, record.kind, record.id)):
            continue
        if record.kind == "Invoice" and not is_invoice and is_of_another(till, record.id, customer):
            continue  # explained at both ends before
        if isinstance(amount, UnreadableRecord):
            proofs.discrepancies.append(of_unreadable(amount, till.clock.now()))
        elif is_invoice:
            effect += _changed(proofs, ours[record.id], amount.minor, reasons)
        elif amount:
            effect += OWED_SIGNS[record.kind] * amount.minor
            item = {"what": record.kind, "quickbooks_id": record.id, "customer": customer, "amount": amount}
            proofs.open_items.append({**item, "date": record.date})
            reasons.append(f"{record.kind} {record.id} of customer {customer} {record.amount}")
    for row in _others(ours, seen):
        if not stands_elsewhere(till, row["quickbooks_id"]):
            effect += _changed(proofs, row, 0, reasons)
    return effect, reasons


def _is_ours(till: Till, kind: str, quickbooks_id: str) -> bool:
    return till.ledger.reconciliation.knows_record(kind, quickbooks_id)


def _others(rows: dict[str, Any], seen: set[str]) -> Iterator[Any]:
    yield from (row for key, row in rows.items() if key not in seen)


def _changed(proofs: Proofs, row: dict[str, Any], now_minor: int, reasons: list[str]) -> int:
    """An invoice of ours whose total was changed in QuickBooks (zero: voided or deleted)."""
    more = now_minor - row["total_minor"]
    if more:
        amount = Money(more, row["currency"])
        found = Discrepancy(
            type="amount_differs", place="invoice", subject=row["number"], amount=amount, at=row["created_at"]
        )
        proofs.discrepancies.append(found)
        reasons.append(words(found))
    return int(more)
