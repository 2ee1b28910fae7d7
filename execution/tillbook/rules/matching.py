"""The processor's statement, the ledger and the books, compared in one pass: pure, streaming, linear.

Four streams of movements come sorted by key: the processor's rows and the ledger's facts, the documents that the facts
call for and the records that the books hold. They are merged without keeping any of them, so a million payments need no
more memory than ten. What differs becomes a discrepancy. What a discrepancy means and who repairs it stands in the one
table DISCREPANCIES.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tillbook.kit.money import Money
from tillbook.rules.bookkeeping import RULES
from tillbook.rules.events import UnreadableRecord

OTHER = "other"
VOID = "void"
MOST_REASONS = 20
"""So many items are named of what explains a figure."""
# What a movement of each kind does to the money that the processor holds for us.
SIGNS = {fact.kind: rule.sign for fact, rule in RULES.items()} | {OTHER: 1}

_REPAIR = "python execution/reconcile_payments.py --repair{window}"
_A_PERSON = ""


class Movement(NamedTuple):
    """One row of any of the four streams. A tuple of plain values, because there are millions of them.

    `key` is the fact's key. `kind` a fact's kind, OTHER, or the kind of the QuickBooks record. `minor` counts minor
    units of `currency`. `at` is UTC seconds. Documents and records name their document as `subject`, and as `record`
    the QuickBooks id. `state`: of a document as in the ledger, of a record VOID or empty, of OTHER rows its category.
    """

    key: str
    kind: str
    minor: int
    currency: str
    at: int
    payment: str = ""
    subject: str = ""
    record: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """A typed difference. `effect_minor` is what it makes the ledger's clearing account more than the processor's.

    `amount` is None where no money is named. Of one that cannot be understood `currency` is said. `place` tells apart
    where an amount differs: processor, books, invoice.
    """

    type: str
    subject: str
    amount: Money | None
    at: int
    provider: str = ""
    place: str = ""
    kind: str = ""
    payment: str = ""
    record: str = ""
    note: str = ""
    effect_minor: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a discrepancy means and the command that ends it. With `by_machine` --repair carries it out.

    `by_person`: a person may accept it, which is written down with the name, and explains it from then on. Where only a
    person can decide there is no command: whatever is printed as one is run by somebody.
    """

    sentence: str
    command: str
    by_machine: bool = False
    by_person: bool = False


DISCREPANCIES: dict[tuple[str, str], Remedy] = {
    ("missing_in_ledger", ""): Remedy("the processor moved it, the ledger has not heard of it", _REPAIR, True, True),
    ("missing_at_processor", ""): Remedy(
        "the ledger has it, the processor's statement does not: ask the processor; facts are never deleted",
        _A_PERSON,
        by_person=True,
    ),
    ("settled_in_another_currency", ""): Remedy(
        "the processor settled it in another currency than it was paid in, which is not booked yet: a named open item"
        " once it is accepted",
        _A_PERSON,
        by_person=True,
    ),
    ("amount_differs", "processor"): Remedy(
        "the processor's statement has another amount than the ledger: ask the processor", _A_PERSON, by_person=True
    ),
    ("amount_differs", "books"): Remedy("QuickBooks has another amount than the facts call for", _REPAIR, True),
    ("amount_differs", "invoice"): Remedy("the invoice was changed in QuickBooks", _REPAIR, True, True),
    ("missing_in_books", ""): Remedy("QuickBooks does not have what the facts call for", _REPAIR, True),
    ("missing_in_books", "failed"): Remedy(
        "QuickBooks refused it: change what it said, then try again",
        "python execution/post_to_books.py --again {subject}",
        True,
    ),
    ("duplicate_in_books", ""): Remedy("QuickBooks has it twice, both with our mark", _REPAIR, True),
    ("duplicate_invoice", ""): Remedy(
        "QuickBooks has another invoice for an order: void the one that should not be, in QuickBooks",
        _A_PERSON,
        by_person=True,
    ),
    ("unsound_invoice", ""): Remedy(
        "QuickBooks' total is not that of the order, so nothing is charged: correct it there, or void_invoice.py",
        _A_PERSON,
        by_person=True,
    ),
    ("uncertain_operation", ""): Remedy(
        "an operation may or may not have happened", "python execution/run_pending.py", True
    ),
    ("approved_not_captured", ""): Remedy(
        "the customer approved a payment that was not captured: nothing is paid yet",
        "python execution/run_pending.py",
        True,
    ),
    ("approved_not_captured", "over"): Remedy(
        "the customer approved a payment that could not be captured: nothing was paid, which the customer may not know",
        _A_PERSON,
        by_person=True,
    ),
    ("over_returned", ""): Remedy(
        "more went back to the customer than came in: ask the processor or the customer", _A_PERSON, by_person=True
    ),
    ("money_of_nobody", ""): Remedy(
        "money came in, and no invoice is known for it: it waits in Suspense",
        _A_PERSON,
        by_machine=True,  # where it was paid on a page of ours that a restored ledger has forgotten
        by_person=True,
    ),
    ("credit_of_customer", ""): Remedy(
        "a customer has credit, of a double payment or of one that was too much: give it back, or accept that it stays",
        _A_PERSON,
        by_person=True,
    ),
    ("open_dispute", ""): Remedy(
        "a customer questions a payment, and nobody has answered: unanswered it is lost", _A_PERSON, by_person=True
    ),
    ("note_on_document", ""): Remedy(
        "something is left to be done in QuickBooks by hand: accept it when it is done", _A_PERSON, by_person=True
    ),
    ("parked_event", ""): Remedy(
        "an event cannot be read: accept it when it never can be", "python execution/process_inbox.py", True, True
    ),
    ("unreadable_record", ""): Remedy(
        "a record cannot be understood, so it is in no proof: look at it there, then tell us what it is",
        _A_PERSON,
        by_person=True,
    ),
    ("unmapped_balance_transaction", ""): Remedy(
        "a kind of movement that is not booked yet: a named open item once it is accepted", _A_PERSON, by_person=True
    ),
    ("proof_failed", ""): Remedy(
        "two figures differ by more than is explained: look further back with --from first", _A_PERSON, by_person=True
    ),
}
"""By type and, where that makes a difference, place."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is judged: from `since` to before `until`, UTC seconds. What is younger than `settled` may still come."""

    since: int
    until: int
    settled: int


