"""Each provider on its stage: the simulated vendor, and what a customer or a sender of events does there.

A provider that joins PROVIDERS needs one class here to be held to `test_providers.py`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
import requests
import stripe

from helpers.settings import changed, loaded
from simulator.paypal import webhooks
from simulator.server import Simulator
from tillbook.kit import settings as settings_room
from tillbook.kit.clock import Clock
from tillbook.kit.errors import Refused, TillbookError, Uncertain
from tillbook.kit.money import Money
from tillbook.kit.settings import Settings
from tillbook.operations.kinds.refunds.refund_payment import RefundRequest
from tillbook.operations.kinds.sales.create_checkout import CheckoutRequest
from tillbook.rules.events import Reading
from tillbook.rules.facts import PaymentRefunded
from tillbook.rules.operations import Operation, Plan, operation_id
from tillbook.vendors.protocols import CheckoutState, Provider
from tillbook.vendors.providers import declared_settings, open_provider
from tillbook.vendors.stripe.declaration import WEBHOOK_SECRET

Json = dict[str, Any]

SIXTY, TWENTY = Money(6000, "USD"), Money(2000, "USD")
GOOD, DECLINED = "4242424242424242", "4000000000000002"

Failure = TypeVar("Failure", bound=TillbookError)

_numbers = itertools.count(1)


class HurriedClock(Clock):
    """The clock of the simulated world, which notes every wait instead of waiting."""

    def __init__(self, offset_file: Path | None = None) -> None:
        super().__init__(offset_file)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Simulated:
    """What every stage shares: one simulator, its controls, its clock, the settings that lead to it, and the words in
    which a test speaks of its provider."""

    name: ClassVar[str]
    _FAULTS: ClassVar[dict[str, tuple[str, str]]]

    def __init__(self, simulator: Simulator, settings: Settings) -> None:
        self.simulator = simulator
        self.settings = settings
        self.clock = HurriedClock(settings.clock_file)

    # -- the simulated world -----------------------------------------------------------------------

    def control(self, path: str, body: Json | None = None, method: str = "") -> Json:
        """Ask `/_control`; answers with an error status are answers too."""
        method = method or ("GET" if body is None else "POST")
        found: Json = requests.request(method, f"{self.simulator.url}/_control/{path}", json=body, timeout=10).json()
        return found

    def later(self, seconds: int) -> None:
        """Let time pass in the simulated world."""
        self.control("clock", {"advance_seconds": seconds})

    def calm(self) -> None:
        """Take back every fault, and what was chosen for the payments and refunds to come."""
        self.control("faults", method="DELETE")
        self.refunds_start_as("succeeded")
        self.clock.slept.clear()

    def requests(self) -> list[Json]:
        """Every request that the vendors got, oldest first."""
        found: list[Json] = self.control("requests")["requests"]
        return found

    def fail(self, what: str, kind: str, *, times: int = 1, **more: float) -> None:
        """Let the next calls fail; `what` is `create`, `refund` or `read`, `kind` one of the simulator's faults."""
        method, path = self._FAULTS[what]
        order = {"vendor": self.name, "method": method, "path": path, "kind": kind, "times": times, **more}
        assert "error" not in self.control("faults", order)

    def refunds_start_as(self, status: str) -> None:
        """How new refunds begin: `succeeded`, `pending`, or `held` (nothing moved yet)."""
        raise NotImplementedError

    # -- the provider ------------------------------------------------------------------------------

    @cached_property
    def usual(self) -> Provider:
        """The provider as its settings describe it."""
        return self.provider()

    def provider(self, **changes: Any) -> Provider:
        """The provider as another process has it, under these settings, changed where a test says so."""
        return open_provider(self.name, changed(self.settings, **changes), self.clock)

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
        assert "id" in self.control("refund", {"payment": payment, "amount": minor})

    def question(self, payment: str, kind: str) -> None:
        """The customer's bank begins an `inquiry` or a `dispute`."""
        assert "error" not in self.control("dispute", {"payment": payment, "kind": kind})

    def message(self) -> bytes:
        """The body of an event about a payment."""
        return (Path(__file__).parents[2] / "samples" / self._SAMPLE).read_bytes()

    _SAMPLE: ClassVar[str]


