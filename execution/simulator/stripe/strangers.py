"""What other programs and people do with the Stripe account that is not ours alone."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from simulator.rough import strangers
from simulator.stripe.account import NOBODY, Account
from simulator.stripe.balance import payouts, rows
from simulator.stripe.checkout import customers
from simulator.stripe.payments import cards, payments, shapes
from simulator.stripe.refunds import disputes, refunds
from simulator.stripe.wire.currencies import WHOLE_UNITS, places
from simulator.stripe.wire.errors import StripeError
from simulator.world import Json

_VENDOR = "stripe"
_GOOD_CARD, _BAD_CARD = "4242424242424242", "4000000000000002"
_CURRENCIES = ("usd", "usd", "usd", "eur", "gbp", "jpy", "isk", "huf", "bgn")
# What other programs write on their payments: some of it looks like ours.
_NOTES: tuple[Json, ...] = ({}, {"order_id": "2026/0815"}, {"invoice": "INV-1001", "operation": "42"}, {"é": "ü"})
_PAYOUT_SHARE = 3
_OTHER_EVENTS = ("product.created", "invoice.paid", "person.updated", "radar.early_fraud_warning.created")


def act(account: Account, chance: Random, at: int) -> None:
    """Let one stranger do one thing."""
    (deed,) = chance.choices([deed for deed, _ in _DEEDS], [weight for _, weight in _DEEDS])
    deed(account, chance, at)


def _pay(account: Account, chance: Random, at: int) -> None:
    """A payment by an intent of another program."""
    intent = _intent(account, chance, at)
    charge = _charge(account, chance, at, intent)
    intent.update(status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"])
    intent["payment_method"] = charge["payment_method"]
    account.save(intent)
    strangers.note(account.world, _VENDOR, payments.INTENT, intent["id"])
    account.emit("payment_intent.succeeded", intent, at)


def _pay_without_intent(account: Account, chance: Random, at: int) -> None:
    """A payment by a program from before payment intents: its events tell of a charge only."""
    _charge(account, chance, at, {**_intent(account, chance, at), "id": None})


def _fail_to_pay(account: Account, chance: Random, at: int) -> None:
    """A card that was declined."""
    intent = account.save(_intent(account, chance, at))
    method = _method(account, chance, at, _BAD_CARD)
    decline = cards.find(_BAD_CARD)
    assert decline is not None, "it is a test card"
    failed = account.save(shapes.charge(account.world.identifier("ch"), at, intent, method, decline.decline))
    strangers.note(account.world, _VENDOR, payments.INTENT, intent["id"])
    account.emit("charge.failed", failed, at)
    account.emit("payment_intent.payment_failed", intent, at)


def _refund(account: Account, chance: Random, at: int) -> None:
    """A part of a payment of a stranger goes back. Some such refunds fail later."""
    charge = _some_charge(account, chance)
    if charge is None:
        return
    unit = 100 if charge["currency"] in WHOLE_UNITS else 1
    left = (charge["amount"] - charge["amount_refunded"]) // unit
    try:
        amount = chance.randint(1, max(1, left)) * unit
        refund = refunds.create(account, {"charge": charge["id"], "amount": amount}, at, start="succeeded")
    except StripeError:  # it is disputed, or nothing is left of it
        return
    strangers.note(account.world, _VENDOR, refunds.REFUND, refund["id"])
    if chance.random() < 0.2:
        refunds.end(account, refund, "failed", at)


def _dispute(account: Account, chance: Random, at: int) -> None:
    """A bank questions a payment of a stranger."""
    charge = _some_charge(account, chance)
    if charge and disputes.of_charge(account, charge) is None and charge["amount"] > charge["amount_refunded"]:
        found = disputes.begin(account, charge, chance.choice(disputes.KINDS), chance.choice(disputes.REASONS), at)
        strangers.note(account.world, _VENDOR, disputes.DISPUTE, found["id"])


def _end_dispute(account: Account, chance: Random, at: int) -> None:
    """A bank decides about a stranger's payment."""
    keys = strangers.noted(account.world, _VENDOR, disputes.DISPUTE)
    found = account.find(disputes.DISPUTE, chance.choice(keys)) if keys else None
    if found and disputes.can_end(found):
        disputes.end(account, found, chance.choice(disputes.OUTCOMES), at)


