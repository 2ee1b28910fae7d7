"""The web application: verified webhooks into the inbox, submitted forms, the customer's pages, health.

A message is answered 200 only after it is committed with full sync. Requests that wait at the same moment share one
commit, inside the event loop; a failed commit fails every one of them with 503, so the sender tries again. A message
that its sender did not sign, or that makes no sense, is 400 for good (A15).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tillbook.kit.errors import Forged, Refused, Throttled, TillbookError, Unavailable
from tillbook.rules.orders import InvalidOrder, order_json
from tillbook.web.forms import FormProduct, read_form

if TYPE_CHECKING:
    from starlette.requests import Request

    from tillbook.rules.events import Event
    from tillbook.till import Till
    from tillbook.vendors.protocols import Provider
    from tillbook.web.pay_pages import PayPages
    from tillbook.web.server import Answer, Application, Message, Receive, Send, Take

BODY_LIMIT_BYTES = 1024 * 1024
MOST_IN_A_COMMIT = 128
WORKERS = 4
"""So many messages at once may wait for their vendor's word on a signature; the event loop waits for none."""
QUIET_TURNS = 2
BUSY_LIMIT_SECONDS = 3.0
BUSY_PAUSE_SECONDS = 0.005

Told = TypeVar("Told")
Write = Callable[[int], bool]
Then = Callable[[bool | Unavailable], object]
Endpoint = Callable[["Request"], Awaitable[Response]]
_Answer = tuple[int, bytes, list[tuple[bytes, bytes]]]
NO_BODY = [(b"content-length", b"0")]
JSON_BODY = (b"content-type", b"application/json")


class SharedCommit:
    """Writes that wait at the same moment go into one transaction, committed with full sync."""

    def __init__(self, till: Till) -> None:
        self._till = till
        self._waiting: list[tuple[Write, Then]] = []
        self._scheduled = False

    def add(self, write: Write, then: Then) -> None:
        """Call `write(now)` in the next commit, then `then` with its answer once that is durable, or with what kept it
        from being so."""
        self._waiting.append((write, then))
        if not self._scheduled:
            self._scheduled = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._gather, loop, 0, 0)

    async def keep(self, write: Write) -> bool:
        """The same for whoever waits: the answer, once durable. Raises Unavailable when it is not."""
        told: asyncio.Future[bool | Unavailable] = asyncio.get_running_loop().create_future()
        self.add(write, partial(_tell, told))
        answer = await told
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    def _gather(self, loop: asyncio.AbstractEventLoop, seen: int, quiet: int) -> None:
        """Commit when the loop turned twice and brought nobody more: a sync costs more than all else together."""
        waiting = len(self._waiting)
        quiet = 0 if waiting > seen else quiet + 1
        if quiet < QUIET_TURNS and waiting < MOST_IN_A_COMMIT:
            loop.call_soon(self._gather, loop, waiting, quiet)
        else:
            self._commit(loop, loop.time() + BUSY_LIMIT_SECONDS)

    def _commit(self, loop: asyncio.AbstractEventLoop, give_up_at: float) -> None:
        batch, self._waiting = self._waiting[:MOST_IN_A_COMMIT], self._waiting[MOST_IN_A_COMMIT:]
        try:
            with self._till.ledger.transaction():
                now = self._till.clock.now()
                answers: list[bool | Unavailable] = [write(now) for write, _ in batch]
        except Unavailable as error:
            if loop.time() < give_up_at:  # never wait inside the loop: come back by its timer
                self._waiting = batch + self._waiting
                loop.call_later(BUSY_PAUSE_SECONDS, self._commit, loop, give_up_at)
                return
            answers = [error] * len(batch)
        except Exception as error:  # noqa: BLE001  whatever it was, everybody who waits must hear of it
            answers = [Unavailable(f"the ledger did not take it: {type(error).__name__}")] * len(batch)
        for (_, then), answer in zip(batch, answers, strict=True):
            loop.call_soon(then, answer)  # each by itself: what goes wrong with one is not the next one's trouble
        self._scheduled = bool(self._waiting)
        if self._scheduled:
            loop.call_soon(self._gather, loop, 0, 0)


def build_app(
    till: Till, pages: PayPages, providers: dict[str, Provider], product: FormProduct, connect: Endpoint
) -> Application:
    """The application. `till`'s ledger never waits for a lock; `connect` takes QuickBooks' redirect."""
    commit = SharedCommit(till)
    return Webhooks(till, commit, providers, _other_routes(till, commit, pages, product, connect))


