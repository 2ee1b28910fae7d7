"""One simulated PayPal account: its objects, its events, and where its events go."""

from __future__ import annotations

import copy
import secrets
import string
from collections.abc import Iterator

from simulator.paypal import webhooks
from simulator.paypal.wire.errors import not_found
from simulator.paypal.wire.times import precise
from simulator.world import Json, World

EVENTS = "/v1/notifications/webhooks-events"
SELLER = "Harbor Lane Studio LLC"
SELLER_EMAIL = "owner@harborlane.example"
_ALPHABET = string.ascii_uppercase + string.digits
_ID_LENGTH = 17


class Account:
    """What the API, the payer's pages, the control and the clock all work on.

    Objects are kept in the World under `paypal.<kind>`.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.deliveries = webhooks.deliveries(world)

    @property
    def merchant_id(self) -> str:
        """PayPal's id of the seller's account."""
        return str(self.world.accounts["paypal_account_id"])

    def identifier(self) -> str:
        """An id as PayPal makes them: 17 characters of A-Z and 0-9."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))

    @property
    def payee(self) -> Json:
        """The seller, as orders, captures and refunds name it."""
        return {"email_address": SELLER_EMAIL, "merchant_id": self.merchant_id}

    def link(self, name: str, path: str, method: str = "GET") -> Json:
        """A link of an object (`self`, `up`, `next` ...) to a path of the API (`/v2/...`)."""
        return {"href": f"{self.world.url}/paypal{path}", "rel": name, "method": method}

    def save(self, kind: str, thing: Json) -> Json:
        """Keep an object of a kind (`order`, `capture`, `refund`, `event`, `transaction` ...) under its `id`."""
        return self.world.save(f"paypal.{kind}", str(thing["id"]), thing)

    def find(self, kind: str, key: str | None) -> Json | None:
        """The object of this kind and id, or None. It is the object itself: change it only to save it again."""
        return self.world.get(f"paypal.{kind}", key) if key else None

    def need(self, kind: str, key: str) -> Json:
        """The object of this kind and id. Raises the PayPalError 404 for an unknown one."""
        found = self.find(kind, key)
        if found is None:
            raise not_found()
        return found

    def all(self, kind: str) -> Iterator[Json]:
        """Every object of a kind, oldest first."""
        return self.world.all(f"paypal.{kind}")

    def emit(self, event_type: str, resource_type: str, resource: Json, at: int, summary: str = "") -> Json:
        """Keep an event that shows what it tells of as it is at `at`, and queue its delivery. Call it in the loop."""
        key = f"WH-{self.identifier()}-{self.identifier()}"
        path = f"{EVENTS}/{key}"
        event = {
            "id": key,
            "event_version": "1.0",
            "create_time": precise(at),
            "resource_type": resource_type,
            "resource_version": "2.0",
            "event_type": event_type,
            "summary": summary,
            "resource": copy.deepcopy(resource),
            "links": [self.link("self", path), self.link("resend", f"{path}/resend", "POST")],
        }
        self.save("event", event)
        self.deliveries.queue(event)
        return event