def _pay_out(account: Account, chance: Random, at: int) -> None:
    """Stripe sends a part of what it holds to the bank."""
    amount = payouts.available(account, "usd") // _PAYOUT_SHARE
    if amount > 0:
        payout = payouts.begin(account, amount, "usd", at)
        strangers.note(account.world, _VENDOR, payouts.PAYOUT, payout["id"])


def _fail_payout(account: Account, chance: Random, at: int) -> None:
    """The bank of the business sends money back."""
    keys = strangers.noted(account.world, _VENDOR, payouts.PAYOUT)
    payout = account.find(payouts.PAYOUT, chance.choice(keys)) if keys else None
    if payout and payout["status"] != "failed":
        payouts.fail(account, payout, at)


def _charge_a_fee(account: Account, chance: Random, at: int) -> None:
    """Stripe takes what one of its products costs."""
    row = account.save(rows.of_fee(account.world.identifier("txn"), at, chance.randint(50, 3_000)))
    strangers.note(account.world, _VENDOR, rows.ROW, row["id"])


def _change_customer(account: Account, chance: Random, at: int) -> None:
    """Another program makes a customer, changes one, or deletes one."""
    keys = strangers.noted(account.world, _VENDOR, customers.CUSTOMER)
    known = account.find(customers.CUSTOMER, chance.choice(keys)) if keys else None
    if known is None or known.get("deleted"):
        who = {"name": strangers.name(chance), "email": strangers.mail(chance), "metadata": {}}
        made = customers.create(account, who, at, NOBODY)
        strangers.note(account.world, _VENDOR, customers.CUSTOMER, made["id"])
    elif chance.random() < 0.5:
        customers.update(account, known, {"name": strangers.name(chance)}, at, NOBODY)
    else:
        customers.delete(account, known, at, NOBODY)


def _tell_something_else(account: Account, chance: Random, at: int) -> None:
    """An event about things that no payment is made of."""
    kind = chance.choice(_OTHER_EVENTS)
    thing = {"id": account.world.identifier("obj"), "object": kind.rpartition(".")[0], "name": strangers.name(chance)}
    account.emit(kind, thing, at)


_DEEDS: tuple[tuple[Callable[[Account, Random, int], None], int], ...] = (
    (_pay, 6),
    (_pay_without_intent, 3),
    (_fail_to_pay, 1),
    (_refund, 3),
    (_dispute, 2),
    (_end_dispute, 2),
    (_pay_out, 2),
    (_fail_payout, 1),
    (_charge_a_fee, 1),
    (_change_customer, 2),
    (_tell_something_else, 2),
)


def _intent(account: Account, chance: Random, at: int) -> Json:
    currency = chance.choice(_CURRENCIES)
    amount = strangers.minor(chance, places(currency))
    if currency in WHOLE_UNITS:
        amount -= amount % 100
    asked = {"amount_total": amount, "currency": currency, "customer": None}
    given = {"description": strangers.name(chance), "metadata": dict(chance.choice(_NOTES))}
    return shapes.payment_intent(account.world.identifier("pi"), "secret", at, asked, given)


def _charge(account: Account, chance: Random, at: int, intent: Json) -> Json:
    method = _method(account, chance, at, _GOOD_CARD)
    charge = account.save(shapes.charge(account.world.identifier("ch"), at, intent, method, None))
    strangers.note(account.world, _VENDOR, payments.CHARGE, charge["id"])
    account.emit("charge.succeeded", charge, at)
    account.agenda.add(at + account.settle_seconds, "settle", charge["id"])
    return charge


def _method(account: Account, chance: Random, at: int, number: str) -> Json:
    card = cards.find(number)
    assert card is not None, "it is a test card"
    who = strangers.mail(chance), strangers.name(chance)
    return account.save(shapes.payment_method(account.world.identifier("pm"), at, card, *who))


def _some_charge(account: Account, chance: Random) -> Json | None:
    keys = strangers.noted(account.world, _VENDOR, payments.CHARGE)
    return account.find(payments.CHARGE, chance.choice(keys)) if keys else None