class StripeStage(Simulated):
    """Stripe in the simulator."""

    name = "stripe"
    moves_by_itself = True
    """The money moves when the customer agrees; where not, we capture what was approved."""
    finds_pages = True
    """A page whose answer was lost is found by its operation in a list."""
    closes_at_vendor = True
    """A closed page is closed at the vendor, too; where not, it is our word that nothing is captured."""
    forgets_pages = False
    """A page whose time is over can still be read; where not, it is not there any more."""
    pins_failures = True
    """A 500 is the answer to its key for ever; where not, the next attempt under the same key succeeds."""
    pending_moves = True
    """A pending refund took its money already; where not, it is nothing until it is completed."""
    asks_for_certificates = False
    """Signatures are checked with a secret of ours; where not, with a certificate that has to be fetched once."""
    lists_all_events = True
    """The list of events tells of every page; where not, pages that are open are read one by one."""
    fee_at_once = False
    """The fee is known a while after the payment; where not, with it."""
    fee_of_123_45 = Money(388, "USD")
    """2.9 % of 123.45 is 3.580; with 0.30 it is 3.88."""
    other_content: ClassVar = (Refused, "idempotency_error")
    """The error, and its code, when a key comes again with other content."""
    absent_page = "cs_test_nothing"
    absent_objects = ("pi_nothing", "cs_test_nothing")
    """Ids of the right form that lead nowhere."""

    _FAULTS: ClassVar = {
        "create": ("POST", "/v1/checkout/sessions"),
        "refund": ("POST", "/v1/refunds"),
        "read": ("GET", "*"),
    }
    _SAMPLE = "stripe/payment_intent.succeeded/event.json"

    def unreachable(self) -> Provider:
        """The provider where nobody listens at the vendor's address."""
        return self.provider(stripe_api_base="http://127.0.0.1:1")

    def made(self) -> int:
        """How many checkouts the vendor holds."""
        return self.simulator.world.count("stripe.checkout.session")

    def refunds_start_as(self, status: str) -> None:
        assert self.control("refunds", {"status": status})["status"] == status

    def end_refund(self, refund: str, outcome: str) -> None:
        """What becomes of a refund: `succeeded`, `failed` or `canceled`."""
        assert "id" in self.control("refund_outcome", {"refund": refund, "outcome": outcome})

    def signed(self, body: bytes, *, at: int, secret: str = "") -> dict[str, str]:
        """The headers that the vendor would send with a body, by its own signer; `secret` empty: the right one."""
        secret = secret or self.settings.listed(WEBHOOK_SECRET)[0]
        header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=at)
        return {"stripe-signature": header}

    def other_secret(self) -> Provider:
        """The provider where the vendor's secret was replaced by another."""
        return self.provider(stripe_webhook_secret="whsec_another")

    def no_secret(self) -> Provider:
        """The provider with nothing to verify webhooks with."""
        return self.provider(stripe_webhook_secret="")


