"""Refunds of captures: made by the seller's program or in the dashboard, and what becomes of them later."""

from __future__ import annotations

from simulator.paypal import choices, request_ids
from simulator.paypal.account import Account
from simulator.paypal.payments import captures, disputes
from simulator.paypal.statement import conversion, rows
from simulator.paypal.wire import amounts
from simulator.paypal.wire.call import Call
from simulator.paypal.wire.errors import PayPalError, invalid, unprocessable
from simulator.paypal.wire.fields import check_text
from simulator.paypal.wire.times import stamp
from simulator.world import Json

REFUND = "refund"
STARTS = ("COMPLETED", "PENDING")
OUTCOMES = ("COMPLETED", "FAILED", "CANCELLED")
REQUEST_ID_SECONDS = 45 * 86_400
_POSSIBLE_SECONDS = 180 * 86_400
_CODE = "T1107"
_FIELDS = {"amount": 0, "custom_id": 127, "invoice_id": 127, "note_to_payer": 255}
# Refunds that took or may still take money: what they hold cannot be refunded again.
_LIVE = ("COMPLETED", "PENDING")
_EVENTS = {
    "COMPLETED": ("PAYMENT.CAPTURE.REFUNDED",),
    "PENDING": ("PAYMENT.REFUND.PENDING",),
    "FAILED": ("PAYMENT.REFUND.FAILED",),
    "CANCELLED": ("PAYMENT.REFUND.CANCELLED",),
}
_EXCEEDED = "The refund amount must be less than or equal to the capture amount that has not yet been refunded."
_PENDING = (
    "Cannot initiate a refund as the capture is pending. Capture is typically pending when the payer has funded the "
    "transaction using e-check/bank funded."
)
_DISPUTED = (
    "Partial refunds cannot be offered at this time because there is an open case on this transaction. Visit the "
    "PayPal Resolution Center to review this case."
)
_CHARGED_BACK = (
    "Refunds are not allowed on this capture due to a chargeback on the card or bank. Please contact the payee to "
    "resolve the chargeback."
)


def create(account: Account, call: Call) -> tuple[int, Json]:
    """POST /v2/payments/captures/{id}/refund. A replay of its PayPal-Request-Id answers 201 again."""
    replayed = request_ids.stored(account, call, "refund")
    if replayed is not None:
        return 201, replayed
    made = give_back(account, account.need(captures.CAPTURE, call.key), call.body, call.now)
    answer = made if call.wants_all else {name: made[name] for name in ("id", "status", "links")}
    request_ids.keep(account, call, "refund", answer, REQUEST_ID_SECONDS)
    return 201, answer


def show(account: Account, call: Call) -> tuple[int, Json]:
    """GET /v2/payments/refunds/{id}."""
    return 200, account.need(REFUND, call.key)


def give_back(account: Account, capture: Json, given: Json, at: int, *, start: str = "") -> Json:
    """The new refund of all that is left of a capture, or of `amount`. `start` is one of STARTS, or "" for the choice.

    Raises PayPalError where PayPal refuses.
    """
    _check_fields(given)
    before = refunded(account, capture)
    amount = _amount(account, capture, given, before, at)
    made = _shape(account, capture, given, amount, before + amount, at)
    made["status"] = start or choices.chosen(account, "refund_status")
    if made["status"] == "PENDING":
        made["status_details"] = {"reason": "ECHECK"}
    account.save(REFUND, made)
    _book(account, made, capture, amount, at)
    captures.settle_refunds(account, capture, before + amount, at)
    _tell(account, made, at)
    return made


def can_end(refund: Json, outcome: str) -> bool:
    """Whether a refund in its present status can still end in this way: one that is completed can still fail."""
    return refund["status"] == "PENDING" or (refund["status"], outcome) == ("COMPLETED", "FAILED")


def end(account: Account, refund: Json, outcome: str, at: int) -> Json:
    """Let a refund complete, fail or be cancelled. What did not go back can be refunded again."""
    assert can_end(refund, outcome), f"a refund with status {refund['status']} does not become {outcome}"
    moved = refund["status"] == "COMPLETED"
    refund["status"] = outcome
    refund["update_time"] = stamp(at)
    refund.pop("status_details", None)
    account.save(REFUND, refund)
    capture = account.need(captures.CAPTURE, capture_of(refund))
    if moved:
        _book_return(account, refund, at)
        _convert(account, refund, 1, at)
    else:
        rows.set_status(account, refund["id"], _CODE, "S" if outcome == "COMPLETED" else "D")
        if outcome == "COMPLETED":
            _convert(account, refund, -1, at)
    captures.settle_refunds(account, capture, refunded(account, capture), at)
    _tell(account, refund, at)
    return refund


def of_capture(account: Account, capture: str) -> list[Json]:
    """The refunds of a capture, oldest first."""
    return [one for one in account.all(REFUND) if capture_of(one) == capture]


def capture_of(refund: Json) -> str:
    """The id of the capture that a refund gives back: the end of its link `up`."""
    return next(str(link["href"]).rsplit("/", 1)[-1] for link in refund["links"] if link["rel"] == "up")


def refunded(account: Account, capture: Json) -> int:
    """What went back of a capture or is on its way, in minor units."""
    return sum(amounts.minor(one["amount"]) for one in of_capture(account, capture["id"]) if one["status"] in _LIVE)


