"""Documents that wait -> the books: one operation each, in the order of the payments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tillbook.books import accounts, credits, refunds
from tillbook.kit.clock import business_date
from tillbook.kit.errors import Refused, TillbookError, Unavailable, Uncertain, Unforeseen, apart, worst_exit_code
from tillbook.kit.retries import next_attempt
from tillbook.operations.kinds.books.post_payment import PostPayment
from tillbook.operations.kinds.refunds.post_purchase import PostPurchase
from tillbook.operations.kinds.registry import POSTINGS
from tillbook.operations.perform import perform
from tillbook.sales import company, invoices

if TYPE_CHECKING:
    from tillbook.ledger.documents import StoredDocument
    from tillbook.operations.kinds.quickbooks import Made
    from tillbook.rules.operations import Plan
    from tillbook.till import Till

GONE = "QuickBooks does not hold the last one any more"


@dataclass(frozen=True, slots=True)
class Posted:
    """How many documents one round posted, how many wait, how many a person must look at."""

    posted: int
    waiting: int
    failed: int
    exit_code: int = 0


def post_documents(till: Till, *, limit: int, progress: Callable[[int], None] = lambda _: None) -> Posted:
    """Post up to `limit` documents. Those that the books refuse are failed, the rest is tried again later."""
    posted, exit_code = 0, 0
    for document in till.ledger.documents.due(till.clock.now(), limit):
        ended = try_once(till, document)
        posted += not ended
        exit_code = worst_exit_code([exit_code, ended])
        progress(1)
    waiting, failed = till.ledger.documents.count_waiting(), len(till.ledger.documents.failed())
    return Posted(posted, waiting, failed, exit_code)


def try_once(till: Till, document: StoredDocument) -> int:
    """Post one document, or write down why not. Returns the exit code for that, 0 for posted."""
    try:
        with apart():
            post(till, document)
    except Refused as error:
        with till.ledger.transaction():
            till.ledger.documents.mark_failed(document.key, error.message)
        return error.exit_code
    except (Unavailable, Uncertain, Unforeseen) as error:
        _delay(till, document, error)
        return error.exit_code
    return 0


def post(till: Till, document: StoredDocument) -> str:
    """Post one document, once. Returns its QuickBooks id. Raises Refused, Unavailable or Uncertain."""
    with till.ledger.lock(f"invoice-balance:{document.invoice}"):
        fresh = till.ledger.documents.get(document.key)
        if fresh is not None and fresh.state == "posted":  # another process was faster
            return fresh.quickbooks_id
        for _ in range(2):  # a receipt whose total came out different is posted a second time
            plan, renew = _plan(till, document)
            made: Made = perform(till, plan, renew=renew).result
            if plan.kind == PostPurchase.kind:
                credits.apply(till, document, made.id)
            if (stored := till.ledger.documents.get(document.key)) and stored.state == "posted":
                break
        return made.id


def try_again(till: Till, key: str) -> None:
    """Let a failed document wait again, after a person changed what was wrong. Raises Refused."""
    document = till.ledger.documents.get(key)
    if document is None or document.state != "failed":
        failed = ", ".join(other.key for other in till.ledger.documents.failed()) or "none"
        raise Refused(f"no failed document {key}", hint=f"Failed documents: {failed}.")
    with till.ledger.transaction():
        till.ledger.documents.mark_waiting(key, till.clock.now())


def _plan(till: Till, document: StoredDocument) -> tuple[Plan[Any], str]:
    """The operation that posts a document. One that is begun, or made and not yet applied, keeps its own parameters."""
    kind = POSTINGS[document.purpose]
    last = kind.last(till.ledger, document.key)
    gone = last is not None and last.state == "done" and _is_gone(till, document, kind.result_of(last).id)
    if last is not None and (last.unfinished or (kind is PostPurchase and last.state == "done" and not gone)):
        return last.params.plan(document.key), ""
    if kind is PostPayment:
        return _payment(till, document).plan(document.key), GONE if gone else ""
    plan, renew = refunds.plan(till, document)
    return plan, renew or (GONE if gone else "")


def _is_gone(till: Till, document: StoredDocument, quickbooks_id: str) -> bool:
    """Whether what was posted does not stand any more. A dry run, which withdraws nothing, goes by the ledger."""
    if till.dry_run:
        return document.reason == GONE
    record = till.books.record(document.kind, quickbooks_id)
    return record is None or record.voided


def _payment(till: Till, document: StoredDocument) -> PostPayment:
    """Gross, to Clearing, applied to what the invoice has open in QuickBooks now."""
    issued = invoices.known_or_adopted(till, document.invoice)
    note = f"{document.provider} {document.payment}, document {document.key}"
    return PostPayment.of(
        document.amount,
        customer_id=issued.booked.customer_id,
        invoice_id=issued.booked.id,
        open_balance=issued.booked.balance,
        deposit_account_id=accounts.clearing_account(till, document.provider, document.amount.currency),
        txn_date=business_date(document.occurred_at, company.zone(till)),
        note=note,
    )


def _delay(till: Till, document: StoredDocument, error: TillbookError) -> None:
    """Wait longer after each attempt. What is only uncertain is decided by the next look, which comes soon."""
    attempts = 0 if isinstance(error, Uncertain) else document.attempts
    with till.ledger.transaction():
        till.ledger.documents.delay(document.key, error.message, next_attempt(till.clock.now(), attempts))
