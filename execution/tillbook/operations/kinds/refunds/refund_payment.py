"""`refund_payment`: money goes back to the customer, through the provider that took it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tillbook.kit.money import Money, parse
from tillbook.operations.kinds.base import Kind, note_problem

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Plan, Stored


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What is to be given back. `reference` tells the refunds of one payment apart."""

    payment: str
    invoice: str
    amount: Money
    reason: str
    reference: str
    purpose: str


class RefundMade(msgspec.Struct, frozen=True):
    """A refund by its id at the provider. Its status is `succeeded`, `pending`, `failed` or `canceled`.

    `problem` is what could not be understood of it.
    """

    refund: str
    status: str
    problem: str = ""


class RefundPayment(Kind[RefundMade], frozen=True):
    """Give money back, always an explicit amount. The ledger reserves it when the operation is prepared."""

    payment: str
    invoice: str
    amount: str
    amount_minor: int
    currency: str
    reason: str
    purpose: str

    @classmethod
    def of(cls, request: RefundRequest) -> RefundPayment:
        """What a request asks for."""
        return RefundPayment(
            payment=request.payment,
            invoice=request.invoice,
            amount=request.amount.text,
            amount_minor=request.amount.minor,
            currency=request.amount.currency,
            reason=request.reason,
            purpose=request.purpose,
        )

    @property
    def money(self) -> Money:
        """The amount."""
        return parse(self.amount, self.currency)

    @staticmethod
    def subject(provider: str, payment: str, reference: str) -> str:
        """A refund is its payment and its reference."""
        return f"{provider}/{payment}/{reference}"

    def plan(self, provider: str, reference: str) -> Plan[RefundMade]:
        """The plan to give it back."""
        return self.planned(self.subject(provider, self.payment, reference), provider)

    def assumed(self, operation: Stored) -> RefundMade:
        """A refund of which nothing is known yet."""
        return RefundMade("(new)", "(new)")

    def record(self, ledger: Ledger, operation: Stored, result: RefundMade, now: int) -> None:
        """A refund becomes a fact by its own movement, read from the provider."""
        note_problem(ledger, operation.door, result.refund, result.problem, now)
