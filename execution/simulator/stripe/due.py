"""What happens at Stripe by itself, when its time has come."""

from __future__ import annotations

from simulator.stripe.account import Account
from simulator.stripe.balance import payouts, rows
from simulator.stripe.checkout import sessions
from simulator.stripe.payments import payments


def run_due(account: Account, until: int) -> None:
    """Carry out everything that became due until a time (UTC seconds), each at the moment it was due."""
    for at, action, subject in account.agenda.take_due(until):
        _ACTIONS[action](account, subject, at)


def _become_available(account: Account, key: str, _at: int) -> None:
    if booked := account.find(rows.ROW, key):
        booked["status"] = "available"
        account.save(booked)


# The words that the agenda knows them by.
_ACTIONS = {
    "arrive": payouts.arrive,
    "available": _become_available,
    "expire": sessions.expire_if_open,
    "settle": payments.settle,
}
