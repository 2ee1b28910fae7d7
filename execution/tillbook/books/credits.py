"""A Purchase that gave a customer's credit back is applied to the payment which left it, so that neither stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.books import refunds
from tillbook.kit.errors import Refused, Unavailable
from tillbook.operations.kinds.refunds.apply_credit import ApplyCredit
from tillbook.operations.perform import perform
from tillbook.rules.documents import Purpose

if TYPE_CHECKING:
    from tillbook.ledger.documents import StoredDocument
    from tillbook.till import Till


def apply(till: Till, document: StoredDocument, purchase_id: str) -> None:
    """Apply a posted Purchase where it gave back credit. With that its document is posted.

    What cannot be applied (a closed period, a payment that was changed by hand) is left as it is, with a note. Raises
    Unavailable while the payment is not in the books, Uncertain.
    """
    if refunds.given(till, document).credit != document.amount:
        _mark_posted(till, document, purchase_id, "")  # the invoice is owed again: there is no credit to apply it to
        return
    payment = _payment(till, document)
    if payment.state == "waiting":
        raise Unavailable(f"payment {document.payment} is not in the books yet", hint="It is tried again by itself.")
    wanted = ApplyCredit(payment.quickbooks_id, purchase_id, document.amount.text)
    try:
        if payment.state == "failed":
            raise Refused(f"payment {document.payment} is not in the books")
        last = ApplyCredit.last(till.ledger, document.key)
        other = last is not None and last.state == "done" and last.params.purchase_id != purchase_id
        renew = "the Purchase that was applied is gone" if other else ""
        perform(till, wanted.plan(document.key), renew=renew)
    except Refused as refusal:
        note = f"not applied to its payment: {refusal.message}; match the two in QuickBooks by hand"
        _mark_posted(till, document, purchase_id, note)


def _payment(till: Till, document: StoredDocument) -> StoredDocument:
    """The Payment document of the same payment of the processor's."""
    others = till.ledger.documents.of_payment(document.provider, document.payment)
    return next(other for other in others if other.purpose is Purpose.PAYMENT)


def _mark_posted(till: Till, document: StoredDocument, purchase_id: str, note: str) -> None:
    with till.ledger.transaction():
        till.ledger.documents.mark_posted(document.key, purchase_id, till.clock.now(), note=note)