def _check_fields(given: Json) -> None:
    for name, value in given.items():
        if name not in _FIELDS:
            raise invalid("INVALID_PARAMETER_SYNTAX", field=f"/{name}")
        if _FIELDS[name]:
            check_text(value, _FIELDS[name], f"/{name}")


def _amount(account: Account, capture: Json, given: Json, before: int, at: int) -> int:
    """How much goes back, in minor units. Raises PayPalError for what PayPal refuses."""
    wanted = amounts.read(given["amount"], "/amount") if "amount" in given else None
    left = amounts.minor(capture["amount"]) - before
    _check_capture(capture, left, at)
    if wanted and wanted[1] != capture["amount"]["currency_code"]:
        sentence = "Refund must be in the same currency as the capture"
        raise unprocessable(
            "REFUND_CAPTURE_CURRENCY_MISMATCH", sentence, field="/amount/currency_code", value=wanted[1]
        )
    amount = wanted[0] if wanted else left
    if disputes.blocks_refunds(account, capture["id"]):
        raise _disputed(whole=amount == left)
    if amount > left:
        raise unprocessable("REFUND_AMOUNT_EXCEEDED", _EXCEEDED, field="/amount/value", value=given["amount"]["value"])
    invoice = given.get("invoice_id")
    used = any(invoice == one.get("invoice_id") for one in account.all(REFUND) if one["status"] in _LIVE)
    if invoice and used and choices.chosen(account, "unique_invoices"):
        sentence = "Invoice ID was previously used to refund a capture."
        raise unprocessable("DUPLICATE_INVOICE_ID", sentence, field="/invoice_id", value=invoice)
    return amount


def _check_capture(capture: Json, left: int, at: int) -> None:
    if capture["status"] == "PENDING":
        raise unprocessable("PENDING_CAPTURE", _PENDING)
    if capture["status"] not in captures.MONEY:
        raise unprocessable("REFUND_NOT_ALLOWED", "Capture cannot be refunded.")
    if left <= 0:
        raise unprocessable("CAPTURE_FULLY_REFUNDED", "The capture has already been fully refunded")
    if at > captures.made_at(capture) + _POSSIBLE_SECONDS:
        sentence = "You are over the time limit to perform a refund on this capture"
        raise unprocessable("REFUND_TIME_LIMIT_EXCEEDED", sentence)


def _disputed(*, whole: bool) -> PayPalError:
    if whole:
        return unprocessable("REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK", _CHARGED_BACK)
    return unprocessable("TRANSACTION_DISPUTED", _DISPUTED)


def _shape(account: Account, capture: Json, given: Json, amount: int, total: int, at: int) -> Json:
    key, currency = account.identifier(), capture["amount"]["currency_code"]
    kept: Json = {name: given[name] for name in ("custom_id", "invoice_id", "note_to_payer") if name in given}
    return {
        "id": key,
        "amount": amounts.money(amount, currency),
        **kept,
        "seller_payable_breakdown": {
            "gross_amount": amounts.money(amount, currency),
            "paypal_fee": amounts.money(0, currency),
            "net_amount": amounts.money(amount, currency),
            "total_refunded_amount": amounts.money(total, currency),
        },
        "payer": account.payee,
        "create_time": stamp(at),
        "update_time": stamp(at),
        "links": [
            account.link("self", f"/v2/payments/refunds/{key}"),
            account.link("up", f"/v2/payments/captures/{capture['id']}"),
        ],
    }


def _tell(account: Account, refund: Json, at: int) -> None:
    amount = refund["amount"]
    words = f"A {amounts.spoken(amount)} {amount['currency_code']} refund is {refund['status'].lower()}"
    for kind in _EVENTS[refund["status"]]:
        account.emit(kind, "refund", refund, at, words)


def _book(account: Account, refund: Json, capture: Json, amount: int, at: int) -> None:
    rows.add_row(
        account,
        transaction_id=refund["id"],
        code=_CODE,
        at=at,
        amount_minor=-amount,
        fee_minor=0,
        currency=refund["amount"]["currency_code"],
        reference_id=capture["id"],
        reference_type="TXN",
        invoice_id=refund.get("invoice_id") or capture.get("invoice_id"),
        custom=refund.get("custom_id"),
        status="S" if refund["status"] == "COMPLETED" else "P",
    )
    if refund["status"] == "COMPLETED":
        _convert(account, refund, -1, at)


def _convert(account: Account, refund: Json, sign: int, at: int) -> None:
    """A refund in a currency that the account does not hold is paid (-1) from dollars, or comes back (1) as dollars."""
    amount = refund["amount"]
    change = conversion.converted(account, sign * amounts.minor(amount), amount["currency_code"], at)
    if change is not None:
        conversion.book(account, change, refund["id"], at)


def _book_return(account: Account, refund: Json, at: int) -> None:
    """Money of a refund that failed after it was completed is back: a row of its own (payment refund reversal)."""
    rows.add_row(
        account,
        transaction_id=account.identifier(),
        code="T1106",
        at=at,
        amount_minor=amounts.minor(refund["amount"]),
        fee_minor=0,
        currency=refund["amount"]["currency_code"],
        reference_id=refund["id"],
        reference_type="TXN",
        invoice_id=refund.get("invoice_id"),
        custom=refund.get("custom_id"),
    )
