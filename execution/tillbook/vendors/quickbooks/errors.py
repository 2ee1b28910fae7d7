"""What an answer of QuickBooks means: its JSON when it is good, one of our errors for everything else.

The SDK loses the HTTP status, stumbles over a fault without a code, does not see a lower-case `fault` and takes a
throttle for a validation error. So each answer is judged here before the SDK parses it.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from tillbook.kit.cards import mask_card_numbers
from tillbook.kit.errors import NotAllowed, Refused, Throttled, Unavailable, Uncertain
from tillbook.rules.operations import Json

CONNECT_HINT = "Connect again: python execution/connect_quickbooks.py"
PENDING_HINT = "Run python execution/run_pending.py, or exactly the same command again."

_PAUSE_SECONDS = 60.0  # what Intuit asks for after a throttle when its answer names no time
_THROTTLED = "3001"
_LEAST_SYSTEM_CODE = 10_000
_LONGEST_TEXT = 400
_CREDENTIALS = ("120", "3100", "3200")
_HINTS = {
    "5010": "Somebody changed it in QuickBooks meanwhile: run the same command again to see it as it is now.",
    "6140": "A document that Tillbook did not make has that number: use another one.",
    "6190": "The QuickBooks subscription has lapsed: its owner must renew it.",
    "6200": "The books are closed for that date: move the closing date in QuickBooks, or use a later date.",
    "6210": "The books are closed for that date: move the closing date in QuickBooks, or use a later date.",
    "6240": "Another customer, vendor or employee has that name: choose another one.",
}


class TokenRefused(NotAllowed):
    """The access token was not accepted: worth one refresh, never two."""


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why QuickBooks did not do it. `code` may be empty; `system` means that QuickBooks itself failed."""

    code: str
    text: str
    system: bool


def accept(status: int, headers: Mapping[str, str], text: str, *, change: bool) -> Json:
    """The JSON of a good answer.

    Raises TokenRefused (401), NotAllowed (no right to this company), Refused (any other fault, with its `code`),
    Throttled, and for an answer that says nothing (5xx, HTML, QuickBooks' own failure) what `unknown` gives.
    """
    body = _parsed(text)
    fault = _fault(body)
    if status == HTTPStatus.UNAUTHORIZED:
        raise TokenRefused("QuickBooks did not accept the access token", hint=CONNECT_HINT, code="401")
    if status == HTTPStatus.TOO_MANY_REQUESTS or (fault and fault.code == _THROTTLED):
        raise Throttled(
            "QuickBooks asked for a pause: too many requests for this company",
            retry_after_seconds=pause_seconds(headers.get("Retry-After", "")),
        )
    if fault and fault.code in _CREDENTIALS:
        raise NotAllowed(
            f"QuickBooks refused access: {fault.text}",
            hint=CONNECT_HINT,
            code=fault.code,
        )
    if fault and not fault.system and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Refused(
            f"QuickBooks refused: {fault.text}",
            hint=_HINTS.get(fault.code, ""),
            code=fault.code,
        )
    if fault or body is None or status != HTTPStatus.OK:
        said = f": {fault.text}" if fault else ""
        raise unknown(
            f"QuickBooks answered with status {status} and no result{said}",
            change=change,
        )
    return body


def unknown(what: str, *, change: bool) -> Uncertain | Unavailable:
    """The error for silence: a change may have happened, a read has done nothing."""
    if change:
        return Uncertain(f"{what}; it may have been done", hint=PENDING_HINT)
    return Unavailable(what, hint="Run the same command again later.")


def pause_seconds(header: str) -> float:
    """Retry-After in seconds; a minute when it names none (or a date, which Intuit never sends)."""
    return float(int(header)) if header.isascii() and header.isdigit() else _PAUSE_SECONDS


def vendor_text(text: str) -> str:
    """What a vendor wrote, fit to be shown: no control characters, no card number, not endless."""
    plain = "".join(" " if unicodedata.category(char).startswith("C") else char for char in text)
    return mask_card_numbers(" ".join(plain.split()))[:_LONGEST_TEXT]


def _parsed(text: str) -> Json | None:
    try:
        body = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _fault(body: Json | None) -> _Fault | None:
    """The fault in an answer, however it is spelt: `Fault` from the API, `fault` from Intuit's gateway."""
    found = _field(body or {}, "fault")
    if found is None:
        return None
    errors = _field(found, "error") if isinstance(found, dict) else None
    listed = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    code = next((str(_field(error, "code") or "").lstrip("0") for error in listed), "")
    words = [str(_field(error, name) or "") for error in listed for name in ("message", "detail")]
    text = vendor_text(": ".join(dict.fromkeys(word for word in words if word))) or "no reason given"
    kind = str(_field(found, "type") or "") if isinstance(found, dict) else ""
    system = kind.lower() == "systemfault" or (code.isdigit() and int(code) >= _LEAST_SYSTEM_CODE)
    return _Fault(code, text, system)


def _field(record: Json, name: str) -> Any:
    return next((value for key, value in record.items() if key.lower() == name), None)
