"""Events as the API lists them, for 30 days."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from simulator.stripe.operation import READ, Call, Operation
from simulator.stripe.wire.errors import invalid
from simulator.stripe.wire.forms import Flag, Many, Text
from simulator.stripe.wire.listing import dated_form, inside, page
from simulator.world import Json

_KEPT_SECONDS = 30 * 86_400
_LIST = dated_form(delivery_success=Flag(), type=Text(), types=Many(Text(), most=20))


def _retrieve(call: Call) -> Json:
    event = call.account.need("event", call.key, "id")
    if event["created"] < call.at - _KEPT_SECONDS:
        raise invalid(f"No such event: '{call.key}'", "id", "resource_missing")
    return event


def _list(call: Call) -> Json:
    if "type" in call.params and "types" in call.params:
        raise invalid("You may only specify one of these parameters: type, types.", "type")
    return page(_found(call), call.params, call.path, "event")


def _found(call: Call) -> Iterator[Json]:
    patterns = call.params.get("types", [call.params.get("type", "*")])
    delivered = call.params.get("delivery_success")
    for event in call.account.newest("event"):
        if event["created"] < call.at - _KEPT_SECONDS:
            return
        if not inside(event["created"], call.params.get("created")):
            continue
        if delivered is not None and call.account.deliveries.succeeded(event["id"]) is not delivered:
            continue
        if any(fnmatchcase(event["type"], pattern) for pattern in patterns):
            yield event


OPERATIONS = (
    Operation("GET", "/v1/events", _LIST, "event", _list),
    Operation("GET", "/v1/events/{}", READ, "event", _retrieve),
)
