"""Money back through PayPal: refunds of a capture under our operation's id, and what they and disputes prove."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tillbook.operations.kinds.refunds.refund_payment import RefundMade, RefundPayment
from tillbook.rules.facts import Fact, PaymentRefunded, ProcessorFee
from tillbook.rules.operations import Json, Operation
from tillbook.vendors.paypal.amounts import paypal_amount
from tillbook.vendors.paypal.objects import moment, moment_if_any, money, ours, text
from tillbook.vendors.protocols import OpenDispute

_STATUSES = {"COMPLETED": "succeeded", "PENDING": "pending", "FAILED": "failed", "CANCELLED": "canceled"}
_WAITS_FOR_US = frozenset({"OPEN", "WAITING_FOR_SELLER_RESPONSE"})
_ENDED_WITHOUT_MONEY = ("FAILED", "CANCELLED")


def refund_body(operation: Operation[RefundPayment]) -> Json:
    """What PayPal is asked for: made of the frozen parameters alone, so every attempt sends the same.

    The reason is ours, for the customer would read it. An `invoice_id` would have to be unique for nothing.
    """
    amount = operation.params.money
    return {
        "amount": {"currency_code": amount.currency, "value": paypal_amount(amount)},
        "custom_id": operation.id,
    }


def made_refund(refund: Json) -> RefundMade:
    """A refund as the result of a RefundPayment. In a state that is not known here it is pending, and that is the
    result's problem."""
    key, status = text(refund, "id"), _STATUSES.get(str(refund.get("status")))
    if status is None:
        return RefundMade(key, "pending", problem="PayPal's refund is in a state that is not known here")
    return RefundMade(key, status)


def open_disputes(disputes: Iterable[Json]) -> Iterator[OpenDispute]:
    """Those that wait for our answer, inquiries included, each with the end of its time."""
    for one in disputes:
        status = text(one, "status")
        if status in _WAITS_FOR_US:
            opened_at, due_at = moment(one, "create_time"), moment_if_any(one, "seller_response_due_date") or None
            yield OpenDispute(text(one, "dispute_id"), status.lower(), money(one, "dispute_amount"), opened_at, due_at)


def refund_facts(refunds: Iterable[Json], payment: str) -> Iterator[Fact]:
    """What refunds prove: those that are completed moved money, and some bring a part of the fee back."""
    for refund in refunds:
        if text(refund, "status") != "COMPLETED":
            continue
        key, at = text(refund, "id"), moment(refund, "create_time")
        yield PaymentRefunded(
            provider="paypal",
            key=key,
            occurred_at=at,
            payment=payment,
            refund=key,
            operation=ours(refund),
            amount=money(refund, "amount"),
        )
        breakdown = refund.get("seller_payable_breakdown")
        if isinstance(breakdown, dict) and "paypal_fee" in breakdown and (fee := money(breakdown, "paypal_fee")):
            yield ProcessorFee(provider="paypal", key=f"{key}:fee", occurred_at=at, payment=payment, amount=-fee)


def released(refunds: Iterable[Json]) -> tuple[str, ...]:
    """Our operations whose refund ended without moving money."""
    return tuple(
        operation for refund in refunds if refund.get("status") in _ENDED_WITHOUT_MONEY and (operation := ours(refund))
    )


def obstacle(disputes: Iterable[Json]) -> str:
    """The status of a dispute that forbids a refund, or empty: the money may be taken back already.

    What is only asked, or over, is no obstacle. A stage that PayPal does not name is one.
    """
    for dispute in disputes:
        status = text(dispute, "status")
        if status != "RESOLVED" and dispute.get("dispute_life_cycle_stage") != "INQUIRY":
            return status.lower()
    return ""
