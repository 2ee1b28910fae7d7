"""Invoices that QuickBooks has under another customer than the ledger: somebody merged two, or changed one invoice.

What is open of such an invoice is owed by the one in the ledger and by the other in QuickBooks. That explains the
figures of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.errors import Unreadable
from tillbook.kit.money import Money

if TYPE_CHECKING:
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class Move:
    """What one move makes QuickBooks say more of a customer (less, when it is negative), and why."""

    customer: str
    more: Money
    because: str


def moves(till: Till, customers: Iterable[str]) -> Iterator[Move]:
    """The moves of open invoices that the ledger has under these customers, each at both ends."""
    for customer in customers:
        for row in till.ledger.reconciliation.open_of(customer):
            there = _customer_of(till, row["quickbooks_id"])
            if there in ("", customer):
                continue
            owed, number = Money(row["amount_minor"], row["currency"]), row["number"]
            yield Move(customer, -owed, f"invoice {number} went to customer {there} {owed}")
            yield Move(there, owed, f"invoice {number} came from customer {customer} {owed}")


def _customer_of(till: Till, quickbooks_id: str) -> str:
    """Whose an invoice is in QuickBooks, or empty where that cannot be told: then the difference stays."""
    try:
        found = till.books.invoice(quickbooks_id)
    except Unreadable:
        return ""
    return found.customer_id if found else ""


def is_of_another(till: Till, quickbooks_id: str, customer: str) -> bool:
    """Whether the ledger has the invoice of an id under another customer than this one of QuickBooks."""
    known = till.ledger.sales.invoice_by_quickbooks_id(quickbooks_id)
    return known is not None and known.customer != customer


def stands_elsewhere(till: Till, quickbooks_id: str) -> bool:
    """Whether an invoice that its customer no longer has in QuickBooks stands there all the same."""
    record = till.books.record("Invoice", quickbooks_id)
    return record is not None and not record.voided
