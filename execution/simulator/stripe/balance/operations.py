"""The operations of the API about the balance, its rows and payouts."""

from __future__ import annotations

from simulator.stripe.balance import payouts
from simulator.stripe.balance.rows import ROW
from simulator.stripe.operation import READ, Call, Operation, listed, retrieve
from simulator.stripe.wire.errors import invalid
from simulator.stripe.wire.forms import Moment, Text
from simulator.stripe.wire.listing import dated_form, page
from simulator.world import Json

_PAYOUT = payouts.PAYOUT
_ROWS = dated_form(currency=Text(), payout=Text(), source=Text(), type=Text())
_PAYOUTS = dated_form(
    arrival_date=Moment(), destination=Text(), status=Text(("canceled", "failed", "in_transit", "paid", "pending"))
)


def _balance(call: Call) -> Json:
    sums: dict[str, dict[str, int]] = {"available": {"usd": 0}, "pending": {"usd": 0}}
    for booked in call.account.newest(ROW):
        part = sums[booked["status"]]
        part[booked["currency"]] = part.get(booked["currency"], 0) + booked["net"]
    parts = {
        name: [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency, amount in sorted(part.items())
        ]
        for name, part in sums.items()
    }
    return {"object": "balance", **parts, "livemode": False}


def _list_rows(call: Call) -> Json:
    if "payout" in call.params:  # which rows an automatic payout gathers is not known here yet
        raise invalid(f"No such payout: '{call.params['payout']}'", "payout", "resource_missing")
    return listed(ROW, "type", "source", "currency")(call)


def _list_payouts(call: Call) -> Json:
    return page(payouts.found(call.account, call.params), call.params, call.path, _PAYOUT)


OPERATIONS = (
    Operation("GET", "/v1/balance", READ, "balance", _balance),
    Operation("GET", "/v1/balance_transactions", _ROWS, ROW, _list_rows),
    Operation("GET", "/v1/balance_transactions/{}", READ, ROW, retrieve(ROW)),
    Operation("GET", "/v1/payouts", _PAYOUTS, _PAYOUT, _list_payouts),
    Operation("GET", "/v1/payouts/{}", READ, _PAYOUT, retrieve(_PAYOUT, "payout")),
)
