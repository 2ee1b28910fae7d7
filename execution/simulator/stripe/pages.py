"""The pages where a customer pays a Checkout Session: plain HTML forms, no script, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.stripe import cards, checkout, links, payments
from simulator.stripe.account import Account
from simulator.stripe.currencies import spoken
from simulator.stripe.shapes import DISPLAY_NAME

Json = dict[str, Any]

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_INACTIVE = "This link has been deactivated. Ask the seller for a new one."
_THANKS = "Your payment was made. There is nothing more to do here."
_FIELDS = ("email", "card_number", "card_expiry", "card_cvc", "card_name")


class Pages:
    """What a customer sees and sends, from the first look at the page to the thanks."""

    def __init__(self, account: Account) -> None:
        self._account = account
        loader = FileSystemLoader(Path(__file__).parents[1] / "pages")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._templates.filters["money"] = spoken

    def checkout_routes(self) -> list[BaseRoute]:
        """The routes below `/checkout`."""
        return [
            Route("/{key}", self._show, methods=["GET"]),
            Route("/{key}", self._pay, methods=["POST"]),
            Route("/{key}/authenticate", self._ask, methods=["GET"]),
            Route("/{key}/authenticate", self._answer, methods=["POST"]),
        ]

    def link_routes(self) -> list[BaseRoute]:
        """The routes below `/link`."""
        return [
            Route("/{key}", self._follow, methods=["GET"]),
            Route("/{key}/thanks", self._thank, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        session = self._session(request)
        if session is None or session["status"] != "open":
            return self._closed(session)
        return self._form(session, {}, {})

    async def _pay(self, request: Request) -> Response:
        session = self._session(request)
        if session is None or session["status"] != "open":
            return self._closed(session)
        typed = await _typed(request)
        problems, card = self._check(session, typed)
        if card is None:
            return self._form(session, typed, problems, status=400)
        payer = payments.Payer(self._email(session) or typed["email"], typed["card_name"])
        intent = payments.attempt(self._account, session, card, payer)
        if intent["status"] == "requires_action":
            return _go(f"/checkout/{session['id']}/authenticate")
        return self._outcome(session, intent, typed)

    async def _ask(self, request: Request) -> Response:
        session = self._session(request)
        if session is None or session["status"] != "open":
            return self._closed(session)
        if not payments.waits_for_customer(self._account, session):
            return _go(f"/checkout/{session['id']}")
        return self._page("authenticate.html", session)

    async def _answer(self, request: Request) -> Response:
        session = self._session(request)
        if session is None or session["status"] != "open":
            return self._closed(session)
        if not payments.waits_for_customer(self._account, session):
            return _go(f"/checkout/{session['id']}")
        passed = (await _typed(request, "outcome"))["outcome"] == "complete"
        intent = payments.authenticate(self._account, session, passed=passed)
        return self._outcome(session, intent, dict.fromkeys(_FIELDS, ""))

    async def _follow(self, request: Request) -> Response:
        """A customer opens a Payment Link: a page of its own for each, as long as the link is active."""
        payments.run_due(self._account)
        link = self._account.find(links.LINK, request.path_params["key"])
        if link is None:
            return self._closed(None)
        if not links.is_open(link):
            return self._words("This link is not active", link["inactive_message"] or _INACTIVE, status=410)
        return _go(f"/checkout/{links.open_session(self._account, link)['id']}")

    async def _thank(self, request: Request) -> Response:
        """The page after paying, for a link without a page of the seller's."""
        link = self._account.find(links.LINK, request.path_params["key"])
        after = link["after_completion"].get("hosted_confirmation") if link else None
        if after is None:
            return self._closed(None)
        return self._words("Thank you for your payment", after["custom_message"] or _THANKS)

    def _session(self, request: Request) -> Json | None:
        payments.run_due(self._account)
        return self._account.find("checkout.session", request.path_params["key"])

    def _email(self, session: Json) -> str | None:
        """The address that is known already: the customer need not type it."""
        customer = self._account.find("customer", session["customer"]) or {}
        return session["customer_email"] or customer.get("email")

    def _check(self, session: Json, typed: dict[str, str]) -> tuple[dict[str, str], cards.Card | None]:
        """What is wrong with the form, field by field; without a problem also the card."""
        problems = {}
        if not self._email(session) and "@" not in typed["email"].strip()[1:-1]:
            problems["email"] = "Enter your email address, for example name@example.com."
        if problem := cards.number_problem(typed["card_number"]):
            problems["card_number"] = problem
        expiry = cards.read_expiry(typed["card_expiry"], self._account.world.now())
        if isinstance(expiry, str):
            problems["card_expiry"] = expiry
        if problem := cards.cvc_problem(typed["card_cvc"]):
            problems["card_cvc"] = problem
        if not typed["card_name"].strip():
            problems["card_name"] = "Enter the name on your card."
        if problems or isinstance(expiry, str):
            return problems, None
        return {}, cards.find(typed["card_number"], month=expiry[0], year=expiry[1])

    def _outcome(self, session: Json, intent: Json, typed: dict[str, str]) -> Response:
        if intent["status"] == "succeeded":
            return _go(checkout.success_address(session))
        return self._form(session, typed, {"card_number": intent["last_payment_error"]["message"]}, status=402)

    def _form(self, session: Json, typed: dict[str, str], problems: dict[str, str], *, status: int = 200) -> Response:
        kept = {name: typed.get(name, "") for name in ("email", "card_name")}
        return self._page(
            "checkout.html",
            session,
            status=status,
            lines=checkout.lines(self._account, session),
            known_email=self._email(session),
            kept=kept,
            problems=problems,
            cancel_url=session["cancel_url"],
        )

    def _closed(self, session: Json | None) -> Response:
        """The page for a session that cannot be paid (any more), or is not known."""
        if session is None:
            return self._words(
                "This page does not exist", "Check the link, or ask the seller for a new one.", status=404
            )
        if session["status"] == "complete":
            words = ("This has been paid", "Thank you. There is nothing more to do here.")
            return self._page("closed.html", session, words=words, onward=checkout.success_address(session))
        words = ("This page has expired", "Nothing was charged. Ask the seller for a new link.")
        return self._page("closed.html", session, status=410, words=words, onward=session["cancel_url"])

    def _words(self, head: str, sentence: str, *, status: int = 200) -> Response:
        return self._page("closed.html", None, status=status, words=(head, sentence), onward=None)

    def _page(self, template: str, session: Json | None, *, status: int = 200, **values: Any) -> Response:
        seen = {"seller": DISPLAY_NAME, "session": session, **values}
        return HTMLResponse(self._templates.get_template(template).render(seen), status, _HEADERS)


def _go(address: str) -> Response:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})


async def _typed(request: Request, *names: str) -> dict[str, str]:
    """The fields of the form; one that is missing is empty."""
    sent = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return {name: sent.get(name, [""])[0][:500] for name in names or _FIELDS}
