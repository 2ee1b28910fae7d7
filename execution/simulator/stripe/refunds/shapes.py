"""Stripe's objects of a refund and a dispute as they look when they are new."""

from __future__ import annotations

from simulator.stripe.wire.objects import in_order, shaped
from simulator.world import Json

_ANSWER_WITHIN_SECONDS = 45 * 86_400
_EVIDENCE_WITHIN_SECONDS = 7 * 86_400
_EVIDENCE = """access_activity_log billing_address cancellation_policy cancellation_policy_disclosure
    cancellation_rebuttal customer_communication customer_email_address customer_name customer_purchase_ip
    customer_signature duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id
    product_description receipt refund_policy refund_policy_disclosure refund_refusal_explanation service_date
    service_documentation shipping_address shipping_carrier shipping_date shipping_documentation
    shipping_tracking_number uncategorized_file uncategorized_text"""


def refund(key: str, at: int, charge: Json, amount: int, given: Json) -> Json:
    """A refund of `amount` minor units, without its row and its status. `given` are the parameters of the call."""
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    return shaped(
        "refund",
        key,
        "balance_transaction receipt_number source_transfer_reversal transfer_reversal",
        amount=amount,
        charge=charge["id"],
        created=at,
        currency=charge["currency"],
        destination_details={"card": card, "type": "card"},
        metadata=given.get("metadata", {}),
        payment_intent=charge["payment_intent"],
        reason=given.get("reason"),
    )


def customer_asked(at: int, charge: Json) -> Json:
    """The `next_action` of a refund that waits for the customer's account details."""
    address = charge["billing_details"]["email"] or "customer@example.com"
    sent = {"email_sent_at": at, "email_sent_to": address}
    details = {"email_sent": sent, "expires_at": at + _ANSWER_WITHIN_SECONDS}
    return {"type": "display_details", "display_details": details}


def dispute(key: str, at: int, charge: Json, reason: str, status: str, case: str) -> Json:
    """A dispute about what is not refunded of a charge. `case` is what the card network calls it."""
    card = {"brand": "visa", "case_type": case, "network": "visa", "network_reason_code": None}
    return shaped(
        "dispute",
        key,
        "",
        amount=charge["amount_captured"] - charge["amount_refunded"],
        balance_transactions=[],
        charge=charge["id"],
        created=at,
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence=in_order(_EVIDENCE, enhanced_evidence={}),
        evidence_details={
            "due_by": at + _EVIDENCE_WITHIN_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=status.startswith("warning_"),
        livemode=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        payment_method_details={"card": card, "type": "card"},
        reason=reason,
        status=status,
    )
