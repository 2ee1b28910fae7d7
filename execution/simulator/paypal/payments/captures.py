"""Captures: the money of an approved order, at once or (for an eCheck, a review ...) after a while."""

from __future__ import annotations

from simulator.names import names
from simulator.paypal import choices
from simulator.paypal.account import Account
from simulator.paypal.statement import conversion, rows
from simulator.paypal.wire import amounts
from simulator.paypal.wire.call import Call
from simulator.paypal.wire.times import seconds, stamp
from simulator.world import Json

CAPTURE = "capture"
# Statuses in which the payer's money came in.
MONEY = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
STARTS = ("COMPLETED", "PENDING")
REASONS = names(
    """ECHECK INTERNATIONAL_WITHDRAWAL OTHER PENDING_REVIEW RECEIVING_PREFERENCE_MANDATES_MANUAL_ACTION
    TRANSACTION_APPROVED_AWAITING_FUNDING UNILATERAL VERIFICATION_REQUIRED"""
)
OUTCOMES = ("COMPLETED", "DECLINED")
_CODE = "T0006"
_EVENTS = {
    "COMPLETED": ("PAYMENT.CAPTURE.COMPLETED", "Payment completed for"),
    "PENDING": ("PAYMENT.CAPTURE.PENDING", "Payment pending for"),
    "DECLINED": ("PAYMENT.CAPTURE.DENIED", "Payment denied for"),
}


def show(account: Account, call: Call) -> tuple[int, Json]:
    """GET /v2/payments/captures/{id}."""
    return 200, account.need(CAPTURE, call.key)


def make(account: Account, order: Json, at: int) -> Json:
    """The capture of an order that may be captured, begun as the control chose. Its row is on the statement."""
    unit = order["purchase_units"][0]
    status = choices.chosen(account, "capture_status")
    key = account.identifier()
    path = f"/v2/payments/captures/{key}"
    made: Json = {
        "id": key,
        "status": status,
        "amount": dict(unit["amount"]),
        "final_capture": True,
        "disbursement_mode": "INSTANT",
        "seller_protection": {
            "status": "ELIGIBLE",
            "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
        },
        "payee": account.payee,
        "supplementary_data": {"related_ids": {"order_id": order["id"]}},
        "links": [
            account.link("self", path),
            account.link("refund", f"{path}/refund", "POST"),
            account.link("up", f"/v2/checkout/orders/{order['id']}"),
        ],
        "create_time": stamp(at),
        "update_time": stamp(at),
    }
    made |= {name: unit[name] for name in ("invoice_id", "custom_id") if name in unit}
    if status == "PENDING":
        made["status_details"] = {"reason": choices.chosen(account, "capture_reason") or "PENDING_REVIEW"}
    else:
        _receive(account, made, at)
    _book(account, made, order["id"], at)
    return account.save(CAPTURE, made)


def tell(account: Account, capture: Json, at: int) -> None:
    """Emit the event of a capture's present status."""
    kind, words = _EVENTS[capture["status"]]
    amount = capture["amount"]
    summary = f"{words} {amounts.spoken(amount)} {amount['currency_code']}"
    account.emit(kind, "capture", capture, at, summary)


def can_end(capture: Json) -> bool:
    """Whether a capture is still undecided."""
    return bool(capture["status"] == "PENDING")


def end(account: Account, capture: Json, outcome: str, at: int) -> Json:
    """Let a pending capture become money (COMPLETED) or nothing (DECLINED)."""
    assert can_end(capture), f"a capture with status {capture['status']} does not become {outcome}"
    capture["status"] = outcome
    capture["update_time"] = stamp(at)
    capture.pop("status_details", None)
    if outcome == "COMPLETED":
        _receive(account, capture, at)
    rows.set_status(account, capture["id"], _CODE, "S" if outcome == "COMPLETED" else "D")
    account.save(CAPTURE, capture)
    tell(account, capture, at)
    return capture


def settle_refunds(account: Account, capture: Json, refunded: int, at: int) -> None:
    """Write how much of a capture went back, in minor units, and what its status is now."""
    whole = amounts.minor(capture["amount"])
    status = "REFUNDED" if refunded >= whole else "PARTIALLY_REFUNDED" if refunded else "COMPLETED"
    if status != capture["status"]:
        capture["status"] = status
        capture["update_time"] = stamp(at)
        account.save(CAPTURE, capture)
    # V is PayPal's word for a payment that was given back wholly; its money came in all the same.
    rows.set_status(account, capture["id"], _CODE, "V" if status == "REFUNDED" else "S")


def order_of(capture: Json) -> str:
    """The id of the order that a capture belongs to, "" for none."""
    return str(capture.get("supplementary_data", {}).get("related_ids", {}).get("order_id", ""))


def invoice_was_paid(account: Account, invoice: str) -> bool:
    """Whether a capture that is or may become money has this invoice_id."""
    live = (*MONEY, "PENDING")
    return any(one.get("invoice_id") == invoice and one["status"] in live for one in account.all(CAPTURE))


def made_at(capture: Json) -> int:
    """When a capture was made, in UTC seconds."""
    return seconds(capture["create_time"])


def _receive(account: Account, capture: Json, at: int) -> None:
    """Show what arrives of a completed capture, and convert it where the account holds dollars only."""
    gross, currency = amounts.minor(capture["amount"]), capture["amount"]["currency_code"]
    kept = amounts.fee(gross)
    breakdown = {
        "gross_amount": amounts.money(gross, currency),
        "paypal_fee": amounts.money(kept, currency),
        "net_amount": amounts.money(gross - kept, currency),
    }
    change = conversion.converted(account, gross - kept, currency, at)
    if change is not None:
        breakdown |= change.shown
        conversion.book(account, change, capture["id"], at)
    capture["seller_receivable_breakdown"] = breakdown


def _book(account: Account, capture: Json, order: str, at: int) -> None:
    gross = amounts.minor(capture["amount"])
    rows.add_row(
        account,
        transaction_id=capture["id"],
        code=_CODE,
        at=at,
        amount_minor=gross,
        fee_minor=-amounts.fee(gross),
        currency=capture["amount"]["currency_code"],
        reference_id=order,
        reference_type="ODR",
        invoice_id=capture.get("invoice_id"),
        custom=capture.get("custom_id"),
        status="S" if capture["status"] == "COMPLETED" else "P",
    )
