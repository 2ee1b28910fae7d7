"""A vendor on its worst days: a real server on localhost that does what a test tells it to, and counts what it saw.

It gives PayPal's tokens at /v1/oauth2/token, `token-1` first, as long as it is not told otherwise.
"""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import pytest

from tillbook.kit.clock import Clock
from tillbook.kit.errors import TillbookError

Json = dict[str, Any]

TOKEN_PATH = "/v1/oauth2/token"
TOKEN_SECONDS = 32_400
SLACK = 0.4  # seconds, for a busy machine
MOST_DRIPS = 400  # of 0.02 seconds: longer than any time-out of a test

NO_ANSWERS = [
    b"",
    b"null",
    b"5",
    b"[]",
    b"<html>Bad Request</html>",
    b"\xff\xfe",
    b'{"id": "A"',
    b'{"id": "A", "id": "B"}',
    b'{"id": NaN}',
    b'{"a":' * 2000,
]


@dataclass(frozen=True)
class Seen:
    """One request that came. Header names are in lower case, `connection` counts from 1."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def request_id(self) -> str | None:
        return self.headers.get("paypal-request-id")

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


class Line:
    """The connection on which a request came: what a behaviour may do with it."""

    def __init__(self, server: Misbehaving, handler: BaseHTTPRequestHandler) -> None:
        self.server = server
        self._handler = handler

    def send(self, data: bytes) -> None:
        self._handler.wfile.write(data)

    def wait(self, seconds: float) -> None:
        self.server.stopping.wait(seconds)

    def drop(self) -> None:
        """Close without a word more."""
        self._handler.close_connection = True
        self._handler.connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Close so that the other side hears of an error."""
        self._handler.close_connection = True
        reset(self._handler.connection)


Behaviour = Callable[[Line, Seen], None]


def answer(body: Json | bytes, status: int = 200, **headers: str) -> Behaviour:
    """A plain answer: a dict as JSON, bytes as they are. `Retry_After="3"` is a header."""

    def behave(line: Line, _seen: Seen) -> None:
        line.send(message(body, status, **headers))

    return behave


def message(body: Json | bytes, status: int = 200, **headers: str) -> bytes:
    """An answer's bytes."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content-Type": "application/json", "Content-Length": str(len(payload))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + payload


def hang(line: Line, _seen: Seen) -> None:
    """Never answer."""
    line.wait(30)


def drop(line: Line, seen: Seen) -> None:
    """Act, then close the connection before a word of the answer."""
    acted(line, seen)
    line.drop()


def act(line: Line, seen: Seen) -> None:
    """Act once for each request id, and answer so."""
    acted(line, seen)
    line.send(message({"id": "DONE", "request": seen.request_id}, 201))


def acted(line: Line, seen: Seen) -> None:
    if seen.request_id not in line.server.acted:
        line.server.acted.append(seen.request_id)


def drip(good: bytes, start: int) -> Behaviour:
    """A good answer that goes on for a long time, of which the bytes from `start` on come one at a time."""

    def behave(line: Line, _seen: Seen) -> None:
        whole = message(good + b" " * MOST_DRIPS, Connection="close")
        line.send(whole[:start])
        for place in range(start, len(whole)):
            line.send(whole[place : place + 1])
            line.wait(0.02)

    return behave


def raw(*parts: bytes) -> Behaviour:
    """Exactly these bytes, then the end of the connection."""

    def behave(line: Line, _seen: Seen) -> None:
        for part in parts:
            line.send(part)
        line.drop()

    return behave


def packed(content: bytes) -> Behaviour:
    """An answer in gzip, which every client of ours says that it takes."""
    return answer(gzip.compress(content), Content_Encoding="gzip")


def endless(line: Line, _seen: Seen) -> None:
    """An answer without an end, as fast as it is taken; what was sent is counted."""
    line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
    while not line.server.stopping.is_set():
        line.send(b" " * 65_536)
        line.server.bytes_sent += 65_536


def chunked(line: Line, _seen: Seen) -> None:
    """A good answer in chunks, as PayPal's own servers send it."""
    line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    line.send(b'6\r\n{"id":\r\n8\r\n "TORN"}\r\n0\r\n\r\n')


