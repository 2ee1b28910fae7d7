"""PayPal's own small client, `paypalrestsdk.Api`, mended. Import it only where something is asked: start-up time.

The SDK knows PayPal's addresses and its authorisation. What is changed here, and why, is said beside each change.
`tests/doors/paypal/test_paypal_client.py` has a test for each.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import paypalrestsdk
from paypalrestsdk.exceptions import ConnectionError as NoSuccess
from paypalrestsdk.exceptions import UnauthorizedAccess

from tillbook.kit.errors import TillbookError, Unavailable
from tillbook.rules.operations import Json
from tillbook.vendors.errors import NoAnswer, json_object, unreadable
from tillbook.vendors.http import Session
from tillbook.vendors.paypal.declaration import API_BASE, CLIENT_ID, CLIENT_SECRET
from tillbook.vendors.paypal.errors import PAYPAL, translated

if TYPE_CHECKING:
    import requests

    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings

FAILURES = (NoSuccess, NoAnswer)
"""What a request may raise besides our own errors: `errors.translated` says what each means."""

TOKEN_MARGIN_SECONDS = 60
"""A token is not used in its last minute: it must still be good when the request arrives."""

REQUEST_ID = "PayPal-Request-Id"

_TOKEN = re.compile(r"[!-~]{1,8192}", re.ASCII)
_NO_CONTENT, _SUCCESS = 204, range(200, 300)


class Client(paypalrestsdk.Api):  # type: ignore[misc]  # the SDK has no types
    """One account at one address, with one session and one token, for any number of threads.

    Only what is below is used of the SDK. `get` and `post` come in through `request` too. The SDK's constructor gets
    no `ssl_options`: with those it would change the environment of the whole process.
    """

    token_hash: Json | None

    def __init__(self, settings: Settings, clock: Clock) -> None:
        base = settings[API_BASE]
        super().__init__(
            mode="live" if settings.mode == "live" else "sandbox",
            client_id=settings[CLIENT_ID],
            client_secret=settings[CLIENT_SECRET],
            endpoint=base,
            token_endpoint=base,
        )
        self._clock = clock
        self._secrets = settings.secrets
        self._session = Session(settings, clock)
        self._token_lock = threading.Lock()
        self._token_made_at = self._token_good_until = 0
        self._tokens: deque[str] = deque(maxlen=8)

    def hidden(self) -> Collection[str]:
        """Our credentials: what no message may hold."""
        return (*self._secrets, self.client_id, self.basic_auth(), *self._tokens)

    def request(
        self,
        url: str,
        method: str,
        body: Json | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        refresh_token: None = None,
        *,
        change: bool = True,
    ) -> Json:
        """The JSON object that PayPal answers.

        Raises one of FAILURES, NotAllowed or Unavailable without a token. The SDK repeats after each 401, for ever, and
        returns a 400 as if it were an answer. Here a 401 costs one new token and one more attempt, and a 400 raises.
        """
        asked = dict(headers or {})
        if method != "GET" and change and REQUEST_ID not in asked:
            raise ValueError(f"a call that changes something needs a {REQUEST_ID}")
        # The SDK sends `null` with a GET, which strict servers do not take.
        data = body if isinstance(body, bytes | None) else json.dumps(body, allow_nan=False).encode()
        if data is not None:
            asked["Content-Type"] = "application/json"
        token = self.get_token_hash()
        with suppress(UnauthorizedAccess):
            return self.http_call(url, method, data=data, headers=self._signed(token, asked))
        self._forget(token)
        token = self.get_token_hash()
        return self.http_call(url, method, data=data, headers=self._signed(token, asked))

    # -- the token -----------------------------------------------------------------------------------

    def get_token_hash(
        self,
        authorization_code: None = None,
        refresh_token: None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """The token, made anew when there is none that is good: by one thread, while the others wait for it.

        `headers` are those of the call that needs it. The SDK sends them to the authorisation server too.
        """
        if authorization_code or refresh_token:
            raise ValueError("only our own credentials are used for a token")
        if not self._token_lock.acquire(timeout=self._session.seconds_left()):
            raise Unavailable("PayPal gave no token in time; nothing was sent")
        try:
            self.validate_token_hash()
            if self.token_hash is None:
                self.token_hash = self._new_token()
            return self.token_hash
        finally:
            self._token_lock.release()

    def validate_token_hash(self) -> None:
        """Drop a token that is not good by our clock. The SDK goes by the machine's and to the last second."""
        if not self._token_made_at <= self._clock.now() < self._token_good_until:
            self.token_hash = None

    def _new_token(self) -> Json:
        made_at = self._clock.now()
        headers = {"Authorization": f"Basic {self.basic_auth()}", "Content-Type": "application/x-www-form-urlencoded"}
        failure: TillbookError | None = None
        try:
            answer = self.http_call(
                f"{self.token_endpoint}/v1/oauth2/token",
                "POST",
                data=b"grant_type=client_credentials",
                headers={**self._plain(), **headers},
            )
            token = _token(answer)
        except FAILURES as error:
            failure = PAYPAL.no_token(translated(error, change=False, hidden=self.hidden()))
        if failure:  # outside the handler, without a cause: the client's error holds the whole answer
            raise failure
        self._tokens.append(token["access_token"])
        lasts = answer.get("expires_in")
        lasts = lasts if isinstance(lasts, int) else 0
        self._token_made_at, self._token_good_until = made_at, made_at + lasts - TOKEN_MARGIN_SECONDS
        return token

    def _forget(self, token: Json) -> None:
        """Drop this token, unless another thread has a new one already."""
        with self._token_lock:
            if self.token_hash is token:
                self.token_hash = None

    # -- one request ---------------------------------------------------------------------------------

    def http_call(self, url: str, method: str, *, data: bytes | None, headers: Mapping[str, str]) -> Json:
        """One request and its whole answer. The SDK has no time-out, and logs credentials."""
        response = self._session.request(method, url, data=data, headers=headers)
        return self.handle_response(response, response.content)

    def handle_response(self, response: requests.Response, content: bytes) -> Json:
        """The JSON object of a success. Raises the SDK's error for everything else, with the bytes as they came."""
        if response.status_code == _NO_CONTENT:
            return {}
        if response.status_code in _SUCCESS:
            return json_object(content)
        super().handle_response(response, content)
        raise unreadable(f"HTTP {response.status_code}")

    def headers(self, refresh_token: None = None, headers: Mapping[str, str] | None = None) -> dict[str, str]:
        """What each request carries, with a token that is good now."""
        return self._signed(self.get_token_hash(), headers or {})

    def _signed(self, token: Json, headers: Mapping[str, str]) -> dict[str, str]:
        return {**self._plain(), **headers, "Authorization": f"Bearer {token['access_token']}"}

    def _plain(self) -> dict[str, str]:
        return {"Accept": "application/json", "User-Agent": self.user_agent}


def _token(answer: Json) -> Json:
    token, kind = answer.get("access_token"), answer.get("token_type")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or str(kind).lower() != "bearer":
        raise unreadable("it holds no token")
    return {"access_token": token, "token_type": "Bearer"}
