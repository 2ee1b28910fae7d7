"""The simulated Acorn: its API, its hosted page, its events, and what a test may do to it."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from simulator.control_input import Conflict, choice
from simulator.deliveries import Channel, Deliveries
from simulator.vendor import Options, Processor
from simulator.world import Json, World

DECLINED, SLOW = "4000000000000002", "4000000000000077"
_STARTS, _OUTCOMES = ("succeeded", "pending", "held"), ("succeeded", "failed", "canceled")
_FEE_PERCENT, _FEE_FIXED = Decimal("0.02"), 10
_RETRY_AFTER, _GIVE_UP_AFTER = (5, 60, 3600), 86_400


class Problem(Exception):
    """What is asked for is not possible: Acorn's own word and sentence, with an HTTP status."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.answer = JSONResponse({"problem": {"code": code, "words": words}}, status)


class SimulatedAcorn(Processor):
    """One account. Money moves when the customer pays, and a refund takes it back at once, also while it is pending."""

    name = "acorn"
    hidden = ("answer", "start")

    def __init__(self, world: World, options: Options) -> None:
        super().__init__(world, options)
        self.deliveries = Deliveries(world, Channel("acorn", _RETRY_AFTER, _GIVE_UP_AFTER, as_body, self._signed))
        self.deliveries.offer(options.deliver_to)

    @staticmethod
    def made_accounts() -> dict[str, str]:
        """The account, its key, and the secret of its webhook."""
        return {
            "acorn_account": f"acorn_{secrets.token_hex(6)}",
            "acorn_api_key": f"nut_test_{secrets.token_hex(16)}",
            "acorn_webhook_secret": secrets.token_hex(16),
        }

    # -- the API -----------------------------------------------------------------------------------

    def api(self) -> ASGIApp:
        """The API below `/acorn`."""
        routes: list[tuple[str, str, Callable[[Request], Any]]] = [
            ("GET", "/v1/account", self._account),
            ("POST", "/v1/pages", self._open),
            ("GET", "/v1/pages", self._list_pages),
            ("GET", "/v1/pages/{id}", self._show_page),
            ("POST", "/v1/pages/{id}/close", self._close),
            ("GET", "/v1/payments/{id}", self._show_payment),
            ("GET", "/v1/payments/{id}/refunds", self._list_refunds),
            ("POST", "/v1/payments/{id}/refunds", self._give_back),
            ("GET", "/v1/disputes", self._list_disputes),
            ("GET", "/v1/events", self._list_events),
            ("GET", "/v1/statement", self._list_rows),
        ]
        return Starlette(routes=[Route(path, self._guarded(call), methods=[method]) for method, path, call in routes])

    def fault(self, kind: str, path: str, form: str, headers: Headers) -> Response:
        """Acorn's answer to `500` or `429`."""
        told = {"problem": {"code": f"http_{kind}", "words": "Not now."}}
        return JSONResponse(told, int(kind), {"Retry-After": "1"} if kind == "429" else None)

    def request_key(self, headers: Headers, query: str) -> str | None:
        """The header `Acorn-Key`."""
        return headers.get("acorn-key")

    def _guarded(self, call: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """A call with a good key. Under a key of its own it is carried out once, and its answer is kept."""

        async def answer(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {self.world.accounts['acorn_api_key']}":
                return Problem(401, "unknown_key", "This key is not known.").answer
            key, asked = request.headers.get("acorn-key", ""), (await request.body()).decode()
            kept = self.world.get("acorn.answer", key)
            if kept is not None:
                same = kept["asked"] == f"{request.url.path} {asked}"
                return JSONResponse(kept["told"]) if same else _key_reused().answer
            try:
                told = call(request) if request.method == "GET" else call(request, json.loads(asked))
            except Problem as problem:
                return problem.answer
            if key:
                self.world.save("acorn.answer", key, {"asked": f"{request.url.path} {asked}", "told": told})
            return JSONResponse(told)

        return answer

    def _account(self, _: Request) -> Json:
        return {"id": self.world.accounts["acorn_account"], "live": False}

    def _open(self, _: Request, asked: Json) -> Json:
        page = {"id": self.world.identifier("page"), "state": "open", "payment": None, "made_at": self._now(), **asked}
        page["url"] = f"{self.world.url}/acorn/pay/{page['id']}"
        return self.world.save("acorn.page", page["id"], page)

    def _list_pages(self, request: Request) -> Json:
        return _listed(request, reversed(list(self.world.all("acorn.page"))))

    def _show_page(self, request: Request) -> Json:
        return self._thing("page", request.path_params["id"])

    def _close(self, request: Request, _: Json) -> Json:
        page = self._thing("page", request.path_params["id"])
        if page["state"] in ("paid", "processing"):
            raise Problem(422, "complete", "The page was paid.")
        return self.world.save("acorn.page", page["id"], {**page, "state": "closed"})

    def _show_payment(self, request: Request) -> Json:
        return self._thing("payment", request.path_params["id"])

    def _list_refunds(self, request: Request) -> Json:
        payment = self._thing("payment", request.path_params["id"])
        return _listed(request, (one for one in self.world.all("acorn.refund") if one["payment"] == payment["id"]))

    def _give_back(self, request: Request, asked: Json) -> Json:
        return self._refund(self._thing("payment", request.path_params["id"]), asked)

    def _list_disputes(self, request: Request) -> Json:
        """Of every kind: `open` until somebody answers."""
        return _listed(request, reversed(list(self.world.all("acorn.dispute"))))

    def _list_events(self, request: Request) -> Json:
        since = int(request.query_params["since"])
        return _listed(request, (one for one in reversed(list(self.world.all("acorn.event"))) if one["at"] >= since))

    def _list_rows(self, request: Request) -> Json:
        since, until = (int(request.query_params[name]) for name in ("since", "until"))
        return _listed(request, (row for row in self.world.all("acorn.row") if since <= row["at"] < until))

    # -- the hosted page ---------------------------------------------------------------------------

    def pages(self) -> list[BaseRoute]:
        """What the customer sees: an amount, a field for a card, a button."""

        async def show(request: Request) -> Response:
            page = self._thing("page", request.path_params["id"])
            return HTMLResponse(
                f"<h1>{page['words']}</h1><form method=post><input name=card_number><button>Pay</button></form>"
            )

        async def pay(request: Request) -> Response:
            page = self._thing("page", request.path_params["id"])
            card = str((await request.form())["card_number"]).replace(" ", "")
            paid = self.pay({"checkout_id": page["id"], "card": card})
            return RedirectResponse(page["back"] if "payment" in paid else page["away"], 303)

        return [
            Route("/acorn/pay/{id}", show, methods=["GET"]),
            Route("/acorn/pay/{id}", pay, methods=["POST"]),
        ]

    # -- `/_control` -------------------------------------------------------------------------------

    def knows(self, key: str) -> bool:
        """Whether a page, a payment or a refund has this id."""
        return any(self.world.get(f"acorn.{kind}", key) for kind in ("page", "payment", "refund"))

    def pay(self, given: Json) -> Json:
        """The customer pays with a card, of which one is declined and one takes days."""
        page, card = self._thing("page", given["checkout_id"]), given.get("card", "")
        if page["state"] != "open":
            raise Conflict(f"the page is {page['state']}")
        if card == DECLINED:
            return {"status": "declined"}
        payment = {
            "id": self.world.identifier("pay"),
            "state": "processing",
            "page": page["id"],
            "dispute": None,
            "fee": None,
            "done_at": None,
            "made_at": self._now(),
            **{name: page[name] for name in ("amount", "currency", "reference", "invoice")},
        }
        if card != SLOW:
            payment |= {"state": "done", "done_at": self._now(), "fee": _fee(page["amount"])}
        state = "processing" if card == SLOW else "paid"
        self.world.save("acorn.page", page["id"], {**page, "state": state, "payment": payment["id"]})
        self.world.save("acorn.payment", payment["id"], payment)
        if card != SLOW:
            self._row(payment["id"], "payment", payment, payment["amount"])
            self._row(f"{payment['id']}:fee", "fee", payment, -payment["fee"])
            self._event("payment.done", payment)
        return {"status": state, "payment": payment["id"]}

    def refund(self, given: Json) -> Json:
        """A person gives money back in the dashboard."""
        payment = self._thing("payment", given["payment"])
        asked = {"amount": given.get("amount", payment["amount"]), "currency": payment["currency"], "reference": ""}
        try:
            return self._refund(payment, asked)
        except Problem as problem:
            raise Conflict(str(problem)) from problem

    def end_refund(self, given: Json) -> Json:
        """Let a refund end. Money that it took comes back when it does not succeed."""
        outcome = choice(given, "outcome", _OUTCOMES)
        refund = self._thing("refund", given["refund"])
        ended = {**refund, "state": "done" if outcome == "succeeded" else outcome}
        if outcome == "succeeded" and not refund["moved_at"]:
            ended["moved_at"] = self._now()
            self._row(refund["id"], "refund", ended, -refund["amount"])
        if outcome != "succeeded" and refund["moved_at"]:
            ended["returned_at"] = self._now()
            self._row(f"{refund['id']}:back", "return", ended, refund["amount"])
        self.world.save("acorn.refund", refund["id"], ended)
        self._event("refund.changed", self._thing("payment", refund["payment"]))
        return ended

    def start_refunds(self, given: Json) -> Json:
        """Let new refunds begin in this status."""
        return self.world.save("acorn.start", "refunds", {"status": choice(given, "status", _STARTS)})

    def dispute(self, given: Json) -> Json:
        """The customer asks, or disputes the payment."""
        payment = self._thing("payment", given["payment"])
        kind = choice(given, "kind", ("inquiry", "dispute"))
        at, key = self._now(), self.world.identifier("dispute")
        asked = {"id": key, "state": "open", "amount": payment["amount"], "currency": payment["currency"], "at": at}
        self.world.save("acorn.dispute", key, {**asked, "answer_by": at + 7 * 86_400_000})
        return self.world.save("acorn.payment", payment["id"], {**payment, "dispute": kind})

    def sums(self) -> dict[str, dict[str, int]]:
        """Money that moved, by currency."""
        total: dict[str, dict[str, int]] = {"captured": {}, "refunded": {}, "statement": {}}
        for row in self.world.all("acorn.row"):
            code = row["currency"]
            places = {"payment": ("captured", 1), "refund": ("refunded", -1), "return": ("refunded", -1)}
            name, sign = places.get(row["kind"], ("", 0))
            for place, factor in ((name, sign), ("statement", 1)):
                if place:
                    total[place][code] = total[place].get(code, 0) + factor * row["amount"]
        return total

    # -- what happens ------------------------------------------------------------------------------

    def _refund(self, payment: Json, asked: Json) -> Json:
        standing = [
            one
            for one in self.world.all("acorn.refund")
            if one["payment"] == payment["id"] and one["state"] not in ("failed", "canceled")
        ]
        if sum(one["amount"] for one in standing) + asked["amount"] > payment["amount"] or not payment["done_at"]:
            raise Problem(422, "too_much", "More than is left of the payment.")
        if payment["dispute"] == "dispute":
            raise Problem(422, "disputed", "The payment is in dispute.")
        start = (self.world.get("acorn.start", "refunds") or {}).get("status", "succeeded")
        refund = {
            "id": self.world.identifier("ret"),
            "payment": payment["id"],
            "state": "done" if start == "succeeded" else "pending",
            "moved_at": None if start == "held" else self._now(),
            "returned_at": None,
            **{name: asked[name] for name in ("amount", "currency", "reference")},
        }
        self.world.save("acorn.refund", refund["id"], refund)
        if refund["moved_at"]:
            self._row(refund["id"], "refund", refund, -refund["amount"])
        self._event("refund.changed", payment)
        return refund

    def _row(self, key: str, kind: str, of: Json, amount: int) -> None:
        payment = of.get("payment") or of["id"]
        row = {"id": key, "kind": kind, "amount": amount, "currency": of["currency"], "payment": payment}
        self.world.save("acorn.row", key, {**row, "at": self._now()})

    def _event(self, kind: str, payment: Json) -> None:
        event = {
            "id": self.world.identifier("told"),
            "type": kind,
            "account": self.world.accounts["acorn_account"],
            "live": False,
            "at": self._now(),
            "payment": payment["id"],
        }
        self.deliveries.queue(self.world.save("acorn.event", event["id"], event))

    def _thing(self, kind: str, key: str) -> Json:
        found = self.world.get(f"acorn.{kind}", key)
        if found is None:
            raise Problem(404, "resource_missing", f"There is no {kind} of this id.")
        return dict(found)

    def _now(self) -> int:
        return int(self.world.time() * 1000)

    async def _signed(self, body: bytes, _at: int) -> dict[str, str]:
        return {"Content-Type": "application/json", **sign(body, self.world.accounts["acorn_webhook_secret"])}


def as_body(event: Json) -> bytes:
    """The body of a webhook."""
    return json.dumps(event).encode()


def sign(body: bytes, secret: str) -> dict[str, str]:
    """The header of a webhook with this body."""
    return {"acorn-signature": f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"}


def _fee(amount: int) -> int:
    """Two per cent and ten minor units, rounded half up."""
    return int((amount * _FEE_PERCENT).quantize(Decimal(1), ROUND_HALF_UP)) + _FEE_FIXED


def _listed(request: Request, things: Iterable[Json]) -> Json:
    """At most `limit` things after the one with the id `after`."""
    every, after, limit = list(things), request.query_params["after"], int(request.query_params["limit"])
    begin = next((place for place, thing in enumerate(every, 1) if thing["id"] == after), 0)
    return {"items": every[begin : begin + limit], "more": len(every) > begin + limit}


def _key_reused() -> Problem:
    return Problem(422, "key_reused", "This key came with other content.")
