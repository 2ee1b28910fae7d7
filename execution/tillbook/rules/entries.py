"""Double entries: the accounts, balanced lines, and what to post so that they become others.

An entry is a tuple of lines that sum to zero in each currency: debits positive, credits negative. The lines that a fact
calls for may change while other facts arrive. The difference is posted as a correcting entry. Nothing is ever edited.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tillbook.kit.money import Money

RECEIVABLE = "Receivable"
REVENUE = "Revenue"
SALES_TAX = "Sales Tax"
CUSTOMER_CREDIT = "Customer Credit"
SUSPENSE = "Suspense"
PROCESSING_FEES = "Processing Fees"
PAYOUTS_IN_TRANSIT = "Payouts in Transit"


@dataclass(frozen=True, slots=True)
class Line:
    """One side of an entry: a debit is positive, a credit negative. `invoice` is the invoice it concerns, or empty."""

    account: str
    amount: Money
    invoice: str = ""


def correction(wanted: Iterable[Line], posted: Iterable[Line]) -> tuple[Line, ...]:
    """What to post so that a fact's lines, summed per account, currency and invoice, become the wanted ones.

    With nothing posted yet this is the first entry. Empty when nothing changes. Balanced when both sides are.
    """
    sums = _summed(wanted)
    for place, amount in _summed(posted).items():
        sums[place] = sums.get(place, Money.zero(amount.currency)) - amount
    return tuple(Line(account, amount, invoice) for (account, invoice, _), amount in sums.items() if amount)


def _summed(lines: Iterable[Line]) -> dict[tuple[str, str, str], Money]:
    """Amounts by (account, invoice, currency), in the order of their first line."""
    sums: dict[tuple[str, str, str], Money] = {}
    for line in lines:
        place = (line.account, line.invoice, line.amount.currency)
        sums[place] = sums.get(place, Money.zero(line.amount.currency)) + line.amount
    return sums
