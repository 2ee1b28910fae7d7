"""Submitted forms that wait -> invoices in the books, mailed with their pay link."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused, Unavailable, Uncertain, Unforeseen, apart, worst_exit_code
from tillbook.rules.orders import parse_order
from tillbook.sales import invoices

if TYPE_CHECKING:
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class Issued:
    """How many submitted orders became invoices, how many wait, how many a person must look at."""

    invoiced: int
    waiting: int
    refused: int
    exit_code: int = 0


def issue_forms(till: Till, *, limit: int, progress: Callable[[int], None] = lambda _: None) -> Issued:
    """Make an invoice of each waiting form and mail it, once. What a rule refuses is kept with its reason."""
    invoiced, exit_code = 0, 0
    for row in till.ledger.forms.waiting(limit):
        try:
            with apart():
                _issue(till, row["number"], row["order_json"])
            invoiced += 1
        except (Unavailable, Uncertain, Unforeseen) as error:
            exit_code = worst_exit_code([exit_code, error.exit_code])
            with till.ledger.transaction():
                till.ledger.forms.delay(row["number"], error.message)
        except Refused as error:
            with till.ledger.transaction():
                till.ledger.forms.end(row["number"], "refused", error.message, till.clock.now())
        progress(1)
    counts = till.ledger.forms.count()
    return Issued(invoiced, counts.get("waiting", 0), counts.get("refused", 0), exit_code)


def dismiss(till: Till, number: str, because: str) -> None:
    """End a refused order for good, with a person's reason. Raises Refused when there is none of this number."""
    with till.ledger.transaction():
        ended = till.ledger.forms.dismiss(number, because, till.clock.now())
    if not ended:
        raise _none_refused(till, number)


def try_again(till: Till, number: str) -> None:
    """Let a refused order wait again, after a person mended what was wrong. Raises Refused."""
    with till.ledger.transaction():
        waits = till.ledger.forms.reopen(number)
    if not waits:
        raise _none_refused(till, number)


def _none_refused(till: Till, number: str) -> Refused:
    refused = ", ".join(row["number"] for row in till.ledger.forms.refused()) or "none"
    return Refused(f"no refused order {number}", hint=f"Refused orders: {refused}.")


def _issue(till: Till, number: str, order_json: str) -> None:
    """The invoice first, then the mail that it is owed, in one commit with the form's end."""
    invoices.require_sound(invoices.issue(till, parse_order(json.loads(order_json)), allow_backorder=False))
    with till.ledger.transaction():
        invoices.owe_invoice_mail(till, number)
        till.ledger.forms.end(number, "invoiced", "", till.clock.now())
