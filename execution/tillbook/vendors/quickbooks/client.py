"""The two Intuit SDKs on a leash: time-outs, no stray addresses, and every answer judged before the SDK parses it.

Both SDKs run unmodified; what they lack is added by subclasses. Importing this file imports them, which takes a
while: it is imported inside functions only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from intuitlib.client import AuthClient
from intuitlib.exceptions import AuthClientError
from quickbooks.client import QuickBooks
from urllib3.exceptions import NewConnectionError

from tillbook.kit.errors import Refused, Unavailable
from tillbook.kit.retries import CONNECT_TIMEOUT_SECONDS
from tillbook.kit.settings import LOOPBACK, QUICKBOOKS_API, Settings
from tillbook.rules.operations import Json
from tillbook.vendors.quickbooks.errors import accept, unknown

MINOR_VERSION = 75
"""What the documents are read as; Intuit answers older ones as 75 since August 2025."""


class BoundedSession(requests.Session):
    """A session that always times out, re-sends no change to another address, and may be kept on this machine.

    A subclass sets `settings` before this constructor runs.
    """

    settings: Settings
    access_token = ""

    def __init__(self) -> None:
        super().__init__()
        # A proxy would carry simulated traffic off this machine.
        self.trust_env = not self._local_only
        # Without an `auth` of its own, requests would let a password of ~/.netrc replace our token.
        self.auth = _keep_authorization

    @property
    def _local_only(self) -> bool:
        return self.settings.mode == "simulator"

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        host = urlsplit(request.url or "").hostname
        if self._local_only and host not in LOOPBACK:
            raise Refused(f"{host} is not on this machine, but TILLBOOK_MODE is simulator")
        seconds = self.settings.timeout_seconds
        kwargs["timeout"] = (min(CONNECT_TIMEOUT_SECONDS, seconds), seconds)
        if request.method != "GET":
            kwargs["allow_redirects"] = False
        return super().send(request, **kwargs)


class ApiSession(BoundedSession):
    """What the QuickBooks client sends its requests with; it reads `access_token` from here."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()


class Authorizer(AuthClient, BoundedSession):  # type: ignore[misc]  # AuthClient has no types
    """Intuit's OAuth client, itself a session: it asks for the discovery document while it is being made."""

    def __init__(self, settings: Settings, redirect_uri: str) -> None:
        self.settings = settings
        AuthClient.__init__(
            self,
            settings.quickbooks_client_id,
            settings.quickbooks_client_secret,
            redirect_uri,
            _environment(settings),
        )


class Client(QuickBooks):  # type: ignore[misc]  # QuickBooks has no types
    """The QuickBooks client: its addresses, headers, `requestid` and `minorversion`; our judgement of answers."""

    def process_request(
        self,
        request_type: str,
        url: str,
        headers: Any = "",
        params: Any = "",
        data: Any = "",
    ) -> requests.Response:
        """Make one request. Raises what `answers.accept` and `transport` raise; a returned answer is good JSON."""
        change = request_type != "GET" and not url.endswith("/query")
        with transport(change=change):
            response: requests.Response = super().process_request(request_type, url, headers, params, data)
        # JSON is UTF-8; without a charset in the header, requests would guess one.
        response.encoding = "utf-8"
        accept(response.status_code, response.headers, response.text, change=change)
        return response


Action = Callable[[Client], Json]


def open_client(settings: Settings, realm: str) -> Client:
    """A client for one company at the address of the settings. It makes no request yet."""
    client = Client(company_id=realm, minorversion=MINOR_VERSION, use_decimal=True)
    client.api_url_v3 = client.sandbox_api_url_v3 = f"{settings.quickbooks_api_base}/v3"
    client.session = ApiSession(settings)
    return client


def open_authorizer(settings: Settings, redirect_uri: str) -> Authorizer:
    """Intuit's OAuth client. Asks for the discovery document. Raises Refused, Unavailable."""
    if not settings.quickbooks_client_id or not settings.quickbooks_client_secret:
        raise Refused(
            "QUICKBOOKS_CLIENT_ID or QUICKBOOKS_CLIENT_SECRET is empty",
            hint="Copy both from your app's keys at developer.intuit.com into .env.",
        )
    try:
        with transport(change=False):
            return Authorizer(settings, redirect_uri)
    except (AuthClientError, KeyError) as error:
        raise Unavailable("Intuit's discovery document could not be read", hint="Run it again later.") from error


@contextmanager
def transport(*, change: bool) -> Iterator[None]:
    """Requests' exceptions as ours: nothing left this machine -> Unavailable; silence -> see `answers.unknown`."""
    try:
        yield
    except requests.RequestException as error:
        if _nothing_left(error):
            raise Unavailable("QuickBooks cannot be reached", hint="Run the same command again later.") from error
        silence = "did not answer in time" if isinstance(error, requests.Timeout) else "broke the connection off"
        raise unknown(f"QuickBooks {silence}", change=change) from error


def _nothing_left(error: requests.RequestException) -> bool:
    """Refused connection, unknown host, no proxy: no byte of the request was sent."""
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.ProxyError)):
        return True
    return isinstance(
        getattr(error.args[0] if error.args else None, "reason", None),
        NewConnectionError,
    )


def _environment(settings: Settings) -> str:
    """Where Intuit's OAuth addresses are read: beside an API that is not Intuit's own, else by Intuit's name."""
    base = settings.quickbooks_api_base
    if base != QUICKBOOKS_API.get(settings.mode):
        return f"{base}/.well-known/openid_sandbox_configuration"
    return "production" if settings.mode == "live" else "sandbox"


def _keep_authorization(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
