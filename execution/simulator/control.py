"""`/_control`: what a test or a demonstration may do to the simulated world. JSON in, JSON out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from simulator import paypal, planting
from simulator.control_input import body, choice, guarded, refusal
from simulator.deliveries import Deliveries
from simulator.faults import VENDORS, Faults
from simulator.paypal import steering
from simulator.stripe import cards, disputes, links, payments, refunds
from simulator.stripe.account import Account
from simulator.stripe.errors import StripeError
from simulator.wire import RequestLog

Json = dict[str, Any]

# Kinds that are the simulator's own bookkeeping, or secret.
_HIDDEN = (
    "idempotency",
    "requestid",
    "token",
    "payment_intent_data",
    "payment_link_asked",
    "due",
    "refund_start",
    "choice",
)
_LONGEST_STEP_SECONDS = 10 * 366 * 86_400
_MOST_COPIES = 100
_BY_CLIENTS = ("stripe", "paypal")


class Control:
    """The handlers of `/_control`; bad input is answered with 400 and a sentence."""

    def __init__(self, account: Account, paypal_account: paypal.Account, log: RequestLog, faults: Faults) -> None:
        self._account = account
        self._paypal = paypal_account
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
            ("POST", "/refund", self._refund),
            ("POST", "/refund_outcome", self._end_refund),
            ("POST", "/refunds", self._start_refunds),
            ("POST", "/dispute", self._dispute),
            ("POST", "/plant", self._plant),
            ("POST", "/deliver", self._deliver),
            ("POST", "/deliveries", self._steer_deliveries),
            ("GET", "/state", self._state),
            ("POST", "/reset", self._reset),
        ]
        own = [Route(path, guarded(handler), methods=[method]) for method, path, handler in rows]
        return [*own, *steering.routes(self._paypal)]

    async def _requests(self, request: Request) -> Json:
        since = request.query_params.get("since", "0")
        if not since.isascii() or not since.isdigit():
            raise ValueError(f"since is the number of a request, not {since!r}")
        return {"requests": self._log.since(int(since))}

    async def _list_faults(self, _request: Request) -> Json:
        return {"faults": self._faults.shown()}

    async def _add_fault(self, request: Request) -> Json:
        return self._faults.add(await body(request, None)).shown()

    async def _clear_faults(self, _request: Request) -> Json:
        self._faults.clear()
        return {"faults": []}

    async def _show_clock(self, _request: Request) -> Json:
        return {"now": self._world.now()}

    async def _advance(self, request: Request) -> Json:
        given = await body(request, {"advance_seconds": int})
        seconds = given.get("advance_seconds")
        if seconds is None or not 0 <= seconds <= _LONGEST_STEP_SECONDS:
            raise ValueError(f"advance_seconds is a whole number from 0 to {_LONGEST_STEP_SECONDS}, not {seconds!r}")
        self._world.advance(seconds)
        payments.run_due(self._account)
        self._account.deliveries.pump()
        self._paypal.deliveries.pump()
        return {"now": self._world.now()}

    async def _pay(self, request: Request) -> Json | Response:
        types = {"checkout_id": str, "card": str, "email": str, "name": str, "passed": bool, "decline": bool}
        given = await body(request, types)
        if self._paypal.find("order", given.get("checkout_id", "")):
            declined = given.get("decline", given.get("card") == steering.DECLINED_CARD)
            return steering.pay(self._paypal, given, declined=declined)
        if "decline" in given:
            raise ValueError("decline is for orders of PayPal; a checkout of Stripe is declined by its card")
        card = cards.find(given.get("card", "4242424242424242"))
        if card is None:
            raise ValueError("card is the number of a test card, such as 4242424242424242")
        payments.run_due(self._account)
        link = self._account.find(links.LINK, given.get("checkout_id", ""))
        if link is not None and not links.is_open(link):
            return refusal(409, f"the payment link {link['id']} is not active, so it cannot be paid")
        session = self._session(given.get("checkout_id", ""), link)
        if session["status"] != "open":
            return refusal(409, f"the checkout {session['id']} is {session['status']}, so it cannot be paid")
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

    async def _refund(self, request: Request) -> Json | Response:
        """A refund as a person makes it in the dashboard: without metadata, without a key."""
        given = await body(request, {"payment": str, "amount": int, "reason": str, "status": str})
        if given.get("amount", 1) < 1:
            raise ValueError(f"amount is in minor units, 1 or more, not {given['amount']}")
        if steering.knows(self._paypal, given.get("payment", "")):
            return steering.refund(self._paypal, given)
        start = choice(given, "status", refunds.STARTS, "")
        choice(given, "reason", refunds.REASONS, "")
        payments.run_due(self._account)
        wanted: Json = {name: given[name] for name in ("amount", "reason") if name in given}
        wanted["charge"] = self._charge(given)["id"]
        try:
            return refunds.create(self._account, wanted, self._world.now(), start=start)
        except StripeError as error:
            return refusal(409, str(error))

    async def _end_refund(self, request: Request) -> Json | Response:
        given = await body(request, {"refund": str, "outcome": str})
        if steering.knows(self._paypal, given.get("refund", "")):
            return steering.end_refund(self._paypal, given)
        outcome = choice(given, "outcome", refunds.OUTCOMES)
        payments.run_due(self._account)
        refund = self._account.find(refunds.REFUND, given.get("refund"))
        if refund is None:
            raise ValueError(f"there is no refund {given.get('refund', '')!r}")
        if not refunds.can_end(refund, outcome):
            return refusal(409, f"the refund {refund['id']} is {refund['status']}, so it cannot become {outcome}")
        return refunds.end(self._account, refund, outcome, self._world.now())

    async def _start_refunds(self, request: Request) -> Json:
        given = await body(request, {"status": str, "vendor": str})
        if choice(given, "vendor", _BY_CLIENTS, "stripe") == "paypal":
            return steering.start_refunds(self._paypal, given)
        start = choice(given, "status", refunds.STARTS)
        refunds.starts_as(self._account, start)
        return {"status": start}

    async def _dispute(self, request: Request) -> Json | Response:
        given = await body(request, {"payment": str, "kind": str, "reason": str})
        if steering.knows(self._paypal, given.get("payment", "")):
            return steering.dispute(self._paypal, given)
        kind = choice(given, "kind", disputes.KINDS)
        reason = choice(given, "reason", disputes.REASONS, "fraudulent")
        payments.run_due(self._account)
        charge = self._charge(given)
        if disputes.of_charge(self._account, charge) is not None:
            return refusal(409, f"the charge {charge['id']} is disputed already")
        if charge["amount_captured"] <= charge["amount_refunded"]:
            return refusal(409, f"the charge {charge['id']} holds no money to dispute")
        return disputes.begin(self._account, charge, kind, reason, self._world.now())

    def _charge(self, given: Json) -> Json:
        """The charge that `payment` names, by its own id or as the latest of a payment intent."""
        key = given.get("payment", "")
        intent = self._account.find("payment_intent", key)
        charge = self._account.find("charge", intent["latest_charge"] if intent else key)
        if charge is None:
            raise ValueError(f"there is no payment {key!r}")
        return charge

    async def _plant(self, request: Request) -> Json:
        given = await body(request, {"vendor": str, "kind": str, "id": str, "set": dict, "forget": bool})
        vendor, kind, key = choice(given, "vendor", VENDORS), given.get("kind", ""), given.get("id", "")
        if ("set" in given) == (given.get("forget") is True):
            raise ValueError("say either what to set, or forget: true")
        if any(hidden in kind for hidden in _HIDDEN):
            raise ValueError(f"{kind} is the simulator's own")
        if "set" in given:
            return planting.alter(self._world, vendor, kind, key, given["set"])
        planting.forget(self._world, vendor, kind, key)
        return {"forgotten": key}

    async def _deliver(self, request: Request) -> Json:
        given = await body(request, {"event_id": str, "times": int})
        key, times = given.get("event_id", ""), given.get("times", 1)
        deliveries = self._paypal.deliveries if self._paypal.find("event", key) else self._account.deliveries
        if self._account.find("event", key) is None and deliveries is self._account.deliveries:
            raise ValueError(f"there is no event {key!r}")
        if not 1 <= times <= _MOST_COPIES:
            raise ValueError(f"times is a whole number from 1 to {_MOST_COPIES}, not {times}")
        if not deliveries.address:
            raise ValueError("the simulator was started without an address to deliver events to")
        return {"statuses": await deliveries.redeliver(key, times)}

    async def _steer_deliveries(self, request: Request) -> Json:
        """Both vendors at once, or the one that `vendor` names."""
        given = await body(request, {"paused": bool, "discard": bool, "to": str, "vendor": str})
        vendor = choice(given, "vendor", _BY_CLIENTS, "")
        steered = [one for name, one in self._both().items() if vendor in ("", name)]
        if "to" in given:
            self._point_to(given["to"], vendor)
        lost = 0
        for deliveries in steered:
            deliveries.paused = given.get("paused", deliveries.paused)
            lost += deliveries.discard() if given.get("discard") else 0
            deliveries.pump()
        first = steered[0]
        return {"paused": first.paused, "to": first.address, "discarded": lost, **self._counts(steered)}

    def _point_to(self, address: str, vendor: str) -> None:
        if vendor != "paypal":
            self._account.deliveries.point_to(address)
        if vendor == "paypal":
            self._paypal.deliveries.point_to(address)
        elif not vendor:
            self._paypal.point_to(address)

    def _both(self) -> dict[str, Deliveries]:
        return {"stripe": self._account.deliveries, "paypal": self._paypal.deliveries}

    def _counts(self, steered: list[Deliveries]) -> dict[str, int]:
        """How many deliveries are in each state, added up."""
        counts: dict[str, int] = {}
        for deliveries in steered:
            for state, number in deliveries.counts().items():
                counts[state] = counts.get(state, 0) + number
        return counts

    async def _state(self, request: Request) -> Json:
        wanted = request.query_params.getlist("kind")
        kinds = [kind for kind in self._world.kinds() if not any(hidden in kind for hidden in _HIDDEN)]
        shown = [kind for kind in kinds if kind in wanted] if wanted else kinds
        moved = steering.sums(self._paypal)
        return {
            "now": self._world.now(),
            "counts": {kind: self._world.count(kind) for kind in kinds},
            "objects": {kind: list(self._world.all(kind)) for kind in shown},
            "captured": {"stripe": self._sum("stripe.charge", "amount_captured"), "paypal": moved["captured"]},
            "refunded": {"stripe": self._sum("stripe.charge", "amount_refunded"), "paypal": moved["refunded"]},
            "statement": {"stripe": self._sum("stripe.balance_transaction", "net"), "paypal": moved["statement"]},
            "deliveries": self._counts(list(self._both().values())),
        }

    def _sum(self, kind: str, field: str) -> dict[str, int]:
        """One field of all objects of a kind, added up by currency, in minor units."""
        sums: dict[str, int] = {}
        for thing in self._world.all(kind):
            sums[thing["currency"]] = sums.get(thing["currency"], 0) + thing[field]
        return sums

    async def _reset(self, _request: Request) -> Json:
        for deliveries in self._both().values():
            await deliveries.clear()
        self._account.agenda.clear()
        self._faults.clear()
        self._log.clear()
        self._world.reset()
        return {"now": self._world.now()}
