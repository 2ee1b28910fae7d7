"""Acorn's objects, read by id, as our facts, states and movements. Pure: plain dicts in, values out.

Amounts are whole numbers of ISO's minor units, times are UTC milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tillbook.kit.errors import Refused, Unavailable, Unreadable
from tillbook.kit.money import Money
from tillbook.operations.kinds.refunds.refund_payment import RefundMade
from tillbook.operations.kinds.sales.close_checkout import CheckoutClosed
from tillbook.operations.kinds.sales.create_checkout import CheckoutOpened
from tillbook.rules.events import Event, UnreadableRecord
from tillbook.rules.facts import Fact, PaymentRefunded, PaymentSucceeded, ProcessorFee, RefundFailed
from tillbook.rules.matching import OTHER, Movement
from tillbook.rules.operations import Json
from tillbook.vendors.one_by_one import plain
from tillbook.vendors.protocols import CheckoutState

RELEVANT = ("payment.done", "refund.changed")
"""The types of event after which a read may prove a new fact."""

_ID = re.compile(r"(?:page|pay)_[a-z0-9]{1,40}", re.ASCII)
_PAGES = {"open": "open", "processing": "processing", "paid": "paid", "closed": "expired"}
_REFUNDS = {"done": "succeeded", "pending": "pending", "failed": "failed", "canceled": "canceled"}
_ENDED_WITHOUT_MONEY = ("failed", "canceled")
_ROWS = {"payment": "PaymentSucceeded", "fee": "ProcessorFee", "refund": "PaymentRefunded", "return": "RefundFailed"}
_SIGNS = {"payment": 1, "fee": -1, "refund": -1, "return": 1}


def is_id(text: str) -> bool:
    """Whether this may be the id of a page or a payment."""
    return _ID.fullmatch(text) is not None


def opened(page: Json) -> CheckoutOpened:
    """A new page. It never ends by itself. Without an address nobody is sent there, and that is its problem."""
    key = text(page, "id")
    try:
        return CheckoutOpened(key, text(page, "url"), None)
    except Unreadable as error:
        return CheckoutOpened(key, "", None, problem=error.message)


def closed(page: Json) -> CheckoutClosed:
    """A closed page. Raises Refused (code `complete`) for one that was paid."""
    if text(page, "state") != "closed":
        raise Refused("the page was paid, or is open", code="complete")
    return CheckoutClosed(text(page, "id"), "expired")


def checkout_state(page: Json) -> CheckoutState:
    """A page as every provider's pages are told."""
    state = text(page, "state")
    if state not in _PAGES:
        raise Unavailable("Acorn's page is in a state that is not known here")
    payment = text(page, "payment") if state == "paid" else ""
    return CheckoutState(text(page, "id"), _PAGES[state], text(page, "url"), money(page), None, payment)


def payment_facts(payment: Json) -> Iterator[Fact]:
    """What a payment proves: the money once it is done, and the fee that was kept of it."""
    if text(payment, "state") != "done":
        return
    key, at = text(payment, "id"), seconds(payment, "done_at")
    yield PaymentSucceeded(provider="acorn", key=key, occurred_at=at, payment=key, charge=key, amount=money(payment))
    yield ProcessorFee(provider="acorn", key=f"{key}:fee", occurred_at=at, payment=key, amount=money(payment, "fee"))


def refund_facts(refunds: Iterable[Json]) -> Iterator[Fact]:
    """What refunds prove: money that left, and money that came back of those that failed later."""
    for refund in refunds:
        if not refund.get("moved_at"):
            continue
        key, payment = text(refund, "id"), text(refund, "payment")
        yield PaymentRefunded(
            provider="acorn",
            key=key,
            occurred_at=seconds(refund, "moved_at"),
            payment=payment,
            refund=key,
            operation=str(refund.get("reference") or ""),
            amount=money(refund),
        )
        if refund.get("returned_at"):
            yield RefundFailed(
                provider="acorn",
                key=f"{key}:back",
                occurred_at=seconds(refund, "returned_at"),
                payment=payment,
                refund=key,
                amount=money(refund),
            )


def released(refunds: Iterable[Json]) -> tuple[str, ...]:
    """Our operations whose refund ended without ever moving money."""
    return tuple(
        text(refund, "reference")
        for refund in refunds
        if refund.get("state") in _ENDED_WITHOUT_MONEY and not refund.get("moved_at") and refund.get("reference")
    )


def made_refund(refund: Json) -> RefundMade:
    """A refund as the result of its operation."""
    key, state = text(refund, "id"), str(refund.get("state"))
    if state not in _REFUNDS:
        return RefundMade(key, "pending", problem="Acorn's refund is in a state that is not known here")
    return RefundMade(key, _REFUNDS[state])


def event_of(raw: Json, body: bytes) -> Event:
    """An event's envelope. Raises Refused for what is not one of Acorn's."""
    try:
        kind = text(raw, "type")
        return Event(
            provider="acorn",
            id=text(raw, "id"),
            type=kind,
            object_id=text(raw, "payment") if kind in RELEVANT else "",
            account=text(raw, "account"),
            livemode=raw.get("live") is not False,
            api_version="",
            created_at=seconds(raw, "at"),
            body=body,
        )
    except Unavailable as error:
        raise Refused(f"not an event: {error.message}") from None


def movement(row: Json) -> Movement:
    """A row of the statement, by the key of its fact. Acorn writes what it takes with a minus."""
    kind, minor = text(row, "kind"), money(row).minor
    common = (text(row, "currency"), seconds(row, "at"), text(row, "payment"))
    if kind not in _ROWS:
        return Movement(text(row, "id"), OTHER, minor, *common, "", "", kind)
    return Movement(text(row, "id"), _ROWS[kind], _SIGNS[kind] * minor, *common)


def named(record: Json) -> UnreadableRecord:
    """As much of an odd object as its name needs."""
    key = plain(record, "id")
    payment = plain(record, "payment") or key.removesuffix(":fee")
    at = record.get("at")
    return UnreadableRecord(
        "acorn", key, "", "", plain(record, "currency"), payment, at // 1000 if isinstance(at, int) else 0
    )


def text(holder: Json, name: str) -> str:
    """A field that must be a text. Raises Unreadable when it is not."""
    value = holder.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"Acorn's answer lacks a readable `{name}`", field=name)
    return value


def seconds(holder: Json, name: str) -> int:
    """A time in UTC seconds, of a field in milliseconds. Raises Unreadable when it is none."""
    return _whole(holder, name) // 1000


def money(holder: Json, name: str = "amount") -> Money:
    """An amount in the holder's currency. Raises Unreadable when it is none."""
    try:
        return Money(_whole(holder, name), text(holder, "currency"))
    except Refused as refusal:
        raise Unreadable(f"`{name}`: {refusal.message}", field=name) from refusal


def _whole(holder: Json, name: str) -> int:
    value = holder.get(name)
    if type(value) is not int:
        raise Unreadable(f"Acorn's answer lacks a readable `{name}`", field=name)
    return value
