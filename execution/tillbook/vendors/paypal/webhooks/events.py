"""PayPal's events as ours: which types mean something, and which object each of them is about.

An event is a hint: nothing here reads an amount. Its body is bound by a CRC32 only, so an id in it is no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from tillbook.kit.clock import parse_rfc3339
from tillbook.kit.errors import Refused
from tillbook.kit.strict_json import loads
from tillbook.rules.events import Event
from tillbook.rules.operations import Json
from tillbook.vendors.paypal.objects import is_id, link, moment, order_of, text

_LONGEST_TEXT = 255
_LATEST_SECOND = 2**40
# What an order that was read by itself tells: no list may have the event of it.
_TELLING = ("APPROVED", "COMPLETED", "VOIDED")


def _of_order(order: Json) -> str:
    return _id(order)


def _of_capture(capture: Json) -> str:
    return order_of(capture) or _id(capture)


def _of_refund(refund: Json) -> str:
    """The capture that a refund gives back, by its link upwards. Without one it is the order, or the refund."""
    above = link(refund, "up").rstrip("/").rpartition("/")[2]
    return above if is_id(above) else order_of(refund) or _id(refund)


RELEVANT: dict[str, Callable[[Json], str]] = {
    "CHECKOUT.ORDER.APPROVED": _of_order,
    "CHECKOUT.ORDER.COMPLETED": _of_order,
    "PAYMENT.CAPTURE.COMPLETED": _of_capture,
    "PAYMENT.CAPTURE.PENDING": _of_capture,
    "PAYMENT.CAPTURE.DENIED": _of_capture,
    "PAYMENT.CAPTURE.DECLINED": _of_capture,
    # A refund is what these two tell of, in spite of their names.
    "PAYMENT.CAPTURE.REFUNDED": _of_refund,
    "PAYMENT.CAPTURE.REVERSED": _of_refund,
    "PAYMENT.REFUND.COMPLETED": _of_refund,
    "PAYMENT.REFUND.PENDING": _of_refund,
    "PAYMENT.REFUND.FAILED": _of_refund,
    "PAYMENT.REFUND.CANCELLED": _of_refund,
}
"""The types after which a read may prove a new fact, each with what finds the object to read."""


def read_event(body: bytes, *, livemode: bool, delivery: str) -> Event:
    """A verified body as an Event that keeps these bytes. Raises Refused when it is not an event of PayPal's."""
    try:
        raw = loads(body)
    except Refused as refusal:
        raise Refused(f"not an event: {refusal.message}") from None
    if not isinstance(raw, dict):
        raise Refused("not an event: the body is not a JSON object")
    return event_of(raw, body, livemode=livemode, delivery=delivery)


def listed_event(raw: Json, *, livemode: bool) -> tuple[Event]:
    """An event of PayPal's list. Its body is canonical JSON. Raises Refused as `event_of`."""
    return (event_of(raw, _canonical(raw), livemode=livemode),)


def event_of(raw: Json, body: bytes, *, livemode: bool, delivery: str = "") -> Event:
    """An event's envelope. Raises Refused for a missing field or one of another type than PayPal documents."""
    kind = _text(raw, "event_type")
    resource = raw.get("resource")
    if not isinstance(resource, dict):
        raise Refused("not an event: it has no resource")
    find = RELEVANT.get(kind)
    return Event(
        provider="paypal",
        id=_text(raw, "id"),
        type=kind,
        object_id=find(resource) if find else "",
        account=_payee(resource),
        livemode=livemode,
        api_version=_text(raw, "resource_version", optional=True),
        created_at=_seconds(_text(raw, "create_time")),
        body=body,
        delivery=delivery,
    )


def shown_event(order: Json, *, livemode: bool) -> Iterator[Event]:
    """What an order shows that was read by its id, nothing while it says nothing new. Raises Unreadable."""
    key, status = text(order, "id"), text(order, "status")
    if status not in _TELLING:
        return
    yield Event(
        provider="paypal",
        id=f"{key}:{status}",
        type=f"order {status.lower()}",
        object_id=key,
        account="",
        livemode=livemode,
        api_version="",
        created_at=moment(order, "update_time" if order.get("update_time") else "create_time"),
        body=_canonical({"id": key, "status": status}),
    )


def _canonical(raw: Json) -> bytes:
    return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _text(raw: Json, name: str, *, optional: bool = False) -> str:
    """A field as short printable ASCII, or empty when it is optional and absent. Every id, type and version is such."""
    value = raw.get(name)
    if value is None and optional:
        return ""
    if not _is_short(value):
        raise Refused(f"not an event: its `{name}` is not a short text")
    return str(value)


def _is_short(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and value.isascii() and value.isprintable()


def _seconds(written: str) -> int:
    try:
        seconds = parse_rfc3339(written)
    except (ValueError, OverflowError):
        seconds = -1
    if not 0 <= seconds < _LATEST_SECOND:
        raise Refused("not an event: its `create_time` is not a time")
    return seconds


def _payee(resource: Json) -> str:
    """The account that the money is for, where the resource names it."""
    payee = resource.get("payee")
    value = payee.get("merchant_id") if isinstance(payee, dict) else None
    return str(value) if _is_short(value) else ""


def _id(holder: Json) -> str:
    value = holder.get("id")
    return str(value) if _is_short(value) else ""