class PayPalStage(Simulated):
    """PayPal in the simulator. What its attributes mean is said at those of Stripe's stage."""

    name = "paypal"
    moves_by_itself = False
    finds_pages = False  # Orders v2 has no list, and an order whose id is lost never moves money
    closes_at_vendor = False
    forgets_pages = True
    pins_failures = False
    pending_moves = False
    asks_for_certificates = True
    lists_all_events = False
    fee_at_once = True
    fee_of_123_45 = Money(480, "USD")  # 3.49 % of 123.45 is 4.308; with 0.49 it is 4.80
    other_content: ClassVar = (Uncertain, "")  # its words may also be about an attempt of ours that is on its way
    absent_page = "0NOTHING0NOTHING0"
    absent_objects = ("0NOTHING0NOTHING0",)

    _FAULTS: ClassVar = {
        "create": ("POST", "/v2/checkout/orders"),
        "capture": ("POST", "/v2/checkout/orders/*/capture"),
        "refund": ("POST", "/v2/payments/captures/*/refund"),
        "read": ("GET", "*"),
    }
    _SAMPLE = "paypal/PAYMENT.CAPTURE.COMPLETED/event.json"
    _WORDS: ClassVar = {
        "succeeded": "COMPLETED",
        "pending": "PENDING",
        "held": "PENDING",
        "failed": "FAILED",
        "canceled": "CANCELLED",
    }

    def unreachable(self) -> Provider:
        return self.provider(paypal_api_base="http://127.0.0.1:1")

    def made(self) -> int:
        return self.simulator.world.count("paypal.order")

    def calm(self) -> None:
        super().calm()
        self.captures_start_as("COMPLETED")

    def refunds_start_as(self, status: str) -> None:
        assert "error" not in self.control("refunds", {"vendor": "paypal", "status": self._WORDS[status]})

    def end_refund(self, refund: str, outcome: str) -> None:
        assert "error" not in self.control("refund_outcome", {"refund": refund, "outcome": self._WORDS[outcome]})

    def captures_start_as(self, status: str) -> None:
        """How new captures begin: `COMPLETED` or `PENDING`."""
        assert "error" not in self.control("captures", {"status": status})

    def end_capture(self, payment: str, outcome: str) -> None:
        """What becomes of an order's pending capture: `completed` or `declined`."""
        capture = next(one for one in self.world("capture") if one["links"][-1]["href"].endswith(payment))
        assert "error" not in self.control("capture_outcome", {"capture": capture["id"], "outcome": outcome})

    def capture_elsewhere(self, checkout_id: str) -> None:
        """Another program of the seller captures an order."""
        assert "error" not in self.control("capture", {"checkout_id": checkout_id})

    def world(self, kind: str) -> list[Json]:
        """Every object of a kind that the simulated PayPal holds."""
        return list(self.simulator.world.all(f"paypal.{kind}"))

    def signed(self, body: bytes, *, at: int, secret: str = "") -> dict[str, str]:
        return webhooks.sign(self.simulator.world, body, at, webhook_id=secret)

    def other_secret(self) -> Provider:
        return self.provider(paypal_webhook_id="0ANOTHERWEBHOOK00")

    def no_secret(self) -> Provider:
        return self.provider(paypal_webhook_id="")


Stage = StripeStage | PayPalStage


STAGES: dict[str, type[Stage]] = {stage.name: stage for stage in (StripeStage, PayPalStage)}


@contextmanager
def set_stage(name: str, home: Path) -> Iterator[Any]:
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
        for name in settings_room.names(declared_settings()):
            patch.delenv(name, raising=False)
        patch.setenv("TILLBOOK_ENV", str(empty))
        patch.setenv("TILLBOOK_HOME", str(home))
        return loaded()


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


def raised(kind: type[Failure], call: Callable[..., object], *given: Any) -> Failure:
    """The error of this kind that a call ends with."""
    with pytest.raises(kind) as caught:
        call(*given)
    return caught.value


def asked(payment: str, amount: Money = TWENTY, **changes: str) -> RefundRequest:
    """A request to give some of a payment back."""
    values = {"invoice": "INV-1", "reason": "a word of ours", "reference": "RMA-1", "purpose": "sale", **changes}
    return RefundRequest(payment=payment, amount=amount, **values)


def returns(reading: Reading) -> list[PaymentRefunded]:
    """The refunds among the facts of a reading."""
    return [fact for fact in reading.facts if isinstance(fact, PaymentRefunded)]


READS: dict[str, Callable[[Provider, str, Operation], object]] = {
    "account": lambda provider, *_: provider.account(),
    "balance": lambda provider, *_: provider.balance(),
    "checkout": lambda provider, page, _: provider.checkout(page),
    "events": lambda provider, *_: list(provider.events(0)),
    "find": lambda provider, _, refund: provider.find(refund),
    "read": lambda provider, page, _: provider.read(page),
    "statement": lambda provider, *_: list(provider.statement(0, 2**31)),
}
"""Everything that only looks, for a page and a refund."""


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
