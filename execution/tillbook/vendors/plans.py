"""The plans that are the same at every provider: what is asked for, frozen, before it is said in a vendor's words."""

from __future__ import annotations

from tillbook.kit.errors import Refused
from tillbook.rules.operations import Plan
from tillbook.vendors.providers import CheckoutRequest, RefundRequest, refund_subject


def checkout_plan(provider: str, request: CheckoutRequest) -> Plan:
    """The operation that opens a page. Raises Refused for an amount of nothing."""
    if request.amount.minor <= 0:
        raise Refused(f"a checkout of {request.amount} cannot be made; expected an amount above zero")
    params = {
        "invoice": request.invoice,
        "amount": request.amount.text,
        "currency": request.amount.currency,
        "description": request.description,
        "email": request.email,
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
    }
    kind_of_page = "" if request.success_url else "/lasting"
    return Plan("create_checkout", f"{provider}/{request.invoice}{kind_of_page}", provider, params)


def close_plan(provider: str, checkout_id: str) -> Plan:
    """The operation that closes an open page for good."""
    return Plan("close_checkout", checkout_id, provider, {"checkout_id": checkout_id})


def refund_plan(provider: str, request: RefundRequest) -> Plan:
    """The operation that gives money back; always with an explicit amount (C13)."""
    params = {
        "payment": request.payment,
        "invoice": request.invoice,
        "amount": request.amount.text,
        "amount_minor": request.amount.minor,
        "currency": request.amount.currency,
        "reason": request.reason,
        "purpose": request.purpose,
    }
    subject = refund_subject(provider, request.payment, request.reference)
    return Plan("refund_payment", subject, provider, params)
