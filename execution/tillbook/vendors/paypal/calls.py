"""Every call to PayPal goes through here: the mended client, repeated attempts, and its errors in our words.

The client is imported only when something is asked: that takes longer than most steps run.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from tillbook.kit.errors import NotAllowed, Refused, Unavailable, Uncertain
from tillbook.rules.operations import Json
from tillbook.vendors.errors import CHECK_SETUP
from tillbook.vendors.paypal.declaration import CLIENT_ID, CLIENT_SECRET
from tillbook.vendors.paypal.errors import translated

if TYPE_CHECKING:
    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings
    from tillbook.vendors.paypal.client import Client

Result = TypeVar("Result")

_PATH = re.compile(r"/v[0-9]+(?:/[A-Za-z0-9_-]+)+", re.ASCII)
_REQUEST_ID = re.compile(r"[!-~]{1,108}", re.ASCII)


class PayPalCalls:
    """One account's connection, kept open between calls. Threads may share one of these.

    A call with all its attempts takes at most `settings.timeout_seconds`, whatever the other side does. Paths begin
    with `/v1/` or `/v2/` and hold plain ids only: anything else is Refused before anything is sent.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._connecting = threading.Lock()
        self._connected: Client | None = None

    def read(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        """What a reading call answers. Raises Refused (code `resource_missing`: no such thing) or Unavailable."""
        return self._patiently("GET", path, params=params)

    def change(self, path: str, body: Json, request_id: str, result: Callable[[Json], Result]) -> Result:
        """The `result` of a call that changes something. Raises Refused, Unavailable or Uncertain.

        Every attempt carries the same `request_id` (1 to 108 visible characters). `result` raises Unavailable when it
        cannot read the answer: that is Uncertain, as is anything that breaks in it. What it refuses is refused.
        """
        if not _REQUEST_ID.fullmatch(request_id):
            raise ValueError("a call that changes something needs a PayPal-Request-Id")
        headers = {"PayPal-Request-Id": request_id, "Prefer": "return=representation"}
        sent = json.dumps(body, allow_nan=False).encode()
        answer = self._patiently("POST", path, body=sent, headers=headers, change=True)
        try:
            return result(answer)
        except Unavailable as error:
            raise Uncertain(f"PayPal acted, but {error.message}") from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            kind = type(error).__name__
        raise Uncertain(f"PayPal acted, but its answer could not be read ({kind})")

    def post_read(self, path: str, raw_body: bytes) -> Json:
        """What a call answers that is a POST and changes nothing. Its body is sent as it is. Raises as `read`."""
        return self._patiently("POST", path, body=raw_body)

    def _patiently(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        change: bool = False,
    ) -> Json:
        if not _PATH.fullmatch(path):
            raise Refused("that is not an address of PayPal's: an id in it has characters that no id has")
        from tillbook.vendors.http import ask  # noqa: PLC0415  start-up time

        client = self._client()
        address = client.endpoint + path + (f"?{urlencode(params)}" if params else "")

        def attempt() -> Json:
            return _asked(client, method, address, body, headers or {}, change=change)

        return ask(attempt, self._settings, self._clock)

    def _client(self) -> Client:
        with self._connecting:
            if self._connected is None:
                if not (self._settings[CLIENT_ID] and self._settings[CLIENT_SECRET]):
                    raise NotAllowed(
                        "PAYPAL_CLIENT_ID or PAYPAL_CLIENT_SECRET is empty", hint=f"Set them, then run: {CHECK_SETUP}"
                    )
                from tillbook.vendors.paypal.client import Client  # noqa: PLC0415  start-up time

                self._connected = Client(self._settings, self._clock)
            return self._connected


def _asked(
    client: Client, method: str, address: str, body: bytes | None, headers: Mapping[str, str], *, change: bool
) -> Json:
    """One attempt: the answer, or one of our errors."""
    from tillbook.vendors.paypal.client import FAILURES  # noqa: PLC0415  start-up time

    try:
        return client.request(address, method, body, headers, change=change)
    except FAILURES as error:
        failure = translated(error, change=change, hidden=client.hidden())
    # Raised outside the handler, without a cause: the client's error holds the whole answer.
    raise failure
