"""Stripe's objects of a payment as they look when they are new: intent, card, charge, balance transaction."""

from __future__ import annotations

from simulator.stripe.business import DISPLAY_NAME
from simulator.stripe.payments.cards import Card, Decline
from simulator.stripe.wire.currencies import fee
from simulator.world import Json

_NO_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}


def payment_intent(key: str, secret: str, at: int, paid_by: Json, given: Json) -> Json:
    """The intent of a session (`paid_by`); `given` is the session's `payment_intent_data`."""
    return {
        "id": key,
        "object": "payment_intent",
        "amount": paid_by["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{key}_secret_{secret}",
        "confirmation_method": "automatic",
        "created": at,
        "currency": paid_by["currency"],
        "customer": paid_by["customer"],
        "customer_account": None,
        "description": given.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": given.get("receipt_email"),
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": given.get("statement_descriptor"),
        "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def payment_method(key: str, at: int, card: Card, email: str | None, name: str | None) -> Json:
    """The card that a customer typed, without its number."""
    return {
        "id": key,
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": _billing(email, name),
        "card": {
            "brand": "visa",
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "display_brand": "visa",
            "exp_month": card.month,
            "exp_year": card.year,
            "fingerprint": f"fp{card.last4}",
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": ["visa"], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": at,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def charge(key: str, at: int, intent: Json, method: Json, decline: Decline | None) -> Json:
    """One attempt to take an intent's amount from a card; `decline` says why it failed."""
    paid = decline is None
    return {
        "id": key,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": intent["statement_descriptor"] or DISPLAY_NAME.upper()[:22],
        "captured": paid,
        "created": at,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(decline),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _card_details(method["card"], intent["amount"]), "type": "card"},
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded" if paid else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def payment_error(key: str, decline: Decline, method: Json) -> Json:
    """The `last_payment_error` of an intent; `key` is the id of the failed charge."""
    error: Json = {
        "charge": key,
        "code": decline.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "payment_method": method,
        "type": "card_error" if decline.decline_code else "invalid_request_error",
    }
    return {**error, "decline_code": decline.decline_code} if decline.decline_code else error


def balance_transaction(key: str, at: int, paid: Json) -> Json:
    """What a charge did to the balance: gross, fee and net in minor units, available two days later."""
    kept = fee(paid["amount"])
    return {
        "id": key,
        "object": "balance_transaction",
        "amount": paid["amount"],
        "available_on": at + 2 * 86_400,
        "balance_type": "payments",
        "created": at,
        "currency": paid["currency"],
        "description": paid["description"],
        "exchange_rate": None,
        "fee": kept,
        "fee_details": [
            {
                "amount": kept,
                "application": None,
                "currency": paid["currency"],
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        ],
        "net": paid["amount"] - kept,
        "reporting_category": "charge",
        "source": paid["id"],
        "status": "pending",
        "type": "charge",
    }


def customer_details(email: str | None, name: str | None) -> Json:
    """Who paid a session, as far as the customer typed it."""
    return {
        "address": dict(_NO_ADDRESS),
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _billing(email: str | None, name: str | None) -> Json:
    return {"address": dict(_NO_ADDRESS), "email": email, "name": name, "phone": None, "tax_id": None}


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
    reason: str | None
    if decline is None:
        network, reason, kind, message = "approved_by_network", None, "authorized", "Payment complete."
    else:
        network, kind, message = "declined_by_network", "issuer_declined", "The bank did not accept this payment."
        reason = decline.decline_code or decline.code
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network,
        "reason": reason,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": message,
        "type": kind,
    }
