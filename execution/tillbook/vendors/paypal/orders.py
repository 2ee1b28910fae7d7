"""What PayPal is asked for when an order is made: from an operation's frozen parameters alone, so that every attempt
sends the same under the same request id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.vendors.paypal.amounts import paypal_amount

if TYPE_CHECKING:
    from tillbook.operations.kinds.sales.create_checkout import CreateCheckout
    from tillbook.rules.operations import Json, Operation

_LONGEST_DESCRIPTION = 127


def order_body(operation: Operation[CreateCheckout]) -> Json:
    """An order of one purchase unit.

    Its `invoice_id` is the number and the generation, for PayPal may want it unique in every order. Our operation's id
    is its `custom_id`, which every capture of it bears, too.
    """
    asked = operation.params
    unit = {
        "invoice_id": f"{asked.invoice}/{operation.generation}",
        "custom_id": operation.id,
        "description": _description(asked.description),
        "amount": {"currency_code": asked.currency, "value": paypal_amount(asked.money)},
    }
    experience = {
        "return_url": asked.success_url,
        "cancel_url": asked.cancel_url or asked.success_url,
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
