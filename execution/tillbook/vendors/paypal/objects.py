"""PayPal's objects, read by id, as our facts and states. Pure: plain dicts in, values out.

An order holds its captures and its refunds, so one read proves all of a payment. An object without a field that PayPal
documents raises Unreadable: it proves nothing, and guessing would be worse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeGuard

from tillbook.kit.clock import parse_rfc3339
from tillbook.kit.errors import Refused, Unavailable, Unreadable
from tillbook.kit.money import Money
from tillbook.operations.kinds.sales.capture_checkout import CheckoutCaptured
from tillbook.operations.kinds.sales.close_checkout import CheckoutClosed
from tillbook.operations.kinds.sales.create_checkout import CheckoutOpened
from tillbook.rules.events import UnreadableRecord
from tillbook.rules.facts import Fact, PaymentSucceeded, ProcessorFee
from tillbook.rules.operations import Json
from tillbook.vendors.one_by_one import plain
from tillbook.vendors.paypal.amounts import from_paypal
from tillbook.vendors.protocols import CheckoutState

ORDER_LIFE_SECONDS = 3 * 3600
"""How long an order may be approved after it was made; PayPal's default."""

_MONEY = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
_NO_MONEY = ("DECLINED", "FAILED")
_OPEN = ("CREATED", "SAVED", "PAYER_ACTION_REQUIRED")
_AGREED = ("APPROVED", "COMPLETED")
_PAGES = ("payer-action", "approve")
_ID = re.compile(r"[A-Z0-9]{8,36}", re.ASCII)
_OURS = re.compile(r"op[a-z2-7]{17}", re.ASCII)


def capture_facts(capture: Json, payment: str) -> Iterator[Fact]:
    """What a capture proves: the customer's money once it is completed, and the fee that PayPal kept of it."""
    if not is_money(capture):
        return
    key, at = text(capture, "id"), moment(capture, "create_time")
    amount = money(capture, "amount")
    yield PaymentSucceeded(provider="paypal", key=key, occurred_at=at, payment=payment, charge=key, amount=amount)
    breakdown = capture.get("seller_receivable_breakdown")
    if isinstance(breakdown, dict) and "paypal_fee" in breakdown and (fee := money(breakdown, "paypal_fee")):
        yield ProcessorFee(provider="paypal", key=f"{key}:fee", occurred_at=at, payment=payment, amount=fee)


def is_money(capture: Json) -> bool:
    """Whether this capture moved money: not while it is pending, and not when it was declined."""
    return capture.get("status") in _MONEY


def payments_of(order: Json, kind: str) -> list[Json]:
    """The `captures` or `refunds` of an order, in PayPal's order."""
    units = order.get("purchase_units")
    found = [unit.get("payments") or {} for unit in units or () if isinstance(unit, dict)]
    return [one for payments in found for one in payments.get(kind) or ()]


def checkout_state(order: Json, now: int) -> CheckoutState:
    """An order as the state of a page at `now` (UTC seconds)."""
    key = text(order, "id")
    expires_at = _begun(order, now) + ORDER_LIFE_SECONDS
    return CheckoutState(
        id=key,
        status=_status(order, alive=now < expires_at),
        url=_page(order),
        amount=money(_unit(order), "amount"),
        expires_at=expires_at,
        payment=key if any(map(is_money, payments_of(order, "captures"))) else "",
    )


def _status(order: Json, *, alive: bool) -> str:
    """An approved order is no money yet. What was captured says more than the order does."""
    captures = {text(capture, "status") for capture in payments_of(order, "captures")}
    if captures.intersection(_MONEY):
        return "paid"
    if "PENDING" in captures:
        return "processing"
    status = text(order, "status")
    if not captures.issubset(_NO_MONEY) or status not in (*_OPEN, *_AGREED, "VOIDED"):
        raise Unavailable("PayPal's order is in a state that is not known here")
    if captures or status == "VOIDED":
        return "expired"
    if status in _AGREED:
        return "approved"
    return "open" if alive else "expired"


def made_checkout(order: Json, asked: Money, at: int) -> CheckoutOpened:
    """An order as the result of a CreateCheckout that was asked for `at` a time, in UTC seconds.

    Without a page, or over another amount, or none, nobody may be sent there: that is the result's problem.
    """
    key, url, problem = text(order, "id"), _page(order), ""
    try:
        wrong = not url or money(_unit(order), "amount") != asked
        ends_at = _begun(order, at) + ORDER_LIFE_SECONDS
    except Unreadable as error:
        return CheckoutOpened(key, "", at + ORDER_LIFE_SECONDS, problem=error.message)
    if wrong:
        url, problem = "", f"PayPal's answer lacks the page of an order over {asked}"
    return CheckoutOpened(key, url, ends_at, problem=problem)


