"""Stripe's objects before a payment as they look when they are new: customer, session, link and their lines."""

from __future__ import annotations

from simulator.world import Json

_INTENT_DATA = (
    "capture_method",
    "description",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def customer(key: str, at: int, given: Json) -> Json:
    """A customer; `given` are the parameters of the call."""
    return {
        "id": key,
        "object": "customer",
        "address": given.get("address"),
        "balance": 0,
        "created": at,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": given.get("description"),
        "email": given.get("email"),
        "invoice_prefix": key[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "name": given.get("name"),
        "next_invoice_sequence": 1,
        "phone": given.get("phone"),
        "preferred_locales": given.get("preferred_locales", []),
        "shipping": None,
        "tax_exempt": given.get("tax_exempt", "none"),
        "test_clock": None,
    }


def line_item(keys: tuple[str, ...], at: int, given: Json) -> Json:
    """One line of a session; `keys` are the ids of the line, its price and its product."""
    line, price, product = keys
    data, quantity = given["price_data"], given["quantity"]
    currency, unit, total = data["currency"], data["unit_amount"], data["unit_amount"] * quantity
    return {
        "id": line,
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": currency,
        "description": data["product_data"]["name"],
        "metadata": given.get("metadata", {}),
        "price": {
            "id": price,
            "object": "price",
            "active": False,
            "billing_scheme": "per_unit",
            "created": at,
            "currency": currency,
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": None,
            "metadata": {},
            "nickname": None,
            "product": product,
            "recurring": None,
            "tax_behavior": data.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": unit,
            "unit_amount_decimal": str(unit),
        },
        "quantity": quantity,
    }


def session(key: str, at: int, given: Json, total: int, currency: str) -> Json:
    """An open Checkout Session; `total` in minor units. Its `url` is set by whoever knows the address."""
    return {
        "id": key,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": given.get("billing_address_collection"),
        "cancel_url": given.get("cancel_url"),
        "client_reference_id": given.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": at,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": given.get("customer"),
        "customer_account": None,
        "customer_creation": None if given.get("customer") else given.get("customer_creation", "if_required"),
        "customer_details": None,
        "customer_email": given.get("customer_email"),
        "discounts": [],
        "expires_at": given.get("expires_at", at + 86_400),
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": given.get("locale"),
        "metadata": given.get("metadata", {}),
        "mode": "payment",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": given.get("payment_link"),
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": given.get("submit_type"),
        "subscription": None,
        "success_url": given["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": None,
        "wallet_options": None,
    }


def payment_link(key: str, given: Json, currency: str) -> Json:
    """An active Payment Link. Its `url` is set by whoever knows the address."""
    after = given.get("after_completion", {"type": "hosted_confirmation"})
    if after["type"] == "hosted_confirmation":
        after = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": None}} | after
    data, limits = given.get("payment_intent_data"), given.get("restrictions")
    return {
        "id": key,
        "object": "payment_link",
        "active": True,
        "after_completion": after,
        "allow_promotion_codes": False,
        "application": None,
        "application_fee_amount": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_address_collection": given.get("billing_address_collection", "auto"),
        "consent_collection": None,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer_creation": given.get("customer_creation", "if_required"),
        "inactive_message": given.get("inactive_message"),
        "invoice_creation": None,
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "on_behalf_of": None,
        "payment_intent_data": data and {**dict.fromkeys(_INTENT_DATA), "metadata": {}, **data},
        "payment_method_collection": "always",
        "payment_method_types": None,
        "phone_number_collection": {"enabled": False},
        "restrictions": limits and {"completed_sessions": {"count": 0, **limits["completed_sessions"]}},
        "shipping_address_collection": None,
        "shipping_options": [],
        "submit_type": given.get("submit_type", "auto"),
        "subscription_data": None,
        "tax_id_collection": {"enabled": False, "required": "never"},
        "transfer_data": None,
        "url": None,
    }
