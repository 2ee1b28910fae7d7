"""The connection to one QuickBooks company: its tokens, kept alive by one process at a time, and its calls.

The refresh token is the connection: whoever loses it must ask the owner to connect again. So a refresh happens
under one lock between processes, and the new token is on the disk before anybody uses it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tillbook.kit.errors import NotAllowed, Refused, Uncertain
from tillbook.vendors.quickbooks.errors import CONNECT_HINT, TokenRefused
from tillbook.vendors.quickbooks.tokens import TokenFile, Tokens

if TYPE_CHECKING:
    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings
    from tillbook.rules.operations import Json
    from tillbook.vendors.books import Lock
    from tillbook.vendors.quickbooks.client import Action, Client

LOCK = "quickbooks-token"
_LEAST_LEFT_SECONDS = 300
_DAY_SECONDS = 86_400


class RefusedInDoubt(Refused):
    """QuickBooks refused a repetition whose first attempt had an unknown outcome: the refusal proves nothing."""


class Connection:
    """One company's connection. `lock(name)` keeps out every other process and thread."""

    def __init__(self, settings: Settings, clock: Clock, lock: Lock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = lock
        self._file = TokenFile(settings.home)
        self._client: Client | None = None

    @property
    def realm(self) -> str:
        """The company's id. Raises NotAllowed when no company is connected."""
        return self._settings.quickbooks_realm_id or self._stored().realm

    def days_left(self, now: int) -> int | None:
        """Whole days until the connection dies of disuse, or None before its first refresh."""
        tokens = self._stored()
        return max(0, tokens.refresh_expires_at - now) // _DAY_SECONDS if tokens.refreshed_at else None

    def save(self, tokens: Tokens) -> None:
        """Keep the tokens of a company that was just connected. Those of before are forgotten."""
        with self._lock(LOCK):
            self._file.write(tokens)

    def call(self, action: Action) -> Json:
        """Carry out one call of the client, patiently and with a good token. The action may run several times.

        Raises Refused, NotAllowed, Unavailable, Uncertain, and RefusedInDoubt when an earlier attempt may have acted.
        """
        # The SDKs, before the time for the call begins; not with this file, for start-up time.
        from tillbook.vendors.http import ask  # noqa: PLC0415
        from tillbook.vendors.quickbooks import client, consent  # noqa: F401, PLC0415

        doubts: list[Uncertain] = []

        def attempt() -> Json:
            try:
                return self._once(action)
            except Uncertain as error:
                doubts.append(error)
                raise

        try:
            return ask(attempt, self._settings, self._clock)
        except Refused as error:
            if doubts:
                raise RefusedInDoubt(error.message, hint=error.hint, code=error.code) from error
            raise

    def _once(self, action: Action) -> Json:
        """One attempt. A token that is refused is refreshed once and the very same request repeated."""
        token = self.access_token()
        with suppress(TokenRefused):
            return action(self._client_with(token))
        try:
            return action(self._client_with(self.access_token(refused=token)))
        except TokenRefused as refusal:
            error = refusal.error
        raise error

    def access_token(self, *, refused: str = "") -> str:
        """A token with five minutes left, which is not the `refused` one. Raises NotAllowed, Unavailable."""
        tokens = self._stored()
        if self._is_good(tokens, refused):
            return tokens.access_token
        with self._lock(LOCK):
            tokens = self._stored()
            if not self._is_good(tokens, refused):
                tokens = self._refreshed(tokens)
        return tokens.access_token

    def _is_good(self, tokens: Tokens, refused: str) -> bool:
        left = tokens.access_expires_at - self._clock.now()
        return bool(tokens.access_token) and tokens.access_token != refused and left >= _LEAST_LEFT_SECONDS

    def _stored(self) -> Tokens:
        """The tokens on the disk. In simulator mode the company is connected from the start."""
        settings = self._settings
        first = settings.quickbooks_refresh_token
        tokens = self._file.read() or (Tokens.first(settings.quickbooks_realm_id, first) if first else None)
        if tokens is None:
            raise NotAllowed("QuickBooks is not connected yet", hint=CONNECT_HINT)
        if settings.quickbooks_realm_id not in ("", tokens.realm):
            raise NotAllowed(
                f"the stored QuickBooks connection is for company {tokens.realm}, "
                f"but QUICKBOOKS_REALM_ID is {settings.quickbooks_realm_id}",
                hint=f"Correct QUICKBOOKS_REALM_ID. {CONNECT_HINT}",
            )
        return tokens

    def _refreshed(self, tokens: Tokens) -> Tokens:
        """Fresh tokens, already stored. The caller holds the lock."""
        from tillbook.vendors.quickbooks.consent import GrantRefused, refresh  # noqa: PLC0415  the SDK: start-up time

        self._file.prove_writable()
        try:
            fresh = refresh(self._settings, self._clock, tokens)
        except GrantRefused:
            # Somebody without our lock may have stored a newer one: a restored copy, an owner who connected again.
            stored = self._stored()
            if stored.refresh_token == tokens.refresh_token:
                raise
            fresh = refresh(self._settings, self._clock, stored)
        self._file.write(fresh)
        return fresh

    def _client_with(self, token: str) -> Client:
        from tillbook.vendors.quickbooks.client import open_client  # noqa: PLC0415  the SDK: start-up time

        if self._client is None:
            self._client = open_client(self._settings, self._clock, self.realm)
        self._client.session.access_token = token
        return self._client
