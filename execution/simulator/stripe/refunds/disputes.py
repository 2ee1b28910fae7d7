"""Payments that a customer's bank questions: an inquiry, or a dispute that stops refunds. No funds move yet."""

from __future__ import annotations

from simulator.stripe.account import Account
from simulator.world import Json

DISPUTE = "dispute"
# How each kind begins: its status, and what the card network calls the case.
_STARTS = {"inquiry": ("warning_needs_response", "inquiry"), "dispute": ("needs_response", "chargeback")}
KINDS = tuple(_STARTS)
REASONS = [
    "bank_cannot_process",
    "check_returned",
    "credit_not_processed",
    "customer_initiated",
    "debit_not_authorized",
    "duplicate",
    "fraudulent",
    "general",
    "incorrect_account_details",
    "insufficient_funds",
    "noncompliant",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
]
_ANSWER_WITHIN_SECONDS = 7 * 86_400
_EVIDENCE = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
]


def of_charge(account: Account, charge: Json) -> Json | None:
    """The dispute of a charge, or None."""
    return next((one for one in account.newest(DISPUTE) if one["charge"] == charge["id"]), None)


def blocks_refunds(account: Account, charge: Json) -> bool:
    """Whether a charge cannot be refunded because it is disputed; an inquiry is no obstacle."""
    found = of_charge(account, charge)
    return found is not None and not found["status"].startswith("warning_")


def begin(account: Account, charge: Json, kind: str, reason: str, at: int) -> Json:
    """Let the customer's bank question what is not refunded of a charge; `kind` is one of KINDS."""
    status, case = _STARTS[kind]
    found = account.save(_shape(account.world.identifier("du"), at, charge, reason, status, case))
    if kind == "dispute":
        charge["disputed"] = True
        account.save(charge)
    account.emit("charge.dispute.created", found, at)
    return found


def _shape(key: str, at: int, charge: Json, reason: str, status: str, case: str) -> Json:
    card = {"brand": "visa", "case_type": case, "network": "visa", "network_reason_code": None}
    return {
        "id": key,
        "object": DISPUTE,
        "amount": charge["amount_captured"] - charge["amount_refunded"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": at,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": at + _ANSWER_WITHIN_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": status.startswith("warning_"),
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"card": card, "type": "card"},
        "reason": reason,
        "status": status,
    }
