"""Stripe's objects of a payment as they look when they are new: intent, card and charge."""

from __future__ import annotations

from simulator.names import names
from simulator.stripe.business import DISPLAY_NAME
from simulator.stripe.payments.cards import Card, Decline
from simulator.stripe.wire.objects import in_order, shaped
from simulator.world import Json

_NO_ADDRESS = "city country line1 line2 postal_code state"


def payment_intent(key: str, secret: str, at: int, paid_by: Json, given: Json) -> Json:
    """The intent of a session (`paid_by`). `given` is the session's `payment_intent_data`."""
    card = in_order("installments mandate_options network", request_three_d_secure="automatic")
    return shaped(
        "payment_intent",
        key,
        """application application_fee_amount automatic_payment_methods canceled_at cancellation_reason customer_account
        last_payment_error latest_charge next_action on_behalf_of payment_method payment_method_configuration_details
        processing review setup_future_usage shipping transfer_data transfer_group""",
        amount=paid_by["amount_total"],
        amount_capturable=0,
        amount_details={"tip": {}},
        amount_received=0,
        capture_method="automatic_async",
        client_secret=f"{key}_secret_{secret}",
        confirmation_method="automatic",
        created=at,
        currency=paid_by["currency"],
        customer=paid_by["customer"],
        description=given.get("description"),
        livemode=False,
        metadata=given.get("metadata", {}),
        payment_method_options={"card": card},
        payment_method_types=["card"],
        receipt_email=given.get("receipt_email"),
        statement_descriptor=given.get("statement_descriptor"),
        statement_descriptor_suffix=given.get("statement_descriptor_suffix"),
        status="requires_payment_method",
    )


def payment_method(key: str, at: int, card: Card, email: str | None, name: str | None) -> Json:
    """The card that a customer typed, without its number."""
    return shaped(
        "payment_method",
        key,
        "customer customer_account",
        allow_redisplay="limited",
        billing_details=in_order("phone tax_id", address=in_order(_NO_ADDRESS), email=email, name=name),
        card=in_order(
            "generated_from wallet",
            brand="visa",
            checks=in_order("address_line1_check address_postal_code_check", cvc_check="pass"),
            country="US",
            display_brand="visa",
            exp_month=card.month,
            exp_year=card.year,
            fingerprint=f"fp{card.last4}",
            funding="credit",
            last4=card.last4,
            networks={"available": ["visa"], "preferred": None},
            regulated_status="unregulated",
            three_d_secure_usage={"supported": True},
        ),
        created=at,
        livemode=False,
        metadata={},
        type="card",
    )


def charge(key: str, at: int, intent: Json, method: Json, decline: Decline | None) -> Json:
    """One attempt to take an intent's amount from a card. `decline` says why it failed."""
    paid = decline is None
    kept = "amount currency customer description receipt_email statement_descriptor statement_descriptor_suffix"
    return shaped(
        "charge",
        key,
        """application application_fee application_fee_amount balance_transaction failure_balance_transaction
        on_behalf_of receipt_number receipt_url review shipping source_transfer transfer_data transfer_group""",
        **{name: intent[name] for name in names(kept)},
        amount_captured=intent["amount"] if paid else 0,
        amount_refunded=0,
        billing_details=method["billing_details"],
        calculated_statement_descriptor=intent["statement_descriptor"] or DISPLAY_NAME.upper()[:22],
        captured=paid,
        created=at,
        disputed=False,
        failure_code=decline.code if decline else None,
        failure_message=decline.message if decline else None,
        fraud_details={},
        livemode=False,
        metadata=dict(intent["metadata"]),
        outcome=_outcome(decline),
        paid=paid,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"card": _card_details(method["card"], intent["amount"]), "type": "card"},
        radar_options={},
        refunded=False,
        status="succeeded" if paid else "failed",
    )


def payment_error(key: str, decline: Decline, method: Json) -> Json:
    """The `last_payment_error` of an intent. `key` is the id of the failed charge."""
    error: Json = {
        "charge": key,
        "code": decline.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "payment_method": method,
        "type": "card_error" if decline.decline_code else "invalid_request_error",
    }
    return {**error, "decline_code": decline.decline_code} if decline.decline_code else error


def customer_details(email: str | None, name: str | None) -> Json:
    """Who paid a session, as far as the customer typed it."""
    return in_order(
        "business_name individual_name phone",
        address=in_order(_NO_ADDRESS),
        email=email,
        name=name,
        tax_exempt="none",
        tax_ids=[],
    )


def _card_details(card: Json, amount: int) -> Json:
    same = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    return {
        **{name: card[name] for name in same},
        "amount_authorized": amount,
        "authorization_code": None,
        "installments": None,
        "mandate": None,
        "network": "visa",
        "network_token": {"used": False},
        "network_transaction_id": None,
        "regulated_status": "unregulated",
        "three_d_secure": None,
    }


def _outcome(decline: Decline | None) -> Json:
    seen = {"risk_level": "normal", "risk_score": 12}
    unsaid = "advice_code network_advice_code network_decline_code"
    if decline is None:
        good = {"network_status": "approved_by_network", "reason": None, "type": "authorized"}
        return in_order(unsaid, seller_message="Payment complete.", **good, **seen)
    reason = decline.decline_code or decline.code
    bad = {"network_status": "declined_by_network", "reason": reason, "type": "issuer_declined"}
    return in_order(unsaid, seller_message="The bank did not accept this payment.", **bad, **seen)
