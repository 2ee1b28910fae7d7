"""`/_control`: what a test or a demonstration may do to the simulated world. JSON in, JSON out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tillbook.simulator.faults import Faults
from tillbook.simulator.stripe import cards, links, payments
from tillbook.simulator.stripe.account import Account
from tillbook.simulator.wire import RequestLog

Json = dict[str, Any]

# Kinds that are the simulator's own bookkeeping, or secret.
_HIDDEN = ("idempotency", "requestid", "token", "payment_intent_data", "payment_link_asked", "due")
_LONGEST_STEP_SECONDS = 10 * 366 * 86_400
_MOST_COPIES = 100


class Control:
    """The handlers of `/_control`; bad input is answered with 400 and a sentence."""

    def __init__(self, account: Account, log: RequestLog, faults: Faults) -> None:
        self._account = account
        self._world = account.world
        self._log = log
        self._faults = faults

    def routes(self) -> list[BaseRoute]:
        """The routes below `/_control`."""
        rows: list[tuple[str, str, Callable[[Request], Any]]] = [
            ("GET", "/requests", self._requests),
            ("GET", "/faults", self._list_faults),
            ("POST", "/faults", self._add_fault),
            ("DELETE", "/faults", self._clear_faults),
            ("GET", "/clock", self._show_clock),
            ("POST", "/clock", self._advance),
            ("POST", "/pay", self._pay),
            ("POST", "/deliver", self._deliver),
            ("POST", "/deliveries", self._steer_deliveries),
            ("GET", "/state", self._state),
            ("POST", "/reset", self._reset),
        ]
        return [Route(path, _guarded(handler), methods=[method]) for method, path, handler in rows]

    async def _requests(self, request: Request) -> Json:
        since = request.query_params.get("since", "0")
        if not since.isascii() or not since.isdigit():
            raise ValueError(f"since is the number of a request, not {since!r}")
        return {"requests": self._log.since(int(since))}

    async def _list_faults(self, _request: Request) -> Json:
        return {"faults": self._faults.shown()}

    async def _add_fault(self, request: Request) -> Json:
        return self._faults.add(await _body(request, None)).shown()

    async def _clear_faults(self, _request: Request) -> Json:
        self._faults.clear()
        return {"faults": []}

    async def _show_clock(self, _request: Request) -> Json:
        return {"now": self._world.now()}

    async def _advance(self, request: Request) -> Json:
        given = await _body(request, {"advance_seconds": int})
        seconds = given.get("advance_seconds")
        if seconds is None or not 0 <= seconds <= _LONGEST_STEP_SECONDS:
            raise ValueError(f"advance_seconds is a whole number from 0 to {_LONGEST_STEP_SECONDS}, not {seconds!r}")
        self._world.advance(seconds)
        payments.run_due(self._account)
        self._account.deliveries.pump()
        return {"now": self._world.now()}

    async def _pay(self, request: Request) -> Json | Response:
        given = await _body(request, {"checkout_id": str, "card": str, "email": str, "name": str, "passed": bool})
        card = cards.find(given.get("card", "4242424242424242"))
        if card is None:
            raise ValueError("card is the number of a test card, such as 4242424242424242")
        payments.run_due(self._account)
        link = self._account.find(links.LINK, given.get("checkout_id", ""))
        if link is not None and not links.is_open(link):
            return _refusal(409, f"the payment link {link['id']} is not active, so it cannot be paid")
        session = self._session(given.get("checkout_id", ""), link)
        if session["status"] != "open":
            return _refusal(409, f"the checkout {session['id']} is {session['status']}, so it cannot be paid")
        email = given.get("email") or session["customer_email"] or "customer@example.com"
        payer = payments.Payer(email, given.get("name", "Test Customer"))
        intent = payments.attempt(self._account, session, card, payer)
        if intent["status"] == "requires_action":
            intent = payments.authenticate(self._account, session, passed=given.get("passed", True))
        paid = {"status": intent["status"], "payment_intent": intent["id"]}
        if error := intent["last_payment_error"]:
            declined = {name: error.get(name) for name in ("code", "decline_code", "message")}
            return JSONResponse({**paid, "error": declined["message"], "decline": declined}, 402)
        return paid

    def _session(self, key: str, link: Json | None) -> Json:
        """What is paid: the session of this id, or a new one of the link."""
        session = links.open_session(self._account, link) if link else self._account.find("checkout.session", key)
        if session is None:
            raise ValueError(f"there is no checkout {key!r}")
        return session

    async def _deliver(self, request: Request) -> Json:
        given = await _body(request, {"event_id": str, "times": int})
        key, times = given.get("event_id", ""), given.get("times", 1)
        if self._account.find("event", key) is None:
            raise ValueError(f"there is no event {key!r}")
        if not 1 <= times <= _MOST_COPIES:
            raise ValueError(f"times is a whole number from 1 to {_MOST_COPIES}, not {times}")
        if not self._account.deliveries.address:
            raise ValueError("the simulator was started without an address to deliver events to")
        return {"statuses": await self._account.deliveries.redeliver(key, times)}

    async def _steer_deliveries(self, request: Request) -> Json:
        given = await _body(request, {"paused": bool, "discard": bool, "to": str})
        deliveries = self._account.deliveries
        if "to" in given:
            deliveries.point_to(given["to"])
        if "paused" in given:
            deliveries.paused = given["paused"]
        lost = deliveries.discard() if given.get("discard") else 0
        deliveries.pump()
        return {"paused": deliveries.paused, "to": deliveries.address, "discarded": lost, **deliveries.counts()}

    async def _state(self, request: Request) -> Json:
        wanted = request.query_params.getlist("kind")
        kinds = [kind for kind in self._world.kinds() if not any(hidden in kind for hidden in _HIDDEN)]
        shown = [kind for kind in kinds if kind in wanted] if wanted else kinds
        captured: dict[str, int] = {}
        for charge in self._world.all("stripe.charge"):
            captured[charge["currency"]] = captured.get(charge["currency"], 0) + charge["amount_captured"]
        return {
            "now": self._world.now(),
            "counts": {kind: self._world.count(kind) for kind in kinds},
            "objects": {kind: list(self._world.all(kind)) for kind in shown},
            "captured": {"stripe": captured},
            "deliveries": self._account.deliveries.counts(),
        }

    async def _reset(self, _request: Request) -> Json:
        await self._account.deliveries.clear()
        self._account.agenda.clear()
        self._faults.clear()
        self._log.clear()
        self._world.reset()
        return {"now": self._world.now()}


def _guarded(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """The handler as an endpoint: a ValueError becomes 400 with its sentence."""

    async def endpoint(request: Request) -> Response:
        try:
            answer = await handler(request)
        except ValueError as error:
            return _refusal(400, str(error))
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    return endpoint


def _refusal(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)


async def _body(request: Request, types: dict[str, type] | None) -> Json:
    """The JSON object that was sent; `types` names the fields that it may have. Raises ValueError otherwise."""
    try:
        given = json.loads(await request.body() or b"{}")
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(given, dict):
        raise ValueError("the body is not a JSON object")
    for name, value in given.items() if types is not None else ():
        if types is None or name not in types:
            raise ValueError(f"there is no field {name!r} here; there are {', '.join(types or ())}")
        if type(value) is not types[name]:
            raise ValueError(f"{name} is of type {types[name].__name__}, not {value!r}")
    return given
