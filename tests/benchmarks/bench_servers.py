"""The servers that the receiver is measured against: `bench_servers.py NAME PORT`.

limit   a socket that answers whatever comes: what the load client itself can do
single  our receiver, with one transaction for each event
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[2] / "execution"))

from tillbook.web import commit, receiver, server

HOST = "127.0.0.1"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Anything(asyncio.Protocol):
    """Answers each piece that arrives, without reading it."""

    _transport: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a TCP transport it is
        self._transport = transport

    def data_received(self, _data: bytes) -> None:
        self._transport.write(ANSWER)


class OneByOne(commit.SharedCommit):
    """A transaction of its own for each event."""

    async def keep(self, write: commit.Write) -> bool:
        with self._till.ledger.transaction():
            return write(self._till.clock.now())


async def limit(port: int) -> None:
    listening = await asyncio.get_running_loop().create_server(Anything, HOST, port)
    await listening.serve_forever()


def single(port: int) -> None:
    from receive_webhooks import receive_webhooks
    from tillbook.till import open_till

    receiver.SharedCommit = OneByOne  # type: ignore[misc]  # this process serves nothing else
    server.serve(receive_webhooks(till=open_till()), HOST, port)


if __name__ == "__main__":
    name, wanted = sys.argv[1], int(sys.argv[2])
    if name == "limit":
        uvloop.run(limit(wanted))
    else:
        single(wanted)
