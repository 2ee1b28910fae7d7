"""The customer's pages, which are an ASGI application, behind a server that speaks granian's own interface.

Their answers are small: each is collected and sent whole.
"""

from __future__ import annotations

from granian.rsgi import HTTPProtocol
from granian.rsgi import Scope as Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message


async def answer(application: ASGIApp, request: Request, body: bytes, protocol: HTTPProtocol) -> None:
    """Let the application answer a request whose body is here."""
    asked: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    response = Response(status_code=500)

    async def receive() -> Message:
        return asked.pop() if asked else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.status_code, response.raw_headers = message["status"], list(message["headers"])
        else:
            response.body = bytes(response.body) + message.get("body", b"")

    try:
        await application(_scope(request), receive, send)
    finally:  # Starlette answers 500, and then raises what went wrong
        respond(protocol, response)


def respond(protocol: HTTPProtocol, response: Response) -> None:
    """Send a whole answer."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers]
    protocol.response_bytes(response.status_code, headers, bytes(response.body))


def _scope(request: Request) -> dict[str, object]:
    """The request in ASGI's words."""
    host, _, port = request.client.rpartition(":")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": request.http_version,
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "root_path": "",
        "query_string": request.query_string.encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()],
        "client": (host, int(port or 0)),
        "server": None,
    }
