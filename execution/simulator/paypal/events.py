"""PayPal's events: recorded, listed, sent as signed webhooks, sent again, and judged for those who ask.

Each attempt to deliver an event is a transmission of its own: another id, time and signature over the same body.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
import zlib
from collections.abc import Iterator
from itertools import dropwhile, islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from simulator.deliveries import Channel, Deliveries
from simulator.paypal import certificates
from simulator.paypal.account import stamp
from simulator.paypal.errors import invalid, not_found
from simulator.paypal.moments import moment, precise

if TYPE_CHECKING:
    from simulator.paypal.account import Account
    from simulator.paypal.call import Call, Reply

Json = dict[str, Any]

ALGORITHM = "SHA256withRSA"
_EVENTS = "/v1/notifications/webhooks-events"
_MOST_ATTEMPTS, _GIVE_UP_AFTER_SECONDS = 25, 3 * 86_400
_RETRY_AFTER_SECONDS = (60, 120, 240, 480, 960, 1800, 3600, 14_400)
_LARGEST_PAGE, _USUAL_PAGE = 300, 10
_FILTERS = ("page_size", "start_time", "end_time", "event_type", "transaction_id")
_ASKED = ("auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time", "webhook_id")


def deliveries(account: Account) -> Deliveries:
    """The deliveries of the account's events."""

    async def signed(body: bytes, at: int) -> dict[str, str]:
        authority = certificates.authority(account.world)
        if not authority.ready:  # To make a key takes a moment, and the loop serves others meanwhile.
            await asyncio.to_thread(authority.signer)
        kind = {"User-Agent": "PayPal/AUHD-214.0-58843014", "Content-Type": "application/json"}
        return {**kind, **sign(account, body, at)}

    channel = Channel(
        vendor="paypal",
        retry_after=_RETRY_AFTER_SECONDS,
        give_up_after=_GIVE_UP_AFTER_SECONDS,
        most_attempts=_MOST_ATTEMPTS,
        write=as_body,
        sign=signed,
    )
    return Deliveries(account.world, channel)


def as_body(event: Json) -> bytes:
    """The body of a webhook: what is signed, byte by byte."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def sign(
    account: Account, body: bytes, at: int, *, transmission_id: str = "", webhook_id: str = "", time: str = ""
) -> dict[str, str]:
    """The headers (lower-case names) of a webhook with this body, sent at `at` (UTC seconds).

    Unless others are given: a new transmission id, the account's own webhook, and the time as PayPal writes it.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415  start-up time
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    key, name, _chain = certificates.authority(account.world).signer()
    number, when = transmission_id or str(uuid.uuid4()), time or stamp(at)
    signed = _signed(number, when, webhook_id or account.world.accounts["paypal_webhook_id"], body)
    return {
        "paypal-transmission-id": number,
        "paypal-transmission-time": when,
        "paypal-transmission-sig": base64.b64encode(key.sign(signed, PKCS1v15(), SHA256())).decode(),
        "paypal-cert-url": f"{account.world.url}{certificates.PATH}{name}",
        "paypal-auth-algo": ALGORITHM,
        "paypal-auth-version": "v2",
    }


def record(account: Account, event_type: str, resource_type: str, resource: Json, at: int, summary: str = "") -> Json:
    """Keep an event that shows `resource` as it was at `at`, and queue its delivery. Call it in the event loop."""
    key = f"WH-{account.identifier()}-{account.identifier()}"
    address = account.link(f"{_EVENTS}/{key}")
    event = {
        "id": key,
        "event_version": "1.0",
        "create_time": precise(at),
        "resource_type": resource_type,
        "resource_version": "2.0",
        "event_type": event_type,
        "summary": summary,
        "resource": resource,
        "links": [
            {"href": address, "rel": "self", "method": "GET"},
            {"href": f"{address}/resend", "rel": "resend", "method": "POST"},
        ],
    }
    account.save("event", event)
    account.deliveries.queue(event)
    return event


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
        links.append({"href": account.link(f"{_EVENTS}?{query}"), "rel": "next", "method": "GET"})
    return 200, {"events": page, "count": len(page), "links": links}


def show_event(account: Account, call: Call) -> Reply:
    """One event."""
    return 200, account.need("event", call.key)


def resend_event(account: Account, call: Call) -> Reply:
    """Send an event again, soon; one that is still waiting is not sent twice."""
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
    verdict = "SUCCESS" if _is_ours(account, call.body, raw_member(call.raw, "webhook_event")) else "FAILURE"
    return 200, {"verification_status": verdict}


def show_certificate(account: Account, call: Call) -> Reply:
    """The certificate that signs, followed by that of its issuer, as PEM; anybody may read it."""
    _key, name, chain = certificates.authority(account.world).signer()
    if call.key != name:
        raise not_found()
    return 200, chain


ROUTES = (
    ("GET", _EVENTS, list_events),
    ("GET", f"{_EVENTS}/{{}}", show_event),
    ("POST", f"{_EVENTS}/{{}}/resend", resend_event),
    ("POST", "/v1/notifications/verify-webhook-signature", verify_signature),
    ("GET", "/v1/notifications/certs/{}", show_certificate, True),
)


def raw_member(text: bytes, name: str) -> bytes:
    """The bytes of one member of a JSON object (of its last, when there are several); b"" without it."""
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


def _is_ours(account: Account, told: Json, body: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  start-up time
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    authority = certificates.authority(account.world)
    place = f"{account.world.url}{certificates.PATH}{authority.signer()[1]}"
    expected = (ALGORITHM, place, account.world.accounts["paypal_webhook_id"])
    if (told["auth_algo"], told["cert_url"], told["webhook_id"]) != expected:
        return False
    try:
        signed = _signed(told["transmission_id"], told["transmission_time"], told["webhook_id"], body)
        proof = base64.b64decode(told["transmission_sig"], validate=True)
        authority.public_key().verify(proof, signed, PKCS1v15(), SHA256())
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def _signed(transmission_id: str, time: str, webhook_id: str, body: bytes) -> bytes:
    return f"{transmission_id}|{time}|{webhook_id}|{zlib.crc32(body)}".encode()