def closed_checkout(order: Json) -> CheckoutClosed:
    """An order as the result of a CloseCheckout. One that is not captured is closed by our word: nobody else does it.

    Raises Refused (code `complete`) when it was captured.
    """
    if payments_of(order, "captures") or order.get("status") == "COMPLETED":
        raise Refused("the order was captured, so its page cannot be closed", code="complete")
    return CheckoutClosed(text(order, "id"), "expired")


def made_capture(order: Json) -> CheckoutCaptured | None:
    """An order as the result of a CaptureCheckout, whoever captured it, or None without a capture.

    It is the capture that is money, else the latest.
    """
    captures = payments_of(order, "captures")
    if not captures:
        return None
    best = next(filter(is_money, captures), captures[-1])
    return CheckoutCaptured(text(order, "id"), text(best, "id"), text(best, "status").lower())


def failed_capture(order: Json) -> str:
    """The status of a capture that ended without money where there is no other, else empty."""
    captures = payments_of(order, "captures")
    return str(captures[-1]["status"]) if captures and all(one.get("status") in _NO_MONEY for one in captures) else ""


def named(record: Any, *, payment: str = "") -> UnreadableRecord:
    """As much of an odd object as its name needs."""
    amount = record.get("amount") if isinstance(record, dict) else None
    return UnreadableRecord(
        vendor="paypal",
        id=plain(record, "id"),
        field="",
        reason="",
        currency=plain(amount, "currency_code"),
        payment=payment,
        at=moment_if_any(record, "create_time"),
    )


def is_id(value: object) -> TypeGuard[str]:
    """Whether this may be an id of an order, a capture or a refund."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def ours(holder: Json) -> str:
    """Our operation id on a purchase unit or a refund, or empty when it is not ours."""
    value = holder.get("custom_id")
    return value if isinstance(value, str) and _OURS.fullmatch(value) else ""


def invoice_of(holder: Json) -> str:
    """The invoice's number: what we wrote was the number and a generation, which PayPal wants unique."""
    value = holder.get("invoice_id")
    return value.rpartition("/")[0] if isinstance(value, str) else ""


def marks(order: Json) -> tuple[str, str]:
    """Our operation and the invoice that an order is for, or empty when it is not ours."""
    units = order.get("purchase_units")
    unit = units[0] if isinstance(units, list) and units and isinstance(units[0], dict) else {}
    return ours(unit), invoice_of(unit)


def order_of(capture: Json) -> str:
    """The order that a capture belongs to, or empty when there is none."""
    data = capture.get("supplementary_data")
    related = data.get("related_ids") if isinstance(data, dict) else None
    value = related.get("order_id") if isinstance(related, dict) else None
    return value if is_id(value) else ""


def link(holder: Json, *names: str) -> str:
    """The address of the first link with one of these relations, or empty when there is none."""
    links = holder.get("links")
    for one in links if isinstance(links, list) else ():
        if isinstance(one, dict) and one.get("rel") in names and isinstance(one.get("href"), str):
            return str(one["href"])
    return ""


def text(holder: Json, name: str) -> str:
    """A field that must be a text. Raises Unreadable when it is not."""
    value = holder.get(name)
    if not isinstance(value, str) or not value:
        raise _unreadable(holder, name)
    return value


def moment_if_any(holder: Any, name: str) -> int:
    """A field that may be a time, in UTC seconds, or 0."""
    try:
        return moment(holder, name)
    except (Unreadable, AttributeError):
        return 0


def moment(holder: Json, name: str) -> int:
    """A field that must be a time, in UTC seconds. Raises Unreadable when it is not."""
    try:
        return parse_rfc3339(text(holder, name))
    except (ValueError, OverflowError):
        raise _unreadable(holder, name) from None


def money(holder: Json, name: str) -> Money:
    """A field that must be an amount. Raises Unreadable when it is not."""
    value = holder.get(name)
    if not isinstance(value, dict):
        raise _unreadable(holder, name)
    try:
        return from_paypal(value.get("value"), value.get("currency_code"))
    except Refused as refusal:
        raise Unreadable(f"`{name}`: {refusal.message}", field=name) from refusal


def _unit(order: Json) -> Json:
    units = order.get("purchase_units")
    if not isinstance(units, list) or not units or not isinstance(units[0], dict):
        raise _unreadable(order, "purchase_units")
    unit: Json = units[0]
    return unit


def _begun(order: Json, at: int) -> int:
    """When an order was made, or `at` where PayPal does not say so, which its documents allow."""
    return moment(order, "create_time") if order.get("create_time") else at


def _page(order: Json) -> str:
    return link(order, *_PAGES)


def _unreadable(holder: Any, name: str) -> Unreadable:
    return Unreadable(f"PayPal's answer lacks a readable `{name}`; it has {len(holder)} other fields", field=name)
