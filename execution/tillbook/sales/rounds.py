"""Everything that some run left unfinished, brought to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.kinds.registry import kind_of
from tillbook.operations.perform import settle
from tillbook.sales import captures, invoices

if TYPE_CHECKING:
    from tillbook.kit.troubles import Troubles
    from tillbook.till import Till


def settle_all(till: Till, troubles: Troubles, *, limit: int) -> int:
    """Settle unfinished operations and look at every open page. Says how many reached their end."""
    settled = 0
    for operation in till.ledger.operations.unfinished(limit):
        if kind_of(operation).settled_with_pages:
            continue  # below
        with troubles.noted(f"{operation.kind} {operation.subject}"):
            settle(till, operation)
            settled += 1
    with troubles.noted("what changed in QuickBooks"):
        invoices.learn_of_changes(till)
    for invoice in till.ledger.sales.unsound(limit):
        with troubles.noted(f"invoice {invoice.number}"):
            invoices.require_sound(invoices.refresh(till, invoice))
    for number in till.ledger.sales.doubtful_checkouts(limit):
        with troubles.noted(f"pages of invoice {number}"):
            settled += captures.settle_pages(till, number)
    return settled
