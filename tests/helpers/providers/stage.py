"""What every stage has: a simulator, its controls and its clock, and what a test says of a provider there.

Where vendors truly differ, an attribute of the stage says so. What a provider declares is not said again here.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import requests

from helpers.providers.words import SIXTY, operation_of, request_of
from helpers.settings import changed
from helpers.vendors.go_between import GoBetween
from simulator.server import Simulator
from simulator.vendor import Vendor
from simulator.vendors import VENDORS
from tillbook.kit.clock import Clock
from tillbook.kit.declared import Setting
from tillbook.kit.errors import TillbookError
from tillbook.kit.money import Money
from tillbook.kit.settings import Settings
from tillbook.operations.kinds.refunds.refund_payment import RefundRequest
from tillbook.operations.kinds.sales.create_checkout import CheckoutRequest
from tillbook.rules.operations import Operation, Plan
from tillbook.vendors.declaration import Declaration
from tillbook.vendors.protocols import CheckoutState, Provider
from tillbook.vendors.providers import declared, open_provider

Json = dict[str, Any]

GOOD, DECLINED = "4242424242424242", "4000000000000002"


class HurriedClock(Clock):
    """The clock of the simulated world, which notes every wait instead of waiting."""

    def __init__(self, offset_file: Path | None = None) -> None:
        super().__init__(offset_file)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Stage(ABC):
    """One provider in one simulated world."""

    name: ClassVar[str]
    vendors: ClassVar[tuple[type[Vendor], ...]] = VENDORS
    """Who is simulated there."""

    finds_pages: ClassVar[bool]
    """A page whose answer was lost is found by its operation in a list."""
    closes_at_vendor: ClassVar[bool]
    """A closed page is closed at the vendor, too; where not, it is our word that nothing is captured."""
    forgets_pages: ClassVar[bool]
    """A page whose time is over is not there any more; where not, it can still be read."""
    pins_failures: ClassVar[bool]
    """A 500 is the answer to its key for ever; where not, the next attempt under the same key succeeds."""
    pending_moves: ClassVar[bool]
    """A pending refund took its money already; where not, it is nothing until it is completed."""
    asks_for_certificates: ClassVar[bool]
    """Signatures are checked with a certificate that has to be fetched once; where not, with a secret of ours."""
    lists_all_events: ClassVar[bool]
    """The list of events tells of every page; where not, pages that are open are read one by one."""
    events_name_account: ClassVar[bool]
    """Each event says whose it is."""
    fee_at_once: ClassVar[bool]
    """The fee is known with the payment; where not, a while after it."""
    fee_of_123_45: ClassVar[Money]
    other_content: ClassVar[tuple[type[TillbookError], str]]
    """The error, and its code, when a key comes again with other content."""
    absent_page: ClassVar[str]
    absent_objects: ClassVar[tuple[str, ...]]
    """Ids of the right form that lead nowhere."""
    calls: ClassVar[dict[str, tuple[str, str]]]
    """Method and path of the calls `create`, `refund` and `read`."""

    event_type: ClassVar[str]
    """The field of an event with its type."""
    signing_headers: ClassVar[tuple[str, ...]]
    """The headers that an event is verified by."""

    def __init__(self, simulator: Simulator, settings: Settings) -> None:
        self.simulator = simulator
        self.settings = settings
        self.clock = HurriedClock(settings.clock_file)

    # -- what differs ------------------------------------------------------------------------------

    @property
    @abstractmethod
    def account_id(self) -> str:
        """How the vendor calls our account."""

    @abstractmethod
    def pages(self) -> list[Json]:
        """Every page that the vendor holds, oldest first."""

    @abstractmethod
    def refunds(self) -> list[Json]:
        """Every refund that the vendor holds, oldest first."""

    @abstractmethod
    def refunds_start_as(self, status: str) -> None:
        """How new refunds begin: `succeeded`, `pending`, or `held` (nothing moved yet)."""

    @abstractmethod
    def end_refund(self, refund: str, outcome: str) -> None:
        """What becomes of a refund: `succeeded`, `failed` or `canceled`."""

    @abstractmethod
    def unfinished(self) -> tuple[str, str]:
        """A page that a customer used whose money is on its way: the page, and what to read."""

    @abstractmethod
    def signed(self, body: bytes, *, at: int, secret: str = "") -> dict[str, str]:
        """The headers that the vendor would send with a body, by its own signer; `secret` empty: the right one."""

    @abstractmethod
    def other_secret(self) -> Provider:
        """The provider where the vendor's secret was replaced by another."""

    @abstractmethod
    def no_secret(self) -> Provider:
        """The provider with nothing to verify webhooks with."""

    @abstractmethod
    def rolled(self, old: str, new: str) -> Provider | None:
        """The provider with two secrets while the vendor's is replaced; None where there is no secret of ours."""

    @abstractmethod
    def key_of(self, headers: Json) -> str:
        """The idempotency key of a request; names of headers are in lower case."""

    @abstractmethod
    def refusal(self, words: str) -> Json:
        """An error as the vendor words it."""

    @abstractmethod
    def live(self, between: GoBetween) -> Provider:
        """The provider in live mode, with a key of it, and the vendor behind `between` that says it is live."""

    @abstractmethod
    def spoil_row(self, payment: str) -> None:
        """The row of a payment on the statement gets the currency XYZ, which nobody knows."""

    @abstractmethod
    def spoil_fee(self, payment: str) -> str:
        """The fee of a payment cannot be understood. Returns the id of the object that says it."""

    @abstractmethod
    def spoil_event(self, event: str) -> None:
        """An event of the list gets another shape than is documented."""

    def captures_start_as(self, status: str) -> None:
        """How new captures begin, where we capture: `COMPLETED` or `PENDING`."""
        raise NotImplementedError

    def end_capture(self, payment: str, outcome: str) -> None:
        """What becomes of a pending capture, where we capture: `completed` or `declined`."""
        raise NotImplementedError

    # -- the simulated world -----------------------------------------------------------------------

    def control(self, path: str, body: Json | None = None, method: str = "") -> Json:
        """Ask `/_control`; answers with an error status are answers too."""
        method = method or ("GET" if body is None else "POST")
        found: Json = requests.request(method, f"{self.simulator.url}/_control/{path}", json=body, timeout=10).json()
        return found

    def ordered(self, path: str, body: Json) -> Json:
        """Ask `/_control` for what must be possible."""
        told = self.control(path, body)
        assert "error" not in told, told
        return told

    def later(self, seconds: int) -> None:
        """Let time pass in the simulated world."""
        self.control("clock", {"advance_seconds": seconds})

    def calm(self) -> None:
        """Take back every fault, and what was chosen for the payments and refunds to come."""
        self.control("faults", method="DELETE")
        self.refunds_start_as("succeeded")
        if self.declaration.captures:
            self.captures_start_as("COMPLETED")
        self.clock.slept.clear()

    def requests(self) -> list[Json]:
        """Every request that the vendors got, oldest first."""
        found: list[Json] = self.control("requests")["requests"]
        return found

    def fail(self, what: str, kind: str, *, times: int = 1, **more: float) -> None:
        """Let the next calls fail; `what` is `create`, `refund` or `read`, `kind` one of the simulator's faults."""
        method, path = self.calls[what]
        order = {"vendor": self.name, "method": method, "path": path, "kind": kind, "times": times, **more}
        self.ordered("faults", order)

    def world(self, kind: str) -> list[Json]:
        """Every object of a kind that the simulated vendor holds, oldest first."""
        return list(self.simulator.world.all(f"{self.name}.{kind}"))

    def plant(self, kind: str, key: str, **changes: object) -> None:
        """Change an object at the vendor behind everybody's back."""
        self.ordered("plant", {"vendor": self.name, "kind": kind, "id": key, "set": changes})

    def made(self) -> int:
        """How many pages the vendor holds."""
        return len(self.pages())

    # -- the provider ------------------------------------------------------------------------------

    @property
    def declaration(self) -> Declaration:
        """What its folder declares."""
        return declared(self.name)

    @cached_property
    def usual(self) -> Provider:
        """The provider as its settings describe it."""
        return self.provider()

    def provider(self, **changes: Any) -> Provider:
        """The provider as another process has it, under these settings, changed where a test says so."""
        return open_provider(self.name, changed(self.settings, **changes), self.clock)

    @property
    def base(self) -> Setting:
        """The setting with the address of the vendor's API."""
        return next(setting for setting in self.declaration.settings if setting.addresses)

    def at(self, url: str, **changes: Any) -> Provider:
        """The provider whose vendor is at another address."""
        return self.provider(**{self.base.name.lower(): url}, **changes)

    def between(self) -> GoBetween:
        """A server before the vendor's own, for `at`."""
        return GoBetween(self.settings[self.base])

    # -- what is done there ------------------------------------------------------------------------

    def sent(self, plan: Plan, generation: int = 1) -> Operation:
        """A plan as the ledger holds it when it was sent just now."""
        return operation_of(plan, self.clock.now(), generation)

    def opening(self, request: CheckoutRequest | Money | None = None) -> Operation:
        """A new operation that opens a page for a request, or for an amount."""
        wanted = request_of(request) if isinstance(request, Money) else request or request_of()
        return self.sent(self.usual.plan_checkout(wanted))

    def opened(self, amount: Money = SIXTY) -> str:
        """The id of a new open page."""
        return str(self.usual.send(self.opening(amount))["checkout_id"])

    def closing(self, checkout_id: str, generation: int = 1) -> Operation:
        """A new operation that closes a page."""
        return self.sent(self.usual.plan_close(checkout_id), generation)

    def settled(self, checkout_id: str) -> CheckoutState:
        """A page whose missing operation, if any, was carried out."""
        state = self.usual.checkout(checkout_id)
        if plan := self.usual.settle(state):
            self.usual.send(self.sent(plan))
            state = self.usual.checkout(checkout_id)
        return state

    def paid(self, amount: Money = SIXTY) -> CheckoutState:
        """A page that a customer paid, as the provider sees it."""
        checkout_id = self.opened(amount)
        self.pay(checkout_id)
        return self.settled(checkout_id)

    def pay(self, checkout_id: str, *, well: bool = True) -> None:
        """What the customer does on the page, with a card that is good or declined."""
        self.control("pay", {"checkout_id": checkout_id, "card": GOOD if well else DECLINED})

    def refunding(self, request: RefundRequest, generation: int = 1) -> Operation:
        """An operation that gives money back, as the ledger holds it when it was sent."""
        return self.sent(self.usual.plan_refund(request), generation)

    def refund_in_dashboard(self, payment: str, minor: int) -> None:
        """A person gives money back without us."""
        self.ordered("refund", {"payment": payment, "amount": minor})

    def question(self, payment: str, kind: str) -> None:
        """The customer's bank begins an `inquiry` or a `dispute`."""
        self.ordered("dispute", {"payment": payment, "kind": kind})

    def message(self) -> bytes:
        """The body of an event about a new payment, as it is sent."""
        self.paid()
        return json.dumps(self.world("event")[-1]).encode()
