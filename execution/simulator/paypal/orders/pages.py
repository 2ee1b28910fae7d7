"""The page where a payer agrees to an order. No password is asked for."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.pages.templates import EXPIRED, PAID, UNKNOWN, Templates, Words, go, typed
from simulator.paypal.account import SELLER, Account
from simulator.paypal.orders import orders
from simulator.paypal.orders.payers import payer
from simulator.paypal.wire import amounts
from simulator.world import Json

_AGREED = ("You have approved this payment", "The seller takes the money now. There is nothing more to do here.")
_CANCELLED = ("You cancelled this payment", "Nothing was charged. You can close this page.")
_NO_EMAIL = "Enter the email address of your PayPal account, for example name@example.com."


class Pages:
    """What a payer sees and sends below `/paypal/approve`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._templates = Templates(Path(__file__).parent, amounts.spoken)

    def routes(self) -> list[BaseRoute]:
        """The page of an order, and the payer's decision."""
        return [Route("/{key}", self._show, methods=["GET"]), Route("/{key}", self._decide, methods=["POST"])]

    async def _show(self, request: Request) -> Response:
        """The page of an order. The first look starts the payer's three hours."""
        order = self._order(request)
        if order is None or order["status"] not in orders.OPEN or self._is_gone(order):
            return self._closed(order)
        orders.open_page(self._account, order, self._account.world.now())
        return self._form(order, "", "")

    async def _decide(self, request: Request) -> Response:
        """The payer approves or cancels, and goes back to the seller."""
        order = self._order(request)
        if order is None or order["status"] not in orders.OPEN or self._is_gone(order):
            return self._closed(order)
        form = await typed(request, ("outcome", "email"))
        if form["outcome"] == "cancel":
            address = self._cancel_address(order)
            return go(address) if address else self._say(_CANCELLED, order)
        email = form["email"].strip()[:254]
        if "@" not in email[1:-1] or any(character.isspace() for character in email):
            return self._form(order, email, _NO_EMAIL, status=400)
        orders.approve(self._account, order, payer(email, ""), self._account.world.now())
        address = self._return_address(order)
        return go(address) if address else self._say(_AGREED, order)

    def _order(self, request: Request) -> Json | None:
        return self._account.find(orders.ORDER, request.path_params["key"])

    def _is_gone(self, order: Json) -> bool:
        return orders.is_gone(self._account, order, self._account.world.now())

    def _closed(self, order: Json | None) -> Response:
        """The page for an order that cannot be approved (any more), or is not known."""
        if order is None:
            return self._say(UNKNOWN, None, status=404)
        if self._is_gone(order):
            return self._say(EXPIRED, order, status=410, onward=self._cancel_address(order))
        return self._say(PAID if order["status"] == "COMPLETED" else _AGREED, order, onward=self._return_address(order))

    def _return_address(self, order: Json) -> str:
        address = orders.context(self._account, order).get("return_url")
        return _back(address, token=order["id"], PayerID=order["payer"]["payer_id"])

    def _cancel_address(self, order: Json) -> str:
        return _back(orders.context(self._account, order).get("cancel_url"), token=order["id"])

    def _seller(self, order: Json) -> str:
        return orders.context(self._account, order).get("brand_name") or SELLER

    def _form(self, order: Json, email: str, problem: str, *, status: int = 200) -> Response:
        seen = {"order": order, "unit": order["purchase_units"][0], "email": email, "problem": problem}
        return self._templates.page("approve.html", status=status, seller=self._seller(order), **seen)

    def _say(self, words: Words, order: Json | None, *, status: int = 200, onward: str = "") -> Response:
        total = amounts.spoken(order["purchase_units"][0]["amount"]) if order else ""
        seen = {"words": words, "seller": self._seller(order) if order else SELLER, "total": total, "onward": onward}
        return self._templates.page("closed.html", status=status, **seen)


def _back(address: str | None, **more: str) -> str:
    """The seller's address with what PayPal adds to its query, and "" for none."""
    if not address:
        return ""
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode(more)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))
