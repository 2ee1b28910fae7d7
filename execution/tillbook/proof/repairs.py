"""How each discrepancy is repaired that a machine may repair: one function a type, and nothing but the usual ways in.

What the processor did is read by id through the one door of facts. The books change by operations. No fact is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tillbook.books import posting
from tillbook.kit.troubles import Troubles
from tillbook.money_in import inbox
from tillbook.operations.kinds.books.delete_document import DeleteDocument
from tillbook.operations.kinds.books.void_document import VOIDABLE, VoidDocument
from tillbook.operations.kinds.registry import kind_of
from tillbook.operations.perform import perform, settle
from tillbook.recording.facts import record_reading
from tillbook.rules.matching import Discrepancy
from tillbook.rules.operations import opened_page
from tillbook.sales import captures, invoices

if TYPE_CHECKING:
    from tillbook.ledger.documents import StoredDocument
    from tillbook.till import Till

Repair = Callable[["Till", Discrepancy, Troubles], None]


def repair_all(till: Till, found: Sequence[Discrepancy], troubles: Troubles) -> None:
    """Repair what can be, in the order of REPAIRS. Trouble with one does not stop the next."""
    for (kind, place), repair in REPAIRS.items():
        for one in found:
            if (one.type, one.place) == (kind, place):
                with troubles.noted(f"{one.type} {one.subject}"):
                    repair(till, one, troubles)


def _settle(till: Till, found: Discrepancy, troubles: Troubles) -> None:
    operation = till.ledger.operations.get(found.subject)
    if operation is None or not operation.unfinished:
        return
    if kind_of(operation).settled_with_pages:
        captures.settle_pages_of(till, operation.subject)
    else:
        settle(till, operation)


def _read(till: Till, found: Discrepancy, troubles: Troubles) -> None:
    """The payment as its provider knows it now, and what the books must hear of it.

    A ledger that was restored from a copy may not know the invoice of a page of ours: then it is adopted.
    """
    reading = till.provider(found.provider).read(found.payment)
    if opened_page(reading.operation, found.provider, reading.invoice) and not till.ledger.sales.invoice(
        reading.invoice
    ):
        invoices.known_or_adopted(till, reading.invoice)
    with till.ledger.transaction():
        record_reading(till.ledger, found.provider, reading, till.clock.now())
    for document in till.ledger.documents.of_payment(found.provider, found.payment):
        if document.state == "waiting":
            _post(till, document, troubles)


def _capture(till: Till, found: Discrepancy, troubles: Troubles) -> None:
    """Settle the pages of an invoice whose customer approved one, as run_pending.py does it."""
    captures.settle_pages_of(till, found.subject)


def _process(till: Till, found: Discrepancy, troubles: Troubles) -> None:
    inbox.process(till, limit=1000)


def _learn(till: Till, found: Discrepancy, troubles: Troubles) -> None:
    """An invoice as QuickBooks holds it now. The difference becomes a fact."""
    invoices.known_or_adopted(till, found.subject)


def _withdraw(till: Till, found: Discrepancy, troubles: Troubles) -> None:
    """Void or delete a record that must not stand."""
    withdrawal = VoidDocument if found.kind in VOIDABLE else DeleteDocument
    perform(till, withdrawal(found.kind, found.record).plan())


def _replace(till: Till, found: Discrepancy, troubles: Troubles) -> None:
    """A record with a wrong amount is withdrawn, and posted again with the right one."""
    _withdraw(till, found, troubles)
    _rebook(till, found, troubles)


def _rebook(till: Till, found: Discrepancy, troubles: Troubles) -> None:
    """Post what QuickBooks does not hold. The id that the ledger knows is asked for once more before."""
    document = till.ledger.documents.get(found.subject)
    assert document is not None, "documents are never deleted"
    if document.state == "posted":
        standing = None if till.dry_run else till.books.record(document.kind, document.quickbooks_id)
        if standing is not None and not standing.voided:
            return
    with till.ledger.transaction():
        if document.state == "posted":
            till.ledger.documents.reopen(document.key, posting.GONE, till.clock.now())
        elif document.state == "failed":
            till.ledger.documents.mark_waiting(document.key, till.clock.now())
    _post(till, document, troubles)


def _post(till: Till, document: StoredDocument, troubles: Troubles) -> None:
    fresh = till.ledger.documents.get(document.key)
    if fresh is None or fresh.state == "posted":
        return
    if code := posting.try_once(till, fresh):
        ended = till.ledger.documents.get(document.key)
        troubles.sentences.append(f"{document.key}: {ended.reason if ended else ''}")
        troubles.exit_codes.append(code)


REPAIRS: dict[tuple[str, str], Repair] = {
    ("uncertain_operation", ""): _settle,
    ("approved_not_captured", ""): _capture,
    ("missing_in_ledger", ""): _read,
    ("money_of_nobody", ""): _read,
    ("parked_event", ""): _process,
    ("amount_differs", "invoice"): _learn,
    ("duplicate_in_books", ""): _withdraw,
    ("amount_differs", "books"): _replace,
    ("missing_in_books", ""): _rebook,
    ("missing_in_books", "failed"): _rebook,
}