def cut(line: Line, _seen: Seen) -> None:
    """An answer that is good JSON and yet not all that was announced."""
    line.send(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": "HALF"}')
    line.drop()


def only_with(*tokens: str) -> Behaviour:
    """Act for these tokens only: any other has expired."""

    def behave(line: Line, seen: Seen) -> None:
        if seen.token in tokens:
            act(line, seen)
        else:
            expired = {"error": "invalid_token", "error_description": "Token signature verification failed"}
            line.send(message(expired, 401))

    return behave


def token_for(seconds: object, *, after: float = 0) -> Behaviour:
    """Tokens that say they are good for so many seconds, each given a moment later."""

    def behave(line: Line, _seen: Seen) -> None:
        line.wait(after)
        number = next(line.server.token_numbers)
        line.send(message({"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": seconds}))

    return behave


class Misbehaving:
    """Behaves by path, in the order told; the last behaviour of a path is repeated. Use it in a `with`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.acted: list[str | None] = []
        self.bytes_sent = 0
        self.stopping = threading.Event()
        self.token_numbers = itertools.count(1)
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self._behaviours: dict[str, list[Behaviour]] = {TOKEN_PATH: [token_for(TOKEN_SECONDS)]}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._tls = tls
        if tls:  # the handshake waits for the connection's own thread
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        place = "https://localhost" if self._tls else "http://127.0.0.1"
        return f"{place}:{self._server.server_port}"

    @property
    def connections(self) -> int:
        """How many connections were ever made."""
        return len(self._connections)

    @property
    def calls(self) -> list[Seen]:
        """What came, without the requests for tokens."""
        return [seen for seen in self.seen if seen.path != TOKEN_PATH]

    @property
    def token_requests(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.path == TOKEN_PATH]

    def on(self, path: str, *behaviours: Behaviour) -> None:
        """From now on behave so at this path."""
        self._behaviours[path] = list(behaviours)

    def connected(self, connection: socket.socket) -> int:
        with self._lock:
            self._connections.append(connection)
            return len(self._connections)

    def take(self, seen: Seen) -> Behaviour:
        with self._lock:
            self.seen.append(seen)
            told = self._behaviours.get(seen.path)
            if not told:
                missing = {"name": "RESOURCE_NOT_FOUND", "message": "The specified resource does not exist."}
                return answer(missing, 404)
            return told.pop(0) if len(told) > 1 else told[0]

    def __enter__(self) -> Misbehaving:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _handler(server: Misbehaving) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Hands every request to the server; a connection stays open as long as both sides like."""

        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.number = server.connected(self.connection)

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(self.command, path, query, headers, body, self.number)
            behave = server.take(seen)
            try:
                behave(Line(server, self), seen)
            except OSError:  # the client has gone
                self.close_connection = True

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing on stderr."""

    return Handler


@contextmanager
def slow_greeting() -> Iterator[str]:
    """The https address of a server whose TLS never gets beyond its first bytes, which it sends one at a time."""
    stopping = threading.Event()

    def greet(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):  # the client has gone
            for byte in b"\x16\x03\x03\x3f\xff" + bytes(MOST_DRIPS):
                connection.send(bytes([byte]))
                if stopping.wait(0.02):
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, args=(listener,))
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        stopping.set()
        thread.join()


@contextmanager
def at_the_door(greet: Callable[[socket.socket], object]) -> Iterator[int]:
    """The port of a server that does only this with each connection, before it has read a word."""

    def serve() -> None:
        while not stopping.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                held.append(connection)
                greet(connection)

    stopping, held = threading.Event(), list[socket.socket]()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.02)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopping.set()
            thread.join()
            for connection in held:
                connection.close()


def reset(connection: socket.socket) -> None:
    """Close a connection so that the other side hears of an error."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class SetClock(Clock):
    """A clock whose time a test sets; waits are noted instead of waited."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 1_800_000_000
        self.slept: list[float] = []

    def now(self) -> int:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def problem(name: str, issue: str = "", **more: str) -> Json:
    """An error as PayPal words it."""
    details = [{"issue": issue, "description": "The reason in words."}] if issue else []
    return {
        "name": name,
        "message": "What is wrong in general.",
        "debug_id": "90957fca61718",
        "details": details,
        **more,
    }


def failure_of(what: Callable[[], object], kind: type[TillbookError] = TillbookError) -> Any:
    """The error that a call ends with, which is exactly of this kind; any kind when none is given."""
    with pytest.raises(kind) as failure:
        what()
    assert kind is TillbookError or type(failure.value) is kind
    return failure.value


@contextmanager
def in_time(seconds: float) -> Iterator[None]:
    """A call takes no longer than its time-out."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds + SLACK
