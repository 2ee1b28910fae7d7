"""Stripe's objects of a refund as they look when they are new: the refund and its rows on the balance."""

from __future__ import annotations

from simulator.world import Json

_ANSWER_WITHIN_SECONDS = 45 * 86_400


def refund(key: str, at: int, charge: Json, amount: int, given: Json) -> Json:
    """A refund of `amount` minor units, without its row and its status; `given` are the parameters of the call."""
    return {
        "id": key,
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": at,
        "currency": charge["currency"],
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": given.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": given.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "transfer_reversal": None,
    }


def row(key: str, at: int, refund: Json, kind: str) -> Json:
    """What a refund takes from the balance (`refund`), or what comes back when it fails (`refund_failure`)."""
    amount = -refund["amount"] if kind == "refund" else refund["amount"]
    return {
        "id": key,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": at,
        "balance_type": "payments",
        "created": at,
        "currency": refund["currency"],
        "description": "REFUND FOR CHARGE" if kind == "refund" else "REFUND FAILURE",
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": kind,
        "source": refund["id"],
        "status": "available",
        "type": kind,
    }


def customer_asked(at: int, charge: Json) -> Json:
    """The `next_action` of a refund that waits for the customer's account details."""
    address = charge["billing_details"]["email"] or "customer@example.com"
    sent = {"email_sent_at": at, "email_sent_to": address}
    details = {"email_sent": sent, "expires_at": at + _ANSWER_WITHIN_SECONDS}
    return {"type": "display_details", "display_details": details}
