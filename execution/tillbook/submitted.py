"""Submitted forms that wait -> invoices in the books, mailed with their pay link."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook import correspondence, invoices
from tillbook.errors import NotAllowed, Refused, Unavailable, Uncertain, worst_exit_code
from tillbook.orders import parse_order

if TYPE_CHECKING:
    from tillbook.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Issued:
    """How many submitted orders became invoices, how many wait, how many a person must look at."""

    invoiced: int
    waiting: int
    refused: int
    exit_code: int = 0


def issue_forms(shop: Workshop, *, limit: int, progress: Callable[[int], None] = lambda _: None) -> Issued:
    """Make an invoice of each waiting form and mail it, once. What a rule refuses is kept with its reason."""
    invoiced, exit_code = 0, 0
    for row in shop.ledger.forms.waiting(limit):
        try:
            _issue(shop, row["number"], row["order_json"])
            invoiced += 1
        except (Unavailable, Uncertain, NotAllowed) as error:
            exit_code = worst_exit_code([exit_code, error.exit_code])
        except Refused as error:
            with shop.ledger.transaction():
                shop.ledger.forms.end(row["number"], "refused", error.message, shop.clock.now())
        progress(1)
    counts = shop.ledger.forms.count()
    return Issued(invoiced, counts.get("waiting", 0), counts.get("refused", 0), exit_code)


def _issue(shop: Workshop, number: str, order_json: str) -> None:
    """The invoice first, then the mail that it is owed, in one commit with the form's end."""
    invoices.require_sound(invoices.issue(shop, parse_order(json.loads(order_json)), allow_backorder=False))
    with shop.ledger.transaction():
        correspondence.owe_invoice_mail(shop, number)
        shop.ledger.forms.end(number, "invoiced", "", shop.clock.now())
