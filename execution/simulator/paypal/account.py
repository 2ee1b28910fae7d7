"""One simulated PayPal account: its objects, its events, its statement, and where its events go."""

from __future__ import annotations

import copy
import secrets
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from simulator.deliveries import Deliveries
from simulator.paypal.errors import not_found
from simulator.world import World

Json = dict[str, Any]

SELLER = "Harbor Lane Studio LLC"
SELLER_EMAIL = "owner@harborlane.example"
_ALPHABET = string.ascii_uppercase + string.digits
_ID_LENGTH = 17


class Account:
    """What the API, the payer's pages, the control and the clock all work on.

    Objects are kept in the World under `paypal.<kind>`.
    """

    def __init__(self, world: World) -> None:
        from simulator.paypal import events  # noqa: PLC0415  events works on this class

        self.world = world
        self.deliveries: Deliveries = events.deliveries(self)

    @property
    def merchant_id(self) -> str:
        """PayPal's id of the seller's account."""
        return str(self.world.accounts["paypal_account_id"])

    def identifier(self) -> str:
        """An id as PayPal makes them: 17 characters of A-Z and 0-9."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))

    def link(self, path: str) -> str:
        """The absolute address of a path of the API (`/v2/...`)."""
        return f"{self.world.url}/paypal{path}"

    def save(self, kind: str, thing: Json) -> Json:
        """Keep an object of a kind (`order`, `capture`, `refund`, `event`, `transaction` ...) under its `id`."""
        return self.world.save(f"paypal.{kind}", str(thing["id"]), thing)

    def find(self, kind: str, key: str | None) -> Json | None:
        """The object of this kind and id, or None. It is the object itself: change it only to save it again."""
        return self.world.get(f"paypal.{kind}", key) if key else None

    def need(self, kind: str, key: str) -> Json:
        """The same, but an unknown id raises the PayPalError 404."""
        found = self.find(kind, key)
        if found is None:
            raise not_found()
        return found

    def all(self, kind: str) -> Iterator[Json]:
        """Every object of a kind, oldest first."""
        return self.world.all(f"paypal.{kind}")

    def emit(self, event_type: str, resource_type: str, resource: Json, at: int, summary: str = "") -> Json:
        """Record an event with a snapshot of what it tells of, and queue its delivery."""
        from simulator.paypal import events  # noqa: PLC0415  events works on this class

        return events.record(self, event_type, resource_type, copy.deepcopy(resource), at, summary)

    def book(self, **row: Any) -> Json:
        """Add a row to the statement: the fields of `reporting.add_row`."""
        from simulator.paypal import reporting  # noqa: PLC0415  reporting works on this class

        return reporting.add_row(self, **row)


def stamp(at: int) -> str:
    """A time as PayPal writes it: `2026-11-26T09:05:00Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> int:
    """UTC seconds of such a time."""
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
