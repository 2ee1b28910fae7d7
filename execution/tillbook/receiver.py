"""The web application: verified webhooks into the inbox, the customer's return pages, health.

A webhook is answered 200 only after its event is committed with full sync. Requests that wait at the same moment
share one commit, inside the event loop; a failed commit fails every one of them with 503, so the vendor sends again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tillbook.errors import Refused, TillbookError, Unavailable
from tillbook.events import Event

if TYPE_CHECKING:
    from starlette.requests import Request

    from tillbook.pay_pages import PayPages
    from tillbook.providers import Provider
    from tillbook.workshop import Workshop

BODY_LIMIT_BYTES = 1024 * 1024
BUSY_LIMIT_SECONDS = 3.0
BUSY_PAUSE_SECONDS = 0.005


class Inbox:
    """Group commit: every event that waits when the loop gets to it goes into one transaction."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._waiting: list[tuple[Event, asyncio.Future[None]]] = []
        self._scheduled = False

    async def keep(self, event: Event) -> None:
        """Return once the event is durable. Raises Unavailable when it could not be committed."""
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append((event, done))
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._commit, loop, loop.time() + BUSY_LIMIT_SECONDS)
        await done

    def _commit(self, loop: asyncio.AbstractEventLoop, give_up_at: float) -> None:
        batch, self._waiting = self._waiting, []
        try:
            with self._shop.ledger.transaction():
                now = self._shop.clock.now()
                for event, _ in batch:
                    self._shop.ledger.inbox.add(event, source="webhook", now=now)
        except Unavailable as error:
            if loop.time() < give_up_at:
                self._waiting = batch + self._waiting
                loop.call_later(BUSY_PAUSE_SECONDS, self._commit, loop, give_up_at)
                return
            self._end(batch, error)
        except Exception as error:  # noqa: BLE001  whatever it was, every waiter must hear of it
            self._end(batch, Unavailable(f"the ledger did not take the event: {type(error).__name__}"))
        else:
            self._end(batch, None)
        self._scheduled = False

    @staticmethod
    def _end(batch: list[tuple[Event, asyncio.Future[None]]], error: TillbookError | None) -> None:
        for _, done in batch:
            if done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)


def build_app(shop: Workshop, pages: PayPages, providers: dict[str, Provider]) -> Starlette:
    """The application. `shop`'s ledger is opened with busy timeout 0: the loop never waits for a lock."""
    inbox = Inbox(shop)

    async def webhook(request: Request) -> Response:
        provider = providers.get(request.path_params["provider"])
        if provider is None:
            return JSONResponse({"error": "no such provider"}, status_code=404)
        event = provider.verify(dict(request.headers), await _body(request))
        await inbox.keep(event)
        return JSONResponse({"received": True})

    async def health(_: Request) -> Response:
        waiting, oldest = shop.ledger.inbox.waiting()
        return JSONResponse({"ok": True, "waiting": waiting, "oldest_received_at": oldest})

    return Starlette(
        routes=[
            Route("/webhooks/{provider}", webhook, methods=["POST"]),
            Route("/pay/{token}", pages.show, methods=["GET"]),
            Route("/pay/{token}", pages.open, methods=["POST"]),
            Route("/pay/{token}/paid", pages.paid, methods=["GET"]),
            Route("/pay/{token}/cancelled", pages.show, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
        ],
        exception_handlers={
            Refused: _answer(400),
            TillbookError: _answer(503),
        },
    )


async def _body(request: Request) -> bytes:
    """The raw body, counted while it is read. Raises 413 beyond the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise HTTPException(413, f"at most {BODY_LIMIT_BYTES} bytes")
    return bytes(body)


def _answer(status: int) -> Callable[[Request, Exception], Response]:
    """Our words for a refusal or a trouble: 400 says 'do not send this again', 503 says 'later'."""

    def answer(_: Request, error: Exception) -> Response:
        message = error.message if isinstance(error, TillbookError) else ""
        return JSONResponse({"error": message}, status_code=status)

    return answer
