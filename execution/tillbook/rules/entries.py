"""Rules: a fact becomes balanced double entries.

An entry is a tuple of lines that sum to zero in each currency: debits positive, credits negative. The lines that a fact
calls for may change while other facts arrive (a payment is matched, an earlier payment takes the open amount); the
difference is posted as a correcting entry, nothing is ever edited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tillbook.kit.money import Money
from tillbook.rules.accounts import Clearing
from tillbook.rules.allocation import Allocation, Return, Use
from tillbook.rules.facts import (
    Fact,
    InvoiceChanged,
    InvoiceFact,
    InvoiceIssued,
    PaymentRefunded,
    PaymentSucceeded,
    ProcessorFee,
    RefundFailed,
)

RECEIVABLE = "Receivable"
REVENUE = "Revenue"
SALES_TAX = "Sales Tax"
CUSTOMER_CREDIT = "Customer Credit"
SUSPENSE = "Suspense"
PROCESSING_FEES = "Processing Fees"


@dataclass(frozen=True, slots=True)
class Line:
    """One side of an entry: a debit is positive, a credit negative. `invoice` is the invoice it concerns, or empty."""

    account: str
    amount: Money
    invoice: str = ""


def target(fact: Fact, use: Use, clearing: Clearing) -> tuple[Line, ...]:
    """The lines that a fact calls for, given how its money is used now; None: no invoice is known for it yet.

    Raises Refused for a fact of a provider that `clearing` does not know.
    """
    match fact:
        case InvoiceIssued() | InvoiceChanged():
            lines = _issued(fact)
        case PaymentSucceeded():
            allocation = use if isinstance(use, Allocation) else None
            lines = _received(clearing(fact.provider).ledger, fact.amount, allocation)
        case ProcessorFee():
            lines = [Line(PROCESSING_FEES, fact.amount), Line(clearing(fact.provider).ledger, -fact.amount)]
        case PaymentRefunded():
            lines = _returned(clearing(fact.provider).ledger, fact.amount, use if isinstance(use, Return) else None)
        case RefundFailed():
            lines = _returned(clearing(fact.provider).ledger, -fact.amount, use if isinstance(use, Return) else None)
    return tuple(line for line in lines if line.amount)


def correction(wanted: Iterable[Line], posted: Iterable[Line]) -> tuple[Line, ...]:
    """What to post so that a fact's lines, summed per account, currency and invoice, become the wanted ones.

    With nothing posted yet this is the first entry. Empty when nothing changes. Balanced when both sides are.
    """
    sums = _summed(wanted)
    for place, amount in _summed(posted).items():
        sums[place] = sums.get(place, Money.zero(amount.currency)) - amount
    return tuple(Line(account, amount, invoice) for (account, invoice, _), amount in sums.items() if amount)


def unbalanced(lines: Iterable[Line]) -> Mapping[str, Money]:
    """What debits and credits differ by, per currency; empty for an entry that balances."""
    sums: dict[str, Money] = {}
    for line in lines:
        code = line.amount.currency
        sums[code] = sums.get(code, Money.zero(code)) + line.amount
    return {code: amount for code, amount in sums.items() if amount}


def _issued(fact: InvoiceFact) -> list[Line]:
    return [
        Line(RECEIVABLE, fact.total, fact.invoice),
        Line(REVENUE, fact.tax - fact.total, fact.invoice),
        Line(SALES_TAX, -fact.tax, fact.invoice),
    ]


def _received(clearing: str, amount: Money, allocation: Allocation | None) -> list[Line]:
    received = Line(clearing, amount)
    if allocation is None:
        return [received, Line(SUSPENSE, -amount)]
    return [
        received,
        Line(RECEIVABLE, -allocation.applied, allocation.invoice),
        Line(CUSTOMER_CREDIT, -allocation.credit, allocation.invoice),
    ]


def _returned(clearing: str, amount: Money, given: Return | None) -> list[Line]:
    """`amount` went back to the customer; negative for a refund that failed."""
    paid_out = Line(clearing, -amount)
    if given is None:
        return [Line(SUSPENSE, amount), paid_out]
    return [
        Line(REVENUE, given.sale, given.invoice),
        Line(SALES_TAX, given.tax, given.invoice),
        Line(CUSTOMER_CREDIT, given.credit, given.invoice),
        Line(RECEIVABLE, given.reopened, given.invoice),
        paid_out,
    ]


def _summed(lines: Iterable[Line]) -> dict[tuple[str, str, str], Money]:
    """Amounts by (account, invoice, currency), in the order of their first line."""
    sums: dict[tuple[str, str, str], Money] = {}
    for line in lines:
        place = (line.account, line.invoice, line.amount.currency)
        sums[place] = sums.get(place, Money.zero(line.amount.currency)) + line.amount
    return sums
