"""One simulated Stripe account: its objects, what is due, and where its events go."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from simulator.stripe import webhooks
from simulator.stripe.agenda import Agenda
from simulator.stripe.wire.errors import no_such
from simulator.world import Json, World

API_VERSION = "2026-10-28.endive"
# An event that no API call caused names no request.
NOBODY: Json = {"id": None, "idempotency_key": None}


class Account:
    """What the API, the pay pages, the control and the clock all work on.

    `settle_seconds` is how long after a payment its balance transaction (and so its fee) appears.
    """

    def __init__(self, world: World, *, settle_seconds: int = 2) -> None:
        self.world = world
        self.settle_seconds = settle_seconds
        self.agenda = Agenda(world)
        self.deliveries = webhooks.deliveries(world)

    def save(self, thing: Json) -> Json:
        """Keep an object under its own `object` and `id`."""
        return self.world.save(f"stripe.{thing['object']}", thing["id"], thing)

    def find(self, what: str, key: str | None) -> Json | None:
        """The object `what` with this id, or None."""
        return self.world.get(f"stripe.{what}", key) if key else None

    def need(self, what: str, key: str, param: str) -> Json:
        """The object `what` with this id. Raises the StripeError 404 for an unknown one."""
        found = self.find(what, key)
        if found is None:
            raise no_such(what, key, param)
        return found

    def newest(self, what: str) -> Iterator[Json]:
        """Every object of a kind, newest first."""
        return reversed(list(self.world.all(f"stripe.{what}")))

    def emit(self, kind: str, thing: Json, at: int, *, cause: Json = NOBODY, previous: Json | None = None) -> Json:
        """Record an event with a snapshot of the object, and queue its delivery."""
        data: Json = {"object": copy.deepcopy(thing)}
        if previous is not None:
            data["previous_attributes"] = previous
        event = {
            "id": self.world.identifier("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": at,
            "data": data,
            "livemode": False,
            "pending_webhooks": 1 if self.deliveries.address else 0,
            "request": dict(cause),
            "type": kind,
        }
        self.save(event)
        self.deliveries.queue(event)
        return event
