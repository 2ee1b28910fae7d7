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

from receive_webhooks import receive_webhooks
from sale import Till, control
from simulated_stripe import wait_until
from tillbook.serving import server
from tillbook.simulator.server import free_port
from tillbook.workshop import Workshop, open_workshop

Json = dict[str, Any]


@dataclass
class Receiver:
    """A running receiver. `shop` is its own workshop: its ledger connection belongs to the serving thread."""

    till: Till
    url: str
    shop: Workshop

    def post(self, body: bytes, signature: str | None, *, path: str = "/webhooks/stripe") -> requests.Response:
        """Send bytes as a webhook with this signature header (None: without one)."""
        headers = {} if signature is None else {"Stripe-Signature": signature}
        return requests.post(self.url + path, data=body, headers=headers, timeout=15)

    def signed(self, body: bytes, *, secret: str = "", age: int = 0) -> str:
        """A header that Stripe would send: made here from its documented scheme, not by code under test."""
        stamp = self.till.shop.clock.now() - age
        key = secret or self.secret
        digest = hmac.new(key.encode(), b"%d." % stamp + body, hashlib.sha256).hexdigest()
        return f"t={stamp},v1={digest}"

    @property
    def secret(self) -> str:
        return str(self.till.simulator.world.accounts["stripe_webhook_secret"])

    def delivered(self) -> None:
        """Wait until the world has brought every event that it owes."""
        wait_until(lambda: control(self.till.simulator, "deliveries", {})["pending"] == 0)

    def redeliver(self, event: str, times: int) -> list[int]:
        """The same event again, `times` at once: the statuses that the world got."""
        answer = control(self.till.simulator, "deliver", {"event_id": event, "times": times})
        return list(answer["statuses"])


@contextmanager
def receiving(till: Till, monkeypatch: pytest.MonkeyPatch, *, deliver: bool = True) -> Iterator[Receiver]:
    """Serve `receive_webhooks` with the script's own server options in a thread."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("TILLBOOK_BASE_URL", url)
    shop = open_workshop()
    running = server(receive_webhooks(shop=shop), "127.0.0.1", port)
    thread = threading.Thread(target=running.run, name="receiver", daemon=True)
    thread.start()
    wait_until(lambda: running.started)
    if deliver:
        control(till.simulator, "deliveries", {"to": url})
    try:
        yield Receiver(till, url, shop)
    finally:
        control(till.simulator, "deliveries", {"to": ""})
        running.should_exit = True
        thread.join()
        shop.close()


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
