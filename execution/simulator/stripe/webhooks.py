"""Stripe's webhooks: what an event looks like on its way, its signature, and when it comes again."""

from __future__ import annotations

import hashlib
import hmac
import json

from simulator.deliveries import Channel, Deliveries
from simulator.world import Json, World

_RETRY_AFTER_SECONDS = (5, 10, 30, 60, 300, 1800, 3600, 10_800)
_GIVE_UP_AFTER_SECONDS = 3 * 86_400


def deliveries(world: World) -> Deliveries:
    """The deliveries of the account's events."""

    async def signed(body: bytes, at: int) -> dict[str, str]:
        return {
            "User-Agent": "Stripe/1.0",
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(body, world.accounts["stripe_webhook_secret"], at),
        }

    def ended(event: Json) -> None:
        event["pending_webhooks"] = 0
        world.save("stripe.event", event["id"], event)

    channel = Channel(
        vendor="stripe",
        retry_after=_RETRY_AFTER_SECONDS,
        give_up_after=_GIVE_UP_AFTER_SECONDS,
        write=lambda event: json.dumps(event, indent=2, ensure_ascii=False).encode(),
        sign=signed,
        ended=ended,
        takes_any_path=True,
    )
    return Deliveries(world, channel)


def sign(body: bytes, secret: str, at: int) -> str:
    """The `Stripe-Signature` header for a body at a time (UTC seconds)."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
