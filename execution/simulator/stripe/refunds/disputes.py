"""Payments that a customer's bank questions: an inquiry, or a dispute that stops refunds.

With the habit `disputed_money` a dispute takes its amount and a fee at once. When it is won the amount comes back.
"""

from __future__ import annotations

from simulator.names import names
from simulator.rough import habits
from simulator.stripe.account import Account
from simulator.stripe.balance import rows
from simulator.stripe.balance.settlement import Settled, settled
from simulator.stripe.refunds import shapes
from simulator.world import Json

DISPUTE = "dispute"
# How each kind begins: its status, and what the card network calls the case.
_STARTS = {"inquiry": ("warning_needs_response", "inquiry"), "dispute": ("needs_response", "chargeback")}
KINDS = tuple(_STARTS)
OUTCOMES = ("won", "lost")
REASONS = names(
    """bank_cannot_process check_returned credit_not_processed customer_initiated debit_not_authorized duplicate
    fraudulent general incorrect_account_details insufficient_funds noncompliant product_not_received
    product_unacceptable subscription_canceled unrecognized"""
)
_FEE = 1_500
_ENDED = ("won", "lost", "warning_closed")


def of_charge(account: Account, charge: Json) -> Json | None:
    """The dispute of a charge, or None."""
    return next((one for one in account.newest(DISPUTE) if one["charge"] == charge["id"]), None)


def blocks_refunds(account: Account, charge: Json) -> bool:
    """Whether a charge cannot be refunded because it is disputed. An inquiry does not matter."""
    found = of_charge(account, charge)
    return found is not None and not found["status"].startswith("warning_")


def begin(account: Account, charge: Json, kind: str, reason: str, at: int) -> Json:
    """Let the customer's bank question what is not refunded of a charge. `kind` is one of KINDS."""
    status, case = _STARTS[kind]
    found = account.save(shapes.dispute(account.world.identifier("du"), at, charge, reason, status, case))
    takes = kind == "dispute" and habits.has(account.world, "disputed_money")
    if takes:
        amount = settled(account, found["amount"], found["currency"], at)
        _move(account, found, "dispute", amount.negated(), at, _FEE)
    if kind == "dispute":
        charge["disputed"] = True
        account.save(charge)
    account.emit("charge.dispute.created", found, at)
    if takes:
        account.emit("charge.dispute.funds_withdrawn", found, at)
    return found


def can_end(dispute: Json) -> bool:
    """Whether a dispute is still undecided."""
    return dispute["status"] not in _ENDED


def end(account: Account, dispute: Json, outcome: str, at: int) -> Json:
    """Let a dispute be `won` or `lost`. An inquiry is closed, whoever was right."""
    assert can_end(dispute), f"a dispute with status {dispute['status']} is over"
    previous = {"status": dispute["status"]}
    inquiry = dispute["status"].startswith("warning_")
    dispute["status"] = "warning_closed" if inquiry else outcome
    dispute["is_charge_refundable"] = False
    returned = outcome == "won" and bool(dispute["balance_transactions"])
    if returned:
        taken = dispute["balance_transactions"][0]
        amount = Settled(-taken["amount"], taken["currency"], taken["exchange_rate"])
        _move(account, dispute, "dispute_reversal", amount, at, 0)
    account.save(dispute)
    account.emit("charge.dispute.closed", dispute, at, previous=previous)
    if returned:
        account.emit("charge.dispute.funds_reinstated", dispute, at)
    return dispute


def _move(account: Account, dispute: Json, category: str, amount: Settled, at: int, kept: int) -> None:
    """Book what a dispute takes or brings back. The dispute shows the row."""
    row = rows.of_dispute(account.world.identifier("txn"), at, dispute, category, amount, kept)
    dispute["balance_transactions"].append(account.save(row))
    account.save(dispute)
