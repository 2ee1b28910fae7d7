"""What a client may send to create an order, read and checked as PayPal does it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from simulator.paypal.wire import amounts
from simulator.paypal.wire.errors import invalid, unprocessable
from simulator.paypal.wire.fields import check_names, check_text, get_object
from simulator.world import Json

_TOP = {"intent", "purchase_units", "payment_source", "application_context"}
_UNIT = {"reference_id", "amount", "description", "custom_id", "invoice_id", "soft_descriptor"}
_LONGEST = {"reference_id": 256, "description": 127, "custom_id": 127, "invoice_id": 127, "soft_descriptor": 22}
_CONTEXT: dict[str, tuple[str, ...]] = {
    "return_url": (),
    "cancel_url": (),
    "brand_name": (),
    "locale": (),
    "shipping_preference": ("GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"),
    "landing_page": ("LOGIN", "GUEST_CHECKOUT", "NO_PREFERENCE", "BILLING"),
    "user_action": ("CONTINUE", "PAY_NOW"),
    "payment_method_preference": ("UNRESTRICTED", "IMMEDIATE_PAYMENT_REQUIRED"),
}


@dataclass(frozen=True)
class Wanted:
    """An order to create: its purchase unit, the amount in minor units, and how the payer is led.

    `wallet` says that the payment source was named: such an order begins as PAYER_ACTION_REQUIRED.
    """

    unit: Json
    context: Json
    wallet: bool


def read(body: Json) -> Wanted:
    """The order that a request asks for. Raises PayPalError as PayPal would answer."""
    check_names(body, _TOP, "")
    if "intent" not in body:
        raise invalid("MISSING_REQUIRED_PARAMETER", field="/intent")
    if body["intent"] not in ("CAPTURE", "AUTHORIZE"):
        raise invalid("INVALID_PARAMETER_SYNTAX", field="/intent", value=str(body["intent"]))
    if body["intent"] == "AUTHORIZE":
        raise invalid("NOT_SUPPORTED", field="/intent", value="AUTHORIZE")
    unit = _unit(_only_unit(body))
    source = get_object(body, "payment_source", "")
    check_names(source, {"paypal"}, "/payment_source")
    wallet = get_object(source, "paypal", "/payment_source")
    check_names(wallet, {"experience_context", "email_address"}, "/payment_source/paypal")
    context = _context(get_object(body, "application_context", ""), "/application_context")
    context |= _context(
        get_object(wallet, "experience_context", "/payment_source/paypal"), "/payment_source/paypal/experience_context"
    )
    return Wanted(unit, context, "paypal" in source)


def _only_unit(body: Json) -> Json:
    units = body.get("purchase_units")
    if units is None:
        raise invalid("MISSING_REQUIRED_PARAMETER", field="/purchase_units")
    if not isinstance(units, list) or not all(isinstance(unit, dict) for unit in units):
        raise invalid("INVALID_PARAMETER_SYNTAX", field="/purchase_units")
    if not units:
        raise invalid("INVALID_ARRAY_MIN_ITEMS", field="/purchase_units")
    if len(units) > 10:
        raise invalid("INVALID_ARRAY_MAX_ITEMS", field="/purchase_units")
    if len(units) > 1:
        raise invalid("NOT_SUPPORTED", field="/purchase_units/1")
    unit: Json = units[0]
    return unit


def _unit(given: Json) -> Json:
    place = "/purchase_units/0"
    check_names(given, _UNIT, place)
    for name, longest in _LONGEST.items():
        if name in given:
            check_text(given[name], longest, f"{place}/{name}")
    if "amount" not in given:
        raise invalid("MISSING_REQUIRED_PARAMETER", field=f"{place}/amount")
    if isinstance(given["amount"], dict):
        check_names(given["amount"], {"currency_code", "value"}, f"{place}/amount")
    minor, currency = amounts.read(given["amount"], f"{place}/amount")
    return {"reference_id": "default", **given, "amount": amounts.money(minor, currency)}


def _context(given: Json, place: str) -> Json:
    check_names(given, set(_CONTEXT), place)
    for name, value in given.items():
        check_text(value, 4_000, f"{place}/{name}")
        if _CONTEXT[name] and value not in _CONTEXT[name]:
            raise invalid("INVALID_PARAMETER_VALUE", field=f"{place}/{name}", value=value)
        if name.endswith("_url") and not _is_address(value):
            raise invalid("INVALID_PARAMETER_SYNTAX", field=f"{place}/{name}", value=value)
    if ("return_url" in given) != ("cancel_url" in given):
        missing = "cancel_url" if "return_url" in given else "return_url"
        raise unprocessable(
            "INCOMPATIBLE_PARAMETER_VALUE",
            "The value of the field is incompatible/redundant with other fields in the order.",
            field=f"{place}/{missing}",
        )
    return given


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in value
