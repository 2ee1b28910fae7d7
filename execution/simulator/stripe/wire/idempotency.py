"""Stripe's Idempotency-Key: the first answer to a key is given again for 24 hours of simulated time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from simulator.stripe.wire.errors import StripeError
from simulator.world import World

_KIND = "stripe.idempotency"
REMEMBERED_SECONDS = 24 * 3600
LONGEST_KEY = 255


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of the API."""

    status: int
    body: str
    headers: Mapping[str, str]


class Keys:
    """The keys of one account, each with the request that it came with and the answer to it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def stored(self, key: str, path: str, form: str) -> Answer | None:
        """The answer to replay, or None for a new key. Raises StripeError when the request differs from the first."""
        if len(key) > LONGEST_KEY:
            message = f"The idempotency key you provided is longer than {LONGEST_KEY} characters."
            raise StripeError(400, message, kind="idempotency_error")
        row = self._living(key)
        if row is None:
            return None
        if row["path"] != path:
            raise _other_request(
                f"Keys for idempotent requests can only be used for the same endpoint they were first used for "
                f"('{path}' vs '{row['path']}').",
                key,
            )
        if row["form"] != _fingerprint(form):
            raise _other_request(
                "Keys for idempotent requests can only be used with the same parameters they were first used with.", key
            )
        headers = {"Idempotent-Replayed": "true", "Original-Request": row["request"]}
        return Answer(row["status"], row["body"], headers)

    def store(self, key: str, path: str, form: str, answer: Answer, request: str) -> None:
        """Remember the answer of a key that is new."""
        if self._living(key) is None:
            row = {
                "id": key,
                "at": self._world.now(),
                "path": path,
                "form": _fingerprint(form),
                "status": answer.status,
                "body": answer.body,
                "request": request,
            }
            self._world.save(_KIND, key, row)

    def _living(self, key: str) -> dict[str, Any] | None:
        row = self._world.get(_KIND, key)
        if row is not None and row["at"] + REMEMBERED_SECONDS <= self._world.now():
            self._world.delete(_KIND, key)
            return None
        return row


def in_use(key: str) -> StripeError:
    """The answer while another request with the same key is still running."""
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}."
    )
    return StripeError(409, message, code="idempotency_key_in_use")


def _other_request(message: str, key: str) -> StripeError:
    remedy = f"Try using a key other than '{key}' if you meant to execute a different request."
    return StripeError(400, f"{message} {remedy}", kind="idempotency_error")


def _fingerprint(form: str) -> str:
    pairs = sorted(parse_qsl(form, keep_blank_values=True))
    return hashlib.sha256(repr(pairs).encode()).hexdigest()
