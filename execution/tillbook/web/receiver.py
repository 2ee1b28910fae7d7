"""The web application: verified webhooks into the inbox, submitted forms, the customer's pages, health.

A message is answered 200 only after it is committed with full sync. A failed commit is 503, so the sender tries again.
A message that its sender did not sign, or that makes no sense, is 400 for good.
"""

from __future__ import annotations

from dataclasses import asdict

import anyio
import anyio.to_thread
from granian.rsgi import HTTPProtocol, Scope
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tillbook.kit.errors import Forged, Refused, Throttled, TillbookError, Unavailable
from tillbook.rules.events import Event
from tillbook.rules.orders import InvalidOrder, order_json
from tillbook.till import Till
from tillbook.vendors.protocols import Provider
from tillbook.web.asgi import answer, respond
from tillbook.web.commit import SharedCommit
from tillbook.web.forms import NotBilled, read_form
from tillbook.web.limits import BadBody, whole_body
from tillbook.web.mapping import FormProduct
from tillbook.web.pay_pages import PayPages

WORKERS = 4
"""So many messages at once may wait for their vendor's word on a signature; the event loop waits for none."""

BODY_SECONDS = 10.0
"""For the body of a request."""


class Receiver:
    """Answers every request, in granian's own interface. The ledger of `till` never waits for a lock.

    `/webhooks/PROVIDER` is answered here: nearly all requests are for it, and a layer above would cost as much as the
    insert into the ledger.
    """

    def __init__(
        self,
        till: Till,
        pages: PayPages,
        providers: dict[str, Provider],
        product: FormProduct,
        *,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._inbox = till.ledger.inbox
        self._commit = SharedCommit(till)
        self._providers = {f"/webhooks/{name}": provider for name, provider in providers.items()}
        self._others = _other_routes(till, self._commit, pages, product)
        self._workers = anyio.CapacityLimiter(WORKERS)
        self._body_seconds = body_seconds

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        try:
            body = await whole_body(scope, protocol, self._body_seconds)
        except BadBody as bad:
            respond(protocol, JSONResponse({"error": bad.message}, bad.status, {"connection": "close"}))
            return
        provider = self._providers.get(scope.path)
        if provider is None:
            await answer(self._others, scope, body, protocol)
        elif scope.method != "POST":
            respond(protocol, Response(status_code=405, headers={"allow": "POST"}))
        elif refusal := await self._take(provider, _joined(scope.headers.items()), body):
            respond(protocol, refusal)
        else:
            protocol.response_empty(200, [])

    async def _take(self, provider: Provider, headers: dict[str, str], body: bytes) -> Response | None:
        """Keep a message that its sender signed. The answer to one that was not kept."""
        try:
            event = await self._verified(provider, headers, body)
            kept = await self._commit.keep(lambda now: self._inbox.add(event, source="webhook", now=now))
            if not kept and self._inbox.is_taken(event):
                raise Forged("another message came by this delivery before")
        except TillbookError as error:
            return _told(error)
        except Exception as error:  # noqa: BLE001  a bug of ours: the vendor shall send it again
            return _told(Unavailable(f"it could not be taken: {type(error).__name__}"))
        return None

    async def _verified(self, provider: Provider, headers: dict[str, str], body: bytes) -> Event:
        """The event, once its signature is checked: in a worker where the vendor must be asked for that."""
        if not provider.asks_first(headers):
            return provider.verify(headers, body)
        return await anyio.to_thread.run_sync(provider.verify, headers, body, limiter=self._workers)


def _other_routes(till: Till, commit: SharedCommit, pages: PayPages, product: FormProduct) -> Starlette:
    async def form(request: Request) -> Response:
        order = read_form(request.headers, await request.body(), secret=till.settings.form_secret, product=product)
        if isinstance(order, NotBilled):
            if order.number:
                await commit.keep(lambda now: till.ledger.forms.leave_out(order.number, order.reason, now))
            return JSONResponse({"received": True, "number": order.number, "left_out": order.reason})
        text = order_json(order)
        if await commit.keep(lambda now: till.ledger.forms.add(order.number, text, now)):
            return JSONResponse({"received": True, "number": order.number})
        message = f"number {order.number} was submitted with other content; give the new order a number of its own"
        return JSONResponse({"error": message}, status_code=409)

    async def health(_: Request) -> Response:
        await commit.keep(till.ledger.activity.touch)  # 503 while no event could be kept
        waiting, oldest = till.ledger.inbox.waiting()
        return JSONResponse({"ok": True, "waiting": waiting, "oldest_received_at": oldest})

    application = Starlette(
        routes=[
            Route("/forms/sales", form, methods=["POST"]),
            Route("/pay/{token}", pages.show, methods=["GET"]),
            Route("/pay/{token}", pages.open, methods=["POST"]),
            Route("/pay/{token}/paid", pages.paid, methods=["GET"]),
            Route("/pay/{token}/cancelled", pages.show, methods=["GET"]),
            Route("/oauth/quickbooks", pages.connect_quickbooks, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
        ],
        exception_handlers={TillbookError: _answer},
    )
    application.router.redirect_slashes = False  # a redirect would lose the body
    return application


def _joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    """The headers by lower-case name. The values of a name that stands twice are joined by a comma."""
    joined = dict(headers)
    if len(joined) < len(headers):
        return {name: ", ".join(value for other, value in headers if other == name) for name in joined}
    return joined


async def _answer(_: Request, error: Exception) -> Response:
    """What Starlette calls for an error that a route raised."""
    assert isinstance(error, TillbookError), "the only kind that it is registered for"
    return _told(error)


def _told(error: TillbookError) -> Response:
    """Our words for a refusal or a trouble: 400 says 'do not send this again', 503 and 429 say 'later'."""
    problems = [asdict(problem) for problem in error.problems] if isinstance(error, InvalidOrder) else []
    content = {"error": error.message, **({"problems": problems} if problems else {})}
    if isinstance(error, Throttled):
        retry_after = str(max(1, round(error.retry_after_seconds)))
        return JSONResponse(content, status_code=429, headers={"retry-after": retry_after})
    return JSONResponse(content, status_code=400 if isinstance(error, Refused) else 503)
