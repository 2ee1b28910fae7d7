"""Money back through Stripe: refunds made under our key, found again by our id, and what a charge's refunds prove."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tillbook.kit.errors import Unreadable
from tillbook.operations.kinds.refunds.refund_payment import RefundMade, RefundPayment
from tillbook.rules.facts import Fact, PaymentRefunded, RefundFailed
from tillbook.rules.operations import Json, Operation
from tillbook.vendors.protocols import OpenDispute
from tillbook.vendors.stripe.amounts import stripe_amount
from tillbook.vendors.stripe.objects import money, number, reference, text, written

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams

# What Stripe calls reasons; any other reason of ours stays in the metadata.
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
_WAITS_FOR_US = frozenset({"needs_response", "warning_needs_response"})
# A dispute in one of these states took no money and is no obstacle to a refund.
_NO_OBSTACLE = ("warning_needs_response", "warning_under_review", "warning_closed", "prevented", "won")
_ENDED_WITHOUT_MONEY = ("canceled", "failed")


def refund_params(operation: Operation[RefundPayment]) -> RefundCreateParams:
    """Stripe's parameters, made of the frozen ones alone: every attempt sends the same bytes."""
    asked = operation.params
    params: RefundCreateParams = {
        "payment_intent": asked.payment,
        "amount": stripe_amount(asked.money),
        "metadata": {"operation": operation.id, "invoice": asked.invoice, "reason": asked.reason[:500]},
    }
    if asked.reason in REASONS:
        params["reason"] = asked.reason
    return params


def made_refund(refund: Json) -> RefundMade:
    """A refund as the result of a RefundPayment. Without a status it is pending, and that is the result's problem."""
    key = text(refund, "id")
    try:
        return RefundMade(key, text(refund, "status"))
    except Unreadable as error:
        return RefundMade(key, "pending", problem=error.message)


def obstacle(disputes: Iterable[Json]) -> str:
    """The status of a dispute that forbids a refund, or empty: the money may be taken back already."""
    return next((text(one, "status") for one in disputes if text(one, "status") not in _NO_OBSTACLE), "")


def open_disputes(disputes: Iterable[Json]) -> Iterator[OpenDispute]:
    """Those that wait for our answer, each with the end of its time."""
    for one in disputes:
        status, evidence = text(one, "status"), one.get("evidence_details")
        if status in _WAITS_FOR_US:
            due = evidence.get("due_by") if isinstance(evidence, dict) else None
            due_at = due if isinstance(due, int) else None
            yield OpenDispute(text(one, "id"), status, money(one, "amount"), number(one, "created"), due_at)


def refund_facts(refunds: Iterable[Json], payment: str) -> Iterator[Fact]:
    """What refunds prove: each moves money by its own balance transaction, a failed one moves it back by another."""
    for refund in refunds:
        transaction = reference(refund, "balance_transaction")
        if not transaction:
            continue
        yield PaymentRefunded(
            provider="stripe",
            key=transaction,
            occurred_at=number(refund, "created"),
            payment=payment,
            refund=text(refund, "id"),
            operation=written(refund, "operation"),
            amount=money(refund, "amount"),
        )
        if failure := refund.get("failure_balance_transaction"):
            yield _failure(refund, failure, payment)


def released(refunds: Iterable[Json]) -> tuple[str, ...]:
    """Our operations whose refund ended without ever moving money."""
    return tuple(
        operation
        for refund in refunds
        if refund.get("status") in _ENDED_WITHOUT_MONEY
        and not reference(refund, "balance_transaction")
        and (operation := written(refund, "operation"))
    )


def _failure(refund: Json, transaction: Any, payment: str) -> RefundFailed:
    if not isinstance(transaction, dict):
        name = "failure_balance_transaction"
        raise Unreadable(f"Stripe did not expand the refund's {name}", field=name)
    return RefundFailed(
        provider="stripe",
        key=text(transaction, "id"),
        occurred_at=number(transaction, "created"),
        payment=payment,
        refund=text(refund, "id"),
        amount=money(refund, "amount"),
    )
