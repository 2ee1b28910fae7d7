"""Stripe in the simulator."""

from __future__ import annotations

from typing import Any, ClassVar

import stripe

from helpers.providers.stage import Stage
from helpers.running.referee import spoilt
from helpers.vendors.go_between import GoBetween
from helpers.vendors.misbehaving import answer
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.vendors.protocols import Provider
from tillbook.vendors.stripe.declaration import WEBHOOK_SECRET

Json = dict[str, Any]


class StripeStage(Stage):
    """Its list shows everything, and the answer to a key stays."""

    name = "stripe"
    finds_pages = True
    closes_at_vendor = True
    forgets_pages = False
    pins_failures = True
    pending_moves = True
    asks_for_certificates = False
    lists_all_events = True
    events_name_account = False
    fee_at_once = False
    fee_of_123_45 = Money(388, "USD")  # 2.9 % of 123.45 is 3.580; with 0.30 it is 3.88
    other_content = (Refused, "idempotency_error")
    absent_page = "cs_test_nothing"
    absent_objects = ("pi_nothing", "cs_test_nothing")
    calls: ClassVar = {
        "create": ("POST", "/v1/checkout/sessions"),
        "refund": ("POST", "/v1/refunds"),
        "read": ("GET", "*"),
    }

    event_type = "type"
    signing_headers = ("stripe-signature",)

    @property
    def account_id(self) -> str:
        return str(self.simulator.world.accounts["stripe_account"])

    def pages(self) -> list[Json]:
        return self.world("checkout.session")

    def refunds(self) -> list[Json]:
        return self.world("refund")

    def refunds_start_as(self, status: str) -> None:
        assert self.control("refunds", {"status": status})["status"] == status

    def end_refund(self, refund: str, outcome: str) -> None:
        self.ordered("refund_outcome", {"refund": refund, "outcome": outcome})

    def unfinished(self) -> tuple[str, str]:
        """A bank debit: the page is complete, the intent is processing, and its charge is pending."""
        state = self.paid()
        charge = next(one for one in self.world("charge") if one["payment_intent"] == state.payment)
        self.plant("checkout.session", state.id, payment_status="unpaid")
        self.plant("payment_intent", state.payment, status="processing", amount_received=0)
        self.plant("charge", charge["id"], status="pending", captured=False, paid=False, balance_transaction=None)
        return state.id, state.payment

    def _transaction(self, payment: str) -> str:
        return next(str(one["balance_transaction"]) for one in self.world("charge") if one["payment_intent"] == payment)

    def spoil_row(self, payment: str) -> None:
        self.plant("balance_transaction", self._transaction(payment), currency="xyz")

    def spoil_fee(self, payment: str) -> str:
        """3.87 ISK, which has no decimals."""
        self.plant("balance_transaction", self._transaction(payment), fee=387, currency="isk")
        return self._transaction(payment)

    def spoil_event(self, event: str) -> None:
        self.plant("event", spoilt(event), livemode="perhaps")

    def signed(self, body: bytes, *, at: int, secret: str = "") -> dict[str, str]:
        secret = secret or self.settings.listed(WEBHOOK_SECRET)[0]
        header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=at)
        return {"stripe-signature": header}

    def other_secret(self) -> Provider:
        return self.provider(stripe_webhook_secret="whsec_another")

    def no_secret(self) -> Provider:
        return self.provider(stripe_webhook_secret="")

    def rolled(self, old: str, new: str) -> Provider | None:
        return self.provider(stripe_webhook_secret=f"{old},{new}")

    def key_of(self, headers: Json) -> str:
        return str(headers["idempotency-key"])

    def refusal(self, words: str) -> Json:
        return {"error": {"type": "invalid_request_error", "code": "parameter_invalid", "message": words}}

    def live(self, between: GoBetween) -> Provider:
        """A key says itself that it is live; the account does not."""
        between.on_call("GET", "/v1/account", answer({"id": self.account_id, "object": "account"}))
        return self.at(between.url, mode="live", stripe_secret_key="sk_live_" + "1" * 24)


STAGE = StripeStage
