"""Documents that wait -> the books: one operation each, in the order of the payments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook import bookkeeping, effects, invoices
from tillbook.clock import business_date
from tillbook.errors import Refused, TillbookError, Unavailable, Uncertain, worst_exit_code
from tillbook.operations import Plan
from tillbook.patience import next_attempt

if TYPE_CHECKING:
    from tillbook.ledger.documents import StoredDocument
    from tillbook.workshop import Workshop


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
        try:
            post(shop, document)
            posted += 1
        except Refused as error:
            exit_code = worst_exit_code([exit_code, error.exit_code])
            with shop.ledger.transaction():
                shop.ledger.documents.mark_failed(document.key, error.message)
        except (Unavailable, Uncertain) as error:
            exit_code = worst_exit_code([exit_code, error.exit_code])
            _delay(shop, document, error)
        progress(1)
    waiting, failed = shop.ledger.documents.count_waiting(), len(shop.ledger.documents.failed())
    return Posted(posted, waiting, failed, exit_code)


def post(shop: Workshop, document: StoredDocument) -> str:
    """Post one document, once; returns its QuickBooks id. Raises Refused, Unavailable or Uncertain."""
    with shop.ledger.lock(f"invoice-balance:{document.invoice}"):
        fresh = shop.ledger.documents.get(document.key)
        if fresh is not None and fresh.state == "posted":  # another process was faster
            return fresh.quickbooks_id
        last = shop.ledger.operations.last("post_payment", document.key)
        params = last.params if last and last.unfinished else _payment_params(shop, document)
        plan = Plan("post_payment", document.key, "quickbooks", params)
        return str(effects.perform(shop, plan).result["id"])


def try_again(shop: Workshop, key: str) -> None:
    """Let a failed document wait again, after a person changed what was wrong. Raises Refused."""
    document = shop.ledger.documents.get(key)
    if document is None or document.state != "failed":
        failed = ", ".join(other.key for other in shop.ledger.documents.failed()) or "none"
        raise Refused(f"no failed document {key}", hint=f"Failed documents: {failed}.")
    with shop.ledger.transaction():
        shop.ledger.documents.mark_waiting(key, shop.clock.now())


def clearing_account(shop: Workshop, provider: str, currency: str) -> str:
    """The QuickBooks id of a processor's clearing account, found by name and type or created."""
    wanted = bookkeeping.clearing_account(provider, currency)
    known = shop.ledger.sales.account(wanted["name"])
    if known is not None:
        return known
    found = shop.books.account_named(wanted["name"], wanted["type"])
    if found is not None:
        with shop.ledger.transaction():
            shop.ledger.sales.add_account(wanted["name"], found["id"], currency)
        return str(found["id"])
    plan = Plan("create_account", wanted["name"], "quickbooks", wanted)
    return str(effects.perform(shop, plan).result["id"])


def _payment_params(shop: Workshop, document: StoredDocument) -> dict[str, object]:
    """Gross, to Clearing, applied to what the invoice has open in QuickBooks now."""
    issued = invoices.known_or_adopted(shop, document.invoice)
    note = f"{document.provider} {document.payment}, document {document.key}"
    return bookkeeping.payment_params(
        document.amount,
        customer_id=issued.booked.customer_id,
        invoice_id=issued.booked.id,
        open_balance=issued.booked.balance,
        deposit_account_id=clearing_account(shop, document.provider, document.amount.currency),
        txn_date=business_date(document.occurred_at, invoices.zone(shop)),
        note=note,
    )


def _delay(shop: Workshop, document: StoredDocument, error: TillbookError) -> None:
    """Later and later; but what is only uncertain is decided by the next look, so that one comes soon."""
    attempts = 0 if isinstance(error, Uncertain) else document.attempts
    with shop.ledger.transaction():
        shop.ledger.documents.delay(document.key, error.message, next_attempt(shop.clock.now(), attempts))
