"""The parameters of the operations about customers, Checkout Sessions and Payment Links."""

from __future__ import annotations

from simulator.stripe.operation import READ
from simulator.stripe.wire.forms import Address, Flag, Form, Many, Metadata, Text, Whole
from simulator.stripe.wire.listing import dated_form, form

_ADDRESS = Form({name: Text(unset=True) for name in ("city", "country", "line1", "line2", "postal_code", "state")})
_PRODUCT = Form(
    {"name": Text(), "description": Text(most=40_000), "metadata": Metadata(), "tax_code": Text()}, required=("name",)
)
_PRICE = Form(
    {
        "currency": Text(),
        "product_data": _PRODUCT,
        "unit_amount": Whole(),
        "tax_behavior": Text(("exclusive", "inclusive", "unspecified")),
    },
    required=("currency", "product_data", "unit_amount"),
)
_LINE = Form({"price_data": _PRICE, "quantity": Whole(1), "metadata": Metadata()}, required=("price_data", "quantity"))
_INTENT_DATA = Form(
    {
        "capture_method": Text(("automatic", "automatic_async")),
        "description": Text(most=1000),
        "metadata": Metadata(),
        "receipt_email": Text(),
        "statement_descriptor": Text(most=22),
        "statement_descriptor_suffix": Text(most=22),
    }
)

# A link's lines have no metadata, and nobody is known yet to whom a receipt could go.
_LINK_LINE = Form({"price_data": _PRICE, "quantity": Whole(1)}, required=("price_data", "quantity"))
_LINK_INTENT_DATA = Form({name: field for name, field in _INTENT_DATA.fields.items() if name != "receipt_email"})

CUSTOMER = READ.including(
    {
        "address": _ADDRESS,
        "description": Text(unset=True),
        "email": Text(most=512, unset=True),
        "metadata": Metadata(),
        "name": Text(most=256, unset=True),
        "phone": Text(most=20, unset=True),
        "preferred_locales": Many(Text()),
        "tax_exempt": Text(("none", "exempt", "reverse")),
    }
)
SESSION = READ.including(
    {
        "automatic_tax": Form({"enabled": Flag(only=False)}, required=("enabled",)),
        "billing_address_collection": Text(("auto", "required")),
        "cancel_url": Address(),
        "client_reference_id": Text(most=200),
        "currency": Text(),
        "customer": Text(),
        "customer_creation": Text(("always", "if_required")),
        "customer_email": Text(most=800),
        "expires_at": Whole(),
        "line_items": Many(_LINE),
        "locale": Text(),
        "metadata": Metadata(),
        "mode": Text(("payment",)),
        "payment_intent_data": _INTENT_DATA,
        "payment_method_types": Many(Text(("card",))),
        "submit_type": Text(("auto", "book", "donate", "pay")),
        "success_url": Address(),
        "ui_mode": Text(("hosted_page",)),
    },
    required=("mode", "success_url", "line_items"),
)
_AFTER = Form(
    {
        "type": Text(("hosted_confirmation", "redirect")),
        "hosted_confirmation": Form({"custom_message": Text(most=500)}),
        "redirect": Form({"url": Address()}, required=("url",)),
    },
    required=("type",),
)
_LIMITS = Form({"completed_sessions": Form({"limit": Whole(1)}, required=("limit",))}, required=("completed_sessions",))
LINK = READ.including(
    {
        "after_completion": _AFTER,
        "automatic_tax": Form({"enabled": Flag(only=False)}, required=("enabled",)),
        "billing_address_collection": Text(("auto", "required")),
        "customer_creation": Text(("always", "if_required")),
        "inactive_message": Text(most=500),
        "line_items": Many(_LINK_LINE, most=20),
        "metadata": Metadata(),
        "payment_intent_data": _LINK_INTENT_DATA,
        "restrictions": _LIMITS,
        "submit_type": Text(("auto", "book", "donate", "pay")),
    },
    required=("line_items",),
)
LINK_UPDATE = READ.including(
    {
        "active": Flag(),
        "after_completion": _AFTER,
        "inactive_message": Text(most=500, unset=True),
        "metadata": Metadata(),
    }
)
LINKS = form(active=Flag())
SESSION_UPDATE = READ.including({"metadata": Metadata()})
CUSTOMERS = dated_form(email=Text())
SESSIONS = dated_form(
    customer=Text(), payment_intent=Text(), payment_link=Text(), status=Text(("open", "complete", "expired"))
)
LINES = form()
