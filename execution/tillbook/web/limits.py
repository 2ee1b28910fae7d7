"""Bounds for the body of every request: one deadline, and a size.

The server itself bounds the headers and the time that they may take.
"""

from __future__ import annotations

import asyncio

from granian.rsgi import HTTPProtocol, ProtocolClosed, Scope

MOST_BODY_BYTES = 1024 * 1024
MOST_BYTES = 16 * 1024 * 1024
"""So much of a body that is too large is read and forgotten, so that its sender hears why. Beyond it is cut off."""


class BadBody(Exception):
    """A body that is not taken: `status` is what its sender hears, `message` says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


async def whole_body(scope: Scope, protocol: HTTPProtocol, seconds: float) -> bytes:
    """The body of a request, once all of it is here.

    Raises BadBody: 408 when that takes more than `seconds`, 413 when it is too large, 400 when its sender went away.
    """
    try:
        async with asyncio.timeout(seconds):
            if int(scope.headers.get("content-length", MOST_BYTES)) <= MOST_BODY_BYTES:
                return await protocol()
            return await _in_pieces(protocol)
    except TimeoutError:
        raise BadBody(408, "the request did not come in time") from None
    except ProtocolClosed:
        raise BadBody(400, "the request did not come whole") from None


async def _in_pieces(protocol: HTTPProtocol) -> bytes:
    """A body whose length is not known, or too large: no more of it is kept than may be taken."""
    parts: list[bytes] = []
    size = 0
    async for part in protocol:
        size += len(part)
        if size <= MOST_BODY_BYTES:
            parts.append(part)
        if size > MOST_BYTES:
            break
    if size > MOST_BODY_BYTES:
        raise BadBody(413, f"at most {MOST_BODY_BYTES} bytes")
    return b"".join(parts)
