"""The words in which the tests of providers speak: requests, operations, and what is looked at."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from tillbook.kit.errors import TillbookError
from tillbook.kit.money import Money
from tillbook.operations.kinds.refunds.refund_payment import RefundRequest
from tillbook.operations.kinds.sales.create_checkout import CheckoutRequest
from tillbook.rules.events import Reading
from tillbook.rules.facts import PaymentRefunded
from tillbook.rules.operations import Operation, Plan, operation_id
from tillbook.vendors.protocols import Provider

Failure = TypeVar("Failure", bound=TillbookError)

SIXTY, TWENTY = Money(6000, "USD"), Money(2000, "USD")
DAY = 86_400

_numbers = itertools.count(1)


def request_of(
    amount: Money = SIXTY, *, invoice: str = "", email: str = "ada@example.com", lasting: bool = False
) -> CheckoutRequest:
    """A request for a page; `invoice` empty: for a number that no other test uses; `lasting`: for one that stays."""
    number = invoice or f"INV-{next(_numbers)}"
    return CheckoutRequest(
        invoice=number,
        amount=amount,
        description=f"Invoice {number}",
        email=email,
        success_url="" if lasting else "https://till.example/paid",
        cancel_url="" if lasting else "https://till.example/",
    )


def raised(kind: type[Failure], call: Callable[..., object], *given: Any) -> Failure:
    """The error of this kind that a call ends with."""
    with pytest.raises(kind) as caught:
        call(*given)
    return caught.value


def asked(payment: str, amount: Money = TWENTY, **changes: str) -> RefundRequest:
    """A request to give some of a payment back."""
    values = {"invoice": "INV-1", "reason": "a word of ours", "reference": "RMA-1", "purpose": "sale", **changes}
    return RefundRequest(payment=payment, amount=amount, **values)


def returns(reading: Reading) -> list[PaymentRefunded]:
    """The refunds among the facts of a reading."""
    return [fact for fact in reading.facts if isinstance(fact, PaymentRefunded)]


READS: dict[str, Callable[[Provider, str, Operation], object]] = {
    "account": lambda provider, *_: provider.account(),
    "balance": lambda provider, *_: provider.balance(),
    "checkout": lambda provider, page, _: provider.checkout(page),
    "events": lambda provider, *_: list(provider.events(0)),
    "find": lambda provider, _, refund: provider.find(refund),
    "read": lambda provider, page, _: provider.read(page),
    "statement": lambda provider, *_: list(provider.statement(0, 2**31)),
}
"""Everything that only looks, for a page and a refund."""


def operation_of(plan: Plan, at: int, generation: int = 1) -> Operation:
    """A plan as the ledger would hold it once it was sent at `at`."""
    return Operation(
        id=operation_id(plan.kind, plan.subject, generation),
        kind=plan.kind,
        subject=plan.subject,
        generation=generation,
        door=plan.door,
        params=plan.params,
        params_hash=plan.params_hash,
        state="sent",
        result=None,
        reason="",
        prepared_at=at,
        sent_at=at,
        absent_since=None,
    )
