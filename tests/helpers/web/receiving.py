"""The real web application on a free port, as the script serves it, with the world's webhooks pointed at it."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import uvloop

from helpers.forging.receiver_process import listens
from helpers.sale import Shop, control
from helpers.vendors.simulated_stripe import wait_until
from receive_webhooks import receive_webhooks
from simulator.server import free_port
from tillbook.till import Till, open_till
from tillbook.web.server import server

Json = dict[str, Any]


@dataclass
class Receiver:
    """A running receiver. `till` is its own: its ledger connection belongs to the serving thread."""

    shop: Shop
    url: str
    till: Till

    def post(self, body: bytes, signature: str | None, *, path: str = "/webhooks/stripe") -> requests.Response:
        """Send bytes as a webhook with this signature header (None: without one)."""
        headers = {} if signature is None else {"Stripe-Signature": signature}
        return requests.post(self.url + path, data=body, headers=headers, timeout=15)

    def signed(self, body: bytes, *, secret: str = "", age: int = 0) -> str:
        """A header that Stripe would send: made here from its documented scheme, not by code under test."""
        stamp = self.shop.till.clock.now() - age
        key = secret or self.secret
        digest = hmac.new(key.encode(), b"%d." % stamp + body, hashlib.sha256).hexdigest()
        return f"t={stamp},v1={digest}"

    @property
    def secret(self) -> str:
        return str(self.shop.simulator.world.accounts["stripe_webhook_secret"])

    def delivered(self) -> None:
        """Wait until the world has brought every event that it owes."""
        wait_until(lambda: control(self.shop.simulator, "deliveries", {})["pending"] == 0)

    def redeliver(self, event: str, times: int) -> list[int]:
        """The same event again, `times` at once: the statuses that the world got."""
        answer = control(self.shop.simulator, "deliver", {"event_id": event, "times": times})
        return list(answer["statuses"])


@contextmanager
def receiving(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, deliver: bool = True, seconds: float = 5.0
) -> Iterator[Receiver]:
    """Serve `receive_webhooks` in a thread, as the script does; `seconds` is how long headers and a body may take."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("TILLBOOK_BASE_URL", url)
    till = open_till()
    loop = uvloop.new_event_loop()
    running = server(receive_webhooks(till=till, body_seconds=seconds), "127.0.0.1", port, header_seconds=seconds)
    thread = threading.Thread(target=loop.run_until_complete, args=(running.serve(),), name="receiver", daemon=True)
    thread.start()
    wait_until(lambda: listens(port))
    if deliver:
        control(shop.simulator, "deliveries", {"to": url})
    try:
        yield Receiver(shop, url, till)
    finally:
        control(shop.simulator, "deliveries", {"to": ""})
        loop.call_soon_threadsafe(running.stop)
        thread.join()
        loop.close()
        till.close()


def event_body(number: int = 1, **changes: Any) -> bytes:
    """An event of Stripe's about a payment that nobody knows, as bytes."""
    event: Json = {
        "id": f"evt_{number:024d}",
        "object": "event",
        "type": "payment_intent.succeeded",
        "api_version": "2026-10-28.endive",
        "created": 1_795_000_000,
        "livemode": False,
        "data": {"object": {"id": f"pi_{number:024d}", "object": "payment_intent"}},
        **changes,
    }
    return json.dumps(event).encode()
