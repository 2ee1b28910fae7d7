"""The web application: verified webhooks into the inbox, submitted forms, the customer's pages, health.

A message is answered 200 only after it is committed with full sync. A failed commit is 503, so the sender tries again.
A message that its sender did not sign, or that makes no sense, is 400 for good.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tillbook.kit.errors import Forged, Refused, Throttled, TillbookError, Unavailable
from tillbook.rules.events import Event
from tillbook.rules.orders import InvalidOrder, order_json
from tillbook.till import Till
from tillbook.vendors.protocols import Provider
from tillbook.web.commit import SharedCommit
from tillbook.web.forms import FormProduct, read_form
from tillbook.web.pay_pages import PayPages

WORKERS = 4
"""So many messages at once may wait for their vendor's word on a signature; the event loop waits for none."""

Endpoint = Callable[[Request], Awaitable[Response]]


def build_app(till: Till, pages: PayPages, providers: dict[str, Provider], product: FormProduct) -> Starlette:
    """The application. The ledger of `till` never waits for a lock."""
    commit = SharedCommit(till)
    webhooks = [
        Route(f"/webhooks/{name}", _webhook(till, commit, provider), methods=["POST"])
        for name, provider in providers.items()
    ]

    async def form(request: Request) -> Response:
        order = read_form(request.headers, await request.body(), secret=till.settings.form_secret, product=product)
        text = order_json(order)
        if await commit.keep(lambda now: till.ledger.forms.add(order.number, text, now)):
            return JSONResponse({"received": True, "number": order.number})
        message = f"number {order.number} was submitted with other content; give the new order a number of its own"
        return JSONResponse({"error": message}, status_code=409)

    async def health(_: Request) -> Response:
        waiting, oldest = till.ledger.inbox.waiting()
        return JSONResponse({"ok": True, "waiting": waiting, "oldest_received_at": oldest})

    application = Starlette(
        routes=[
            *webhooks,
            Route("/forms/sales", form, methods=["POST"]),
            Route("/pay/{token}", pages.show, methods=["GET"]),
            Route("/pay/{token}", pages.open, methods=["POST"]),
            Route("/pay/{token}/paid", pages.paid, methods=["GET"]),
            Route("/pay/{token}/cancelled", pages.show, methods=["GET"]),
            Route("/oauth/quickbooks", pages.connect_quickbooks, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
        ],
        exception_handlers={TillbookError: _told},
    )
    application.router.redirect_slashes = False  # a redirect would lose the body
    return application


def _webhook(till: Till, commit: SharedCommit, provider: Provider) -> Endpoint:
    """The endpoint of one provider's webhooks."""
    inbox = till.ledger.inbox
    workers = anyio.CapacityLimiter(WORKERS)

    async def verified(headers: dict[str, str], body: bytes) -> Event:
        if not provider.asks_first(headers):
            return provider.verify(headers, body)
        return await anyio.to_thread.run_sync(provider.verify, headers, body, limiter=workers)

    async def take(request: Request) -> Response:
        try:
            event = await verified(_joined(request), await request.body())
            if not await commit.keep(lambda now: inbox.add(event, source="webhook", now=now)) and inbox.is_taken(event):
                raise Forged("another message came by this delivery before")
        except TillbookError:
            raise
        except Exception as error:  # a bug of ours: the vendor shall send it again
            raise Unavailable(f"it could not be taken: {type(error).__name__}") from error
        return Response()  # vendors read the status alone

    return take


def _joined(request: Request) -> dict[str, str]:
    """The headers by lower-case name. The values of a name that stands twice are joined by a comma."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _told(_: Request, error: Exception) -> Response:
    """Our words for a refusal or a trouble: 400 says 'do not send this again', 503 and 429 say 'later'."""
    message = error.message if isinstance(error, TillbookError) else ""
    problems = [asdict(problem) for problem in error.problems] if isinstance(error, InvalidOrder) else []
    content = {"error": message, **({"problems": problems} if problems else {})}
    if isinstance(error, Throttled):
        retry_after = str(max(1, round(error.retry_after_seconds)))
        return JSONResponse(content, status_code=429, headers={"retry-after": retry_after})
    return JSONResponse(content, status_code=400 if isinstance(error, Refused) else 503)
