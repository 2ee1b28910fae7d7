"""A seller's program and a payer at the simulated PayPal: plain `requests`, no client of ours, nothing hidden."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from helpers.vendors.simulated_stripe import control, requests_of
from simulator.server import Simulator

__all__ = ["Seller", "control", "issue", "judged", "order_body", "refund_body", "requests_of", "state"]

Json = dict[str, Any]

TIMEOUT = 20
_numbers = itertools.count(1)


@contextmanager
def judged(folder: Path, **options: Any) -> Iterator[Simulator]:
    """A running simulator whose traffic the referee judges at the end of the run."""
    wire = os.environ.get("TILLBOOK_TEST_WIRE")
    with Simulator(folder, record=Path(wire) / f"{os.getpid()}.jsonl" if wire else None, **options) as running:
        yield running


def state(simulator: Simulator) -> Json:
    """What `/_control/state` shows."""
    found: Json = requests.get(f"{simulator.url}/_control/state", timeout=TIMEOUT).json()
    return found


def order_body(value: str = "60.00", currency: str = "USD", **unit: Any) -> Json:
    """An order as Tillbook asks for it; `unit` are more fields of its purchase unit."""
    number = next(_numbers)
    given = {"invoice_id": f"INV-{number}/1", "custom_id": f"op_{number}", "description": f"Invoice INV-{number}"}
    context = {
        "return_url": "https://shop.example/thanks?from=paypal",
        "cancel_url": "https://shop.example/cart",
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
        "brand_name": "Harbor Lane Studio",
    }
    amount = {"currency_code": currency, "value": value}
    return {
        "intent": "CAPTURE",
        "purchase_units": [{"amount": amount, **given, **unit}],
        "payment_source": {"paypal": {"experience_context": context}},
    }


def refund_body(value: str = "", currency: str = "USD", **more: Any) -> Json:
    """A refund of so much, or of everything."""
    return {"amount": {"currency_code": currency, "value": value}, **more} if value else more


def issue(answer: requests.Response) -> tuple[int, str]:
    """The HTTP status of a refusal, and its issue."""
    return answer.status_code, answer.json()["details"][0]["issue"]


class Seller:
    """The seller's program: a token, and one method for each call. Answers are `requests.Response`."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.base = f"{simulator.url}/paypal"
        self.token = ""

    def sign_in(self) -> str:
        """A new access token."""
        accounts = self.simulator.world.accounts
        answer = requests.post(
            f"{self.base}/v1/oauth2/token",
            auth=(accounts["paypal_client_id"], accounts["paypal_client_secret"]),
            data={"grant_type": "client_credentials"},
            timeout=TIMEOUT,
        )
        answer.raise_for_status()
        self.token = answer.json()["access_token"]
        return self.token

    def call(
        self, method: str, path: str, body: Json | None = None, *, key: str = "", **more: Any
    ) -> requests.Response:
        """Any call with a token; `key` is the PayPal-Request-Id, `minimal=True` does not ask for the representation."""
        if not self.token:
            self.sign_in()
        headers = {"Authorization": f"Bearer {self.token}"}
        if method == "POST":
            headers |= {"Content-Type": "application/json"}
        if not more.pop("minimal", False):
            headers |= {"Prefer": "return=representation"}
        if key:
            headers |= {"PayPal-Request-Id": key}
        return requests.request(
            method, f"{self.base}{path}", json=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, **more
        )

    def get(self, path: str, **params: str) -> Json:
        """What a GET answers with 200."""
        answer = self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def create(self, body: Json | None = None, *, key: str = "", **more: Any) -> requests.Response:
        """Create an order, under a key of its own unless one is given."""
        return self.call("POST", "/v2/checkout/orders", body or order_body(), key=key or f"k{next(_numbers)}", **more)

    def order(self, key: str) -> Json:
        """An order as it is now."""
        return self.get(f"/v2/checkout/orders/{key}")

    def ordered(self, value: str = "60.00", currency: str = "USD", **unit: Any) -> Json:
        """A new order that nobody approved yet."""
        answer = self.create(order_body(value, currency, **unit))
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    def approve(self, order: str, **more: Any) -> Json:
        """The payer approves, through the control."""
        return control(self.simulator, "pay", {"checkout_id": order, **more})

    def capture(self, order: str, *, key: str = "", **more: Any) -> requests.Response:
        """Capture an order."""
        path = f"/v2/checkout/orders/{order}/capture"
        return self.call("POST", path, {}, key=key or f"k{next(_numbers)}", **more)

    def paid(self, value: str = "60.00", currency: str = "USD", **unit: Any) -> Json:
        """The capture of a new order that was approved and captured."""
        order = self.ordered(value, currency, **unit)
        self.approve(order["id"])
        answer = self.capture(order["id"])
        assert answer.status_code == 201, answer.text
        found: Json = answer.json()["purchase_units"][0]["payments"]["captures"][0]
        return self.get(f"/v2/payments/captures/{found['id']}")

    def refund(self, capture: str, body: Json | None = None, *, key: str = "", **more: Any) -> requests.Response:
        """Refund a capture, all that is left unless the body says how much."""
        path = f"/v2/payments/captures/{capture}/refund"
        return self.call("POST", path, body or {}, key=key or f"k{next(_numbers)}", **more)

    def events(self) -> list[str]:
        """The types of all events, oldest first."""
        found = self.simulator.world.all("paypal.event")
        return [str(event["event_type"]) for event in found]
