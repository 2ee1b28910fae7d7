"""Documents that wait -> the books: one operation each, in the order of the payments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook import book_accounts, bookkeeping, credits, effects, invoices, refund_posting
from tillbook.clock import business_date
from tillbook.errors import Refused, TillbookError, Unavailable, Uncertain, worst_exit_code
from tillbook.operations import Plan
from tillbook.patience import next_attempt

if TYPE_CHECKING:
    from tillbook.ledger.documents import StoredDocument
    from tillbook.workshop import Workshop

GONE = "QuickBooks does not hold the last one any more"


@dataclass(frozen=True, slots=True)
class Posted:
    """How many documents one round posted, how many wait, how many a person must look at."""

    posted: int
    waiting: int
    failed: int
    exit_code: int = 0


def post_documents(shop: Workshop, *, limit: int, progress: Callable[[int], None] = lambda _: None) -> Posted:
    """Post up to `limit` documents. What the books refuse is failed with its reason; the rest is tried again later."""
    posted, exit_code = 0, 0
    for document in shop.ledger.documents.due(shop.clock.now(), limit):
        ended = try_once(shop, document)
        posted += not ended
        exit_code = worst_exit_code([exit_code, ended])
        progress(1)
    waiting, failed = shop.ledger.documents.count_waiting(), len(shop.ledger.documents.failed())
    return Posted(posted, waiting, failed, exit_code)


def try_once(shop: Workshop, document: StoredDocument) -> int:
    """Post one document, or write down why not; the exit code of that, 0 for posted."""
    try:
        post(shop, document)
    except Refused as error:
        with shop.ledger.transaction():
            shop.ledger.documents.mark_failed(document.key, error.message)
        return error.exit_code
    except (Unavailable, Uncertain) as error:
        _delay(shop, document, error)
        return error.exit_code
    return 0


def post(shop: Workshop, document: StoredDocument) -> str:
    """Post one document, once; returns its QuickBooks id. Raises Refused, Unavailable or Uncertain."""
    with shop.ledger.lock(f"invoice-balance:{document.invoice}"):
        fresh = shop.ledger.documents.get(document.key)
        if fresh is not None and fresh.state == "posted":  # another process was faster
            return fresh.quickbooks_id
        for _ in range(2):  # a receipt whose total came out different is posted a second time
            plan, renew = _plan(shop, document)
            outcome = effects.perform(shop, plan, renew=renew)
            if plan.kind == "post_purchase":
                credits.apply(shop, document, str(outcome.result["id"]))
            if (stored := shop.ledger.documents.get(document.key)) and stored.state == "posted":
                break
        return str(outcome.result["id"])


def try_again(shop: Workshop, key: str) -> None:
    """Let a failed document wait again, after a person changed what was wrong. Raises Refused."""
    document = shop.ledger.documents.get(key)
    if document is None or document.state != "failed":
        failed = ", ".join(other.key for other in shop.ledger.documents.failed()) or "none"
        raise Refused(f"no failed document {key}", hint=f"Failed documents: {failed}.")
    with shop.ledger.transaction():
        shop.ledger.documents.mark_waiting(key, shop.clock.now())


def _plan(shop: Workshop, document: StoredDocument) -> tuple[Plan, str]:
    """The operation that posts a document; one that is begun, or made and not yet applied, keeps its own parameters."""
    kind = refund_posting.KINDS.get(document.kind, "post_payment")
    last = shop.ledger.operations.last(kind, document.key)
    gone = last is not None and last.state == "done" and _is_gone(shop, document, str((last.result or {})["id"]))
    if last is not None and (last.unfinished or (kind == "post_purchase" and last.state == "done" and not gone)):
        return Plan(kind, document.key, "quickbooks", last.params), ""
    if document.kind in refund_posting.KINDS:
        plan, renew = refund_posting.plan(shop, document)
    else:
        plan, renew = Plan(kind, document.key, "quickbooks", _payment_params(shop, document)), ""
    return plan, renew or (GONE if gone else "")


def _is_gone(shop: Workshop, document: StoredDocument, quickbooks_id: str) -> bool:
    """Whether what was posted does not stand any more; a rehearsal, which withdraws nothing, goes by the ledger."""
    if shop.rehearsal:
        return document.reason == GONE
    record = shop.books.record(document.kind, quickbooks_id)
    return record is None or record.voided


def _payment_params(shop: Workshop, document: StoredDocument) -> dict[str, object]:
    """Gross, to Clearing, applied to what the invoice has open in QuickBooks now."""
    issued = invoices.known_or_adopted(shop, document.invoice)
    note = f"{document.provider} {document.payment}, document {document.key}"
    return bookkeeping.payment_params(
        document.amount,
        customer_id=issued.booked.customer_id,
        invoice_id=issued.booked.id,
        open_balance=issued.booked.balance,
        deposit_account_id=book_accounts.clearing_account(shop, document.provider, document.amount.currency),
        txn_date=business_date(document.occurred_at, invoices.zone(shop)),
        note=note,
    )


def _delay(shop: Workshop, document: StoredDocument, error: TillbookError) -> None:
    """Later and later; but what is only uncertain is decided by the next look, so that one comes soon."""
    attempts = 0 if isinstance(error, Uncertain) else document.attempts
    with shop.ledger.transaction():
        shop.ledger.documents.delay(document.key, error.message, next_attempt(shop.clock.now(), attempts))
