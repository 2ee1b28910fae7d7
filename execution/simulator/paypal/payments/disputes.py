"""Payments that the payer questions: an inquiry, or a chargeback that stops refunds.

With the habit `disputed_money` a chargeback takes its amount and a fee at once. When it is won the amount comes back.
"""

from __future__ import annotations

import re

from simulator.names import names
from simulator.paypal.account import SELLER, SELLER_EMAIL, Account
from simulator.paypal.statement import conversion, rows
from simulator.paypal.wire import amounts
from simulator.paypal.wire.call import Call
from simulator.paypal.wire.errors import invalid
from simulator.paypal.wire.times import stamp
from simulator.rough import habits
from simulator.world import Json

DISPUTE = "dispute"
# How each kind begins: its stage, where it came in, and whose turn it is.
_STARTS = {
    "inquiry": ("INQUIRY", "INTERNAL", "OPEN", "OPEN_INQUIRIES"),
    "dispute": ("CHARGEBACK", "EXTERNAL", "WAITING_FOR_SELLER_RESPONSE", "REQUIRED_ACTION"),
}
KINDS = tuple(_STARTS)
# How each end is called, and what the money of a chargeback does then.
_ENDS = {"won": "RESOLVED_SELLER_FAVOUR", "lost": "RESOLVED_BUYER_FAVOUR"}
OUTCOMES = tuple(_ENDS)
_TAKEN, _RETURNED, _FEE_CODE = "T1201", "T1202", "T0106"
_FEE_CENTS = 2_000
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
    if kind == "dispute" and habits.has(account.world, "disputed_money"):
        _move(account, made, _TAKEN, -left, "DEBIT", at)
        rows.add_row(
            account,
            transaction_id=account.identifier(),
            code=_FEE_CODE,
            at=at,
            amount_minor=-_FEE_CENTS,
            reference_id=capture["id"],
            reference_type="TXN",
        )
    account.save(DISPUTE, made)
    account.emit("CUSTOMER.DISPUTE.CREATED", "dispute", shown(made), at, "A new dispute opened")
    return made


def end(account: Account, dispute: Json, outcome: str, at: int) -> Json:
    """Let a dispute be decided for the seller (`won`) or for the payer (`lost`)."""
    amount = dispute["dispute_amount"]
    if outcome == "won" and dispute.get("money_movements"):
        _move(account, dispute, _RETURNED, amounts.minor(amount), "CREDIT", at)
    returned = amount if outcome == "lost" else amounts.money(0, amount["currency_code"])
    dispute.update(
        status="RESOLVED",
        dispute_state="RESOLVED",
        update_time=stamp(at),
        dispute_outcome={"outcome_code": _ENDS[outcome], "amount_refunded": returned},
    )
    account.save(DISPUTE, dispute)
    account.emit("CUSTOMER.DISPUTE.RESOLVED", "dispute", shown(dispute), at, "A dispute was resolved")
    return dispute


def _move(account: Account, dispute: Json, code: str, minor: int, direction: str, at: int) -> None:
    """Book what a chargeback takes or brings back, in dollars where the account holds nothing else."""
    amount, capture = dispute["dispute_amount"], _transaction(dispute)
    rows.add_row(
        account,
        transaction_id=account.identifier(),
        code=code,
        at=at,
        amount_minor=minor,
        currency=amount["currency_code"],
        reference_id=capture,
        reference_type="TXN",
    )
    change = conversion.converted(account, minor, amount["currency_code"], at)
    if change is not None:
        conversion.book(account, change, capture, at)
    moved = {"affected_party": "SELLER", "amount": amount, "initiated_time": stamp(at), "type": direction}
    dispute.setdefault("money_movements", []).append({**moved, "reason": "DISPUTE_SETTLEMENT"})


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
