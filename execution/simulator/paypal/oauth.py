"""Access tokens: asked for with the client's id and secret, valid for nine hours of simulated time."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import parse_qs

from simulator.authorization import credentials
from simulator.paypal.account import Account
from simulator.paypal.wire.call import Call
from simulator.paypal.wire.times import stamp
from simulator.world import Json

LIFE_SECONDS = 32_400
_KIND = "token"
_SCOPE = (
    "https://uri.paypal.com/services/payments/payment https://uri.paypal.com/services/payments/refund "
    "https://uri.paypal.com/services/disputes/read-seller https://uri.paypal.com/services/reporting/search/read "
    "https://uri.paypal.com/services/applications/webhooks"
)


class OAuthError(Exception):
    """A refusal in the words of OAuth 2: 401 or 400 with `error` and `error_description`."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body: Json = {"error": error, "error_description": description}


def give_token(account: Account, call: Call) -> tuple[int, Json]:
    """POST /v1/oauth2/token: a new token for the client. Raises OAuthError."""
    _check_client(account, call.headers)
    form = parse_qs(call.raw.decode("utf-8", "replace"), keep_blank_values=True)
    if form.get("grant_type") != ["client_credentials"]:
        raise OAuthError(400, "unsupported_grant_type", "Grant Type is NULL or not supported")
    _forget_dead(account, call.now)
    token = f"A21AA{secrets.token_urlsafe(48)}"
    account.save(_KIND, {"id": token, "ends": call.now + LIFE_SECONDS})
    answer = {
        "scope": _SCOPE,
        "access_token": token,
        "token_type": "Bearer",
        "app_id": "APP-80W284485P519543T",
        "expires_in": LIFE_SECONDS,
        "nonce": f"{stamp(call.now)}{secrets.token_urlsafe(32)}",
    }
    return 200, answer


def check_token(account: Account, headers: Mapping[str, str], now: int) -> None:
    """Let a call pass that brings a living token. Raises OAuthError."""
    scheme, token = credentials(headers.get("authorization", ""))
    if scheme != "bearer" or not token:
        raise OAuthError(401, "invalid_token", "The token passed in was not found in the system")
    known = account.find(_KIND, token)
    if known is None:
        raise OAuthError(401, "invalid_token", "Token signature verification failed")
    if known["ends"] <= now:
        raise OAuthError(401, "invalid_token", "The token passed in has expired")


def _check_client(account: Account, headers: Mapping[str, str]) -> None:
    accounts = account.world.accounts
    right = f"{accounts['paypal_client_id']}:{accounts['paypal_client_secret']}"
    if credentials(headers.get("authorization", "")) != ("basic", right):
        raise OAuthError(401, "invalid_client", "Client Authentication failed")


def _forget_dead(account: Account, now: int) -> None:
    """Tokens that ended more than a day ago are told apart from unknown ones no longer."""
    for row in list(account.all(_KIND)):
        if row["ends"] + 86_400 <= now:
            account.world.delete(f"paypal.{_KIND}", row["id"])
