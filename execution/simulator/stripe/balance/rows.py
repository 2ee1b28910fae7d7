"""The rows of the balance: what charges, refunds and disputes did to it, in minor units of what it settles in."""

from __future__ import annotations

from typing import Any

from simulator.stripe.balance.settlement import Settled
from simulator.stripe.wire.currencies import fee
from simulator.stripe.wire.objects import shaped
from simulator.world import Json

ROW = "balance_transaction"


def of_charge(key: str, at: int, charge: Json, gross: Settled) -> Json:
    """Gross, fee and net of a charge, available two days later."""
    return _row(
        key,
        at,
        charge["id"],
        "charge",
        gross,
        kept=fee(gross.amount),
        kept_for="Stripe processing fees",
        available_on=at + 2 * 86_400,
        description=charge["description"],
        status="pending",
    )


def of_refund(key: str, at: int, refund: Json, kind: str, amount: Settled) -> Json:
    """What a refund takes (`refund`), or what comes back when it fails (`refund_failure`), available at once."""
    words = "REFUND FOR CHARGE" if kind == "refund" else "REFUND FAILURE"
    return _row(key, at, refund["id"], kind, amount, description=words)


def of_dispute(key: str, at: int, dispute: Json, kind: str, amount: Settled, kept: int) -> Json:
    """What a `dispute` takes with its fee (`kept`), or what a `dispute_reversal` brings back."""
    words = f"Chargeback {'withdrawal' if kind == 'dispute' else 'reversal'} for {dispute['charge']}"
    more = {"type": "adjustment", "description": words}
    return _row(key, at, dispute["id"], kind, amount, kept=kept, kept_for="Dispute fee", **more)


def of_fee(key: str, at: int, kept: int) -> Json:
    """What Stripe takes for one of its products, in cents: a row without a source."""
    return _row(key, at, None, "fee", Settled(-kept, "usd"), type="stripe_fee", description="Radar for Fraud Teams")


def of_payout(key: str, at: int, payout: Json) -> Json:
    """What a payout takes."""
    amount = Settled(-payout["amount"], payout["currency"])
    return _row(key, at, payout["id"], "payout", amount, description="STRIPE PAYOUT")


def of_returned_payout(key: str, at: int, payout: Json) -> Json:
    """What a payout that failed brings back."""
    amount = Settled(payout["amount"], payout["currency"])
    return _row(key, at, payout["id"], "payout_reversal", amount, type="payout_failure", description="PAYOUT FAILURE")


def _row(
    key: str,
    at: int,
    source: str | None,
    category: str,
    amount: Settled,
    *,
    kept: int = 0,
    kept_for: str = "",
    **more: Any,
) -> Json:
    part = {"amount": kept, "application": None, "currency": amount.currency, "description": kept_for}
    fields = {
        "available_on": at,
        "fee": kept,
        "fee_details": [{**part, "type": "stripe_fee"}] if kept else [],
        "net": amount.amount - kept,
        "status": "available",
        "type": category,
        **more,
    }
    return shaped(
        ROW,
        key,
        "",
        amount=amount.amount,
        balance_type="payments",
        created=at,
        currency=amount.currency,
        exchange_rate=amount.rate,
        reporting_category=category,
        source=source,
        **fields,
    )
