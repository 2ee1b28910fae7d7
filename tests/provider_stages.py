"""Each provider on its stage: the simulated vendor, and what a customer or a sender of events does there.

A provider that joins PROVIDERS needs one class here to be held to `test_providers.py`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pytest
import requests
import stripe

from tillbook import settings as settings_room
from tillbook.clock import Clock
from tillbook.money import Money
from tillbook.operations import Operation, Plan, operation_id
from tillbook.providers import CheckoutRequest, Provider, open_provider
from tillbook.settings import Settings
from tillbook.simulator.server import Simulator

Json = dict[str, Any]

SIXTY = Money(6000, "USD")

_numbers = itertools.count(1)


class HurriedClock(Clock):
    """The clock of the simulated world, which notes every wait instead of waiting."""

    def __init__(self, offset_file: Path | None = None) -> None:
        super().__init__(offset_file)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Stage(Protocol):
    """A provider with everything around it that a test needs."""

    settings: Settings
    clock: HurriedClock

    def provider(self, **changes: Any) -> Provider:
        """The provider under these settings, changed where a test says so."""
        ...

    def unreachable(self) -> Provider:
        """The provider where nobody listens at the vendor's address."""
        ...

    def pay(self, checkout_id: str, *, well: bool = True) -> None:
        """What the customer does on the page, with a card that is good or declined."""
        ...

    def fail(self, what: str, kind: str, *, times: int = 1, **more: float) -> None:
        """Let the next calls fail; `what` is `create`, `refund` or `read`, `kind` one of the simulator's faults."""
        ...

    def made(self) -> int:
        """How many checkouts the vendor holds."""
        ...

    def refund_in_dashboard(self, payment: str, minor: int) -> None:
        """A person gives money back without us."""
        ...

    def refunds_start_as(self, status: str) -> None:
        """How new refunds begin: `succeeded`, `pending`, or `held` (nothing moved yet)."""
        ...

    def end_refund(self, refund: str, outcome: str) -> None:
        """What becomes of a refund: `succeeded`, `failed` or `canceled`."""
        ...

    def question(self, payment: str, kind: str) -> None:
        """The customer's bank begins an `inquiry` or a `dispute`."""
        ...

    def message(self) -> bytes:
        """The body of an event about a payment."""
        ...

    def signed(self, body: bytes, *, at: int, secret: str = "") -> dict[str, str]:
        """The headers that the vendor would send with a body; `secret` empty: the right one."""
        ...

    def other_secret(self) -> Provider:
        """The provider where the vendor's secret was replaced by another."""
        ...

    def no_secret(self) -> Provider:
        """The provider with an empty webhook secret."""
        ...


class Simulated:
    """What every stage shares: one simulator, its controls, its clock and the settings that lead to it."""

    def __init__(self, simulator: Simulator, settings: Settings) -> None:
        self.simulator = simulator
        self.settings = settings
        self.clock = HurriedClock(settings.clock_file)

    def control(self, path: str, body: Json | None = None, method: str = "") -> Json:
        """Ask `/_control`; answers with an error status are answers too."""
        method = method or ("GET" if body is None else "POST")
        found: Json = requests.request(method, f"{self.simulator.url}/_control/{path}", json=body, timeout=10).json()
        return found

    def later(self, seconds: int) -> None:
        """Let time pass in the simulated world."""
        self.control("clock", {"advance_seconds": seconds})

    def calm(self) -> None:
        """Take back every fault."""
        self.control("faults", method="DELETE")

    def requests(self) -> list[Json]:
        """Every request that the vendors got, oldest first."""
        found: list[Json] = self.control("requests")["requests"]
        return found


