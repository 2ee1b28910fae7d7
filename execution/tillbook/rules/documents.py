"""What QuickBooks must hold for facts.

A document has a purpose of its own beside the record that it becomes in QuickBooks: two purposes may share a record.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tillbook.kit.money import Money
from tillbook.rules.facts import PaymentFact


class Purpose(StrEnum):
    """Why QuickBooks gets a record."""

    PAYMENT = "payment"
    SALE_REFUND = "sale_refund"
    CREDIT_REFUND = "credit_refund"
    FAILED_SALE_REFUND = "failed_sale_refund"
    FAILED_CREDIT_REFUND = "failed_credit_refund"


RECORDS = {
    Purpose.PAYMENT: "Payment",
    Purpose.SALE_REFUND: "RefundReceipt",
    Purpose.CREDIT_REFUND: "Purchase",
    Purpose.FAILED_SALE_REFUND: "SalesReceipt",
    Purpose.FAILED_CREDIT_REFUND: "Deposit",
}
"""The record of QuickBooks that a document of each purpose becomes."""


@dataclass(frozen=True, slots=True)
class Document:
    """A QuickBooks record that facts call for. `key` never changes. `facts` are the keys of the facts it records.

    `kind` is the record of QuickBooks, `invoice` is empty for a document about a provider's account alone.
    """

    key: str
    kind: str
    purpose: Purpose
    provider: str
    invoice: str
    payment: str
    amount: Money
    occurred_at: int
    facts: tuple[str, ...]


def document_key(kind: str, provider: str, fact: str) -> str:
    """What a document of this kind is known by, made of the key of its first fact."""
    return f"{kind.lower()}:{provider}:{fact}"


def document(purpose: Purpose, fact: PaymentFact, invoice: str, amount: Money) -> Document:
    """The document of one fact of a payment."""
    kind = RECORDS[purpose]
    return Document(
        key=document_key(kind, fact.provider, fact.key),
        kind=kind,
        purpose=purpose,
        provider=fact.provider,
        invoice=invoice,
        payment=fact.payment,
        amount=amount,
        occurred_at=fact.occurred_at,
        facts=(fact.key,),
    )