@dataclass(slots=True)
class Tally:
    """What one pass counted. Sums in minor units by currency. `reasons` names what `explained` is made of."""

    movements: int = 0
    documents: int = 0
    matched: int = 0
    ledger: dict[str, int] = field(default_factory=dict)
    processor: dict[str, int] = field(default_factory=dict)
    explained: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)


def of_unreadable(record: UnreadableRecord, at: int) -> Discrepancy:
    """A record that cannot be understood. `at` stands for its own time where that is not known."""
    return Discrepancy(
        type="unreadable_record",
        subject=record.id or f"{record.vendor} record without an id",
        amount=None,
        at=record.at or at,
        provider=record.vendor,
        kind=record.field,
        payment=record.payment,
        note=record.reason,
        currency=record.currency,
    )


def remedy(found: Discrepancy) -> Remedy:
    """What a discrepancy means and who ends it."""
    return DISCREPANCIES[(found.type, found.place)]


def command(found: Discrepancy, window: str = "") -> str:
    """The command that ends it, as it is typed, or empty where a person must decide.

    `window` are the options --from and --to of this run.
    """
    return remedy(found).command.format(subject=shlex.quote(found.subject), window=window)


def merged(*streams: Iterable[Movement]) -> Iterator[tuple[str, list[Sequence[Movement]]]]:
    """Every key once, with what each stream has of it, in linear time. Raises ValueError for a stream out of order."""
    sources = [iter(stream) for stream in streams]
    heads = [next(source, None) for source in sources]
    places = range(len(sources))
    while keys := [head.key for head in heads if head is not None]:
        key = min(keys)
        groups: list[Sequence[Movement]] = []
        for place in places:
            head = heads[place]
            if head is None or head.key != key:
                groups.append(())
                continue
            following = next(sources[place], None)
            if following is None or following.key > key:  # as a rule a stream has one of each key
                groups.append((head,))
            else:
                group, following = _same(head, following, sources[place])
                groups.append(group)
            heads[place] = following
        yield key, groups


def _same(head: Movement, following: Movement, source: Iterator[Movement]) -> tuple[list[Movement], Movement | None]:
    """Every movement with the key of `head`, and the one after them. Raises ValueError when that comes too late."""
    group = [head]
    after: Movement | None = following
    while after is not None and after.key == head.key:
        group.append(after)
        after = next(source, None)
    if after is not None and after.key < head.key:
        raise ValueError(f"{after.key} comes after {head.key}: a stream is not sorted")
    return group, after


def match(
    processor: Iterable[Movement],
    facts: Iterable[Movement],
    documents: Iterable[Movement],
    records: Iterable[Movement],
    window: Window,
    tally: Tally,
) -> Iterator[Discrepancy]:
    """Compare the four sorted streams in one pass. Yields what differs in the window and is no longer too young."""
    for _, (rows, known, wanted, held) in merged(processor, facts, documents, records):
        at = (known or rows or wanted or held)[0].at
        if not window.since <= at < window.until:
            continue
        _count(tally, rows, known, wanted)
        found = [] if _same_money(rows, known) else _moved(rows, known)
        for difference in found:
            _explain(tally, difference)
        if wanted and not _same_record(wanted, held):
            found += _booked(wanted, held)
        if not found:
            tally.matched += bool(rows and known)
        elif at < window.settled:
            yield from found


