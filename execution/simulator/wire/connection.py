"""Connections that can be dropped in the middle of a request, as a bad network does."""

from __future__ import annotations

from typing import Any, cast

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "tillbook.drop"


class DroppableProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, with a way for the application to close the socket without an answer."""

    def on_message_begin(self) -> None:
        """Give each request the way to close its connection."""
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {_EXTENSION: {"abort": self.abort}}

    def abort(self) -> None:
        """Close the socket at once. What was not sent yet is lost."""
        self.transport.abort()


async def drop(scope: Scope, receive: Receive) -> None:
    """Close the client's connection and wait until the server has noticed."""
    scope["extensions"][_EXTENSION]["abort"]()
    while (await receive())["type"] != "http.disconnect":
        pass
