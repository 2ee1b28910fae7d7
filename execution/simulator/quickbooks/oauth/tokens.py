"""Intuit's OAuth 2: the page where the owner connects the company, and the life of its tokens.

An access token lives an hour. A refresh token that is older than a day is replaced when it is used, and lives one day
more, so that a client that dies before it stored the new one is not cut off. It also dies after 100 days without use.

Tokens live in a file of their own beside the World's objects. After a reset every token that was alive stays alive with
fresh age, and the first refresh token of the accounts works again. So no client has to connect anew after a reset.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from simulator.world import Json, World, write_json

ACCESS_SECONDS = 3600
ROTATE_SECONDS = 24 * 3600
GRACE_SECONDS = 24 * 3600
IDLE_SECONDS = 100 * 24 * 3600
_CODE_SECONDS = 600


class InvalidGrant(Exception):
    """A code or refresh token that is unknown, used, expired or replaced."""


class Tokens:
    """Every code and token that Intuit handed out and that still lives."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._file: Path = world.folder / "quickbooks_tokens.json"
        empty: Json = {"refresh": {}, "access": {}, "codes": {}}
        self._state: Json = json.loads(self._file.read_text()) if self._file.exists() else empty

    def photograph(self) -> str:
        """Every code and token as one text, for `restore`."""
        return json.dumps(self._state)

    def restore(self, photograph: str) -> None:
        """Know what the photograph shows again, and nothing else."""
        if photograph != self.photograph():
            self._state = json.loads(photograph)
            self._save()

    def new_code(self, redirect_uri: str) -> str:
        """A code for one exchange within ten minutes."""
        self._wake()
        code = f"AB1{secrets.token_hex(20)}"
        self._state["codes"][code] = {"redirect_uri": redirect_uri, "expires": self._world.now() + _CODE_SECONDS}
        self._save()
        return code

    def exchange(self, code: str, redirect_uri: str) -> Json:
        """Trade a code for a token answer. Raises InvalidGrant."""
        self._wake()
        known = self._state["codes"].pop(code, None)
        if known is None or known["redirect_uri"] != redirect_uri or known["expires"] < self._world.now():
            raise InvalidGrant
        return self._answer(self._new_refresh_token())

    def refresh(self, token: str) -> Json:
        """Trade a refresh token for a token answer, with a new refresh token when this one is a day old."""
        self._wake()
        now = self._world.now()
        known = self._state["refresh"].get(token)
        if known is None or now - known["used"] > IDLE_SECONDS or now > known.get("dies", now):
            raise InvalidGrant
        if now - known["issued"] > ROTATE_SECONDS:
            known.setdefault("dies", now + GRACE_SECONDS)
            token = self._new_refresh_token()
        else:
            known["used"] = now
        return self._answer(token)

    def revoke(self, token: str) -> bool:
        """End the connection that a token belongs to. Returns whether the token was known."""
        self._wake()
        known = token in self._state["refresh"] or token in self._state["access"]
        if known:
            self._state["refresh"].pop(token, None)
            self._state["access"].clear()
            self._save()
        return known

    def is_open(self, access_token: str) -> bool:
        """Whether an access token is alive."""
        self._wake()
        known = self._state["access"].get(access_token)
        return known is not None and known["expires"] > self._world.now()

    def _new_refresh_token(self) -> str:
        token = f"RT1-{secrets.token_hex(24)}"
        now = self._world.now()
        self._state["refresh"][token] = {"issued": now, "used": now}
        return token

    def _answer(self, refresh_token: str) -> Json:
        now = self._world.now()
        alive = {token: one for token, one in self._state["access"].items() if one["expires"] > now}
        access_token = f"eyJ{secrets.token_hex(60)}"
        self._state["access"] = {**alive, access_token: {"expires": now + ACCESS_SECONDS}}
        self._save()
        return {
            "token_type": "bearer",
            "access_token": access_token,
            "expires_in": ACCESS_SECONDS,
            "refresh_token": refresh_token,
            "x_refresh_token_expires_in": IDLE_SECONDS,
        }

    def _wake(self) -> None:
        """After a reset, and the first time: give what lives fresh age, and revive the first refresh token."""
        if self._world.get("quickbooks.connection", "tokens") is not None:
            return
        now = self._world.now()
        first = self._world.accounts["quickbooks_refresh_token"]
        self._state["refresh"] = {token: {"issued": now, "used": now} for token in [first, *self._state["refresh"]]}
        self._state["access"] = {token: {"expires": now + ACCESS_SECONDS} for token in self._state["access"]}
        self._save()
        self._world.save("quickbooks.connection", "tokens", {"awake": True})

    def _save(self) -> None:
        write_json(self._file, self._state)
