"""Acorn in the simulator."""

from __future__ import annotations

from typing import Any, ClassVar

from helpers.providers.acorn.declaration import WEBHOOK_SECRET
from helpers.providers.acorn.simulated import SLOW, SimulatedAcorn, sign
from helpers.providers.stage import Stage
from helpers.vendors.go_between import GoBetween
from helpers.vendors.misbehaving import answer
from simulator.vendors import VENDORS
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.vendors.protocols import Provider

Json = dict[str, Any]


class AcornStage(Stage):
    """A processor with as little as a processor can have."""

    name = "acorn"
    vendors = (*VENDORS, SimulatedAcorn)
    finds_pages = True
    closes_at_vendor = True
    forgets_pages = False
    pins_failures = False
    pending_moves = True
    asks_for_certificates = False
    lists_all_events = True
    events_name_account = True
    fee_at_once = True
    fee_of_123_45 = Money(257, "USD")  # 2 % of 123.45 is 2.469; with 0.10 it is 2.57
    other_content = (Refused, "key_reused")
    absent_page = "page_nothing"
    absent_objects = ("pay_nothing", "page_nothing")
    calls: ClassVar = {
        "create": ("POST", "/v1/pages"),
        "refund": ("POST", "/v1/payments/*/refunds"),
        "read": ("GET", "*"),
    }
    event_type = "type"
    signing_headers = ("acorn-signature",)

    @property
    def account_id(self) -> str:
        return str(self.simulator.world.accounts["acorn_account"])

    def pages(self) -> list[Json]:
        return self.world("page")

    def refunds(self) -> list[Json]:
        return self.world("refund")

    def refunds_start_as(self, status: str) -> None:
        self.ordered("refunds", {"vendor": "acorn", "status": status})

    def end_refund(self, refund: str, outcome: str) -> None:
        self.ordered("refund_outcome", {"refund": refund, "outcome": outcome})

    def unfinished(self) -> tuple[str, str]:
        """A bank that takes days."""
        page = self.opened()
        return page, str(self.ordered("pay", {"checkout_id": page, "card": SLOW})["payment"])

    def spoil_row(self, payment: str) -> None:
        self.plant("row", payment, currency="XYZ")

    def spoil_fee(self, payment: str) -> str:
        self.plant("payment", payment, fee="much")
        return payment

    def spoil_event(self, event: str) -> None:
        self.plant("event", event, account=5)

    def signed(self, body: bytes, *, at: int, secret: str = "") -> dict[str, str]:
        return sign(body, secret or self.settings[WEBHOOK_SECRET])

    def other_secret(self) -> Provider:
        return self.provider(acorn_webhook_secret="another")

    def no_secret(self) -> Provider:
        return self.provider(acorn_webhook_secret="")

    def rolled(self, old: str, new: str) -> Provider | None:
        return self.provider(acorn_webhook_secret=f"{old},{new}")

    def key_of(self, headers: Json) -> str:
        return str(headers["acorn-key"])

    def refusal(self, words: str) -> Json:
        return {"problem": {"code": "no", "words": words}}

    def live(self, between: GoBetween) -> Provider:
        """The account says itself that it is live."""
        between.on_call("GET", "/v1/account", answer({"id": self.account_id, "live": True}))
        return self.at(between.url, mode="live", acorn_api_key="nut_live_1")


STAGE = AcornStage
