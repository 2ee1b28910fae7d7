"""How each discrepancy is repaired that a machine may repair: one function a type, and nothing but the usual ways in.

What the processor did is read by id through the one door of facts; the books change by operations; no fact is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tillbook import checkouts, effects, intake, invoices, posting
from tillbook.matching import Discrepancy
from tillbook.operations import Plan
from tillbook.pending import Troubles

if TYPE_CHECKING:
    from tillbook.ledger.documents import StoredDocument
    from tillbook.workshop import Workshop

Repair = Callable[["Workshop", Discrepancy, Troubles], None]
_VOIDABLE = ("Payment", "SalesReceipt")


def repair_all(shop: Workshop, found: Sequence[Discrepancy], troubles: Troubles) -> None:
    """Repair what can be, in the order of REPAIRS; trouble with one does not stop the next."""
    for (kind, place), repair in REPAIRS.items():
        for one in found:
            if (one.type, one.place) == (kind, place):
                with troubles.noted(f"{one.type} {one.subject}"):
                    repair(shop, one, troubles)


def _settle(shop: Workshop, found: Discrepancy, troubles: Troubles) -> None:
    operation = shop.ledger.operations.get(found.subject)
    if operation is None or not operation.unfinished:
        return
    if operation.kind == checkouts.CAPTURE:
        checkouts.settle_capture(shop, operation)
    else:
        effects.settle(shop, operation)


def _read(shop: Workshop, found: Discrepancy, troubles: Troubles) -> None:
    """The payment as its provider knows it now, and what the books must hear of it."""
    reading = shop.provider(found.provider).read(found.payment)
    with shop.ledger.transaction():
        intake.record_reading(shop.ledger, found.provider, reading, shop.clock.now())
    for document in shop.ledger.documents.of_payment(found.provider, found.payment):
        if document.state == "waiting":
            _post(shop, document, troubles)


def _capture(shop: Workshop, found: Discrepancy, troubles: Troubles) -> None:
    """What a customer approved; the pages of its invoice are settled as run_pending.py does it."""
    page = shop.ledger.sales.checkout(found.subject)
    assert page is not None, "pages are never deleted"
    checkouts.settle_pages(shop, page.invoice)


def _process(shop: Workshop, found: Discrepancy, troubles: Troubles) -> None:
    intake.process(shop, limit=1000)


def _learn(shop: Workshop, found: Discrepancy, troubles: Troubles) -> None:
    """An invoice as QuickBooks holds it now; the difference becomes a fact."""
    invoices.known_or_adopted(shop, found.subject)


def _withdraw(shop: Workshop, found: Discrepancy, troubles: Troubles) -> None:
    """Void or delete a record that must not stand."""
    kind = "void_document" if found.kind in _VOIDABLE else "delete_document"
    params = {"entity": found.kind, "id": found.record}
    effects.perform(shop, Plan(kind, f"{found.kind} {found.record}", "quickbooks", params))


def _replace(shop: Workshop, found: Discrepancy, troubles: Troubles) -> None:
    """A record with a wrong amount is withdrawn, and posted again with the right one."""
    _withdraw(shop, found, troubles)
    _rebook(shop, found, troubles)


def _rebook(shop: Workshop, found: Discrepancy, troubles: Troubles) -> None:
    """Post what QuickBooks does not hold; the id that the ledger knows is asked for once more before."""
    document = shop.ledger.documents.get(found.subject)
    assert document is not None, "documents are never deleted"
    if document.state == "posted":
        standing = None if shop.rehearsal else shop.books.record(document.kind, document.quickbooks_id)
        if standing is not None and not standing.voided:
            return
    with shop.ledger.transaction():
        if document.state == "posted":
            shop.ledger.documents.reopen(document.key, posting.GONE, shop.clock.now())
        elif document.state == "failed":
            shop.ledger.documents.mark_waiting(document.key, shop.clock.now())
    _post(shop, document, troubles)


def _post(shop: Workshop, document: StoredDocument, troubles: Troubles) -> None:
    fresh = shop.ledger.documents.get(document.key)
    if fresh is None or fresh.state == "posted":
        return
    if code := posting.try_once(shop, fresh):
        ended = shop.ledger.documents.get(document.key)
        troubles.sentences.append(f"{document.key}: {ended.reason if ended else ''}")
        troubles.exit_codes.append(code)


REPAIRS: dict[tuple[str, str], Repair] = {
    ("uncertain_operation", ""): _settle,
    ("approved_not_captured", ""): _capture,
    ("missing_in_ledger", ""): _read,
    ("parked_event", ""): _process,
    ("amount_differs", "invoice"): _learn,
    ("duplicate_in_books", ""): _withdraw,
    ("amount_differs", "books"): _replace,
    ("missing_in_books", ""): _rebook,
    ("missing_in_books", "failed"): _rebook,
}