def clearing_minor(moves: Sequence[Movement]) -> int:
    """What movements did to the money that the processor holds."""
    return sum(SIGNS[move.kind] * move.minor for move in moves)


def _same_money(rows: Sequence[Movement], known: Sequence[Movement]) -> bool:
    """The usual case, decided quickly: one row, one fact, the same amount."""
    if len(rows) != 1 or len(known) != 1:
        return False
    return rows[0].minor == known[0].minor and rows[0].currency == known[0].currency


def _same_record(wanted: Sequence[Movement], held: Sequence[Movement]) -> bool:
    """Whether these are one posted document and the very record in the books that it became."""
    if len(wanted) != 1 or len(held) != 1:
        return False
    document, record = wanted[0], held[0]
    same = document.record == record.record and document.subject == record.subject and record.state != VOID
    return same and document.minor == record.minor and document.currency == record.currency


def _explain(tally: Tally, found: Discrepancy) -> None:
    currency = found.amount.currency if found.amount else ""
    tally.explained[currency] = tally.explained.get(currency, 0) + found.effect_minor
    reasons = tally.reasons.setdefault(currency, [])
    if found.effect_minor and len(reasons) < MOST_REASONS:
        reasons.append(words(found))


def words(found: Discrepancy) -> str:
    """A discrepancy in a few words: its type, what it is about, and its amount."""
    return f"{found.type} {found.subject} {found.amount or ''}".strip()


def _count(tally: Tally, rows: Sequence[Movement], known: Sequence[Movement], wanted: Sequence[Movement]) -> None:
    tally.movements += bool(rows or known)
    tally.documents += len(wanted)
    for moves, sums in ((rows, tally.processor), (known, tally.ledger)):
        for move in moves:
            sums[move.currency] = sums.get(move.currency, 0) + SIGNS[move.kind] * move.minor


def _moved(rows: Sequence[Movement], known: Sequence[Movement]) -> list[Discrepancy]:
    """The processor's rows of one key against its fact."""
    if not rows and not known:
        return []
    row, fact = rows[0] if rows else None, known[0] if known else None
    if row is None and fact is not None:
        return [_difference("missing_at_processor", fact, clearing_minor(known))]
    if fact is None and row is not None:
        kind = "unmapped_balance_transaction" if row.kind == OTHER else "missing_in_ledger"
        amount = sum(one.minor for one in rows)
        return [_difference(kind, row._replace(minor=amount), -clearing_minor(rows))]
    assert row is not None, "one of the two is there"
    assert fact is not None, "one of the two is there"
    if row.currency != fact.currency:  # the statement is in the currency of the account: each currency is one too many
        settled = row._replace(minor=sum(one.minor for one in rows))
        return [
            _difference("settled_in_another_currency", fact, clearing_minor(known)),
            _difference("settled_in_another_currency", settled, -clearing_minor(rows)),
        ]
    more = sum(one.minor for one in rows) - fact.minor
    if not more:
        return []
    effect = clearing_minor(known) - clearing_minor(rows)
    return [_difference("amount_differs", fact._replace(minor=more), effect, place="processor")]


def _difference(kind: str, move: Movement, effect_minor: int, *, place: str = "") -> Discrepancy:
    return Discrepancy(
        type=kind,
        subject=move.key,
        amount=Money(move.minor, move.currency),
        at=move.at,
        place=place,
        kind=move.kind,
        payment=move.payment,
        note=move.state,
        effect_minor=effect_minor,
    )


def _booked(wanted: Sequence[Movement], held: Sequence[Movement]) -> list[Discrepancy]:
    """The documents of one fact against the records that bear their marks."""
    found: list[Discrepancy] = []
    for document in wanted:
        living = [one for one in held if one.subject == document.subject and one.state != VOID]
        found += _document(document, living)
    return found


def _document(document: Movement, living: list[Movement]) -> list[Discrepancy]:
    if not living:
        place = "failed" if document.state == "failed" else ""
        return [_of_books("missing_in_books", document, document.minor, document.record, place=place)]
    # The one that the ledger knows is kept; else the oldest, which has the lowest id.
    ranked = sorted(living, key=lambda one: (one.record != document.record, len(one.record), one.record))
    keeper, *others = ranked
    found = [_of_books("duplicate_in_books", document, other.minor, other.record) for other in others]
    if (keeper.minor, keeper.currency) != (document.minor, document.currency):
        more = keeper.minor - document.minor
        found.append(_of_books("amount_differs", document, more, keeper.record, place="books"))
    return found


def _of_books(kind: str, document: Movement, minor: int, record: str, *, place: str = "") -> Discrepancy:
    duplicate = kind == "duplicate_in_books"
    return Discrepancy(
        type=kind,
        subject=f"{document.kind} {record}" if duplicate else document.subject,
        amount=Money(minor, document.currency),
        at=document.at,
        place=place,
        kind=document.kind,
        payment=document.payment,
        record=record,
        note=document.subject if duplicate else document.state,
    )
