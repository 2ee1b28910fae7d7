"""The places where a process can die: seen from outside, without a hook in the product.

A boundary is each commit to the ledger (just before it, and just after it is durable), each request to a vendor
leaving and its answer arriving, each private file put in its place, each mail handed over.
"""

from __future__ import annotations

import os
import re
import smtplib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import apsw
import requests

KINDS = (
    "before commit",
    "after commit",
    "request leaves",
    "answer arrives",
    "before file",
    "after file",
    "before mail",
    "after mail",
)
_ID = re.compile(r"(?<=_)[0-9a-f]{16,}|(?<=company/)\d+|(?<=info/)\d+|\b[A-Z0-9]{17}\b")


class Death(BaseException):
    """The process is gone: nobody catches this, and nothing that it still tries has an effect."""


def die() -> None:
    raise Death


@dataclass
class Watch:
    """What one run passed, in order. At `end_at`, a number or the text of a boundary, and at each later one it ends."""

    home: Path
    end_at: int | str = -1
    end: Callable[[], None] = die
    passed: list[str] = field(default_factory=list)
    died: bool = False
    _thread: int = field(default_factory=threading.get_ident)
    _resting: bool = False

    def __call__(self, kind: str, what: str) -> None:
        if self._resting or threading.get_ident() != self._thread:
            return
        if not self.died:
            self.passed.append(f"{kind}: {_ID.sub('*', what)}")
            self.died = self.end_at in (len(self.passed) - 1, self.passed[-1])
        if self.died:
            self.end()

    @contextmanager
    def on_duty(self) -> Iterator[Watch]:
        """Watch everything that this thread does meanwhile."""
        connections, send, data, replace = self._connection, requests.Session.send, smtplib.SMTP.data, os.replace
        apsw.connection_hooks.append(connections)
        requests.Session.send = self._around_send(send)  # type: ignore[method-assign]  # watched from outside
        smtplib.SMTP.data = self._around_data(data)  # type: ignore[method-assign]  # watched from outside
        os.replace = self._around_replace(replace)
        try:
            yield self
        finally:
            self._resting = True
            apsw.connection_hooks.remove(connections)
            requests.Session.send, smtplib.SMTP.data = send, data  # type: ignore[method-assign]  # as it was
            os.replace = replace

    def _connection(self, connection: apsw.Connection) -> None:
        """Every new connection to the ledger tells of its commits; SQLite calls the second hook after the sync."""
        if Path(connection.filename).parent == self.home:

            def before() -> bool:
                self("before commit", "ledger")
                return False

            def after(_connection: apsw.Connection, _name: str, _pages: int) -> int:
                self("after commit", "ledger")
                return 0

            connection.set_commit_hook(before)
            connection.set_wal_hook(after)

    def _around_send(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def watched(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> Any:
            what = f"{request.method} {urlsplit(request.url or '').path}"
            self("request leaves", what)
            answer = send(session, request, **options)
            self("answer arrives", what)
            return answer

        return watched

    def _around_data(self, data: Callable[..., Any]) -> Callable[..., Any]:
        def watched(connection: smtplib.SMTP, message: bytes | str) -> Any:
            self("before mail", "letter")
            reply = data(connection, message)
            self("after mail", "letter")
            return reply

        return watched

    def _around_replace(self, replace: Callable[..., None]) -> Callable[..., None]:
        def watched(source: Any, target: Any, **options: Any) -> None:
            ours = Path(target).parent == self.home
            if ours:
                self("before file", Path(target).name)
            replace(source, target, **options)
            if ours:
                self("after file", Path(target).name)

        return watched
