"""PayPal's webhooks: what an event looks like on its way, its signature, and when it comes again.

Each attempt to deliver an event is a transmission of its own: another id, time and signature over the same body.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
import zlib
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from simulator.deliveries import Channel, Deliveries
from simulator.paypal import certificates
from simulator.paypal.wire.times import stamp
from simulator.world import Json, World

ALGORITHM = "SHA256withRSA"
_MOST_ATTEMPTS, _GIVE_UP_AFTER_SECONDS = 25, 3 * 86_400
_RETRY_AFTER_SECONDS = (60, 120, 240, 480, 960, 1800, 3600, 14_400)


def deliveries(world: World) -> Deliveries:
    """The deliveries of the account's events."""

    async def signed(body: bytes, at: int) -> dict[str, str]:
        authority = certificates.authority(world)
        if not authority.ready:  # To make a key takes a moment, and the loop serves others meanwhile.
            await asyncio.to_thread(authority.signer)
        kind = {"User-Agent": "PayPal/AUHD-214.0-58843014", "Content-Type": "application/json"}
        return {**kind, **sign(world, body, at)}

    channel = Channel(
        vendor="paypal",
        retry_after=_RETRY_AFTER_SECONDS,
        give_up_after=_GIVE_UP_AFTER_SECONDS,
        most_attempts=_MOST_ATTEMPTS,
        write=as_body,
        sign=signed,
    )
    return Deliveries(world, channel)


def as_body(event: Json) -> bytes:
    """The body of a webhook: what is signed, byte by byte."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def sign(
    world: World, body: bytes, at: int, *, transmission_id: str = "", webhook_id: str = "", time: str = ""
) -> dict[str, str]:
    """The headers (lower-case names) of a webhook with this body, sent at `at` (UTC seconds).

    Unless others are given: a new transmission id, the account's own webhook, and the time as PayPal writes it.
    """
    key, name, _chain = certificates.authority(world).signer()
    number, when = transmission_id or str(uuid.uuid4()), time or stamp(at)
    text = _signed_text(number, when, webhook_id or world.accounts["paypal_webhook_id"], body)
    return {
        "paypal-transmission-id": number,
        "paypal-transmission-time": when,
        "paypal-transmission-sig": base64.b64encode(key.sign(text, PKCS1v15(), SHA256())).decode(),
        "paypal-cert-url": f"{world.url}{certificates.PATH}{name}",
        "paypal-auth-algo": ALGORITHM,
        "paypal-auth-version": "v2",
    }


def is_genuine(world: World, told: Mapping[str, str], body: bytes) -> bool:
    """Whether this body was signed for the account's webhook. `told` are the fields of a verification at PayPal."""
    authority = certificates.authority(world)
    place = f"{world.url}{certificates.PATH}{authority.signer()[1]}"
    expected = (ALGORITHM, place, world.accounts["paypal_webhook_id"])
    if (told["auth_algo"], told["cert_url"], told["webhook_id"]) != expected:
        return False
    try:
        text = _signed_text(told["transmission_id"], told["transmission_time"], told["webhook_id"], body)
        proof = base64.b64decode(told["transmission_sig"], validate=True)
        authority.public_key().verify(proof, text, PKCS1v15(), SHA256())
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def _signed_text(transmission_id: str, time: str, webhook_id: str, body: bytes) -> bytes:
    return f"{transmission_id}|{time}|{webhook_id}|{zlib.crc32(body)}".encode()
