"""The rows of the balance: what charges and refunds did to it, in minor units."""

from __future__ import annotations

from typing import Any

from simulator.stripe.wire.currencies import fee
from simulator.stripe.wire.objects import shaped
from simulator.world import Json

ROW = "balance_transaction"


def of_charge(key: str, at: int, charge: Json) -> Json:
    """Gross, fee and net of a charge, available two days later."""
    kept, currency = fee(charge["amount"]), charge["currency"]
    part = {"amount": kept, "application": None, "currency": currency, "description": "Stripe processing fees"}
    return _row(
        key,
        at,
        charge,
        "charge",
        charge["amount"],
        available_on=at + 2 * 86_400,
        description=charge["description"],
        fee=kept,
        fee_details=[{**part, "type": "stripe_fee"}],
        net=charge["amount"] - kept,
        status="pending",
    )


def of_refund(key: str, at: int, refund: Json, kind: str) -> Json:
    """What a refund takes (`refund`), or what comes back when it fails (`refund_failure`), available at once."""
    if kind == "refund":
        return _row(key, at, refund, kind, -refund["amount"], description="REFUND FOR CHARGE")
    return _row(key, at, refund, kind, refund["amount"], description="REFUND FAILURE")


def of_payout(key: str, at: int, payout: Json) -> Json:
    """What a payout takes."""
    return _row(key, at, payout, "payout", -payout["amount"], description="STRIPE PAYOUT")


def _row(key: str, at: int, source: Json, kind: str, amount: int, **more: Any) -> Json:
    fields = {"available_on": at, "fee": 0, "fee_details": [], "net": amount, "status": "available", **more}
    return shaped(
        ROW,
        key,
        "exchange_rate",
        amount=amount,
        balance_type="payments",
        created=at,
        currency=source["currency"],
        reporting_category=kind,
        source=source["id"],
        type=kind,
        **fields,
    )
