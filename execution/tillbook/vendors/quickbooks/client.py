"""The two Intuit SDKs over our session, and every answer judged before the SDK parses it.

Both SDKs run unmodified. What they lack is added by subclasses. Importing this file imports them, which takes a
while: it is imported inside functions only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import Any

import requests
from intuitlib.client import AuthClient
from quickbooks.client import QuickBooks

from tillbook.kit.clock import Clock
from tillbook.kit.settings import QUICKBOOKS_API, Settings
from tillbook.rules.operations import Json
from tillbook.vendors.errors import NoAnswer, json_object
from tillbook.vendors.http import Session
from tillbook.vendors.quickbooks.errors import QUICKBOOKS, require_success

MINOR_VERSION = 75
"""What the documents are read as; Intuit answers older ones as 75 since August 2025."""


class ApiSession(Session):
    """What the QuickBooks client sends its requests with. It reads `access_token` from here."""

    access_token = ""


class Client(QuickBooks):  # type: ignore[misc]  # QuickBooks has no types
    """The QuickBooks client: its addresses, headers, `requestid` and `minorversion`. Answers are judged by us."""

    def process_request(
        self,
        request_type: str,
        url: str,
        headers: Any = "",
        params: Any = "",
        data: Any = "",
    ) -> requests.Response:
        """Make one request. What it returns is good JSON. Raises what `Vendor.silence` and `require_success` give."""
        change = request_type != "GET" and not url.endswith("/query")
        try:
            response: requests.Response = super().process_request(request_type, url, headers, params, data)
        except NoAnswer as error:
            raise QUICKBOOKS.silence(error, change=change) from None
        hidden = (self.session.access_token,)
        require_success(response.status_code, response.headers, response.content, change=change, hidden=hidden)
        # JSON is UTF-8; without a charset in the header, requests would guess one.
        response.encoding = "utf-8-sig"
        return response


Action = Callable[[Client], Json]


def open_client(settings: Settings, clock: Clock, realm: str) -> Client:
    """A client for one company at the address of the settings. It makes no request yet."""
    client = Client(company_id=realm, minorversion=MINOR_VERSION, use_decimal=True)
    client.api_url_v3 = client.sandbox_api_url_v3 = f"{settings.quickbooks_api_base}/v3"
    client.session = ApiSession(settings, clock)
    return client


_WANTED = frozenset(
    {
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "userinfo_endpoint",
        "issuer",
        "jwks_uri",
        "access_token",
        "refresh_token",
        "expires_in",
        "x_refresh_token_expires_in",
        "error",
    }
)


class Authorizer(AuthClient):  # type: ignore[misc]  # AuthClient has no types
    """Intuit's OAuth client, itself a session: it asks for the discovery document while it is being made."""

    def __init__(self, settings: Settings, clock: Clock, redirect_uri: str) -> None:
        self._ours = Session(settings, clock)
        super().__init__(
            settings.quickbooks_client_id,
            settings.quickbooks_client_secret,
            redirect_uri,
            _environment(settings),
        )

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """One request over our session.

        AuthClient makes attributes of its own of all that a good answer holds, and asks other addresses, without a
        time-out, about an `id_token`. So it gets to see only what we ask for.
        """
        answer = self._ours.request(*args, **{**kwargs, "stream": True})
        if answer.status_code == HTTPStatus.OK:
            wanted = {name: value for name, value in json_object(answer.raw.read()).items() if name in _WANTED}
            answer.raw, answer.encoding = BytesIO(json.dumps(wanted, default=str).encode()), "utf-8"
        return answer


def _environment(settings: Settings) -> str:
    """Where Intuit's OAuth addresses are read: beside an API that is not Intuit's own, else by Intuit's name."""
    base = settings.quickbooks_api_base
    if base != QUICKBOOKS_API.get(settings.mode):
        return f"{base}/.well-known/openid_sandbox_configuration"
    return "production" if settings.mode == "live" else "sandbox"
