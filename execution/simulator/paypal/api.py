"""PayPal's API on the wire: the token, the body, the handler, and the answer."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from simulator.paypal import events, oauth
from simulator.paypal.account import Account
from simulator.paypal.orders import orders
from simulator.paypal.payments import captures, disputes, refunds
from simulator.paypal.statement import reports as reporting
from simulator.paypal.wire.call import Call
from simulator.paypal.wire.errors import PayPalError, invalid

Handler = Callable[[Account, Call], tuple[int, Any]]

_SIGN_IN = "/v1/oauth2/token"
_ROUTES: tuple[tuple[Any, ...], ...] = (
    ("POST", "/v2/checkout/orders", orders.create),
    ("GET", "/v2/checkout/orders/{}", orders.show),
    ("POST", "/v2/checkout/orders/{}/capture", orders.capture),
    ("GET", "/v2/payments/captures/{}", captures.show),
    ("POST", "/v2/payments/captures/{}/refund", refunds.create),
    ("GET", "/v2/payments/refunds/{}", refunds.show),
    ("GET", "/v1/customer/disputes", disputes.list_them),
    ("GET", "/v1/customer/disputes/{}", disputes.show),
)


class Api:
    """The ASGI application under `/paypal`, without the payer's pages."""

    def __init__(self, account: Account) -> None:
        self._account = account
        rows = (*_ROUTES, *events.ROUTES, *reporting.ROUTES)
        # (method, pattern, handler, whether anybody may ask)
        self._table: list[tuple[str, re.Pattern[str], Handler, bool]] = [
            (row[0], re.compile(row[1].replace("{}", "([^/]+)")), row[2], len(row) > 3 and bool(row[3])) for row in rows
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        call = Call(
            method=request.method,
            path=path,
            now=self._account.world.now(),
            params=dict(request.query_params),
            raw=await request.body(),
            headers={name.lower(): value for name, value in request.headers.items()},
        )
        await self.answer(call)(scope, receive, send)

    def answer(self, call: Call) -> Response:
        """Answer one call."""
        try:
            status, body = self._perform(call)
        except oauth.OAuthError as error:
            status, body = error.status, error.body
        except PayPalError as error:
            status, body = error.status, error.body(_debug_id())
        return _response(status, body)

    def fault(self, kind: str) -> Response:
        """What PayPal answers when it fails (`500`), has had enough (`429`) or the app may not do this (`403`)."""
        if kind == "403":
            words = "You do not have permission to access or perform operations on this resource."
            return _response(403, PayPalError(403, "NOT_AUTHORIZED", "PERMISSION_DENIED", words).body(_debug_id()))
        if kind == "429":
            limited = PayPalError(429, "RATE_LIMIT_REACHED")
            return _response(429, limited.body(_debug_id()), {"Retry-After": "1"})
        return _response(500, PayPalError(500, "INTERNAL_SERVER_ERROR").body(_debug_id()))

    def _perform(self, call: Call) -> tuple[int, Any]:
        if (call.method, call.path) == ("POST", _SIGN_IN):
            return oauth.give_token(self._account, call)
        handler, key, free = self._find(call)
        if not free:
            oauth.check_token(self._account, call.headers, call.now)
        return handler(self._account, _with_body(call, key))

    def _find(self, call: Call) -> tuple[Handler, str, bool]:
        for method, pattern, handler, free in self._table:
            if method == call.method and (match := pattern.fullmatch(call.path)):
                return handler, match[1] if pattern.groups else "", free
        oauth.check_token(self._account, call.headers, call.now)
        raise PayPalError(404, "RESOURCE_NOT_FOUND")


def _with_body(call: Call, key: str) -> Call:
    """The call with what was sent as JSON. Raises PayPalError for a body of the wrong kind."""
    if call.method == "GET":
        if call.raw.strip():
            raise PayPalError(415, "UNSUPPORTED_MEDIA_TYPE")
        return call.of(key, {})
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise PayPalError(415, "UNSUPPORTED_MEDIA_TYPE")
    try:
        body = json.loads(call.raw) if call.raw.strip() else {}
    except ValueError:
        raise invalid("MALFORMED_REQUEST_JSON") from None
    if not isinstance(body, dict):
        raise invalid("MALFORMED_REQUEST_JSON")
    return call.of(key, body)


def _debug_id() -> str:
    return secrets.token_hex(7)[:13]


def _response(status: int, body: Any, more: dict[str, str] | None = None) -> Response:
    headers = {"Paypal-Debug-Id": body["debug_id"] if isinstance(body, dict) and "debug_id" in body else _debug_id()}
    headers |= more or {}
    if isinstance(body, str):
        return PlainTextResponse(body, status, headers)
    if body is None:
        return Response(status_code=status, headers=headers)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="PayPal"'
    return Response(json.dumps(body), status, headers, "application/json")
