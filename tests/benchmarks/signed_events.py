"""Genuine deliveries of Stripe's, signed beforehand: unique events of 2 to 4 kB, ready to go over the wire."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from pathlib import Path

SAMPLES = Path(__file__).parents[1] / "samples" / "stripe"
KINDS = ("payment_intent.succeeded", "charge.succeeded", "charge.updated", "checkout.session.completed")
ID_LENGTH = 24


def write_requests(file: Path, number: int, secret: str, *, series: str) -> None:
    """Write `number` requests to /webhooks/stripe, signed now; `series` keeps their ids apart from another file's."""
    forms = [_form(kind) for kind in KINDS]
    with file.open("wb") as out:
        for index in range(number):
            form, event, intent = forms[index % len(forms)]
            name = f"{series}{index:0{ID_LENGTH - len(series)}d}".encode()
            body = form.replace(event, b"evt_" + name).replace(intent, b"pi_" + name)
            request = _request(body, _signed(body, secret))
            out.write(b"%010d" % len(request) + request)


def _form(kind: str) -> tuple[bytes, bytes, bytes]:
    """An event as Stripe sends it, with its own id and the id of its payment intent."""
    text = (SAMPLES / kind / "event.json").read_bytes()
    return text, _id(text, b"evt"), _id(text, b"pi")


def _id(text: bytes, prefix: bytes) -> bytes:
    found = re.search(rb'"(%s_[0-9a-f]{%d})"' % (prefix, ID_LENGTH), text)
    assert found, "every sample names its event and its payment intent"
    return found[1]


def _signed(body: bytes, secret: str) -> bytes:
    stamp = b"%d" % int(time.time())
    digest = hmac.new(secret.encode(), stamp + b"." + body, hashlib.sha256).hexdigest()
    return b"t=%s,v1=%s" % (stamp, digest.encode())


def _request(body: bytes, signature: bytes) -> bytes:
    return (
        b"POST /webhooks/stripe HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Stripe/1.0\r\n"
        b"Accept: */*\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n"
        b"Stripe-Signature: %s\r\n\r\n%s" % (len(body), signature, body)
    )
