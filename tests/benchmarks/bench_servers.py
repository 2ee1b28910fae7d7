"""The servers that the receiver is measured against: `bench_servers.py NAME PORT`.

limit   a socket that answers whatever comes: what the load client itself can do
hello   a bare ASGI application on our own server: what that server can do
single  our receiver, with one transaction for each event
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parents[2] / "execution"))

from tillbook.web import receiver, server

Message = MutableMapping[str, Any]
HOST = "127.0.0.1"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Anything(asyncio.Protocol):
    """Answers each piece that arrives, without reading it."""

    _transport: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a TCP transport it is
        self._transport = transport

    def data_received(self, _data: bytes) -> None:
        self._transport.write(ANSWER)


async def hello(_scope: Message, _receive: object, send: Callable[[Message], Awaitable[None]]) -> None:
    """The least that an ASGI application can do."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


class OneByOne(receiver.SharedCommit):
    """A transaction of its own for each event."""

    def add(self, write: receiver.Write, then: receiver.Then) -> None:
        with self._till.ledger.transaction():
            kept = write(self._till.clock.now())
        then(kept)


async def limit(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Anything, HOST, port)
    await server.serve_forever()


def single(port: int) -> None:
    from receive_webhooks import receive_webhooks
    from tillbook.till import open_till

    receiver.SharedCommit = OneByOne  # type: ignore[misc]  # this process serves nothing else
    server.serve(receive_webhooks(till=open_till()), HOST, port)


if __name__ == "__main__":
    name, wanted = sys.argv[1], int(sys.argv[2])
    if name == "limit":
        uvloop.run(limit(wanted))
    elif name == "hello":
        server.serve(hello, HOST, wanted)
    else:
        single(wanted)
