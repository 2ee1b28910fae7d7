"""What the server and `/_control` need of a simulated vendor. `vendors.py` lists those that there are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from simulator.control_input import Conflict
from simulator.deliveries import Deliveries
from simulator.world import Json, World


@dataclass(frozen=True)
class Options:
    """How the simulator was started: where events go (empty: nowhere), and after how many seconds a fee appears."""

    deliver_to: str = ""
    settle_seconds: int = 2


class Vendor(ABC):
    """A simulated vendor: its API is below `/NAME`, its objects are the World's `NAME.<kind>`.

    `hidden` are the kinds that `/_control` neither shows nor changes: secrets, and the vendor's own notes.
    `refuses_busy_keys` says that a request is answered 409 while another one with its key is not answered yet.
    """

    name: ClassVar[str]
    hidden: ClassVar[tuple[str, ...]] = ()
    refuses_busy_keys: ClassVar[bool] = False

    def __init__(self, world: World, options: Options) -> None:
        self.world = world

    @staticmethod
    @abstractmethod
    def made_accounts() -> dict[str, str]:
        """New random account ids and secrets, each under its name in `accounts.json`."""

    @abstractmethod
    def api(self) -> ASGIApp:
        """The application below `/NAME`. Its requests are logged, and faults can be ordered for them."""

    @abstractmethod
    def fault(self, kind: str, path: str, form: str, headers: Headers) -> Response:
        """What the vendor answers to a fault of this kind. `form` is what was sent in the body or the query."""

    @abstractmethod
    def request_key(self, headers: Headers, query: str) -> str | None:
        """The id by which the vendor recognises a repeated request, or None."""

    def pages(self) -> list[BaseRoute]:
        """The pages that people see, by their whole path. They are not logged."""
        return []

    def control_routes(self) -> list[BaseRoute]:
        """Routes below `/_control` that only this vendor has."""
        return []

    def stranger(self, chance: Random, at: int) -> None:
        """Let somebody else do something with the account at a time (UTC seconds). Here nobody does."""
        return

    def forget(self, kind: str, key: str) -> None:
        """Remove an object behind everybody's back, with its effects."""
        self.world.delete(f"{self.name}.{kind}", key)

    def photograph(self) -> str:
        """What the vendor keeps beside the World, for `restore`."""
        return ""

    @abstractmethod
    def restore(self, photograph: str) -> None:
        """Know what the World and the photograph show, and nothing else."""


class Processor(Vendor):
    """A vendor that takes payments and sends events.

    The methods with a body (`given`) carry out a verb of `/_control`. They raise ValueError for what makes no sense
    and Conflict for what is not possible now.
    """

    deliveries: Deliveries

    @abstractmethod
    def knows(self, key: str) -> bool:
        """Whether a checkout, a payment, a refund or a dispute has this id."""

    @abstractmethod
    def pay(self, given: Json) -> Json | Response:
        """Let the customer pay the checkout `checkout_id`."""

    @abstractmethod
    def refund(self, given: Json) -> Json:
        """Refund `payment`, as a person does it in the dashboard: `amount` (minor units), or all that is left."""

    @abstractmethod
    def end_refund(self, given: Json) -> Json:
        """Let `refund` end as `outcome`."""

    @abstractmethod
    def start_refunds(self, given: Json) -> Json:
        """Let new refunds begin as `status` until the next reset."""

    @abstractmethod
    def dispute(self, given: Json) -> Json:
        """Let the customer question `payment`, as `kind` and `reason` say."""

    def end_dispute(self, given: Json) -> Json:
        """Let `dispute` be decided as `outcome`: won or lost."""
        raise Conflict(f"{self.name} decides no disputes here yet")

    def pay_out(self, given: Json) -> Json:
        """Send `amount` (minor units, or all that is available) of `currency` to the business's bank."""
        raise Conflict(f"{self.name} pays nothing out here yet")

    @abstractmethod
    def sums(self) -> Mapping[str, Mapping[str, int]]:
        """Money that moved, in minor units by currency: `captured`, `refunded`, and `statement` (all, less fees)."""

    def knows_event(self, key: str) -> bool:
        """Whether an event has this id."""
        return self.world.get(f"{self.name}.event", key) is not None

    def happen_until(self, at: int) -> None:
        """Do what became due until a time (UTC seconds). Here nothing happens by itself."""

    def pass_time(self) -> None:
        """Do what is due in simulated time, and send events. It is called in the event loop, often."""
        self.happen_until(self.world.now())
        self.deliveries.pump()

    def restore(self, photograph: str) -> None:
        """Know the deliveries that the World keeps."""
        self.deliveries.read()

    async def reset(self) -> None:
        """Forget what is kept beside the World: it is about to be reset."""
        await self.deliveries.clear()