class StripeStage(Simulated):
    """Stripe in the simulator."""

    _PATHS: ClassVar = {
        "create": ("POST", "/v1/checkout/sessions"),
        "refund": ("POST", "/v1/refunds"),
        "read": ("GET", "*"),
    }

    def provider(self, **changes: Any) -> Provider:
        return open_provider("stripe", replace(self.settings, **changes), self.clock)

    def unreachable(self) -> Provider:
        return self.provider(stripe_api_base="http://127.0.0.1:1")

    def pay(self, checkout_id: str, *, well: bool = True) -> None:
        card = "4242424242424242" if well else "4000000000000002"
        self.control("pay", {"checkout_id": checkout_id, "card": card})

    def fail(self, what: str, kind: str, *, times: int = 1, **more: float) -> None:
        method, path = self._PATHS[what]
        order = {"vendor": "stripe", "method": method, "path": path, "kind": kind, "times": times, **more}
        assert "error" not in self.control("faults", order)

    def made(self) -> int:
        return self.simulator.world.count("stripe.checkout.session")

    def refund_in_dashboard(self, payment: str, minor: int) -> None:
        assert "id" in self.control("refund", {"payment": payment, "amount": minor})

    def refunds_start_as(self, status: str) -> None:
        assert self.control("refunds", {"status": status}) == {"status": status}

    def end_refund(self, refund: str, outcome: str) -> None:
        assert "id" in self.control("refund_outcome", {"refund": refund, "outcome": outcome})

    def question(self, payment: str, kind: str) -> None:
        assert "id" in self.control("dispute", {"payment": payment, "kind": kind})

    def message(self) -> bytes:
        return (Path(__file__).parent / "samples/stripe/payment_intent.succeeded.json").read_bytes()

    def signed(self, body: bytes, *, at: int, secret: str = "") -> dict[str, str]:
        # The vendor's own signer, so that our check is not compared with itself.
        secret = secret or self.settings.stripe_webhook_secrets[0]
        header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=at)
        return {"stripe-signature": header}

    def other_secret(self) -> Provider:
        return self.provider(stripe_webhook_secrets=("whsec_another",))

    def no_secret(self) -> Provider:
        return self.provider(stripe_webhook_secrets=("",))


STAGES: dict[str, type[StripeStage]] = {"stripe": StripeStage}


@contextmanager
def set_stage(name: str, home: Path) -> Iterator[StripeStage]:
    """Start a simulator in `home` and put a provider on its stage there."""
    simulator = Simulator(home / "simulator", record=_record())
    simulator.start()
    try:
        yield STAGES[name](simulator, simulated_settings(home))
    finally:
        simulator.stop()


def _record() -> Path | None:
    """The file of this worker that the referee reads at the end of the run; None where there is no referee."""
    folder = os.environ.get("TILLBOOK_TEST_WIRE")
    return Path(folder) / f"providers-{os.getpid()}.jsonl" if folder else None


def simulated_settings(home: Path) -> Settings:
    """The settings of a home folder with a simulator in it, untouched by this machine's environment."""
    empty = home / "empty.env"
    empty.touch()
    with pytest.MonkeyPatch.context() as patch:
        for name in settings_room.NAMES:
            patch.delenv(name, raising=False)
        patch.setenv("TILLBOOK_ENV", str(empty))
        patch.setenv("TILLBOOK_HOME", str(home))
        return settings_room.load()


def request_of(
    amount: Money = SIXTY, *, invoice: str = "", email: str = "ada@example.com", lasting: bool = False
) -> CheckoutRequest:
    """A request for a page; `invoice` empty: for a number that no other test uses; `lasting`: for one that stays."""
    number = invoice or f"INV-{next(_numbers)}"
    return CheckoutRequest(
        invoice=number,
        amount=amount,
        description=f"Invoice {number}",
        email=email,
        success_url="" if lasting else "https://till.example/paid",
        cancel_url="" if lasting else "https://till.example/",
    )


def operation_of(plan: Plan, at: int, generation: int = 1) -> Operation:
    """A plan as the ledger would hold it once it was sent at `at`."""
    return Operation(
        id=operation_id(plan.kind, plan.subject, generation),
        kind=plan.kind,
        subject=plan.subject,
        generation=generation,
        door=plan.door,
        params=plan.params,
        params_hash=plan.params_hash,
        state="sent",
        result=None,
        reason="",
        prepared_at=at,
        sent_at=at,
        absent_since=None,
    )


def opening(stage: StripeStage, request: CheckoutRequest | None = None) -> Operation:
    """A new operation that opens a page."""
    return operation_of(stage.provider().plan_checkout(request or request_of()), stage.clock.now())
