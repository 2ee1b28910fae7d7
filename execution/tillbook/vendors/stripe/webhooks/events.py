"""Stripe's events as ours: which types mean something, and which object each of them is about.

An event is a hint: nothing here reads an amount. Both forms are known: snapshots (`object: event`), and thin ones
(`object: v2.core.event`), which belong to things that Tillbook does not read.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from tillbook.kit.clock import parse_rfc3339
from tillbook.kit.errors import Refused
from tillbook.kit.strict_json import loads
from tillbook.rules.events import Event
from tillbook.rules.operations import Json

_LONGEST_TEXT = 255
_LATEST_SECOND = 2**40


def _of_intent(intent: Json) -> str:
    return _id(intent.get("id"))


def _of_charge(charge: Json) -> str:
    return _id(charge.get("payment_intent"))


def _of_session(session: Json) -> str:
    return _id(session.get("payment_intent")) or _id(session.get("id"))


def _of_payout(payout: Json) -> str:
    return _id(payout.get("id"))


RELEVANT: dict[str, Callable[[Json], str]] = {
    "checkout.session.completed": _of_session,
    "checkout.session.async_payment_succeeded": _of_session,
    "payment_intent.succeeded": _of_intent,
    "charge.succeeded": _of_charge,
    "charge.captured": _of_charge,
    "charge.refunded": _of_charge,
    "charge.refund.updated": _of_charge,
    "refund.created": _of_charge,
    "refund.updated": _of_charge,
    "refund.failed": _of_charge,
    # The fee is known only now: a charge has no balance transaction yet when it succeeds.
    "charge.updated": _of_charge,
    "payout.created": _of_payout,
    "payout.paid": _of_payout,
}
"""The types after which a read may prove a new fact, each with what finds the object to read."""


def read_event(body: bytes) -> Event:
    """A verified body as an Event that keeps these bytes. Raises Refused when it is not an event of Stripe's."""
    try:
        raw = loads(body)
    except Refused as refusal:
        raise Refused(f"not an event: {refusal.message}") from None
    if not isinstance(raw, dict):
        raise Refused("not an event: the body is not a JSON object")
    return event_of(raw, body)


def listed_event(raw: Json) -> tuple[Event]:
    """An event of Stripe's list. Its body is canonical JSON. Raises Refused as `event_of`."""
    body = json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    return (event_of(raw, body),)


def event_of(raw: Json, body: bytes) -> Event:
    """An event's envelope. Raises Refused for a missing field or one of another type than Stripe documents."""
    form = raw.get("object")
    if form == "event":
        return _snapshot(raw, body)
    if form == "v2.core.event":
        return _thin(raw, body)
    raise Refused("not an event: its `object` is neither event nor v2.core.event")


def _snapshot(raw: Json, body: bytes) -> Event:
    kind = _text(raw, "type")
    data = raw.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    if not isinstance(subject, dict):
        raise Refused("not an event: it has no data.object")
    find = RELEVANT.get(kind)
    return Event(
        provider="stripe",
        id=_text(raw, "id"),
        type=kind,
        object_id=find(subject) if find else "",
        account=_text(raw, "account", optional=True),
        livemode=_flag(raw),
        api_version=_text(raw, "api_version", optional=True),
        created_at=_seconds(raw.get("created")),
        body=body,
    )


def _thin(raw: Json, body: bytes) -> Event:
    created = _text(raw, "created")
    try:
        created_at = _seconds(parse_rfc3339(created))
    except ValueError as error:
        raise Refused("not an event: its `created` is not a time") from error
    return Event(
        provider="stripe",
        id=_text(raw, "id"),
        type=_text(raw, "type"),
        object_id="",
        account=_text(raw, "context", optional=True),
        livemode=_flag(raw),
        api_version="",
        created_at=created_at,
        body=body,
    )


def _text(raw: Json, name: str, *, optional: bool = False) -> str:
    """A field as short printable ASCII, or empty when it is optional and absent. Every id, type and version is such."""
    value = raw.get(name)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT or not _plain(value):
        raise Refused(f"not an event: its `{name}` is not a short text")
    return value


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _flag(raw: Json) -> bool:
    value = raw.get("livemode")
    if not isinstance(value, bool):
        raise Refused("not an event: its `livemode` is neither true nor false")
    return value


def _seconds(value: object) -> int:
    if type(value) is not int or not 0 <= value < _LATEST_SECOND:
        raise Refused("not an event: its `created` is not a time in UTC seconds")
    return value


def _id(value: object) -> str:
    """An object's id, which Stripe gives bare or inside the expanded object, or empty when there is none."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and len(value) <= _LONGEST_TEXT and _plain(value) else ""
