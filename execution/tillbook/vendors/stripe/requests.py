"""What Stripe is asked for when a page is made: from an operation's frozen parameters alone, so that every attempt
sends the same bytes under the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tillbook.vendors.stripe.amounts import stripe_amount

if TYPE_CHECKING:
    from stripe.params import PaymentLinkCreateParams
    from stripe.params.checkout import SessionCreateParams

    from tillbook.operations.kinds.sales.create_checkout import CreateCheckout
    from tillbook.rules.operations import Operation

_LONGEST_KEY = 255
_LONGEST_DESCRIPTION = 1000
_THANKS = "Thank you. The confirmation comes by mail as soon as your payment has arrived."
_CLOSED = (
    "There is nothing to pay here any more: the invoice has been paid, or it has changed. If in doubt, write to us."
)


def idempotency_key(operation: Operation[object]) -> str:
    """The operation's key, or its id where a header could not hold the key."""
    fits = operation.key.isascii() and operation.key.isprintable() and len(operation.key) <= _LONGEST_KEY
    return operation.key if fits else operation.id


def session_params(operation: Operation[CreateCheckout]) -> SessionCreateParams:
    """A Checkout Session: it comes back to our pages and lives for a day."""
    asked = operation.params
    params: SessionCreateParams = {
        "mode": "payment",
        "client_reference_id": asked.invoice,
        "metadata": _ours(operation),
        "payment_intent_data": {"metadata": _ours(operation), "description": _description(asked)},
        "line_items": [_line(asked)],
        "success_url": asked.success_url,
    }
    if asked.cancel_url:
        params["cancel_url"] = asked.cancel_url
    if asked.email:
        params["customer_email"] = asked.email
    return params


def link_params(operation: Operation[CreateCheckout]) -> PaymentLinkCreateParams:
    """A Payment Link for one completed payment: it lives until then, or until it is closed."""
    asked = operation.params
    return {
        "metadata": _ours(operation),
        "payment_intent_data": {"metadata": _ours(operation), "description": _description(asked)},
        "line_items": [_line(asked)],
        "restrictions": {"completed_sessions": {"limit": 1}},
        "after_completion": {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": _THANKS}},
        "inactive_message": _CLOSED,
    }


def _ours(operation: Operation[CreateCheckout]) -> dict[str, str]:
    return {"operation": operation.id, "invoice": operation.params.invoice}


def _description(asked: CreateCheckout) -> str:
    return asked.description[:_LONGEST_DESCRIPTION]


def _line(asked: CreateCheckout) -> Any:
    """The one line of a page. It is Any because the SDK types it anew for each kind of page."""
    price = {
        "currency": asked.currency.lower(),
        "unit_amount": stripe_amount(asked.money),
        "product_data": {"name": asked.description},
    }
    return {"quantity": 1, "price_data": price}
