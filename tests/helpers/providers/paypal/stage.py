"""PayPal in the simulator."""

from __future__ import annotations

from typing import Any, ClassVar

from helpers.providers.stage import Stage
from helpers.running.referee import spoilt
from helpers.vendors.go_between import GoBetween
from simulator.paypal import webhooks
from tillbook.kit.errors import Uncertain
from tillbook.kit.money import Money
from tillbook.vendors.protocols import Provider

Json = dict[str, Any]


_SIGNING = ("transmission-id", "transmission-time", "transmission-sig", "cert-url", "auth-algo")


class PayPalStage(Stage):
    """Its orders have no list, and we capture them."""

    name = "paypal"
    finds_pages = False  # Orders v2 has no list, and an order whose id is lost never moves money
    closes_at_vendor = False
    forgets_pages = True
    pins_failures = False
    pending_moves = False
    asks_for_certificates = True
    lists_all_events = False
    events_name_account = False
    fee_at_once = True
    fee_of_123_45 = Money(480, "USD")  # 3.49 % of 123.45 is 4.308; with 0.49 it is 4.80
    other_content = (Uncertain, "")  # its words may also be about an attempt of ours that is on its way
    absent_page = "0NOTHING0NOTHING0"
    absent_objects = ("0NOTHING0NOTHING0",)
    calls: ClassVar = {
        "create": ("POST", "/v2/checkout/orders"),
        "capture": ("POST", "/v2/checkout/orders/*/capture"),
        "refund": ("POST", "/v2/payments/captures/*/refund"),
        "read": ("GET", "*"),
    }
    event_type = "event_type"
    signing_headers = tuple(f"paypal-{name}" for name in _SIGNING)
    _WORDS: ClassVar = {
        "succeeded": "COMPLETED",
        "pending": "PENDING",
        "held": "PENDING",
        "failed": "FAILED",
        "canceled": "CANCELLED",
    }

    @property
    def account_id(self) -> str:
        return str(self.simulator.world.accounts["paypal_account_id"])

    def pages(self) -> list[Json]:
        return self.world("order")

    def refunds(self) -> list[Json]:
        return self.world("refund")

    def refunds_start_as(self, status: str) -> None:
        self.ordered("refunds", {"vendor": "paypal", "status": self._WORDS[status]})

    def end_refund(self, refund: str, outcome: str) -> None:
        self.ordered("refund_outcome", {"refund": refund, "outcome": self._WORDS[outcome]})

    def captures_start_as(self, status: str) -> None:
        self.ordered("captures", {"status": status})

    def end_capture(self, payment: str, outcome: str) -> None:
        self.ordered("capture_outcome", {"capture": self._capture(payment)["id"], "outcome": outcome})

    def capture_elsewhere(self, checkout_id: str) -> None:
        """Another program of the seller captures an order."""
        self.ordered("capture", {"checkout_id": checkout_id})

    def unfinished(self) -> tuple[str, str]:
        """A capture that PayPal looks at first."""
        self.captures_start_as("PENDING")
        state = self.paid()
        return state.id, state.id

    def _capture(self, payment: str) -> Json:
        return next(one for one in self.world("capture") if one["links"][-1]["href"].endswith(payment))

    def spoil_row(self, payment: str) -> None:
        self.plant("transaction", self._capture(payment)["id"], currency="XYZ")

    def spoil_fee(self, payment: str) -> str:
        capture = self._capture(payment)
        breakdown = {**capture["seller_receivable_breakdown"], "paypal_fee": {"currency_code": "USD", "value": "2,10"}}
        self.plant("capture", spoilt(capture["id"]), seller_receivable_breakdown=breakdown)
        return str(capture["id"])

    def spoil_event(self, event: str) -> None:
        self.plant("event", spoilt(event), resource_version=5)

    def signed(self, body: bytes, *, at: int, secret: str = "") -> dict[str, str]:
        return webhooks.sign(self.simulator.world, body, at, webhook_id=secret)

    def other_secret(self) -> Provider:
        return self.provider(paypal_webhook_id="0ANOTHERWEBHOOK00")

    def no_secret(self) -> Provider:
        return self.provider(paypal_webhook_id="")

    def rolled(self, old: str, new: str) -> Provider | None:
        """PayPal signs with its own key, and its webhook keeps its id."""
        return None

    def key_of(self, headers: Json) -> str:
        return str(headers["paypal-request-id"])

    def refusal(self, words: str) -> Json:
        return {"name": "UNPROCESSABLE_ENTITY", "message": words, "debug_id": "90957fca61718", "details": []}

    def live(self, between: GoBetween) -> Provider:
        """Nothing of PayPal's says that it is live: its addresses are others."""
        return self.at(between.url, mode="live")


STAGE = PayPalStage
