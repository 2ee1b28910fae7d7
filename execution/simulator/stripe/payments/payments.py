"""What happens when a customer pays a Checkout Session."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from simulator.stripe.account import NOBODY, Account
from simulator.stripe.balance import rows
from simulator.stripe.balance.settlement import settled
from simulator.stripe.checkout import customers, links, sessions
from simulator.stripe.payments import shapes
from simulator.stripe.payments.cards import NOT_AUTHENTICATED, Card, Decline
from simulator.world import Json

INTENT, CHARGE = "payment_intent", "charge"


@dataclass(frozen=True)
class Payer:
    """What the customer typed beside the card."""

    email: str | None
    name: str | None


def attempt(account: Account, session: Json, card: Card, payer: Payer) -> Json:
    """Try to pay an open session with a card. Returns the payment intent."""
    at = account.world.now()
    intent = _intent_of(account, session, at)
    key = account.world.identifier("pm")
    method = account.save(shapes.payment_method(key, at, card, payer.email, payer.name))
    if card.outcome == "challenge":
        return _challenge(account, session, intent, method, at)
    if card.decline:
        return _fail(account, intent, method, card.decline, at)
    return _succeed(account, session, intent, method, at)


def authenticate(account: Account, session: Json, *, passed: bool) -> Json:
    """Answer the 3-D Secure question of a session's intent. Returns the intent."""
    at = account.world.now()
    intent = account.need(INTENT, session[INTENT], "intent")
    method = account.need("payment_method", intent["payment_method"], "payment_method")
    if passed:
        return _succeed(account, session, intent, method, at)
    return _fail(account, intent, method, NOT_AUTHENTICATED, at)


def waits_for_customer(account: Account, session: Json) -> bool:
    """Whether the session's intent waits for the answer to its 3-D Secure question."""
    intent = account.find(INTENT, session[INTENT])
    return intent is not None and intent["status"] == "requires_action"


def settle(account: Account, key: str, at: int) -> None:
    """The balance transaction of a charge appears, and with it the fee."""
    paid = account.find(CHARGE, key)
    if paid is None or paid["balance_transaction"]:
        return
    gross = settled(account, paid["amount"], paid["currency"], at)
    booked = account.save(rows.of_charge(account.world.identifier("txn"), at, paid, gross))
    previous = {"balance_transaction": None}
    paid["balance_transaction"] = booked["id"]
    account.save(paid)
    account.emit("charge.updated", paid, at, previous=previous)
    account.agenda.add(booked["available_on"], "available", booked["id"])


def _intent_of(account: Account, session: Json, at: int) -> Json:
    """The session's intent. It begins with the customer's first try to pay, as at Stripe."""
    if intent := account.find(INTENT, session[INTENT]):
        return intent
    given = account.world.get("stripe.payment_intent_data", session["id"]) or {}
    key = account.world.identifier("pi")
    intent = account.save(shapes.payment_intent(key, secrets.token_hex(12), at, session, given))
    session[INTENT] = key
    account.save(session)
    account.emit("payment_intent.created", intent, at)
    return intent


def _challenge(account: Account, session: Json, intent: Json, method: Json, at: int) -> Json:
    page = f"{account.world.url}/checkout/{session['id']}/authenticate"
    intent.update(
        status="requires_action",
        payment_method=method["id"],
        next_action={"type": "redirect_to_url", "redirect_to_url": {"return_url": session["url"], "url": page}},
    )
    account.save(intent)
    account.emit("payment_intent.requires_action", intent, at)
    return intent


def _fail(account: Account, intent: Json, method: Json, decline: Decline, at: int) -> Json:
    failed = shapes.charge(account.world.identifier("ch"), at, intent, method, decline)
    account.save(failed)
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        latest_charge=failed["id"],
        last_payment_error=shapes.payment_error(failed["id"], decline, method),
    )
    account.save(intent)
    account.emit("charge.failed", failed, at)
    account.emit("payment_intent.payment_failed", intent, at)
    return intent


def _succeed(account: Account, session: Json, intent: Json, method: Json, at: int) -> Json:
    payer = method["billing_details"]
    if session["customer_creation"] == "always" and not session["customer"]:
        session["customer"] = intent["customer"] = customers.create(account, payer, at, NOBODY)["id"]
    paid = account.save(shapes.charge(account.world.identifier("ch"), at, intent, method, None))
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        payment_method=method["id"],
        next_action=None,
        latest_charge=paid["id"],
        last_payment_error=None,
    )
    session.update(
        status="complete",
        payment_status="paid",
        url=None,
        customer_details=shapes.customer_details(payer["email"], payer["name"]),
    )
    account.save(intent)
    account.save(session)
    account.emit("charge.succeeded", paid, at)
    account.emit("payment_intent.succeeded", intent, at)
    account.emit("checkout.session.completed", session, at)
    account.agenda.add(at + account.settle_seconds, "settle", paid["id"])
    for other in links.completed(account, session, at):
        sessions.expire(account, other, at)
    return intent
