"""The connection to PayPal: one session for all calls, every exchange over in time, and nothing of it in any log.

Import it only where something is asked: start-up time.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from logging import LogRecord, getLogger
from types import TracebackType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class Watch:
    """Shuts down the connection that this thread uses when the time is over; `over` says that it was.

    A socket's time-out begins again with each byte, so without it a server that sends one at a time holds us for ever.
    """

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._lines: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def hold(self, line: socket.socket) -> None:
        """Watch this connection too. A duplicate is kept: the original changes hands when TLS begins."""
        with self._lock:
            self._lines.append(line.dup())
            if self.over:
                _shut(self._lines[-1])

    def _end(self) -> None:
        with self._lock:
            self.over = True
            for line in self._lines:
                _shut(line)

    def __enter__(self) -> Watch:
        _here.watch = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _here.watch = None
        with self._lock:
            for line in self._lines:
                line.close()
            self._lines.clear()


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        line.shutdown(socket.SHUT_RDWR)


class _Here(threading.local):
    """What the thread that asks is doing now."""

    watch: Watch | None = None


_here = _Here()


class _Line(HTTPConnection):
    """A connection that shows itself to the watch of whoever uses it, from before its TLS begins."""

    _line: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        self._line = opened.dup()
        _watched(self._line)
        return opened

    def request(self, *args: Any, **kwargs: Any) -> None:
        _watched(self._line)
        super().request(*args, **kwargs)

    def close(self) -> None:
        super().close()
        line, self._line = self._line, None
        if line:
            line.close()


class _TlsLine(_Line, HTTPSConnection):
    """The same with TLS."""


def _watched(line: socket.socket | None) -> None:
    if line and _here.watch:
        _here.watch.hold(line)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Line


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsLine


class _Adapter(HTTPAdapter):
    """requests' own way of sending, over lines that can be watched."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


class _Session(requests.Session):
    """A session that does not even look at where a redirect leads: an answer that redirects is no answer."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def one_session(*, trust_env: bool) -> requests.Session:
    """A session that keeps its connections. `trust_env` is whether proxies are taken from the environment."""
    session = _Session()
    session.trust_env = trust_env
    session.auth = _unchanged
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # threads share it, and PayPal sets some
    session.mount("https://", _Adapter())
    session.mount("http://", _Adapter())
    return session


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authentication that adds nothing: with any other, requests looks into `.netrc` and replaces our token."""
    return request


def keep_quiet() -> None:
    """Nothing of our requests and answers in any log: urllib3 writes addresses, and headers that it cannot read."""
    for name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
        getLogger(f"urllib3.{name}").addFilter(_not_ours)


def _not_ours(_record: LogRecord) -> bool:
    """Other users of urllib3 write what they like: only a thread that asks PayPal right now is quiet."""
    return _here.watch is None
