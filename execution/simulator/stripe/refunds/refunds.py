"""Money that goes back to a customer: making a refund, and what becomes of it later."""

from __future__ import annotations

from simulator.stripe.account import NOBODY, Account
from simulator.stripe.balance import rows
from simulator.stripe.balance.settlement import settled
from simulator.stripe.refunds import disputes, shapes
from simulator.stripe.wire import currencies
from simulator.stripe.wire.errors import StripeError, invalid
from simulator.stripe.wire.forms import merged
from simulator.world import Json

REFUND = "refund"
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
# How a refund can begin: its status, why it is pending, and whether it has its row on the balance at once.
_STARTS: dict[str, tuple[str, str | None, bool]] = {
    "succeeded": ("succeeded", None, True),
    "pending": ("pending", "processing", True),
    "held": ("pending", "insufficient_funds", False),
    "requires_action": ("requires_action", None, True),
}
STARTS = tuple(_STARTS)
# Which refunds can still end in this way.
_FROM = {
    "succeeded": ("pending", "requires_action"),
    "failed": ("pending", "requires_action", "succeeded"),
    "canceled": ("pending", "requires_action"),
}
OUTCOMES = tuple(_FROM)
_NOT_REFUNDABLE = "charge_not_refundable"
_CANCELLABLE_BY_API = ("requires_action",)
# Kept in the World, so that a restart and a photograph know it.
START_KIND = "stripe.refund_start"


def starts_as(account: Account, start: str) -> None:
    """Let new refunds begin in this way (one of STARTS) until the next reset."""
    account.world.save(START_KIND, "next", {"id": "next", "start": start})


def create(account: Account, given: Json, at: int, *, cause: Json = NOBODY, start: str = "") -> Json:
    """Give back `amount` (minor units), or all that is left, of a `charge` or `payment_intent`.

    Raises StripeError as Stripe would answer.
    """
    charge = _charge_of(account, given)
    amount = _amount(account, charge, given)
    start = start or (account.world.get(START_KIND, "next") or {"start": "succeeded"})["start"]
    status, pending_reason, booked = _STARTS[start]
    made = shapes.refund(account.world.identifier("re"), at, charge, amount, given)
    made["status"] = status
    if pending_reason:
        made["pending_reason"] = pending_reason
    if status == "requires_action":
        made["next_action"] = shapes.customer_asked(at, charge)
    if booked:
        made["balance_transaction"] = _book(account, made, "refund", at)
    account.save(made)
    previous = _move(account, charge, amount)
    account.emit("refund.created", made, at, cause=cause)
    account.emit("charge.refunded", charge, at, cause=cause, previous=previous)
    return made


def update(account: Account, refund: Json, metadata: Json, at: int, cause: Json) -> Json:
    """The refund with changed metadata. An event tells of it only when something was different."""
    previous = {"metadata": refund["metadata"]}
    refund["metadata"] = merged(refund["metadata"], metadata)
    account.save(refund)
    if previous["metadata"] != refund["metadata"]:
        _tell(account, refund, previous, at, cause)
    return refund


def cancel(account: Account, refund: Json, at: int, cause: Json) -> Json:
    """What the API's cancel does: only a refund that waits for the customer can be cancelled by a call."""
    if refund["status"] not in _CANCELLABLE_BY_API:
        raise StripeError(
            400, f"This refund cannot be canceled because it has a status of {refund['status']}.", param="refund"
        )
    return end(account, refund, "canceled", at, cause=cause)


def can_end(refund: Json, outcome: str) -> bool:
    """Whether a refund in its present status can still end in this way (one of OUTCOMES)."""
    return refund["status"] in _FROM[outcome]


def end(account: Account, refund: Json, outcome: str, at: int, *, cause: Json = NOBODY) -> Json:
    """Let a refund succeed, fail or be cancelled. What was taken from the balance comes back by a row of its own."""
    assert can_end(refund, outcome), f"a refund with status {refund['status']} does not become {outcome}"
    fields = ("status", "pending_reason", "balance_transaction")
    before = {name: refund[name] for name in fields if name in refund}
    refund["status"] = outcome
    for name in ("pending_reason", "next_action"):
        refund.pop(name, None)
    if outcome == "succeeded":
        refund["balance_transaction"] = refund["balance_transaction"] or _book(account, refund, "refund", at)
    else:
        _undo(account, refund, at)
    account.save(refund)
    _tell(account, refund, {name: value for name, value in before.items() if refund.get(name) != value}, at, cause)
    if outcome == "failed":
        account.emit("refund.failed", refund, at, cause=cause)
    return refund


def _undo(account: Account, refund: Json, at: int) -> None:
    refund["failure_reason"] = "merchant_request" if refund["status"] == "canceled" else "lost_or_stolen_card"
    if refund["balance_transaction"]:
        refund["failure_balance_transaction"] = _book(account, refund, "refund_failure", at)
    if charge := account.find("charge", refund["charge"]):
        _move(account, charge, -refund["amount"])


def _tell(account: Account, refund: Json, previous: Json, at: int, cause: Json) -> None:
    for kind in ("refund.updated", "charge.refund.updated"):
        account.emit(kind, refund, at, cause=cause, previous=previous)


def _book(account: Account, refund: Json, kind: str, at: int) -> str:
    amount = settled(account, refund["amount"], refund["currency"], at)
    if kind == "refund":
        amount = amount.negated()
    booked = account.save(rows.of_refund(account.world.identifier("txn"), at, refund, kind, amount))
    return str(booked["id"])


def _move(account: Account, charge: Json, amount: int) -> Json:
    """Write what is refunded of a charge. Returns the changed fields as they were before."""
    before = {name: charge[name] for name in ("amount_refunded", "refunded")}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    account.save(charge)
    return {name: value for name, value in before.items() if charge[name] != value}


def _charge_of(account: Account, given: Json) -> Json:
    if "charge" in given and "payment_intent" in given:
        raise invalid("You may only specify one of these parameters: charge, payment_intent.", "charge")
    if "charge" in given:
        charge = account.need("charge", given["charge"], "charge")
        if charge["status"] != "succeeded":
            raise invalid(f"Charge {charge['id']} has not succeeded; cannot issue a refund.", "charge", _NOT_REFUNDABLE)
        return charge
    if "payment_intent" not in given:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise StripeError(400, message, code="parameter_missing")
    intent = account.need("payment_intent", given["payment_intent"], "payment_intent")
    latest = account.find("charge", intent["latest_charge"])
    if latest is None or latest["status"] != "succeeded":
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise invalid(message, "payment_intent", _NOT_REFUNDABLE)
    return latest


def _amount(account: Account, charge: Json, given: Json) -> int:
    """How much goes back, in minor units. Raises StripeError for what Stripe refuses."""
    if disputes.blocks_refunds(account, charge):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise StripeError(400, message, code="charge_disputed")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not left:
        raise StripeError(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = int(given.get("amount", left))
    if amount > left:
        asked, largest = (currencies.spoken(one, charge["currency"]) for one in (amount, left))
        what = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
        raise invalid(f"Refund amount ({asked}) is greater than {what} ({largest})", "amount")
    currencies.check_amount(amount, charge["currency"])
    return amount
