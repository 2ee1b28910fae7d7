"""The web server of the receiver: granian with limits, so that slow or endless senders hold neither it nor its memory.

Headers that are too long are 431. Whoever takes too long for them is cut off without an answer, because no request was
made. The rest of a request is bounded by `limits.py`.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from tillbook.kit.errors import Refused
from tillbook.web.receiver import Receiver

HEADER_SECONDS = 5.0
"""For the headers of a request, and for the pause before it."""
MOST_CONNECTIONS = 1000
MOST_HEADER_BYTES = 64 * 1024
STDERR = {"class": "logging.StreamHandler", "formatter": "generic", "stream": "ext://sys.stderr"}


def server(receiver: Receiver, host: str, port: int, *, header_seconds: float = HEADER_SECONDS) -> Server:
    """The server for the receiver, not yet running. Raises Refused when it cannot listen there."""
    return Server(
        receiver,
        *_free_address(host, port),
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=MOST_CONNECTIONS,
        backpressure=MOST_CONNECTIONS,
        http1_settings=HTTP1Settings(
            header_read_timeout=round(header_seconds * 1000), max_buffer_size=MOST_HEADER_BYTES
        ),
        log_level=LogLevels.error,
        log_dictconfig={"handlers": {"console": STDERR, "access": STDERR}},
    )


def serve(receiver: Receiver, host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM. Requests under way are answered first."""
    gc.freeze()  # what was imported lives as long as the server: the collector need not look at it again
    uvloop.run(_until_told(server(receiver, host, port)))


async def _until_told(running: Server) -> None:
    """SIGTERM stops the server. Ctrl-C does so too, and is raised as KeyboardInterrupt after the last answer."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.stop)
    serving = asyncio.create_task(running.serve())
    try:
        await asyncio.shield(serving)
    finally:
        running.stop()  # type: ignore[no-untyped-call]  # granian gives it no types
        await serving


def _free_address(host: str, port: int) -> tuple[str, int]:
    """The number of the address, once tried: granian shares its port with whoever listens there already."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return str(address[0]), int(probe.getsockname()[1])
    except OSError as error:
        reason = error.strerror or str(error)
        raise Refused(f"cannot listen on {host}:{port}: {reason}", hint="Choose another --host or --port.") from error
