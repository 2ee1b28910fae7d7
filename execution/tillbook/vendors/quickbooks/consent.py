"""Asking Intuit for tokens: the refresh, and the owner's consent from its first link to the stored connection."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError

from tillbook.kit.errors import NotAllowed, Refused, TillbookError
from tillbook.vendors.errors import Fault, NoAnswer, json_object, unreadable, vendor_text
from tillbook.vendors.http import within
from tillbook.vendors.quickbooks.client import Authorizer
from tillbook.vendors.quickbooks.errors import CONNECT_HINT, INTUIT
from tillbook.vendors.quickbooks.tokens import Tokens, forget, read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings

REDIRECT_PATH = "/oauth/quickbooks"
_LOCAL_REDIRECT = f"http://localhost:8080{REDIRECT_PATH}"
_STATE_SECONDS = 3600
_ACCESS_SECONDS = 3600  # Intuit's figures, should an answer ever leave them out
_REFRESH_SECONDS = 100 * 86_400


class GrantRefused(NotAllowed):
    """Intuit no longer takes this refresh token, or never took this code."""


def refresh(settings: Settings, clock: Clock, tokens: Tokens) -> Tokens:
    """New tokens for old ones. They must be stored before they are used.

    Raises GrantRefused, NotAllowed (the app's own credentials), Unavailable.
    """
    now = clock.now()
    with _authorizer(settings, clock, "") as authorizer:
        authorizer.refresh(refresh_token=tokens.refresh_token)
    return _tokens(authorizer, tokens.realm, now, tokens.refresh_token)


def authorization_url(settings: Settings, clock: Clock) -> str:
    """The address where the owner allows the connection. Good for an hour, for one `connect`.

    Raises Refused when live mode has no public address to come back to, NotAllowed, Unavailable.
    """
    state = secrets.token_urlsafe(24)
    with _authorizer(settings, clock, _redirect_uri(settings)) as authorizer:
        url = str(authorizer.get_authorization_url([Scopes.ACCOUNTING], state_token=state))
    write_json(_state_file(settings), {"state": state, "made_at": clock.now()})
    return url


def connect(settings: Settings, clock: Clock, redirected_url: str) -> Tokens:
    """Finish what `authorization_url` began, with the address that the browser was sent to. The tokens must be kept.

    Raises Refused for an address that is not the answer to our last link, or for another company than the settings
    name, NotAllowed or Unavailable.
    """
    answer = {name: values[0] for name, values in parse_qs(urlsplit(redirected_url.strip()).query).items()}
    if "error" in answer:
        raise Refused(
            f"the owner did not connect: {vendor_text(answer['error'])}",
            hint=CONNECT_HINT,
        )
    missing = [name for name in ("code", "state", "realmId") if name not in answer]
    if missing:
        raise Refused(
            f"the address lacks {', '.join(missing)}",
            hint="Paste the whole address that the browser shows after Connect was pressed.",
        )
    _require_state(settings, clock, answer["state"])  # first: a stranger hears nothing of the company
    realm = answer["realmId"]
    if settings.quickbooks_realm_id not in ("", realm):
        raise Refused(
            f"company {vendor_text(realm)} was chosen, but QUICKBOOKS_REALM_ID is {settings.quickbooks_realm_id}",
            hint="Choose the other company, or correct QUICKBOOKS_REALM_ID.",
        )
    forget(_state_file(settings))
    now = clock.now()
    with _authorizer(settings, clock, _redirect_uri(settings)) as authorizer:
        authorizer.get_bearer_token(answer["code"], realm_id=realm)
    return _tokens(authorizer, realm, now, "")


def _require_state(settings: Settings, clock: Clock, given: str) -> None:
    """Raise Refused unless the answer belongs to our last link, which no other answer has used."""
    kept = read_json(_state_file(settings)) or {}
    expected = str(kept.get("state", ""))
    fresh = bool(expected) and clock.now() - int(kept.get("made_at", 0)) <= _STATE_SECONDS
    if not fresh or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Refused(
            "the address is not the answer to the last link, or older than an hour",
            hint=CONNECT_HINT,
        )


def _redirect_uri(settings: Settings) -> str:
    if settings.base_url:
        return f"{settings.base_url}{REDIRECT_PATH}"
    if settings.mode == "live":
        raise Refused(
            "TILLBOOK_BASE_URL is empty, and Intuit sends live companies back to https addresses only",
            hint=f"Set TILLBOOK_BASE_URL, and register it with {REDIRECT_PATH} behind it in the app's redirect URIs.",
        )
    return _LOCAL_REDIRECT


def _state_file(settings: Settings) -> Path:
    return settings.home / "quickbooks-state.json"


@contextmanager
def _authorizer(settings: Settings, clock: Clock, redirect_uri: str) -> Iterator[Authorizer]:
    """Intuit's OAuth client: all that it asks within one time-out, and its failures as ours."""
    if not settings.quickbooks_client_id or not settings.quickbooks_client_secret:
        raise Refused(
            "QUICKBOOKS_CLIENT_ID or QUICKBOOKS_CLIENT_SECRET is empty",
            hint="Copy both from your app's keys at developer.intuit.com into .env.",
        )
    try:
        with within(settings.timeout_seconds, clock):
            yield Authorizer(settings, clock, redirect_uri)
        return
    except NoAnswer as error:
        failure = INTUIT.silence(error, change=False)
    except LookupError:
        failure = INTUIT.silence(unreadable("it lacks an address"), change=False)
    except AuthClientError as error:
        failure = _refusal(error, settings)
    raise failure from None  # the client's error holds the whole answer


def _refusal(error: AuthClientError, settings: Settings) -> TillbookError:
    """What an answer that is no success means. What Intuit wrote is shown only as its short error word."""
    fault = _fault(error.content, settings)
    if fault and fault.code == "invalid_grant":
        return _grant_refused()
    return INTUIT.no_token(INTUIT.refusal(int(error.status_code), error.headers, fault, change=False))


def _fault(content: bytes, settings: Settings) -> Fault | None:
    try:
        word = json_object(content).get("error")
    except NoAnswer:
        return None
    said = vendor_text(str(word), (settings.quickbooks_client_id, settings.quickbooks_client_secret))
    return Fault(said, said) if isinstance(word, str) else None


def _grant_refused() -> GrantRefused:
    return GrantRefused(
        "Intuit no longer accepts the connection: disconnected in QuickBooks, unused for 100 days, five years old, "
        "or its token was used by another copy of this installation",
        hint=CONNECT_HINT,
    )


def _tokens(authorizer: Authorizer, realm: str, now: int, previous: str) -> Tokens:
    """What the client took from the answer, checked: a body without an access token is no success."""
    access, fresh = authorizer.access_token, authorizer.refresh_token or previous
    if getattr(authorizer, "error", "") == "invalid_grant":
        raise _grant_refused()
    if not isinstance(access, str) or not access or not isinstance(fresh, str) or not fresh:
        raise INTUIT.silence(unreadable("it holds no token"), change=False)
    return Tokens(
        realm=realm,
        refresh_token=fresh,
        access_token=access,
        access_expires_at=now + _seconds(authorizer.expires_in, _ACCESS_SECONDS),
        refresh_expires_at=now + _seconds(authorizer.x_refresh_token_expires_in, _REFRESH_SECONDS),
        refreshed_at=now,
    )


def _seconds(value: object, usual: int) -> int:
    return int(value) if isinstance(value, (int, str)) and str(value).isdigit() else usual
