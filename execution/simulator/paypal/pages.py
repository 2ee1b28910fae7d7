"""The page where a payer agrees to an order: plain HTML forms, no script, nothing from elsewhere, no password."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.paypal import amounts, orders
from simulator.paypal.account import SELLER, Account
from simulator.paypal.payers import payer

Json = dict[str, Any]
# A head, a sentence, and the HTTP status that they go with.
_Words = tuple[str, str, int]

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_UNKNOWN = ("This page does not exist", "Check the link, or ask the seller for a new one.")
_PAID = ("This has been paid", "Thank you. There is nothing more to do here.")
_AGREED = ("You have approved this payment", "The seller takes the money now. There is nothing more to do here.")
_EXPIRED = ("This page has expired", "Nothing was charged. Ask the seller for a new link.")
_CANCELLED = ("You cancelled this payment", "Nothing was charged. You can close this page.")
_NO_EMAIL = "Enter the email address of your PayPal account, for example name@example.com."


def routes(account: Account) -> list[BaseRoute]:
    """The routes below `/paypal/approve`."""
    desk = _Pages(account)
    return [Route("/{key}", desk.show, methods=["GET"]), Route("/{key}", desk.decide, methods=["POST"])]


class _Pages:
    def __init__(self, account: Account) -> None:
        self._account = account
        loader = FileSystemLoader(Path(__file__).parents[1] / "pages")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._templates.filters["money"] = amounts.spoken

    async def show(self, request: Request) -> Response:
        """The page of an order; the first look starts the payer's three hours."""
        order = self._order(request)
        ended = self._ended(order)
        if order is None or ended:
            return self._words(order, ended)
        orders.open_page(self._account, order, self._account.world.now())
        return self._form(order, "", "")

    async def decide(self, request: Request) -> Response:
        """The payer approves or cancels, and goes back to the seller."""
        order = self._order(request)
        ended = self._ended(order)
        if order is None or ended:
            return self._words(order, ended)
        typed = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
        context = orders.context(self._account, order)
        if typed.get("outcome") == ["cancel"]:
            address = _back(context.get("cancel_url"), token=order["id"])
            return _go(address) if address else self._words(order, (*_CANCELLED, 200))
        email = typed.get("email", [""])[0].strip()[:254]
        if "@" not in email[1:-1] or any(character.isspace() for character in email):
            return self._form(order, email, _NO_EMAIL, status=400)
        orders.approve(self._account, order, payer(email, ""), self._account.world.now())
        address = self._return_address(order)
        return _go(address) if address else self._words(order, (*_AGREED, 200))

    def _order(self, request: Request) -> Json | None:
        return self._account.find(orders.ORDER, request.path_params["key"])

    def _ended(self, order: Json | None) -> _Words | None:
        """The words for an order that cannot be approved (any more), or is not known."""
        if order is None:
            return (*_UNKNOWN, 404)
        if orders.is_gone(self._account, order, self._account.world.now()):
            return (*_EXPIRED, 410)
        return {"COMPLETED": (*_PAID, 200), "APPROVED": (*_AGREED, 200)}.get(order["status"])

    def _return_address(self, order: Json) -> str:
        context = orders.context(self._account, order)
        return _back(context.get("return_url"), token=order["id"], PayerID=order["payer"]["payer_id"])

    def _form(self, order: Json, email: str, problem: str, *, status: int = 200) -> Response:
        return self._page("paypal_approve.html", order, status=status, email=email, problem=problem)

    def _words(self, order: Json | None, words: _Words | None) -> Response:
        """A page that says how things are, with the way back to the seller where there is one."""
        words, onward = words or (*_UNKNOWN, 404), ""
        if order is not None and "payer" in order and words[2] == 200:
            onward = self._return_address(order)
        elif order is not None and words[2] == 410:
            onward = _back(orders.context(self._account, order).get("cancel_url"), token=order["id"])
        return self._page("paypal_closed.html", order, status=words[2], words=words, onward=onward)

    def _page(self, template: str, order: Json | None, *, status: int, **values: Any) -> Response:
        unit = order["purchase_units"][0] if order else None
        brand = orders.context(self._account, order).get("brand_name") if order else None
        seen = {"seller": brand or SELLER, "order": order, "unit": unit, **values}
        return HTMLResponse(self._templates.get_template(template).render(seen), status, _HEADERS)


def _back(address: str | None, **more: str) -> str:
    """The seller's address with what PayPal adds to its query; "" for none."""
    if not address:
        return ""
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode(more)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def _go(address: str) -> Response:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})
