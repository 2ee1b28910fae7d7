"""One request and its whole answer, over in time, and whether a byte of it left this machine.

A socket's time-out begins again with each byte, looking up a name has none, and a host may have several addresses. So
an exchange runs in a thread of its own, and nobody waits for that thread longer than was said. What is late is cut
off: its connections are shut down, and nothing can leave through them any more.

Import it only where something is asked: start-up time.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from logging import LogRecord, getLogger
from typing import Any, TypeVar

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

Answer = TypeVar("Answer")


class Exchange:
    """One exchange over the connections of this file. `sent` is whether a byte of the request may have left."""

    def __init__(self) -> None:
        self.sent = False
        self._over = False
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []

    def carry_out(self, ask: Callable[[], Answer], seconds: float) -> Answer:
        """What `ask` returns or raises. Raises TimeoutError when it takes longer: then it is cut off."""
        outcome: Future[Answer] = Future()
        threading.Thread(target=self._work, args=(ask, outcome), name="exchange", daemon=True).start()
        try:
            return outcome.result(seconds)
        finally:  # also when the user interrupts
            self._cut_off()
            del outcome  # an error leads to this frame, and would lead back to itself

    def begin(self, line: socket.socket) -> None:
        """Say that the request goes out on this connection now. When the time is over, nothing can go out on it."""
        self.hold(line)
        self.sent = True

    def hold(self, line: socket.socket) -> None:
        """Shut this connection down as soon as the time is over. A duplicate is kept, for TLS takes the original."""
        with self._lock:
            self._lines.append(socket.socket(fileno=os.dup(line.fileno())))
            if self._over:
                _shut(self._lines[-1])

    def _work(self, ask: Callable[[], Answer], outcome: Future[Answer]) -> None:
        _here.exchange = self
        try:
            answer = ask()
        except BaseException as error:  # noqa: BLE001  it is raised again where the outcome is awaited
            self._let_go()
            outcome.set_exception(error)
        else:
            self._let_go()  # before the outcome is known, so that a good connection is not cut off
            outcome.set_result(answer)
        finally:
            del outcome  # an error leads to this frame, and would lead back to itself

    def _let_go(self) -> None:
        with self._lock:
            for line in self._lines:
                line.close()
            self._lines.clear()

    def _cut_off(self) -> None:
        with self._lock:
            self._over = True
            for line in self._lines:
                _shut(line)


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        line.shutdown(socket.SHUT_RDWR)


class _Here(threading.local):
    """What this thread carries out, or None in a thread of no exchange."""

    exchange: Exchange | None = None


_here = _Here()


class _Line(HTTPConnection):
    """A connection that shows itself to the exchange that uses it, from before its TLS or its proxy begins."""

    _line: socket.socket | None = None

    @property
    def sock(self) -> socket.socket | None:
        """The connected socket. It is set as soon as there is one, and again when TLS has been negotiated."""
        return self._line

    @sock.setter
    def sock(self, line: socket.socket | None) -> None:
        self._line = line
        if line and _here.exchange:
            _here.exchange.hold(line)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, and say so before its first byte."""
        if self.sock is None:
            self.connect()
        if self.sock and _here.exchange:
            _here.exchange.begin(self.sock)
        super().request(*args, **kwargs)


class _TlsLine(_Line, HTTPSConnection):
    """One with TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Line


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsLine


POOLS = {"http": _Pool, "https": _TlsPool}
"""The pools of connections for `pool_classes_by_scheme` of a urllib3 pool manager."""


def keep_quiet() -> None:
    """Let no log hold anything of an exchange: urllib3 writes addresses, and headers that it cannot read."""
    for name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
        getLogger(f"urllib3.{name}").addFilter(_not_ours)


def _not_ours(_record: LogRecord) -> bool:
    """Other users of urllib3 write what they like: only a thread that carries out an exchange is quiet."""
    return _here.exchange is None