class Webhooks:
    """`/webhooks/PROVIDER`, and everything else passed on.

    A bare ASGI application: nearly all requests come here, and a routing table with request and response objects
    costs more than the signature, the envelope and the commit together.
    """

    def __init__(self, till: Till, commit: SharedCommit, providers: dict[str, Provider], others: Application) -> None:
        self._till = till
        self._commit = commit
        self._providers = {f"/webhooks/{name}".encode(): provider for name, provider in providers.items()}
        self._others = others

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        provider = self._providers.get(scope["raw_path"])  # as it was sent: no second spelling of an address
        if provider is None:
            await self._others(scope, receive, send)
            return
        status, body, headers = await self._answer(provider, scope, receive)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def at_once(self, scope: Message) -> Take | None:
        """How to take a request whose body is short: with no wait but for its commit, so without a task of its own.

        None for all that goes the long way: other addresses and methods, and what its vendor must be asked about.
        """
        provider = self._providers.get(scope["raw_path"])
        if provider is None or scope["method"] != "POST":
            return None
        headers = _Headers(scope["headers"])
        return None if provider.asks_first(headers) else partial(self._take, provider, headers)

    def _take(self, provider: Provider, headers: Mapping[str, str], body: bytes, answer: Answer) -> None:
        try:
            self._keep(provider.verify(headers, body), answer)
        except TillbookError as error:
            answer(*_refusal(error))
        except Exception as error:  # noqa: BLE001  a bug of ours: the vendor shall send it again
            answer(*_trouble(503, f"it could not be taken: {type(error).__name__}"))

    async def _answer(self, provider: Provider, scope: Message, receive: Receive) -> _Answer:
        try:
            if scope["method"] != "POST":
                raise HTTPException(405, "only POST is taken here", {"allow": "POST"})
            body = await read_body(receive)
            event = await self._verified(provider, _Headers(scope["headers"]), body)
        except HTTPException as error:
            extra = [(name.encode(), value.encode()) for name, value in (error.headers or {}).items()]
            return _trouble(error.status_code, error.detail, extra)
        except TillbookError as error:
            return _refusal(error)
        told: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._keep(event, lambda *answer: _tell(told, answer))
        return await told

    def _keep(self, event: Event, answer: Answer) -> None:
        """Answer when the event is durable, and only then."""
        inbox = self._till.ledger.inbox
        self._commit.add(
            lambda now: inbox.add(event, source="webhook", now=now), lambda kept: answer(*self._ended(event, kept))
        )

    def _ended(self, event: Event, kept: bool | Unavailable) -> _Answer:
        """Kept now or before: 200. Vendors read the status alone; a body would be one more packet for each event."""
        try:
            if isinstance(kept, Unavailable):
                raise kept
            if not kept and self._till.ledger.inbox.is_taken(event):
                raise Forged("another message came by this delivery before")
        except TillbookError as error:
            return _refusal(error)
        except Exception as error:  # noqa: BLE001  a bug of ours: the vendor shall send it again
            return _trouble(503, f"it could not be looked up: {type(error).__name__}")
        return 200, b"", NO_BODY

    async def _verified(self, provider: Provider, headers: Mapping[str, str], body: bytes) -> Event:
        """The event, once its signature is checked; in a worker where the vendor must be asked for that."""
        if not provider.asks_first(headers):
            return provider.verify(headers, body)
        return await anyio.to_thread.run_sync(provider.verify, headers, body, limiter=self._workers)

    @cached_property
    def _workers(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(WORKERS)


class _Headers(Mapping[str, str]):
    """Headers as they came, read where they are needed: names in lower case, and a name that stands twice has both
    values, as RFC 9110 joins them."""

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        wanted = name.encode("latin-1")
        values = [value for given, value in self._raw if given == wanted]
        if not values:
            raise KeyError(name)
        return b", ".join(values).decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return iter({name.decode("latin-1") for name, _ in self._raw})

    def __len__(self) -> int:
        return len({name for name, _ in self._raw})


def _other_routes(
    till: Till, commit: SharedCommit, pages: PayPages, product: FormProduct, connect: Endpoint
) -> Application:
    async def form(request: Request) -> Response:
        body = await read_body(request.receive)
        order = read_form(request.headers, body, secret=till.settings.form_secret, product=product)
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
            Route("/forms/sales", form, methods=["POST"]),
            Route("/pay/{token}", pages.show, methods=["GET"]),
            Route("/pay/{token}", pages.open, methods=["POST"]),
            Route("/pay/{token}/paid", pages.paid, methods=["GET"]),
            Route("/pay/{token}/cancelled", pages.show, methods=["GET"]),
            Route("/oauth/quickbooks", connect, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
        ],
        exception_handlers={Refused: _answer(400), TillbookError: _answer(503)},
    )
    application.router.redirect_slashes = False  # a redirect would lose the body (A21)
    return application


async def read_body(receive: Receive) -> bytes:
    """The raw body. Raises HTTPException: 413 beyond the limit, 408 when the sender went away or was cut off.

    What is over the limit is read and forgotten, for a sender hears the answer only after it could send everything.
    """
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise HTTPException(408, "the body did not come")
        part: bytes = message.get("body", b"")
        size, more = size + len(part), message.get("more_body", False)
        if size <= BODY_LIMIT_BYTES:
            parts.append(part)
    if size > BODY_LIMIT_BYTES:
        raise HTTPException(413, f"at most {BODY_LIMIT_BYTES} bytes", {"connection": "close"})
    return b"".join(parts)


def _tell(waiting: asyncio.Future[Told], answer: Told) -> None:
    if not waiting.done():  # whoever waited may have gone
        waiting.set_result(answer)


def _refusal(error: TillbookError) -> _Answer:
    """400 says 'do not send this again', 503 says 'later', and so does 429: there is too much of this just now."""
    if isinstance(error, Throttled):
        return _trouble(429, error.message, [(b"retry-after", b"%d" % max(1, round(error.retry_after_seconds)))])
    return _trouble(400 if isinstance(error, Refused) else 503, error.message)


def _trouble(status: int, message: str, extra: Iterable[tuple[bytes, bytes]] = ()) -> _Answer:
    body = json.dumps({"error": message}).encode()
    return status, body, [*extra, JSON_BODY, (b"content-length", b"%d" % len(body))]


def _answer(status: int) -> Callable[[Request, Exception], Response]:
    """Our words for a refusal or a trouble: 400 says 'do not send this again', 503 says 'later'."""

    def answer(_: Request, error: Exception) -> Response:
        message = error.message if isinstance(error, TillbookError) else ""
        problems = [asdict(problem) for problem in error.problems] if isinstance(error, InvalidOrder) else []
        return JSONResponse({"error": message, **({"problems": problems} if problems else {})}, status_code=status)

    return answer
