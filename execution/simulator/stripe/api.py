"""Stripe's API on the wire: the key, the operation, its idempotency, and the answer."""

from __future__ import annotations

import hmac
import json
import re

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from simulator.authorization import credentials
from simulator.stripe import business, events
from simulator.stripe.account import Account
from simulator.stripe.balance import operations as balance
from simulator.stripe.checkout import operations as checkout
from simulator.stripe.due import run_due
from simulator.stripe.expansion import check, expand
from simulator.stripe.operation import Call, Operation
from simulator.stripe.payments import operations as charges
from simulator.stripe.refunds import operations as refunds
from simulator.stripe.wire.errors import StripeError
from simulator.stripe.wire.forms import parse
from simulator.stripe.wire.idempotency import Answer, Keys, in_use
from simulator.world import Json

_REMEMBERED = (200, 402, 500)
_PARTS = (business, checkout, charges, refunds, balance, events)


class Api:
    """The ASGI application under `/stripe`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._keys = Keys(account.world)
        self._table = [
            (re.compile(row.path.replace("{}", "([^/]+)")), row) for part in _PARTS for row in part.OPERATIONS
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        body = (await request.body()).decode("utf-8", "replace")
        form = body if request.method == "POST" else request.url.query
        await self.answer(request.method, path, form, request.headers)(scope, receive, send)

    def answer(self, method: str, path: str, form: str, headers: Headers) -> Response:
        """Answer one request. Everything that became due before is done first."""
        run_due(self._account, self._account.world.now())
        request_id = self._account.world.identifier("req")
        key = headers.get("idempotency-key", "") if method == "POST" else ""
        try:
            self._check_secret(headers.get("authorization", ""))
            answer = self._keys.stored(key, path, form) if key else None
            if answer is None:
                answer = self._perform(method, path, form, {"id": request_id, "idempotency_key": key or None})
                if key and answer.status in _REMEMBERED:
                    self._keys.store(key, path, form, answer, request_id)
        except StripeError as error:
            answer = Answer(error.status, json.dumps(error.body()), {})
        return _response(answer, request_id, key, headers)

    def fault(self, kind: str, path: str, form: str, headers: Headers) -> Response:
        """What Stripe answers when it fails: `500`, `429` or `409`. A 500 stays pinned to its key, as at Stripe."""
        key = headers.get("idempotency-key", "")
        request_id = self._account.world.identifier("req")
        answers = {
            "500": StripeError(500, "An unknown error occurred. It was ordered from the simulator.", kind="api_error"),
            "429": StripeError(429, "Request rate limit exceeded.", code="rate_limit"),
            "409": in_use(key),
            "403": StripeError(
                403,
                "The provided key 'rk_test_********' does not have the required permissions for this endpoint on"
                f" account '{self._account.world.accounts['stripe_account']}'.",
                code="more_permissions_required",
            ),
        }
        error = answers[kind]
        extra = {"Retry-After": "1"} if kind == "429" else {}
        answer = Answer(error.status, json.dumps(error.body()), extra)
        if kind == "500" and key:
            self._keys.store(key, path, form, answer, request_id)
        return _response(answer, request_id, key, headers)

    def _perform(self, method: str, path: str, form: str, cause: Json) -> Answer:
        operation, key = self._find(method, path)
        try:
            params = operation.form.read(parse(form))
            paths = params.get("expand", [])
            check(operation.gives, paths, listing="limit" in operation.form.fields)
        except UnicodeDecodeError:
            raise StripeError(400, "Invalid request: the parameters are not UTF-8.") from None
        call = Call(self._account, path, key, params, self._account.world.now(), cause)
        try:
            body = operation.act(call)
        except StripeError as error:
            return Answer(error.status, json.dumps(error.body()), {})
        return Answer(200, json.dumps(expand(self._account, body, paths)), {})

    def _find(self, method: str, path: str) -> tuple[Operation, str]:
        for pattern, row in self._table:
            if row.method == method and (match := pattern.fullmatch(path)):
                return row, match[1] if pattern.groups else ""
        raise StripeError(404, f"Unrecognized request URL ({method}: {path}).")

    def _check_secret(self, header: str) -> None:
        scheme, value = credentials(header)
        secret = {"bearer": value, "basic": value.partition(":")[0]}.get(scheme, "")
        if not secret:
            raise StripeError(401, "You did not provide an API key. Send it as a Bearer token.")
        if not hmac.compare_digest(secret.encode(), str(self._account.world.accounts["stripe_secret_key"]).encode()):
            shown = secret[:8] + "*" * 12 + secret[-4:] if len(secret) > 24 else "*" * 12
            raise StripeError(401, f"Invalid API Key provided: {shown}")


def _response(answer: Answer, request_id: str, key: str, headers: Headers) -> Response:
    own = {"Request-Id": request_id, **answer.headers}
    if key:
        own["Idempotency-Key"] = key
    if version := headers.get("stripe-version"):
        own["Stripe-Version"] = version
    return Response(answer.body, answer.status, own, "application/json")
