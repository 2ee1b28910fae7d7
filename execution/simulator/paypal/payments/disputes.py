"""Payments that the payer questions: an inquiry, or a chargeback that stops refunds. No money moves yet."""

from __future__ import annotations

import re

from simulator.names import names
from simulator.paypal.account import SELLER, SELLER_EMAIL, Account
from simulator.paypal.wire import amounts
from simulator.paypal.wire.call import Call
from simulator.paypal.wire.errors import invalid
from simulator.paypal.wire.times import stamp
from simulator.world import Json

DISPUTE = "dispute"
# How each kind begins: its stage, where it came in, and whose turn it is.
_STARTS = {
    "inquiry": ("INQUIRY", "INTERNAL", "OPEN", "OPEN_INQUIRIES"),
    "dispute": ("CHARGEBACK", "EXTERNAL", "WAITING_FOR_SELLER_RESPONSE", "REQUIRED_ACTION"),
}
KINDS = tuple(_STARTS)
REASONS = names(
    """CANCELED_RECURRING_BILLING CREDIT_NOT_PROCESSED DUPLICATE_TRANSACTION INCORRECT_AMOUNT
    MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED MERCHANDISE_OR_SERVICE_NOT_RECEIVED OTHER PAYMENT_BY_OTHER_MEANS
    PROBLEM_WITH_REMITTANCE UNAUTHORISED"""
)
_ANSWER_WITHIN_SECONDS = 10 * 86_400
_SUMMARY = names(
    """dispute_id create_time update_time reason status dispute_amount dispute_life_cycle_stage dispute_channel
    seller_response_due_date"""
)
_INVOICE = re.compile(r"[A-Za-z0-9:\-|]{1,127}")
_MOST_ITEMS = 50


def list_them(account: Account, call: Call) -> tuple[int, Json]:
    """GET /v1/customer/disputes: all, or those of one transaction, newest first."""
    unknown = set(call.params) - {"disputed_transaction_id", "page_size", "start_time"}
    if unknown:
        raise invalid("INVALID_PARAMETER_VALUE", field=min(unknown))
    wanted = call.params.get("disputed_transaction_id")
    found = [one for one in account.all(DISPUTE) if wanted is None or _transaction(one) == wanted]
    items = [_short(one) for one in reversed(found)][:_MOST_ITEMS]
    own = [account.link("self", "/v1/customer/disputes")]
    return 200, {"items": items, "links": own} if items else {"links": own}


def show(account: Account, call: Call) -> tuple[int, Json]:
    """GET /v1/customer/disputes/{id}."""
    return 200, shown(account.need(DISPUTE, call.key))


def of_capture(account: Account, capture: str) -> Json | None:
    """The unresolved dispute of a capture, or None."""
    return next((one for one in account.all(DISPUTE) if _transaction(one) == capture), None)


def blocks_refunds(account: Account, capture: str) -> bool:
    """Whether a capture cannot be refunded: while a dispute is an inquiry, money can still be given back."""
    found = of_capture(account, capture)
    return bool(found and found["dispute_life_cycle_stage"] != "INQUIRY" and found["status"] != "RESOLVED")


def begin(account: Account, capture: Json, kind: str, reason: str, left: int, at: int) -> Json:
    """Let the payer question what is left of a capture (minor units). `kind` is one of KINDS, `reason` of REASONS."""
    stage, channel, status, state = _STARTS[kind]
    key = f"PP-D-{account.world.number('paypal.dispute') + 10_000}"
    made: Json = {
        "id": key,
        "dispute_id": key,
        "create_time": stamp(at),
        "update_time": stamp(at),
        "disputed_transactions": [_disputed(account, capture)],
        "reason": reason,
        "status": status,
        "dispute_state": state,
        "dispute_amount": amounts.money(left, capture["amount"]["currency_code"]),
        "dispute_life_cycle_stage": stage,
        "dispute_channel": channel,
        "seller_response_due_date": stamp(at + _ANSWER_WITHIN_SECONDS),
        "links": [account.link("self", f"/v1/customer/disputes/{key}")],
    }
    account.save(DISPUTE, made)
    account.emit("CUSTOMER.DISPUTE.CREATED", "dispute", shown(made), at, "A new dispute opened")
    return made


def shown(dispute: Json) -> Json:
    """A dispute as the API shows it by its id."""
    return {name: value for name, value in dispute.items() if name not in ("id", "dispute_state")}


def _short(dispute: Json) -> Json:
    return {name: dispute[name] for name in (*_SUMMARY, "dispute_state", "links")}


def _disputed(account: Account, capture: Json) -> Json:
    row: Json = {
        "buyer_transaction_id": account.identifier(),
        "seller_transaction_id": capture["id"],
        "create_time": capture["create_time"],
        "transaction_status": capture["status"],
        "gross_amount": dict(capture["amount"]),
        "seller": {"email": SELLER_EMAIL, "merchant_id": account.merchant_id, "name": SELLER},
    }
    if _INVOICE.fullmatch(capture.get("invoice_id", "")):
        row["invoice_number"] = capture["invoice_id"]
    if "custom_id" in capture:
        row["custom"] = capture["custom_id"]
    return row


def _transaction(dispute: Json) -> str:
    return str(dispute["disputed_transactions"][0]["seller_transaction_id"])
