"""The web server of the receiver: uvicorn with limits, so that slow or endless senders hold neither it nor its memory.

A request that is not complete in time is 408 (A17); headers beyond the limit are 431, and whoever sends more bytes
than any request may have is cut off (A16), wherever in the request they are: a header, a chunk or a trailer.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

REQUEST_DEADLINE_SECONDS = 15.0
KEEP_ALIVE_SECONDS = 15
MOST_CONNECTIONS = 1000
MOST_HEADER_BYTES = 64 * 1024
MOST_REQUEST_BYTES = 16 * 1024 * 1024
"""More than any body that is taken: what is over the body's limit is read and forgotten, so its sender hears why."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
Answer = Callable[[int, bytes, list[tuple[bytes, bytes]]], object]
"""Takes status, body and headers of a whole answer, once."""
Take = Callable[[bytes, Answer], None]
"""Takes a request's body and answers it, now or later."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection. A request that comes in one piece, as nearly all do, needs no timer at all.

    An application may have a method `at_once(scope)` that names a Take for a request: then one of known, short length
    is handed over with its whole body, and needs no task, no messages and no second write. All else is plain ASGI.
    """

    deadline_seconds = REQUEST_DEADLINE_SECONDS
    _timer: asyncio.TimerHandle | None = None
    _taking: tuple[RequestResponseCycle, Take] | None = None
    _in_headers = True
    _complete = False
    _received = 0

    def __init__(self, config: uvicorn.Config, *args: Any, **more: Any) -> None:
        super().__init__(config, *args, **more)
        self._at_once: Callable[[Any], Take | None] | None = getattr(config.app, "at_once", None)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        if self._complete:
            self._received = 0
            return
        if self._received > (MOST_HEADER_BYTES if self._in_headers else MOST_REQUEST_BYTES):
            self._cut_off(b"431 Request Header Fields Too Large" if self._in_headers else b"413 Content Too Large")
        elif self._timer is None:
            self._start_timer()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._complete, self._in_headers = False, True

    def on_headers_complete(self) -> None:
        self._in_headers = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MOST_HEADER_BYTES:
            self.app = _headers_too_large
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._complete = True
        self._stop_timer()
        super().on_message_complete()
        if self._taking is not None:
            (cycle, take), self._taking = self._taking, None
            take(bytes(cycle.body), partial(self._answer, cycle))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        usual = app is self.config.loaded_app and not cycle.waiting_for_100_continue and _is_short(cycle.scope)
        take = self._at_once(cycle.scope) if self._at_once and usual else None
        if take is None:
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._taking = (cycle, take)
        else:  # it waited behind another one; taken inside that one's answer, a thousand of them would nest
            self.loop.call_soon(take, bytes(cycle.body), partial(self._answer, cycle))

    def _answer(
        self, cycle: RequestResponseCycle, status: int, body: bytes, headers: list[tuple[bytes, bytes]]
    ) -> None:
        """A whole answer in one write, as uvicorn writes it in two."""
        if cycle.disconnected or cycle.response_started:
            return
        cycle.response_started = cycle.response_complete = True
        closing = [] if cycle.keep_alive else [(b"connection", b"close")]
        lines = [b"%b: %b\r\n" % line for line in (*cycle.default_headers, *headers, *closing)]
        self.transport.write(b"".join((STATUS_LINE[status], *lines, b"\r\n", body)))
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self.deadline_seconds, self._cut_off, b"408 Request Timeout")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut_off(self, status: bytes) -> None:
        """Say why, unless nothing was asked or an answer is under way, and close."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        if self._received and (self.cycle is None or self._in_headers or not self.cycle.response_started):
            self.transport.write(b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status)
        self.transport.close()


def _is_short(scope: Any) -> bool:
    """Whether a request says its length, and is no longer than what uvicorn reads ahead."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return length.isdigit() and int(length) <= HIGH_WATER_LIMIT


async def _headers_too_large(_scope: Message, _receive: Receive, send: Send) -> None:
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 431, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def server(application: Application, host: str, port: int) -> uvicorn.Server:
    """The server for an ASGI application, not yet running."""
    return uvicorn.Server(
        uvicorn.Config(
            application,
            host=host,
            port=port,
            http=LimitedProtocol,
            loop="uvloop",
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=10,
            limit_concurrency=MOST_CONNECTIONS,
        )
    )


def serve(application: Application, host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM; requests under way are answered first."""
    gc.freeze()  # what was imported lives as long as the server: the collector need not look at it again
    server(application, host, port).run()
