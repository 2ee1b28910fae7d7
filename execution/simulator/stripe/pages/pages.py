"""The pages where a customer pays a Checkout Session, or opens a Payment Link."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.pages.templates import EXPIRED, PAID, UNKNOWN, Templates, Words, go, typed
from simulator.stripe.account import Account
from simulator.stripe.business import DISPLAY_NAME
from simulator.stripe.checkout import links, sessions
from simulator.stripe.due import run_due
from simulator.stripe.payments import cards, payments
from simulator.stripe.wire.currencies import spoken
from simulator.world import Json

_INACTIVE = "This link has been deactivated. Ask the seller for a new one."
_THANKS = "Your payment was made. There is nothing more to do here."
_FIELDS = ("email", "card_number", "card_expiry", "card_cvc", "card_name")


class Pages:
    """What a customer sees and sends, from the first look at the page to the thanks."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._templates = Templates(Path(__file__).parent, spoken)

    def checkout_routes(self) -> list[BaseRoute]:
        """The routes below `/checkout`."""
        return [
            Route("/{key}", self._of_open(self._show), methods=["GET"]),
            Route("/{key}", self._of_open(self._pay), methods=["POST"]),
            Route("/{key}/authenticate", self._of_open(self._ask), methods=["GET"]),
            Route("/{key}/authenticate", self._of_open(self._answer), methods=["POST"]),
        ]

    def link_routes(self) -> list[BaseRoute]:
        """The routes below `/link`."""
        return [Route("/{key}", self._follow, methods=["GET"]), Route("/{key}/thanks", self._thank, methods=["GET"])]

    def _of_open(self, handler: Callable[[Json, Request], Awaitable[Response]]) -> Callable[[Request], Any]:
        """A page of an open session as an endpoint. A session that is not open has a page of its own."""

        async def endpoint(request: Request) -> Response:
            run_due(self._account, self._account.world.now())
            session = self._account.find(sessions.SESSION, request.path_params["key"])
            if session is None or session["status"] != "open":
                return self._closed(session)
            return await handler(session, request)

        return endpoint

    async def _show(self, session: Json, _request: Request) -> Response:
        return self._form(session, {}, {})

    async def _pay(self, session: Json, request: Request) -> Response:
        form = await typed(request, _FIELDS)
        problems, card = self._check(session, form)
        if card is None:
            return self._form(session, form, problems, status=400)
        payer = payments.Payer(self._email(session) or form["email"], form["card_name"])
        intent = payments.attempt(self._account, session, card, payer)
        if intent["status"] == "requires_action":
            return go(f"/checkout/{session['id']}/authenticate")
        return self._outcome(session, intent, form)

    async def _ask(self, session: Json, _request: Request) -> Response:
        if not payments.waits_for_customer(self._account, session):
            return go(f"/checkout/{session['id']}")
        return self._templates.page("authenticate.html", seller=DISPLAY_NAME, session=session)

    async def _answer(self, session: Json, request: Request) -> Response:
        if not payments.waits_for_customer(self._account, session):
            return go(f"/checkout/{session['id']}")
        passed = (await typed(request, ("outcome",)))["outcome"] == "complete"
        intent = payments.authenticate(self._account, session, passed=passed)
        return self._outcome(session, intent, dict.fromkeys(_FIELDS, ""))

    async def _follow(self, request: Request) -> Response:
        """A customer opens a Payment Link: a page of its own for each, as long as the link is active."""
        run_due(self._account, self._account.world.now())
        link = self._account.find(links.LINK, request.path_params["key"])
        if link is None:
            return self._closed(None)
        if not links.is_open(link):
            return self._say(("This link is not active", link["inactive_message"] or _INACTIVE), status=410)
        return go(f"/checkout/{links.open_session(self._account, link)['id']}")

    async def _thank(self, request: Request) -> Response:
        """The page after paying, for a link without a page of the seller's."""
        link = self._account.find(links.LINK, request.path_params["key"])
        after = link["after_completion"].get("hosted_confirmation") if link else None
        if after is None:
            return self._closed(None)
        return self._say(("Thank you for your payment", after["custom_message"] or _THANKS))

    def _email(self, session: Json) -> str | None:
        """The address that is known already: the customer need not type it."""
        customer = self._account.find("customer", session["customer"]) or {}
        return session["customer_email"] or customer.get("email")

    def _check(self, session: Json, form: dict[str, str]) -> tuple[dict[str, str], cards.Card | None]:
        """What is wrong with the form, field by field, and the card if nothing is."""
        problems = {}
        if not self._email(session) and "@" not in form["email"].strip()[1:-1]:
            problems["email"] = "Enter your email address, for example name@example.com."
        if problem := cards.number_problem(form["card_number"]):
            problems["card_number"] = problem
        expiry = cards.read_expiry(form["card_expiry"], self._account.world.now())
        if isinstance(expiry, str):
            problems["card_expiry"] = expiry
        if problem := cards.cvc_problem(form["card_cvc"]):
            problems["card_cvc"] = problem
        if not form["card_name"].strip():
            problems["card_name"] = "Enter the name on your card."
        if problems or isinstance(expiry, str):
            return problems, None
        return {}, cards.find(form["card_number"], month=expiry[0], year=expiry[1])

    def _outcome(self, session: Json, intent: Json, form: dict[str, str]) -> Response:
        if intent["status"] == "succeeded":
            return go(sessions.success_address(session))
        return self._form(session, form, {"card_number": intent["last_payment_error"]["message"]}, status=402)

    def _form(self, session: Json, form: dict[str, str], problems: dict[str, str], *, status: int = 200) -> Response:
        return self._templates.page(
            "checkout.html",
            status=status,
            seller=DISPLAY_NAME,
            session=session,
            lines=sessions.lines(self._account, session),
            known_email=self._email(session),
            kept={name: form.get(name, "") for name in ("email", "card_name")},
            problems=problems,
            cancel_url=session["cancel_url"],
        )

    def _closed(self, session: Json | None) -> Response:
        """The page for a session that cannot be paid (any more), or is not known."""
        if session is None:
            return self._say(UNKNOWN, status=404)
        total = spoken(session["amount_total"], session["currency"])
        if session["status"] == "complete":
            return self._say(PAID, total=total, onward=sessions.success_address(session))
        return self._say(EXPIRED, status=410, total=total, onward=session["cancel_url"])

    def _say(self, words: Words, *, status: int = 200, total: str = "", onward: str | None = None) -> Response:
        seen = {"seller": DISPLAY_NAME, "words": words, "total": total, "onward": onward}
        return self._templates.page("closed.html", status=status, **seen)
