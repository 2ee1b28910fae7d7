"""Orders that were billed twice in QuickBooks: by us, by a person, or because a setting was changed between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tillbook.proof.statements import MARK, dates
from tillbook.rules.events import UnreadableRecord
from tillbook.rules.matching import Discrepancy, Window

if TYPE_CHECKING:
    from tillbook.till import Till
    from tillbook.vendors.books import Record


def duplicates(till: Till, window: Window, zone: str) -> Iterator[Discrepancy]:
    """Every living invoice of the window that bears our mark or number of an order, and is not the one that the ledger
    knows for it. While the ledger knows none yet, the oldest is the one."""
    if "quickbooks" not in till.ledger.binding.bound():
        return
    first, last = dates(window, zone)
    living = [record for record in till.books.records_between(first, last, ("Invoice",)) if not record.voided]
    orders = till.ledger.reconciliation.subjects({mark[0] for one in living if (mark := MARK.search(one.note))})
    right: dict[str, str] = {}
    for record in sorted(living, key=lambda one: (len(one.id), one.id)):
        mark = MARK.search(record.note)
        number = orders.get(mark[0] if mark else "", record.mark)
        known = till.ledger.sales.invoice(number)
        if known is None:
            continue
        if right.setdefault(number, known.quickbooks_id or record.id) != record.id:
            yield _second(record, number, right[number], known.created_at)


def _second(record: Record, number: str, right: str, at: int) -> Discrepancy:
    return Discrepancy(
        type="duplicate_invoice",
        subject=f"Invoice {record.id}",
        amount=None if isinstance(record.amount, UnreadableRecord) else record.amount,
        at=at,
        kind="Invoice",
        record=record.id,
        note=f"order {number} is Invoice {right}",
    )
