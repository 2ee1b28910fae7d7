"""What other programs and people do with the PayPal account that is not ours alone."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from simulator.paypal.account import Account
from simulator.paypal.orders import orders
from simulator.paypal.orders.payers import payer
from simulator.paypal.orders.request import Wanted
from simulator.paypal.payments import captures, disputes, refunds
from simulator.paypal.statement import rows
from simulator.paypal.wire import amounts
from simulator.paypal.wire.errors import PayPalError
from simulator.rough import strangers
from simulator.world import Json

_VENDOR = "paypal"
_CURRENCIES = ("USD", "USD", "USD", "EUR", "GBP", "JPY", "HUF", "CHF")
# What other programs write on their payments: some of it looks like ours.
_NOTES: tuple[Json, ...] = ({}, {"custom_id": "cart-17"}, {"invoice_id": "INV-1001/7x{}", "custom_id": "op{}"})
_WITHDRAWN, _SENT, _RECEIVED, _FEE = "T0400", "T0000", "T0011", "T0107"
_OTHER_EVENTS = ("BILLING.SUBSCRIPTION.CREATED", "INVOICING.INVOICE.PAID", "CATALOG.PRODUCT.UPDATED")


def act(account: Account, chance: Random, at: int) -> None:
    """Let one stranger do one thing."""
    (deed,) = chance.choices([deed for deed, _ in _DEEDS], [weight for _, weight in _DEEDS])
    deed(account, chance, at)


def _pay_by_order(account: Account, chance: Random, at: int) -> None:
    """An order of another program, approved and captured."""
    order = orders.make(account, Wanted(_unit(account, chance), {}, wallet=False), at)
    orders.approve(account, order, payer(strangers.mail(chance), strangers.name(chance)), at)
    try:
        made = orders.take(account, order, at)
    except PayPalError:  # its invoice number was paid before
        return
    strangers.note(account.world, _VENDOR, orders.ORDER, order["id"])
    strangers.note(account.world, _VENDOR, captures.CAPTURE, made["id"])


def _pay_without_order(account: Account, chance: Random, at: int) -> None:
    """A capture of another API: PayPal knows its order under no id."""
    unit = _unit(account, chance)
    made = captures.make(account, {"id": account.identifier(), "purchase_units": [unit]}, at)
    del made["supplementary_data"]
    made["links"] = [link for link in made["links"] if link["rel"] != "up"]
    account.save(captures.CAPTURE, made)
    strangers.note(account.world, _VENDOR, captures.CAPTURE, made["id"])
    captures.tell(account, made, at)


def _receive(account: Account, chance: Random, at: int) -> None:
    """Money that came without any of the APIs: only the statement shows it."""
    _book(account, chance, at, _RECEIVED, strangers.minor(chance, 2))


def _send(account: Account, chance: Random, at: int) -> None:
    """Somebody pays a bill from the account."""
    _book(account, chance, at, _SENT, -strangers.minor(chance, 2))


def _withdraw(account: Account, chance: Random, at: int) -> None:
    """Money goes to the bank."""
    _book(account, chance, at, _WITHDRAWN, -strangers.minor(chance, 2))


def _charge_a_fee(account: Account, chance: Random, at: int) -> None:
    """PayPal takes what one of its products costs."""
    _book(account, chance, at, _FEE, -chance.randint(50, 3_000))


def _refund(account: Account, chance: Random, at: int) -> None:
    """A part of a payment of a stranger goes back."""
    capture = _some_capture(account, chance)
    if capture is None:
        return
    currency = capture["amount"]["currency_code"]
    left = amounts.minor(capture["amount"]) - refunds.refunded(account, capture)
    wanted = {"amount": amounts.money(chance.randint(1, max(1, left)), currency)}
    try:
        made = refunds.give_back(account, capture, wanted, at, start="COMPLETED")
    except PayPalError:  # it is disputed, or nothing is left of it
        return
    strangers.note(account.world, _VENDOR, refunds.REFUND, made["id"])


def _dispute(account: Account, chance: Random, at: int) -> None:
    """A payer questions a payment to a stranger."""
    capture = _some_capture(account, chance)
    if capture is None or disputes.of_capture(account, capture["id"]) is not None:
        return
    left = amounts.minor(capture["amount"]) - refunds.refunded(account, capture)
    if left > 0:
        kind, reason = chance.choice(disputes.KINDS), chance.choice(disputes.REASONS)
        made = disputes.begin(account, capture, kind, reason, left, at)
        strangers.note(account.world, _VENDOR, disputes.DISPUTE, made["id"])


def _end_dispute(account: Account, chance: Random, at: int) -> None:
    """PayPal decides about a payment to a stranger."""
    keys = strangers.noted(account.world, _VENDOR, disputes.DISPUTE)
    found = account.find(disputes.DISPUTE, chance.choice(keys)) if keys else None
    if found and found["status"] != "RESOLVED":
        disputes.end(account, found, chance.choice(disputes.OUTCOMES), at)


def _tell_something_else(account: Account, chance: Random, at: int) -> None:
    """An event about things that no payment is made of."""
    kind = chance.choice(_OTHER_EVENTS)
    thing = {"id": account.identifier(), "name": strangers.name(chance)}
    account.emit(kind, kind.partition(".")[0].lower(), thing, at, "Something happened")


_DEEDS: tuple[tuple[Callable[[Account, Random, int], None], int], ...] = (
    (_pay_by_order, 4),
    (_pay_without_order, 4),
    (_receive, 2),
    (_send, 2),
    (_withdraw, 1),
    (_charge_a_fee, 1),
    (_refund, 3),
    (_dispute, 2),
    (_end_dispute, 2),
    (_tell_something_else, 2),
)


def _unit(account: Account, chance: Random) -> Json:
    currency = chance.choice(_CURRENCIES)
    amount = amounts.money(strangers.minor(chance, amounts.places(currency)), currency)
    written = {name: text.format(account.identifier()) for name, text in chance.choice(_NOTES).items()}
    return {"reference_id": "default", "amount": amount, **written}


def _book(account: Account, chance: Random, at: int, code: str, minor: int) -> None:
    key = account.identifier()
    rows.add_row(account, transaction_id=key, code=code, at=at, amount_minor=minor)
    strangers.note(account.world, _VENDOR, rows.ROW, key)


def _some_capture(account: Account, chance: Random) -> Json | None:
    keys = strangers.noted(account.world, _VENDOR, captures.CAPTURE)
    return account.find(captures.CAPTURE, chance.choice(keys)) if keys else None
