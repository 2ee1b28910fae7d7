"""What lies between a client and a vendor: the log of every request, and the faults of a bad day."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.vendor import Vendor
from simulator.wire.connection import drop
from simulator.wire.faults import BEFORE, LOST_AFTER, LOST_BEFORE, Fault, Faults
from simulator.world import Json

MOST_ENTRIES = 20_000
_MOST_CHARACTERS = 64_000_000
_LARGEST_BODY = 4_194_304
_CARD_NUMBER = re.compile(r"(?<!\w)[3-6](?:(?:%20|[ +-])?[0-9]){12,18}(?!\w)")
_TOKEN = re.compile(r"""((?:access_token|refresh_token|client_secret|code|token)["']?\s*[=:]\s*["']?)[^&"'\s,}]+""")


class RequestLog:
    """Every vendor request with its answer: the newest in memory, all of them in a file when there is one."""

    def __init__(self, record: Path | None = None) -> None:
        self._entries: deque[Json] = deque()
        self._characters = 0
        self._number = 0
        self._file: TextIO | None = record.open("a", encoding="utf-8", buffering=1) if record else None

    def add(self, entry: Json) -> None:
        """Keep an entry. It gets the next `number`."""
        self._number += 1
        entry = {"number": self._number, **entry}
        self._entries.append(entry)
        self._characters += _size(entry)
        while len(self._entries) > MOST_ENTRIES or self._characters > _MOST_CHARACTERS:
            self._characters -= _size(self._entries.popleft())
        if self._file:
            self._file.write(json.dumps(entry) + "\n")

    def since(self, number: int) -> list[Json]:
        """The entries after this number, oldest first."""
        return [entry for entry in self._entries if entry["number"] > number]

    def clear(self) -> None:
        """Forget what is in memory. Numbers and the file go on."""
        self._entries.clear()
        self._characters = 0

    def put_back(self, entries: list[Json]) -> None:
        """Hold entries that were written before. The file has them already."""
        self._entries.extend(entries)
        self._characters += sum(map(_size, entries))

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


class Wire:
    """What lies between the clients and the vendors' APIs. `asked` is called before each request."""

    def __init__(self, log: RequestLog, faults: Faults, asked: Callable[[], None]) -> None:
        self.log = log
        self.asked = asked
        self.faults = faults
        # (vendor, key) of the requests that a fault keeps from being answered.
        self.in_progress: set[tuple[str, str | None]] = set()
        self._stopping = asyncio.Event()

    def before(self, vendor: Vendor) -> ASGIApp:
        """The API of a vendor with the wire before it."""
        api = vendor.api()

        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            body = await _read(receive)
            self.asked()
            if body is None:
                await Response("The body is too large.", 413)(scope, receive, send)
                return
            await _Exchange(self, vendor, api, (scope, receive, send), body).run()

        return call

    def release(self) -> None:
        """Let every held request go: the server stops. Call it in the event loop."""
        self._stopping.set()

    async def hold(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


class _Exchange:
    """One request and what becomes of it."""

    def __init__(
        self, wire: Wire, vendor: Vendor, api: ASGIApp, connection: tuple[Scope, Receive, Send], body: bytes
    ) -> None:
        self._wire, self._vendor, self._api = wire, vendor, api
        self._scope, self._receive, self._send = connection
        self._body = body
        self._headers = Headers(scope=self._scope)
        self._method = str(self._scope["method"])
        self._path = str(self._scope["path"]).removeprefix(str(self._scope["root_path"]))
        self._query = bytes(self._scope["query_string"]).decode("latin-1")
        self._key = vendor.request_key(self._headers, self._query)
        self._busy = (vendor.name, self._key)

    async def run(self) -> None:
        if self._vendor.refuses_busy_keys and self._key and self._busy in self._wire.in_progress:
            await self._deliver(await self._answered(self._refusal("409")))
            return
        fault = self._wire.faults.take(self._vendor.name, self._method, self._path)
        if fault is None:
            await self._deliver(await self._answered(self._api))
            return
        self._wire.in_progress.add(self._busy)
        try:
            await self._fail(fault)
        finally:
            self._wire.in_progress.discard(self._busy)

    async def _fail(self, fault: Fault) -> None:
        answered = Answered()
        if fault.kind not in LOST_BEFORE:
            answered = await self._answered(self._refusal(fault.kind) if fault.kind in BEFORE else self._api)
        if fault.kind in LOST_BEFORE or fault.kind in LOST_AFTER:
            # A retry finds the key free: the vendor never saw it, or is done with it.
            self._wire.in_progress.discard(self._busy)
            self._note(None, answered.text(), fault.kind)
            await self._wire.hold(fault.seconds)
            await drop(self._scope, self._receive)
            return
        await self._deliver(answered, fault)

    def _refusal(self, kind: str) -> Response:
        if kind == "html_502":
            page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
            return HTMLResponse(page, 502)
        form = self._body.decode("utf-8", "replace") if self._method == "POST" else self._query
        return self._vendor.fault(kind, self._path, form, self._headers)

    async def _answered(self, app: ASGIApp) -> Answered:
        """Let the vendor act, or refuse, and keep the answer instead of sending it."""
        answered = Answered()
        sent = False

        async def receive() -> Message:
            nonlocal sent
            if sent:
                return await self._receive()
            sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}

        await app(self._scope, receive, answered.collect)
        return answered

    async def _deliver(self, answered: Answered, fault: Fault | None = None) -> None:
        """Note the answer at once, also when it is slow. So no entry comes late, into the log of another world."""
        self._note(answered.status, answered.text(), fault.kind if fault else None)
        if fault and fault.kind == "slow":
            await self._wire.hold(fault.seconds)
        for message in answered.messages:
            await self._send(message)

    def _note(self, status: int | None, answer: str, fault: str | None) -> None:
        entry = {
            "vendor": self._vendor.name,
            "method": self._method,
            "path": self._path,
            "query": self._query,
            "idempotency_key": self._key,
            "status": status,
            "fault": fault,
            "body": masked(self._body.decode("utf-8", "replace"), self._path),
            "answer": masked(answer, self._path),
        }
        self._wire.log.add(entry)


class Answered:
    """An answer that was not sent yet."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def collect(self, message: Message) -> None:
        """Keep a part of the answer, instead of sending it."""
        self.messages.append(message)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.messages[0]["status"])

    def text(self) -> str:
        """The body as text."""
        return b"".join(message.get("body", b"") for message in self.messages).decode("utf-8", "replace")


def masked(text: str, path: str) -> str:
    """The text without card numbers, and for token requests without tokens."""
    if "oauth" in path or "token" in path:
        text = _TOKEN.sub(r"\1***", text)
    return _CARD_NUMBER.sub(_mask_card, text)


def _mask_card(match: re.Match[str]) -> str:
    digits = re.sub(r"[^0-9]", "", match[0].replace("%20", ""))
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    valid = sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
    return "*" * (len(digits) - 4) + digits[-4:] if valid else match[0]


def _size(entry: Json) -> int:
    return len(entry["body"]) + len(entry["answer"]) + len(entry["query"])


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None when it is absurdly large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _LARGEST_BODY:
            return None
        if message["type"] != "http.request" or not message.get("more_body"):
            return bytes(body)
