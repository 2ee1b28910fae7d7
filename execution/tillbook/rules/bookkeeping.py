"""The one table of rules by kind of fact: entry, sign, order, documents and messages.

A new kind of fact needs a row in RULES and a line in `rule_of`. Type checkers refuse a kind that `rule_of` lacks, and a
test refuses one that RULES lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, assert_never

from tillbook.kit.money import Money
from tillbook.rules.accounts import Clearing
from tillbook.rules.documents import Document, Purpose, document
from tillbook.rules.entries import (
    CUSTOMER_CREDIT,
    PAYOUTS_IN_TRANSIT,
    PROCESSING_FEES,
    RECEIVABLE,
    REVENUE,
    SALES_TAX,
    SUSPENSE,
    Line,
)
from tillbook.rules.facts import (
    Fact,
    InvoiceChanged,
    InvoiceFact,
    InvoiceIssued,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutPaid,
    ProcessorFee,
    RefundFailed,
)
from tillbook.rules.uses import Allocation, Return, Use

AFact = TypeVar("AFact")


def _no_documents(_fact: object, _invoice: str, _use: Use) -> Iterable[Document]:
    return ()


@dataclass(frozen=True, slots=True)
class Rule(Generic[AFact]):
    """What follows from one kind of fact.

    `lines` are its entry, given how its money is used now. `sign` is what it does to the money that the processor holds
    for us. `turn` is its place among facts of the same second: nothing comes back before it came. `documents` are what
    QuickBooks must hold, given the invoice and the use. `messages` are the kinds of mail that it calls for.
    """

    lines: Callable[[AFact, Use, Clearing], Iterable[Line]]
    sign: int
    turn: int = 0
    documents: Callable[[AFact, str, Use], Iterable[Document]] = _no_documents
    messages: tuple[str, ...] = ()


def target(fact: Fact, use: Use, clearing: Clearing) -> tuple[Line, ...]:
    """The lines that a fact calls for, given how its money is used now (None while no invoice is known for it).

    Raises Refused for a fact of a provider that `clearing` does not know.
    """
    return tuple(line for line in rule_of(fact).lines(fact, use, clearing) if line.amount)


def documents_for(fact: Fact, invoice: str, use: Use) -> tuple[Document, ...]:
    """The documents that a fact of an invoice calls for."""
    return tuple(rule_of(fact).documents(fact, invoice, use))


def rule_of(fact: Fact) -> Rule[Any]:
    """The row of a fact's kind."""
    match fact:
        case InvoiceIssued() | InvoiceChanged():
            return _INVOICE
        case PaymentSucceeded():
            return _PAYMENT
        case ProcessorFee():
            return _FEE
        case PaymentRefunded():
            return _REFUND
        case RefundFailed():
            return _FAILED_REFUND
        case PayoutPaid():
            return _PAYOUT
        case _:
            assert_never(fact)


def _invoiced(fact: InvoiceFact, _use: Use, _clearing: Clearing) -> list[Line]:
    return [
        Line(RECEIVABLE, fact.total, fact.invoice),
        Line(REVENUE, fact.tax - fact.total, fact.invoice),
        Line(SALES_TAX, -fact.tax, fact.invoice),
    ]


def _received(fact: PaymentSucceeded, use: Use, clearing: Clearing) -> list[Line]:
    received = Line(clearing(fact.provider).ledger, fact.amount)
    if not isinstance(use, Allocation):
        return [received, Line(SUSPENSE, -fact.amount)]
    return [
        received,
        Line(RECEIVABLE, -use.applied, use.invoice),
        Line(CUSTOMER_CREDIT, -use.credit, use.invoice),
    ]


def _kept(fact: ProcessorFee, _use: Use, clearing: Clearing) -> list[Line]:
    return [Line(PROCESSING_FEES, fact.amount), Line(clearing(fact.provider).ledger, -fact.amount)]


def _given_back(fact: PaymentRefunded, use: Use, clearing: Clearing) -> list[Line]:
    return _returned(clearing(fact.provider).ledger, fact.amount, use)


def _came_back(fact: RefundFailed, use: Use, clearing: Clearing) -> list[Line]:
    return _returned(clearing(fact.provider).ledger, -fact.amount, use)


def _returned(account: str, amount: Money, use: Use) -> list[Line]:
    """`amount` went back to the customer from the clearing account. It is negative for a refund that failed."""
    paid_out = Line(account, -amount)
    if not isinstance(use, Return):
        return [Line(SUSPENSE, amount), paid_out]
    return [
        Line(REVENUE, use.sale, use.invoice),
        Line(SALES_TAX, use.tax, use.invoice),
        Line(CUSTOMER_CREDIT, use.credit, use.invoice),
        Line(RECEIVABLE, use.reopened, use.invoice),
        paid_out,
    ]


def _paid_out(fact: PayoutPaid, _use: Use, clearing: Clearing) -> list[Line]:
    return [Line(PAYOUTS_IN_TRANSIT, fact.amount), Line(clearing(fact.provider).ledger, -fact.amount)]


def _payment(fact: PaymentSucceeded, invoice: str, _use: Use) -> list[Document]:
    """A Payment of its gross amount, never net of fees."""
    return [document(Purpose.PAYMENT, fact, invoice, fact.amount)]


def _refund(fact: PaymentRefunded, invoice: str, use: Use) -> list[Document]:
    """One for what it gives back of the sale, one for what it gives back of credit or of a payment."""
    if not isinstance(use, Return):
        return []
    parts = {Purpose.SALE_REFUND: use.sale + use.tax, Purpose.CREDIT_REFUND: use.credit + use.reopened}
    return [document(purpose, fact, invoice, amount) for purpose, amount in parts.items() if amount]


def _failed_refund(fact: RefundFailed, invoice: str, use: Use) -> list[Document]:
    """The mirrors of the refund's documents."""
    if not isinstance(use, Return):
        return []
    given = -use
    parts = {
        Purpose.FAILED_SALE_REFUND: given.sale + given.tax,
        Purpose.FAILED_CREDIT_REFUND: given.credit + given.reopened,
    }
    return [document(purpose, fact, invoice, amount) for purpose, amount in parts.items() if amount]


_INVOICE: Rule[InvoiceFact] = Rule(lines=_invoiced, sign=0)
_PAYMENT: Rule[PaymentSucceeded] = Rule(
    lines=_received, sign=1, turn=0, documents=_payment, messages=("confirmation", "owner")
)
_FEE: Rule[ProcessorFee] = Rule(lines=_kept, sign=-1)
_REFUND: Rule[PaymentRefunded] = Rule(lines=_given_back, sign=-1, turn=1, documents=_refund, messages=("refund",))
_FAILED_REFUND: Rule[RefundFailed] = Rule(lines=_came_back, sign=1, turn=2, documents=_failed_refund)
_PAYOUT: Rule[PayoutPaid] = Rule(lines=_paid_out, sign=-1, messages=("payout",))

RULES: Mapping[type[Fact], Rule[Any]] = {
    InvoiceIssued: _INVOICE,
    InvoiceChanged: _INVOICE,
    PaymentSucceeded: _PAYMENT,
    ProcessorFee: _FEE,
    PaymentRefunded: _REFUND,
    RefundFailed: _FAILED_REFUND,
    PayoutPaid: _PAYOUT,
}
"""The table, by kind. The documents of fees and payouts are not made yet."""
