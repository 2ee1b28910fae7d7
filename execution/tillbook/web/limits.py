"""Bounds for every request: one deadline for its body, and a size.

The server itself bounds the headers and the time that they may take.
"""

from __future__ import annotations

import asyncio

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY_BYTES = 1024 * 1024
MOST_BYTES = 16 * 1024 * 1024
"""So much of a body that is too large is read and forgotten, so that its sender hears why. Beyond it is cut off."""


class Limits:
    """An ASGI application that hands a request on when its whole body is here.

    It answers 408 when that takes more than `seconds`, 413 when the body is too large, and 404 when the address has
    escaped characters: no address of ours has any, and one address has one spelling.
    """

    def __init__(self, application: ASGIApp, seconds: float) -> None:
        self._application = application
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if b"%" in scope["raw_path"]:
            answer: ASGIApp = _refusal(404, "no such address")
        else:
            try:
                async with asyncio.timeout(self._seconds):
                    body = await _body(receive)
            except TimeoutError:
                answer = _refusal(408, "the request did not come in time")
            except EOFError:
                answer = _refusal(400, "the request did not come whole")
            else:
                receive = _again(body, receive)
                answer = (
                    self._application
                    if len(body) <= MOST_BODY_BYTES
                    else _refusal(413, f"at most {MOST_BODY_BYTES} bytes")
                )
        await answer(scope, receive, send)


async def _body(receive: Receive) -> bytes:
    """The whole body, or its beginning when it is too large. Raises EOFError when the sender went away."""
    parts: list[bytes] = []
    size, more = 0, True
    while more and size <= MOST_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            raise EOFError
        part: bytes = message.get("body", b"")
        if size <= MOST_BODY_BYTES:
            parts.append(part)
        size, more = size + len(part), message.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body as one message, then what the server has to say."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return messages.pop() if messages else await receive()

    return next_message


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers={"connection": "close"})
