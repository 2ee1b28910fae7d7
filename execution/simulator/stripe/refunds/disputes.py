"""Payments that a customer's bank questions: an inquiry, or a dispute that stops refunds. No funds move yet."""

from __future__ import annotations

from simulator.names import names
from simulator.stripe.account import Account
from simulator.stripe.refunds import shapes
from simulator.world import Json

DISPUTE = "dispute"
# How each kind begins: its status, and what the card network calls the case.
_STARTS = {"inquiry": ("warning_needs_response", "inquiry"), "dispute": ("needs_response", "chargeback")}
KINDS = tuple(_STARTS)
REASONS = names(
    """bank_cannot_process check_returned credit_not_processed customer_initiated debit_not_authorized duplicate
    fraudulent general incorrect_account_details insufficient_funds noncompliant product_not_received
    product_unacceptable subscription_canceled unrecognized"""
)


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
    if kind == "dispute":
        charge["disputed"] = True
        account.save(charge)
    account.emit("charge.dispute.created", found, at)
    return found
