"""PayPal's answers as a test makes them up: with the fields that are read, changed where the test says so."""

from __future__ import annotations

from typing import Any

from helpers.providers.words import operation_of
from tillbook.rules.operations import Operation, Plan

Json = dict[str, Any]
ORDERS, CAPTURES = "/v2/checkout/orders", "/v2/payments/captures"
ORDER, CAPTURE, REFUND = "5O190127TN364715T", "2GG279541U471931P", "1JU08902781691411"
OURS = "opabcdefghijklmn234"
MADE, AT = "2026-11-26T09:05:00Z", 1795683900
USD = {"currency_code": "USD", "value": "60.00"}
PAGE = "https://www.sandbox.paypal.com/checkoutnow?token=5O190127TN364715T"


def order(*captures: Json, refunds: list[Json] | None = None, **changes: Any) -> Json:
    """An order as PayPal gives it, with the fields that are read."""
    unit: Json = {"reference_id": "default", "amount": USD, "custom_id": OURS, "invoice_id": "INV-1/1"}
    if captures or refunds:
        unit["payments"] = {"captures": list(captures), **({"refunds": refunds} if refunds else {})}
    plain = {
        "id": ORDER,
        "status": "COMPLETED" if captures else "PAYER_ACTION_REQUIRED",
        "purchase_units": [unit],
        "create_time": MADE,
        "links": [{"rel": "self", "href": "https://x.example"}, {"rel": "payer-action", "href": PAGE}],
    }
    return {**plain, **changes}


def capture(status: str = "COMPLETED", *, fee: Any = "2.58", **changes: Any) -> Json:
    """A capture, with its fee."""
    plain: Json = {"id": CAPTURE, "status": status, "amount": USD, "create_time": MADE}
    if fee is not None:
        plain["seller_receivable_breakdown"] = {"paypal_fee": {"currency_code": "USD", "value": fee}}
    return {**plain, **changes}


def refund(status: str = "COMPLETED", **changes: Any) -> Json:
    """A refund of 20.00 that we asked for."""
    amount = {"currency_code": "USD", "value": "20.00"}
    return {"id": REFUND, "status": status, "amount": amount, "create_time": MADE, "custom_id": OURS, **changes}


def refusal(issue: str, name: str = "UNPROCESSABLE_ENTITY") -> Json:
    """How PayPal says no."""
    return {"name": name, "message": "No.", "details": [{"issue": issue, "description": "Not this."}]}


def capturing(checkout_id: str = ORDER, at: int = AT) -> Operation:
    """A new operation that captures an order."""
    return operation_of(Plan("capture_checkout", checkout_id, "paypal", {"checkout_id": checkout_id}), at)
