"""Stripe's objects, read by id, as our facts and states. Pure: plain dicts in, values out.

An object without a field that Stripe documents raises Unreadable: it proves nothing, and guessing would be worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tillbook.kit.errors import Refused, Unavailable, Unreadable
from tillbook.kit.money import Money
from tillbook.operations.kinds.sales.close_checkout import CheckoutClosed
from tillbook.operations.kinds.sales.create_checkout import CheckoutOpened
from tillbook.rules.events import UnreadableRecord
from tillbook.rules.facts import Fact, PaymentSucceeded, ProcessorFee
from tillbook.rules.operations import Json
from tillbook.vendors.one_by_one import plain
from tillbook.vendors.protocols import CheckoutState
from tillbook.vendors.stripe.amounts import from_stripe

# An intent in one of these states will never bring the money of a completed page.
_FAILED_INTENT = ("requires_payment_method", "canceled")


def charge_facts(charge: Json) -> Iterator[Fact]:
    """What a charge proves: the customer's money once it is captured."""
    if not is_captured(charge):
        return
    yield PaymentSucceeded(
        provider="stripe",
        key=text(charge, "id"),
        occurred_at=number(charge, "created"),
        payment=reference(charge, "payment_intent"),
        charge=text(charge, "id"),
        amount=money(charge, "amount_captured"),
    )


def is_captured(charge: Json) -> bool:
    """Whether this charge moved money: it succeeded, and was not only authorised."""
    succeeded = charge.get("status") == "succeeded"
    return succeeded and charge.get("captured") is True and charge.get("paid") is True


def fee_facts(charge: Json) -> Iterator[Fact]:
    """What Stripe kept of a charge, once it has worked that out: by the charge's balance transaction, in that one's own
    currency, which is what the account settles in."""
    transaction = charge.get("balance_transaction")
    if transaction is None or not is_captured(charge):
        return
    if not isinstance(transaction, dict):
        name = "balance_transaction"
        raise Unreadable(f"Stripe did not expand the charge's {name}", field=name)
    if amount := money(transaction, "fee"):
        yield ProcessorFee(
            provider="stripe",
            key=f"{text(transaction, 'id')}:fee",
            occurred_at=number(transaction, "created"),
            payment=reference(charge, "payment_intent"),
            amount=amount,
        )


def named_fee(charge: Json) -> UnreadableRecord:
    """The balance transaction of a charge, as `named` names it."""
    return replace(named(charge.get("balance_transaction")), payment=reference(charge, "payment_intent"))


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
    """A session as the result of a CreateCheckout. What it lacks beside its id is the result's problem."""
    key, ended = text(session, "id"), session.get("url") is None and session.get("status") in ("complete", "expired")
    try:
        return CheckoutOpened(key, "" if ended else text(session, "url"), number(session, "expires_at"))
    except Unreadable as error:
        return CheckoutOpened(key, "", 0, problem=error.message)  # of a session it is certain that it ends


def closed_checkout(session: Json) -> CheckoutClosed:
    """A session as it is now, as the result of a CloseCheckout."""
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


def named(record: Any) -> UnreadableRecord:
    """As much of an odd record as its name needs."""
    about = record if isinstance(record, dict) else {}
    at = about.get("created")
    source = about["source"] if isinstance(about.get("source"), dict) else about
    return UnreadableRecord(
        vendor="stripe",
        id=plain(about, "id"),
        field="",
        reason="",
        currency=plain(about, "currency").upper(),
        payment=reference(source, "payment_intent"),
        at=at if type(at) is int else 0,
    )


def text(holder: Json, name: str) -> str:
    """A field that must be a text. Raises Unreadable when it is not."""
    value = holder.get(name)
    if not isinstance(value, str) or not value:
        raise _unreadable(holder, name)
    return value


def number(holder: Json, name: str) -> int:
    """A field that must be a whole number. Raises Unreadable when it is not."""
    value = holder.get(name)
    if type(value) is not int:
        raise _unreadable(holder, name)
    return value


def money(holder: Json, name: str) -> Money:
    """The money that a field of an object holds. Raises Unreadable when it cannot be read."""
    amount, currency = number(holder, name), text(holder, "currency")
    try:
        return from_stripe(amount, currency)
    except Refused as refusal:
        raise Unreadable(f"`{name}`: {refusal.message}", field=name) from refusal


def _unreadable(holder: Json, name: str) -> Unreadable:
    return Unreadable(f"Stripe's answer lacks a readable `{name}`; it has {len(holder)} other fields", field=name)
