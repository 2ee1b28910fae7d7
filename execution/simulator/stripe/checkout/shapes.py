"""Stripe's objects before a payment as they look when they are new: customer, session, link and their lines."""

from __future__ import annotations

from simulator.names import names
from simulator.stripe.wire.objects import in_order, shaped
from simulator.world import Json

_INTENT_DATA = """capture_method description setup_future_usage statement_descriptor statement_descriptor_suffix
    transfer_group"""
_TEXTS = "after_submit shipping_address submit terms_of_service_acceptance"


def customer(key: str, at: int, given: Json) -> Json:
    """A customer. `given` are the parameters of the call."""
    typed = ("address", "description", "email", "name", "phone")
    return shaped(
        "customer",
        key,
        "currency default_source shipping test_clock",
        **{name: given.get(name) for name in typed},
        balance=0,
        created=at,
        delinquent=False,
        invoice_prefix=key[-8:].upper(),
        invoice_settings=in_order("custom_fields default_payment_method footer rendering_options"),
        livemode=False,
        metadata=given.get("metadata", {}),
        next_invoice_sequence=1,
        preferred_locales=given.get("preferred_locales", []),
        tax_exempt=given.get("tax_exempt", "none"),
    )


def line_item(keys: tuple[str, ...], at: int, given: Json) -> Json:
    """One line of a session. `keys` are the ids of the line, its price and its product."""
    line, price, product = keys
    data, quantity = given["price_data"], given["quantity"]
    currency, unit, total = data["currency"], data["unit_amount"], data["unit_amount"] * quantity
    return shaped(
        "item",
        line,
        "adjustable_quantity",
        amount_discount=0,
        amount_subtotal=total,
        amount_tax=0,
        amount_total=total,
        currency=currency,
        description=data["product_data"]["name"],
        metadata=given.get("metadata", {}),
        price=shaped(
            "price",
            price,
            "custom_unit_amount lookup_key nickname recurring tiers_mode transform_quantity",
            active=False,
            billing_scheme="per_unit",
            created=at,
            currency=currency,
            livemode=False,
            metadata={},
            product=product,
            tax_behavior=data.get("tax_behavior", "unspecified"),
            type="one_time",
            unit_amount=unit,
            unit_amount_decimal=str(unit),
        ),
        quantity=quantity,
    )


def session(key: str, at: int, given: Json, total: int, currency: str) -> Json:
    """An open Checkout Session. `total` is in minor units. Its `url` is set by whoever knows the address."""
    typed = """billing_address_collection cancel_url client_reference_id customer customer_email locale payment_link
        submit_type"""
    return shaped(
        "checkout.session",
        key,
        """after_expiration allow_promotion_codes client_secret collected_information consent consent_collection
        currency_conversion customer_account customer_details invoice invoice_creation origin_context payment_intent
        payment_method_configuration_details permissions recovered_from saved_payment_method_options setup_intent
        shipping_address_collection shipping_cost subscription url wallet_options""",
        **{name: given.get(name) for name in names(typed)},
        adaptive_pricing={"enabled": False},
        amount_subtotal=total,
        amount_total=total,
        automatic_tax=in_order("liability provider status", enabled=False),
        created=at,
        currency=currency,
        custom_fields=[],
        custom_text=in_order(_TEXTS),
        customer_creation=None if given.get("customer") else given.get("customer_creation", "if_required"),
        discounts=[],
        expires_at=given.get("expires_at", at + 86_400),
        livemode=False,
        metadata=given.get("metadata", {}),
        mode="payment",
        payment_method_collection="if_required",
        payment_method_options={},
        payment_method_types=["card"],
        payment_status="unpaid",
        phone_number_collection={"enabled": False},
        shipping_options=[],
        status="open",
        success_url=given["success_url"],
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        ui_mode="hosted_page",
    )


def payment_link(key: str, given: Json, currency: str) -> Json:
    """An active Payment Link. Its `url` is set by whoever knows the address."""
    after = given.get("after_completion", {"type": "hosted_confirmation"})
    if after["type"] == "hosted_confirmation":
        after = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": None}} | after
    data, limits = given.get("payment_intent_data"), given.get("restrictions")
    return shaped(
        "payment_link",
        key,
        """application application_fee_amount application_fee_percent consent_collection invoice_creation on_behalf_of
        payment_method_types shipping_address_collection subscription_data transfer_data url""",
        active=True,
        after_completion=after,
        allow_promotion_codes=False,
        automatic_tax={"enabled": False, "liability": None},
        billing_address_collection=given.get("billing_address_collection", "auto"),
        currency=currency,
        custom_fields=[],
        custom_text=in_order(_TEXTS),
        customer_creation=given.get("customer_creation", "if_required"),
        inactive_message=given.get("inactive_message"),
        livemode=False,
        metadata=given.get("metadata", {}),
        payment_intent_data=data and {**dict.fromkeys(names(_INTENT_DATA)), "metadata": {}, **data},
        payment_method_collection="always",
        phone_number_collection={"enabled": False},
        restrictions=limits and {"completed_sessions": {"count": 0, **limits["completed_sessions"]}},
        shipping_options=[],
        submit_type=given.get("submit_type", "auto"),
        tax_id_collection={"enabled": False, "required": "never"},
    )
