"""What PayPal is asked for when an order is made: from an operation's frozen parameters alone, so that every attempt
sends the same under the same request id."""

from __future__ import annotations

from tillbook.kit.errors import Refused
from tillbook.kit.money import parse, paypal_amount
from tillbook.rules.operations import Json, Operation, Plan
from tillbook.vendors import plans
from tillbook.vendors.providers import CheckoutRequest, CheckoutState

_LONGEST_DESCRIPTION = 127


def checkout_plan(request: CheckoutRequest) -> Plan:
    """The operation that opens a page. Raises Refused for an amount that PayPal cannot take exactly, and where there is
    no address to come back to: an order of PayPal's lives for hours only, so no page of it lasts."""
    if not request.success_url:
        raise Refused(
            f"PayPal has no page that lasts, so none can be made for {request.invoice}",
            hint="Set TILLBOOK_BASE_URL to the public address of receive_webhooks.py: then links lead to our own page.",
        )
    paypal_amount(request.amount)
    return plans.checkout_plan("paypal", request)


def capture_plan(state: CheckoutState) -> Plan | None:
    """The operation that moves the money of an approved order; None for any other state."""
    if state.status != "approved":
        return None
    return Plan("capture_checkout", state.id, "paypal", {"checkout_id": state.id})


def order_body(operation: Operation) -> Json:
    """An order of one purchase unit. Its `invoice_id` is the number and the generation, for PayPal may want it unique
    in every order; our operation's id is its `custom_id`, which every capture of it bears, too."""
    asked = operation.params
    amount = parse(asked["amount"], asked["currency"])
    unit = {
        "invoice_id": f"{asked['invoice']}/{operation.generation}",
        "custom_id": operation.id,
        "description": _description(asked["description"]),
        "amount": {"currency_code": amount.currency, "value": paypal_amount(amount)},
    }
    experience = {
        "return_url": asked["success_url"],
        "cancel_url": asked["cancel_url"] or asked["success_url"],
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
    }
    return {
        "intent": "CAPTURE",
        "purchase_units": [unit],
        "payment_source": {"paypal": {"experience_context": experience}},
    }


def _description(words: str) -> str:
    """As much as fits: PayPal counts 127 characters of ASCII, and others for more."""
    return words.encode()[:_LONGEST_DESCRIPTION].decode(errors="ignore")
