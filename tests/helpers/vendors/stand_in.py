"""An HTTP server that answers what a test tells it to, for answers that the simulator never gives."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Json = dict[str, Any]


@dataclass
class Asked:
    """One request that came. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str


@dataclass
class Reply:
    """One answer: a dict is sent as JSON, bytes as they are."""

    body: Json | bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class StandIn:
    """Answers by path, in the order given; the last answer of a path is repeated. Use it in a `with`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._replies: dict[str, list[Reply]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, body: Json | bytes, status: int = 200, **headers: str) -> None:
        """Answer this path so; called again it adds the answer to the next request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._replies.setdefault(path, []).append(Reply(body, status, named))

    def replace(self, path: str, body: Json | bytes) -> None:
        """Answer this path so, and no longer as was told before."""
        self._replies.pop(path, None)
        self.answer(path, body)

    def take(self, path: str) -> Reply:
        replies = self._replies.get(path)
        if not replies:
            return Reply({"error": {"type": "invalid_request_error", "message": f"nothing at {path}"}}, 404)
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Hands every request to the stand-in, one connection each."""

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            stand_in.asked.append(Asked(self.command, path, query, headers, body))
            reply = stand_in.take(path)
            payload = reply.payload()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(payload)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing on stderr."""

    return Handler
