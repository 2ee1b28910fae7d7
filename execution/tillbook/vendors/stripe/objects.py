"""Stripe's objects, read by id, as our facts and states. Pure: plain dicts in, values out.

An object without a field that Stripe documents raises Unavailable: it proves nothing, and guessing would be worse.
"""

from __future__ import annotations

from typing import Any

from tillbook.kit.errors import Unavailable
from tillbook.kit.money import Money
from tillbook.operations.kinds.sales.close_checkout import CheckoutClosed
from tillbook.operations.kinds.sales.create_checkout import CheckoutOpened
from tillbook.rules.facts import Fact, PaymentSucceeded, ProcessorFee
from tillbook.rules.operations import Json
from tillbook.vendors.protocols import CheckoutState
from tillbook.vendors.stripe.amounts import from_stripe

# An intent in one of these states will never bring the money of a completed page.
_FAILED_INTENT = ("requires_payment_method", "canceled")


def charge_facts(charge: Json) -> tuple[Fact, ...]:
    """What a charge proves: the customer's money once it is captured, and the fee once Stripe has worked it out."""
    if not is_captured(charge):
        return ()
    payment = reference(charge, "payment_intent")
    captured = PaymentSucceeded(
        provider="stripe",
        key=text(charge, "id"),
        occurred_at=number(charge, "created"),
        payment=payment,
        charge=text(charge, "id"),
        amount=money(charge, "amount_captured"),
    )
    fee = _fee(charge.get("balance_transaction"), payment)
    return (captured, fee) if fee else (captured,)


def is_captured(charge: Json) -> bool:
    """Whether this charge moved money: it succeeded, and was not only authorised."""
    succeeded = charge.get("status") == "succeeded"
    return succeeded and charge.get("captured") is True and charge.get("paid") is True


def _fee(transaction: Any, payment: str) -> ProcessorFee | None:
    """The fee of an expanded balance transaction, in the transaction's own currency: what the account settles in."""
    if transaction is None:
        return None
    if not isinstance(transaction, dict):
        raise Unavailable("Stripe did not expand the charge's balance transaction")
    amount = money(transaction, "fee")
    if not amount:
        return None
    return ProcessorFee(
        provider="stripe",
        key=f"{text(transaction, 'id')}:fee",
        occurred_at=number(transaction, "created"),
        payment=payment,
        amount=amount,
    )


def checkout_state(session: Json) -> CheckoutState:
    """A session (its payment intent expanded) as the state of a page."""
    return CheckoutState(
        id=text(session, "id"),
        status=_status(session),
        url=session.get("url") or "",
        amount=money(session, "amount_total"),
        expires_at=number(session, "expires_at"),
        payment=reference(session, "payment_intent"),
    )


def _status(session: Json) -> str:
    """`complete` alone says nothing of money: with a bank debit the page is complete days before it is paid."""
    status = text(session, "status")
    if status in ("open", "expired"):
        return status
    if status != "complete":
        raise Unavailable("Stripe's checkout session is in a state that is not known here")
    if text(session, "payment_status") != "unpaid":
        return "paid"
    intent = session.get("payment_intent")
    failed = isinstance(intent, dict) and intent.get("status") in _FAILED_INTENT
    return "expired" if failed else "processing"


def made_checkout(session: Json) -> CheckoutOpened:
    """A session as the result of a CreateCheckout."""
    return CheckoutOpened(text(session, "id"), session.get("url") or "", number(session, "expires_at"))


def closed_checkout(session: Json) -> CheckoutClosed:
    """A session as the result of a CloseCheckout."""
    return CheckoutClosed(text(session, "id"), text(session, "status"))


def written(holder: Json, name: str) -> str:
    """What we wrote on an object ourselves, in its metadata, or empty when it is not ours."""
    metadata = holder.get("metadata")
    value = metadata.get(name) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""


def reference(holder: Json, name: str) -> str:
    """The id of another object, given bare or expanded, or empty when there is none."""
    value = holder.get(name)
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else ""


def text(holder: Json, name: str) -> str:
    """A field that must be a text. Raises Unavailable when it is not."""
    value = holder.get(name)
    if not isinstance(value, str) or not value:
        raise _unreadable(holder, name)
    return value


def number(holder: Json, name: str) -> int:
    """A field that must be a whole number. Raises Unavailable when it is not."""
    value = holder.get(name)
    if type(value) is not int:
        raise _unreadable(holder, name)
    return value


def money(holder: Json, name: str) -> Money:
    """The money that a field of an object holds. Raises Unavailable when it cannot be read."""
    return from_stripe(number(holder, name), text(holder, "currency"))


def _unreadable(holder: Json, name: str) -> Unavailable:
    return Unavailable(f"Stripe's answer lacks a readable `{name}`; it has {len(holder)} other fields")
