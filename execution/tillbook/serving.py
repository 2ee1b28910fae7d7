"""The web server of the receiver: uvicorn with deadlines, so that slow senders cannot hold its connections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from starlette.applications import Starlette

HEADER_DEADLINE_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 15
MOST_CONNECTIONS = 1000
MOST_HEADER_BYTES = 64 * 1024


class DeadlineProtocol(HttpToolsProtocol):
    """Cuts off a connection whose request line and headers are not complete in time (A17), or are too large (A16)."""

    _deadline: asyncio.TimerHandle | None = None
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(name + value)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._header_bytes = 0
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_headers()

    def _await_headers(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(
            HEADER_DEADLINE_SECONDS + KEEP_ALIVE_SECONDS if self.cycle else HEADER_DEADLINE_SECONDS, self._cut_off
        )

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _count(self, part: bytes) -> None:
        self._header_bytes += len(part)
        if self._header_bytes > MOST_HEADER_BYTES:
            self._cut_off()

    def _cut_off(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def serve(application: Starlette, host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM; requests under way are answered first."""
    uvicorn.Server(
        uvicorn.Config(
            application,
            host=host,
            port=port,
            http=DeadlineProtocol,
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
    ).run()
