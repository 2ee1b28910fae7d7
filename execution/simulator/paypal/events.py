"""PayPal's events as the API lists them, sends them again, and judges them for those who ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import dropwhile, islice
from urllib.parse import urlencode

from simulator.paypal import certificates, webhooks
from simulator.paypal.account import EVENTS, Account
from simulator.paypal.wire.call import Call, Reply
from simulator.paypal.wire.errors import invalid, not_found
from simulator.paypal.wire.times import moment
from simulator.world import Json

_LARGEST_PAGE, _USUAL_PAGE = 300, 10
_FILTERS = ("page_size", "start_time", "end_time", "event_type", "transaction_id")
_ASKED = ("auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time", "webhook_id")


def list_events(account: Account, call: Call) -> Reply:
    """The events that were asked for, newest first, with the link to the next page while there is one."""
    size = call.params.get("page_size", str(_USUAL_PAGE))
    if not (size.isascii() and size.isdigit() and int(size)):
        raise invalid("INVALID_PARAMETER_VALUE", "page_size is a whole number from 1.", field="page_size", value=size)
    wanted = min(int(size), _LARGEST_PAGE)
    rest = _matching(account, call)
    if start := call.params.get("next_id"):
        rest = dropwhile(lambda event: event["id"] != start, rest)
    page = list(islice(rest, wanted + 1))
    links = []
    if len(page) > wanted:
        following = page.pop()
        kept = {name: call.params[name] for name in _FILTERS if name in call.params}
        query = urlencode({**kept, "next_time": following["create_time"], "next_id": following["id"]})
        links.append(account.link("next", f"{EVENTS}?{query}"))
    return 200, {"events": page, "count": len(page), "links": links}


def show_event(account: Account, call: Call) -> Reply:
    """One event."""
    return 200, account.need("event", call.key)


def resend_event(account: Account, call: Call) -> Reply:
    """Send an event again, soon. One that is still waiting is not sent twice."""
    event = account.need("event", call.key)
    hooks = call.body.get("webhook_ids")
    if hooks and account.world.accounts["paypal_webhook_id"] not in hooks:
        raise invalid("INVALID_PARAMETER_VALUE", "No such webhook.", field="/webhook_ids", value=str(hooks[0]))
    account.deliveries.requeue(event)
    return 202, event


def verify_signature(account: Account, call: Call) -> Reply:
    """Whether a message is from PayPal: its `webhook_event` must be, byte by byte, what was sent."""
    for name in _ASKED:
        if not isinstance(call.body.get(name), str):
            raise invalid("MISSING_REQUIRED_PARAMETER", "A required field is missing.", field=f"/{name}")
    if not isinstance(call.body.get("webhook_event"), dict):
        raise invalid("MISSING_REQUIRED_PARAMETER", "A required field is missing.", field="/webhook_event")
    genuine = webhooks.is_genuine(account.world, call.body, raw_member(call.raw, "webhook_event"))
    return 200, {"verification_status": "SUCCESS" if genuine else "FAILURE"}


def show_certificate(account: Account, call: Call) -> Reply:
    """The certificate that signs, followed by that of its issuer, as PEM. Anybody may read it."""
    _key, name, chain = certificates.authority(account.world).signer()
    if call.key != name:
        raise not_found()
    return 200, chain


ROUTES = (
    ("GET", EVENTS, list_events),
    ("GET", f"{EVENTS}/{{}}", show_event),
    ("POST", f"{EVENTS}/{{}}/resend", resend_event),
    ("POST", "/v1/notifications/verify-webhook-signature", verify_signature),
    ("GET", "/v1/notifications/certs/{}", show_certificate, True),
)


def raw_member(text: bytes, name: str) -> bytes:
    """The bytes of one member of a JSON object (of its last, when there are several), b"" without it."""
    read, body = json.JSONDecoder(), text.decode("utf-8", "replace")
    found, place = "", body.index("{") + 1
    while True:
        place = _next(body, place)
        if body[place] == "}":
            return found.encode()
        member, place = read.raw_decode(body, place)
        start = _next(body, place)
        _value, place = read.raw_decode(body, start)
        if member == name:
            found = body[start:place]


def _next(body: str, place: int) -> int:
    """Where the next token begins that is not a comma or a colon."""
    while body[place] in " \t\r\n,:":
        place += 1
    return place


def _matching(account: Account, call: Call) -> Iterator[Json]:
    """The events that the filters let pass, newest first."""
    params = call.params
    since = moment(params["start_time"], "start_time") if "start_time" in params else float("-inf")
    until = moment(params["end_time"], "end_time") if "end_time" in params else float("inf")
    newest = reversed(list(account.all("event")))
    for event in sorted(newest, key=lambda event: str(event["create_time"]), reverse=True):
        kind, about = event["event_type"], event["resource"].get("id")
        wanted = (params.get("event_type", kind), params.get("transaction_id", about))
        if (kind, about) == wanted and since <= moment(event["create_time"], "") <= until:
            yield event
