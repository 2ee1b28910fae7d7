"""What is gathered before it is compared: a processor's statement with its balance, and our records in the books."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tillbook.kit.clock import business_date
from tillbook.kit.errors import Refused, Unavailable
from tillbook.kit.money import Money
from tillbook.rules.events import UnreadableRecord
from tillbook.rules.matching import VOID, Discrepancy, Movement, Window
from tillbook.vendors.one_by_one import parted
from tillbook.vendors.providers import declared

if TYPE_CHECKING:
    from tillbook.till import Till
    from tillbook.vendors.books import Record
    from tillbook.vendors.protocols import Provider

MARGIN_SECONDS = 86_400  # a charge and its row on the statement, a document and its date, may lie this far apart
_TAIL_SECONDS = 900
_BALANCE_ATTEMPTS = 5
_SUSPICIOUSLY_MANY = 5
MARK = re.compile(r"\bop[a-z2-7]{17}\b")
Balance = dict[str, Money | UnreadableRecord]
"""By currency."""

_NOTED = re.compile(r"\bdocument (\S+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A processor's rows around a window, by key.

    `balance` is of the moment after them, or None for a past window and where the processor tells none. `unreadable`
    are the rows that could not be understood.
    """

    rows: list[Movement]
    balance: Balance | None
    unreadable: tuple[UnreadableRecord, ...]

    def may_hold(self, missed: Discrepancy) -> bool:
        """Whether a row that could not be understood may be the one that is missed."""
        return missed.type == "missing_at_processor" and any(
            one.id in ("", missed.subject) or (one.payment and one.payment == missed.payment) for one in self.unreadable
        )


def statement(provider: Provider, window: Window, now: int) -> Statement:
    """One pass over the statement. A balance has no date, so the newest rows are read between two equal balances.

    The rows of a window are sorted in memory: some 200 bytes each. Raises Unavailable when the balance never rests.
    """
    begin, declaration = window.since - MARGIN_SECONDS, declared(provider.name)
    if window.until < now or not declaration.tells_balance:
        return _told(provider.statement(begin, window.until + MARGIN_SECONDS), None)
    tail = max(begin, now - max(_TAIL_SECONDS, declaration.statement_lag_seconds))
    rows = list(provider.statement(begin, tail)) if begin < tail else []
    before = provider.balance()
    for _ in range(_BALANCE_ATTEMPTS):
        newest = list(provider.statement(tail, now + MARGIN_SECONDS))
        after = provider.balance()
        if before == after:
            return _told([*rows, *newest], after)
        before = after
    raise Unavailable(f"the balance at {provider.name} changes with every look", hint="Run it again at a quiet time.")


def _told(found: Iterable[Movement | UnreadableRecord], balance: Balance | None) -> Statement:
    rows, odd = parted(found)
    return Statement(sorted(rows), balance, odd)


def records(
    till: Till, wanted: list[Movement], window: Window, zone: str
) -> tuple[list[Movement], list[UnreadableRecord]]:
    """What QuickBooks holds of the wanted documents, by the keys of their facts: one pass in pages, and those whose
    date somebody changed by id. One whose amount cannot be understood is there all the same, and named.

    Raises Refused when all of many are gone at once.
    """
    if not wanted:
        return [], []
    first, last = dates(window, zone)
    odd: list[UnreadableRecord] = []
    held = [_movement(*pair, odd) for pair in _recognised(till, wanted, till.books.records_between(first, last))]
    seen = {(one.kind, one.record) for one in held}
    posted = [document for document in wanted if document.state == "posted"]
    for document in posted:
        if (document.kind, document.record) not in seen:
            found = till.books.record(document.kind, document.record)
            held += [_movement(found, document, odd)] if found else []
    if len(posted) >= _SUSPICIOUSLY_MANY and not held:
        raise Refused(
            f"QuickBooks shows none of {len(posted)} documents that were posted; nothing is repaired on such a word",
            hint="Look whether it is the right company: python execution/check_setup.py",
        )
    return sorted(held), odd


def _recognised(till: Till, wanted: list[Movement], found: Iterable[Record]) -> Iterator[tuple[Record, Movement]]:
    """Records, each with the wanted document that it is: by the id that the ledger knows, by our mark, or by what the
    note says."""
    by_record = {(document.kind, document.record): document for document in wanted if document.record}
    by_subject = {document.subject: document for document in wanted}
    batch = list(found)
    subjects = till.ledger.reconciliation.subjects({one.mark for one in batch if MARK.fullmatch(one.mark)})
    for record in batch:
        note = _NOTED.search(record.note)
        document = (
            by_record.get((record.kind, record.id))
            or by_subject.get(subjects.get(record.mark, ""))
            or (by_subject.get(note[1]) if note else None)
        )
        if document is not None and document.kind == record.kind:
            yield record, document


def _movement(record: Record, document: Movement, odd: list[UnreadableRecord]) -> Movement:
    """A record as it is held. An amount that cannot be understood is not compared: another one would be posted."""
    state = VOID if record.voided else ""
    amount = record.amount
    if isinstance(amount, UnreadableRecord):
        odd.append(replace(amount, payment=document.payment, at=document.at))
        return document._replace(record=record.id, state=state)
    return document._replace(minor=amount.minor, currency=amount.currency, record=record.id, state=state)


def dates(window: Window, zone: str) -> tuple[str, str]:
    """The business dates of a window, a day wider at both ends."""
    first = business_date(window.since - MARGIN_SECONDS, zone) - timedelta(days=1)
    last = min(business_date(window.until + MARGIN_SECONDS, zone), date.max - timedelta(days=1)) + timedelta(days=1)
    return first.isoformat(), last.isoformat()
