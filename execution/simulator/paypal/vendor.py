"""The simulated PayPal as the server and `/_control` use it.

Words of Stripe are understood where PayPal has another for the same thing, so that one test can speak to both.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from random import Random
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from simulator.control_input import Conflict, body, choice, guarded
from simulator.paypal import choices, strangers
from simulator.paypal.account import Account
from simulator.paypal.api import Api
from simulator.paypal.certificates import authority
from simulator.paypal.orders import orders
from simulator.paypal.orders.pages import Pages
from simulator.paypal.orders.payers import payer
from simulator.paypal.payments import captures, disputes, refunds
from simulator.paypal.request_ids import HEADER
from simulator.paypal.statement import reports, rows
from simulator.paypal.wire import amounts
from simulator.paypal.wire.errors import PayPalError
from simulator.vendor import Options, Processor
from simulator.world import Json, World

_DECLINED_CARD = "4000000000000002"
_SAME = {"SUCCEEDED": "COMPLETED", "CANCELED": "CANCELLED"}
_LONGEST_LAG_SECONDS = 31 * 86_400


class PayPal(Processor):
    """One PayPal account: the API, the page where payers approve, the events, and what a test may do to it."""

    name = "paypal"
    hidden = ("choice", "order_due", "requestid", "token")

    def __init__(self, world: World, options: Options) -> None:
        super().__init__(world, options)
        authority(world).make_anchors()
        self._account = Account(world)
        self._api = Api(self._account)
        self.deliveries = self._account.deliveries
        self.deliveries.offer(options.deliver_to)

    @staticmethod
    def made_accounts() -> dict[str, str]:
        """The account, the application that may use it, and its webhook."""
        return {
            "paypal_account_id": "".join(secrets.choice("23456789ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(13)),
            "paypal_client_id": f"A{secrets.token_hex(39)}",
            "paypal_client_secret": f"E{secrets.token_hex(39)}",
            "paypal_webhook_id": f"WH{secrets.token_hex(8).upper()}1",
        }

    def api(self) -> ASGIApp:
        """The API below `/paypal`."""
        return self._api

    def fault(self, kind: str, path: str, form: str, headers: Headers) -> Response:
        """PayPal's answer to `500`, `429` or `403`."""
        return self._api.fault(kind)

    def request_key(self, headers: Headers, query: str) -> str | None:
        """The `PayPal-Request-Id`."""
        return headers.get(HEADER) or None

    def pages(self) -> list[BaseRoute]:
        """Orders below `/paypal/approve`."""
        return [Mount("/paypal/approve", routes=Pages(self._account).routes())]

    # -- `/_control` -------------------------------------------------------------------------------

    def knows(self, key: str) -> bool:
        """Whether an order, a capture, a refund or a dispute has this id."""
        kinds = (orders.ORDER, captures.CAPTURE, refunds.REFUND, disputes.DISPUTE)
        return any(self._account.find(kind, key) for kind in kinds)

    def pay(self, given: Json) -> Json:
        """The payer approves an order. `decline`, or Stripe's declined card, lets its next capture be refused."""
        now = self.world.now()
        order = self._order(given["checkout_id"])
        if order["status"] == "COMPLETED":
            raise Conflict(f"the checkout {order['id']} is COMPLETED, so it cannot be paid")
        who = payer(given.get("email") or "customer@example.com", given.get("name", "Test Customer"))
        declined = given.get("decline", given.get("card") == _DECLINED_CARD)
        orders.approve(self._account, order, who, now, declined=declined)
        return {"status": "approved", "order": order["id"], "payer_id": order["payer"]["payer_id"]}

    def refund(self, given: Json) -> Json:
        """A refund of an order's capture, or of the capture of this id."""
        capture = self._capture(given["payment"])
        start = _word(given, "status", refunds.STARTS) if "status" in given else ""
        wanted: Json = {}
        if "amount" in given:
            wanted["amount"] = amounts.money(given["amount"], capture["amount"]["currency_code"])
        try:
            return refunds.give_back(self._account, capture, wanted, self.world.now(), start=start)
        except PayPalError as error:
            raise Conflict(f"{error.issue}: {error}") from error

    def end_refund(self, given: Json) -> Json:
        """Let a refund complete, fail or be cancelled."""
        found = self._account.need(refunds.REFUND, given["refund"])
        outcome = _word(given, "outcome", refunds.OUTCOMES)
        if not refunds.can_end(found, outcome):
            raise Conflict(f"the refund {found['id']} is {found['status']}, so it cannot become {outcome}")
        return refunds.end(self._account, found, outcome, self.world.now())

    def start_refunds(self, given: Json) -> Json:
        """Let new refunds begin in one of `refunds.STARTS`."""
        status = _word(given, "status", refunds.STARTS)
        choices.choose(self._account, refund_status=status)
        return {"status": status}

    def dispute(self, given: Json) -> Json:
        """The payer questions what is not refunded of a capture."""
        kind = choice(given, "kind", disputes.KINDS)
        reason = choice(given, "reason", disputes.REASONS, "UNAUTHORISED")
        capture = self._capture(given["payment"])
        if disputes.of_capture(self._account, capture["id"]) is not None:
            raise Conflict(f"the capture {capture['id']} is disputed already")
        left = amounts.minor(capture["amount"]) - refunds.refunded(self._account, capture)
        if capture["status"] not in captures.MONEY or left <= 0:
            raise Conflict(f"the capture {capture['id']} holds no money to dispute")
        return disputes.shown(disputes.begin(self._account, capture, kind, reason, left, self.world.now()))

    def end_dispute(self, given: Json) -> Json:
        """Let a dispute be decided for the seller or for the payer."""
        outcome = choice(given, "outcome", disputes.OUTCOMES)
        found = self._account.need(disputes.DISPUTE, given["dispute"])
        if found["status"] == "RESOLVED":
            raise Conflict(f"the dispute {found['id']} is RESOLVED already")
        return disputes.shown(disputes.end(self._account, found, outcome, self.world.now()))

    def sums(self) -> dict[str, dict[str, int]]:
        """What captures brought, completed refunds gave back, and the rows of the statement that moved the balance."""
        money: dict[str, dict[str, int]] = {"captured": {}, "refunded": {}, "statement": {}}
        for one in self._account.all(captures.CAPTURE):
            if one["status"] in captures.MONEY:
                _add(money["captured"], one["amount"]["currency_code"], amounts.minor(one["amount"]))
        for one in self._account.all(refunds.REFUND):
            if one["status"] == "COMPLETED":
                _add(money["refunded"], one["amount"]["currency_code"], amounts.minor(one["amount"]))
        for row in self._account.all(rows.ROW):
            if rows.STATUSES.get(row["status"]):
                _add(money["statement"], row["currency"], row["amount_minor"] + row["fee_minor"])
        return money

    def stranger(self, chance: Random, at: int) -> None:
        """Another program, or a person, uses the account."""
        strangers.act(self._account, chance, at)

    # -- verbs that only PayPal has ----------------------------------------------------------------

    def control_routes(self) -> list[BaseRoute]:
        """Captures by somebody else, captures that wait, unique invoice numbers, and the lag of the reports."""
        verbs: list[tuple[str, Callable[[Request], Any]]] = [
            ("/capture", self._take),
            ("/captures", self._start_captures),
            ("/capture_outcome", self._end_capture),
            ("/invoices", self._steer_invoices),
            ("/reporting", self._steer_reporting),
        ]
        return [Route(path, guarded(handler), methods=["POST"]) for path, handler in verbs]

    async def _take(self, request: Request) -> Json:
        """Another program of the seller captures an order: without an id of the request, seen by nobody here."""
        given = await body(request, {"checkout_id": str})
        order = self._order(given.get("checkout_id", ""))
        try:
            return orders.take(self._account, order, self.world.now())
        except PayPalError as error:
            raise Conflict(f"{error.issue}: {error}") from error

    async def _start_captures(self, request: Request) -> Json:
        given = await body(request, {"status": str, "reason": str})
        status = choice(given, "status", captures.STARTS)
        reason = choice(given, "reason", captures.REASONS, "")
        choices.choose(self._account, capture_status=status, capture_reason=reason)
        return {"status": status, "reason": reason}

    async def _end_capture(self, request: Request) -> Json:
        given = await body(request, {"capture": str, "outcome": str})
        found = self._account.find(captures.CAPTURE, given.get("capture"))
        if found is None:
            raise ValueError(f"there is no capture {given.get('capture', '')!r}")
        outcome = _word(given, "outcome", captures.OUTCOMES)
        if not captures.can_end(found):
            raise Conflict(f"the capture {found['id']} is {found['status']}, so it cannot become {outcome}")
        return captures.end(self._account, found, outcome, self.world.now())

    async def _steer_invoices(self, request: Request) -> Json:
        given = await body(request, {"unique": bool})
        if "unique" not in given:
            raise ValueError("unique says whether an invoice_id can be paid once only")
        return {"unique": choices.choose(self._account, unique_invoices=given["unique"])["unique_invoices"]}

    async def _steer_reporting(self, request: Request) -> Json:
        given = await body(request, {"lag_seconds": int})
        lag = given.get("lag_seconds")
        if lag is None or not 0 <= lag <= _LONGEST_LAG_SECONDS:
            raise ValueError(f"lag_seconds is a whole number from 0 to {_LONGEST_LAG_SECONDS}, not {lag!r}")
        reports.set_lag(self.world, lag)
        return {"lag_seconds": lag}

    def _order(self, key: str) -> Json:
        order = self._account.find(orders.ORDER, key)
        if order is None:
            raise ValueError(f"there is no checkout {key!r}")
        if orders.is_gone(self._account, order, self.world.now()):
            raise Conflict(f"the checkout {key} has expired, so it cannot be paid")
        return order

    def _capture(self, key: str) -> Json:
        """The capture that an id names: its own, or its order's."""
        found = self._account.find(captures.CAPTURE, key)
        if found is None and self._account.find(orders.ORDER, key):
            found = next((one for one in self._account.all(captures.CAPTURE) if captures.order_of(one) == key), None)
        if found is None:
            raise ValueError(f"there is no payment {key!r}")
        return found


def _add(sums: dict[str, int], currency: str, amount: int) -> None:
    sums[currency] = sums.get(currency, 0) + amount


def _word(given: Json, name: str, words: tuple[str, ...]) -> str:
    """One of PayPal's words, in capitals or not, or Stripe's for the same."""
    value = given.get(name)
    if isinstance(value, str):
        value = _SAME.get(value.upper(), value.upper())
    return choice({name: value}, name, words)
