"""What a done operation leaves in the ledger, in the same commit: one function a kind."""

from __future__ import annotations

from collections.abc import Callable

from tillbook.kit.money import parse
from tillbook.ledger import Ledger
from tillbook.ledger.sales import Checkout
from tillbook.recording.facts import booked_from_json, record_invoice
from tillbook.rules.operations import Operation


def record(ledger: Ledger, operation: Operation, now: int) -> None:
    """Write what follows from a done operation. In its transaction."""
    _RECORD[operation.kind](ledger, operation, now)


def _account(ledger: Ledger, operation: Operation, now: int) -> None:
    params = operation.params
    ledger.sales.add_account(params["name"], _result(operation, "id"), params["currency"])


def _customer(ledger: Ledger, operation: Operation, now: int) -> None:
    params = operation.params
    ledger.sales.save_customer(
        quickbooks_id=_result(operation, "id"),
        name=params["full_name"],
        display_name=params["name"],
        email=params["email"],
        currency=params["currency"],
    )


def _invoice(ledger: Ledger, operation: Operation, now: int) -> None:
    record_invoice(ledger, booked_from_json(operation.result or {}), now)


def _checkout(ledger: Ledger, operation: Operation, now: int) -> None:
    params = operation.params
    ledger.sales.add_checkout(
        Checkout(
            id=_result(operation, "checkout_id"),
            provider=operation.door,
            invoice=params["invoice"],
            operation=operation.id,
            url=_result(operation, "url"),
            amount=parse(params["amount"], params["currency"]),
            expires_at=(operation.result or {})["expires_at"],
            status="open",
            created_at=now,
        )
    )


def _closed(ledger: Ledger, operation: Operation, now: int) -> None:
    """The customer of an approved page may believe that it is paid, so the reason is kept."""
    page = ledger.sales.checkout(operation.subject)
    approved = page is not None and page.status == "processing"
    reason = "not captured: it asked for more than was open" if approved else ""
    ledger.sales.set_checkout_status(operation.subject, "expired", reason)


def _posted(ledger: Ledger, operation: Operation, now: int) -> None:
    ledger.documents.mark_posted(operation.subject, _result(operation, "id"), now)


def _received(ledger: Ledger, operation: Operation, now: int) -> None:
    """A receipt whose total QuickBooks made another is not posted yet: it is deleted and posted anew."""
    document = ledger.documents.get(operation.subject)
    assert document is not None, "a document is opened before it is posted"
    if parse(_result(operation, "total"), document.amount.currency) == document.amount:
        ledger.documents.mark_posted(operation.subject, _result(operation, "id"), now)


def _nothing_yet(ledger: Ledger, operation: Operation, now: int) -> None:
    """A Purchase is posted when it is also applied to its payment, or is found to stand alone: `credits.py`."""


def _applied(ledger: Ledger, operation: Operation, now: int) -> None:
    ledger.documents.mark_posted(operation.subject, operation.params["purchase_id"], now)


def _item(ledger: Ledger, operation: Operation, now: int) -> None:
    ledger.sales.add_item(operation.params["name"], _result(operation, "id"))


def _nothing(ledger: Ledger, operation: Operation, now: int) -> None:
    """Its effect is read from the vendor: a refund or a capture becomes a fact by its own movement."""


def _result(operation: Operation, name: str) -> str:
    assert operation.result is not None, "only done operations are recorded"
    return str(operation.result[name])


_RECORD: dict[str, Callable[[Ledger, Operation, int], None]] = {
    "create_account": _account,
    "create_customer": _customer,
    "create_invoice": _invoice,
    "create_checkout": _checkout,
    "close_checkout": _closed,
    "capture_checkout": _nothing,
    "post_payment": _posted,
    "post_refund_receipt": _received,
    "post_sales_receipt": _received,
    "post_purchase": _nothing_yet,
    "apply_credit": _applied,
    "post_deposit": _posted,
    "create_item": _item,
    "delete_document": _nothing,
    "void_document": _nothing,
    "refund_payment": _nothing,
}
