"""A sale in the simulated Stripe, in few words: what several tests of the simulator need."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from simulator.server import Simulator

Json = dict[str, Any]

GOOD, DECLINED, NO_FUNDS, SECURE = "4242424242424242", "4000000000000002", "4000000000009995", "4000002500003155"
SUCCESS_URL = "https://shop.example/thanks?session={CHECKOUT_SESSION_ID}"
CANCEL_URL = "https://shop.example/back"


def client(simulator: Simulator, *, retries: int = 0) -> stripe.StripeClient:
    """The unmodified SDK, pointed at the simulator."""
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        str(simulator.world.accounts["stripe_secret_key"]),
        base_addresses={"api": simulator.url + "/stripe"},
        max_network_retries=retries,
    )


def order(amount: int = 12_345, currency: str = "usd", *, lines: int = 1, **more: Any) -> Any:
    """Parameters of a Checkout Session with equal lines of `amount` minor units each."""
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Invoice INV-1001"}}
    return {
        "mode": "payment",
        "success_url": SUCCESS_URL,
        "cancel_url": CANCEL_URL,
        "line_items": [{"quantity": 1, "price_data": price} for _ in range(lines)],
        **more,
    }


def typed(card: str = GOOD, **changes: str) -> dict[str, str]:
    """What a customer types on the pay page."""
    form = {"email": "ada@example.com", "card_number": card, "card_expiry": "12 / 40", "card_cvc": "123"}
    return {**form, "card_name": "Ada Lovelace", **changes}


def control(simulator: Simulator, path: str, body: Any, *, status: int = 200) -> Json:
    """POST to `/_control/...` and expect this status."""
    answer = requests.post(f"{simulator.url}/_control/{path}", json=body, timeout=10)
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


def requests_of(simulator: Simulator, path: str) -> list[Json]:
    """The logged requests of one vendor path, oldest first."""
    log = requests.get(f"{simulator.url}/_control/requests", timeout=10).json()["requests"]
    return [entry for entry in log if entry["path"] == path]


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; fail after ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within ten seconds"
        time.sleep(0.01)


def contract(name: str = "stripe_contract") -> Any:
    """A vendor's own schemas as a module, where they are at hand; Stripe's unless another is named."""
    folder = os.environ.get("TILLBOOK_CONTRACTS")
    if not folder:
        pytest.skip("vendor schemas not present")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def header(thing: Any, name: str) -> str | None:
    """A header of the answer that an object of the SDK came with."""
    found: str | None = thing.last_response.headers.get(name)
    return found


def plain(thing: Any) -> Json:
    """An object of the SDK as the JSON that it came from."""
    found: Json = json.loads(str(thing))
    return found
