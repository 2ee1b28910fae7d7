"""What an answer of QuickBooks means: its JSON when it is good, one of our errors for everything else.

The SDK loses the HTTP status, stumbles over a fault without a code, does not see a lower-case `fault` and takes a
throttle for a validation error. So each answer is judged here before the SDK parses it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any

from tillbook.kit.errors import TillbookError
from tillbook.rules.operations import Json
from tillbook.vendors.errors import Fault, NoAnswer, Vendor, json_object, vendor_text

CONNECT_HINT = "Connect again: python execution/connect_quickbooks.py"

_PAUSE_SECONDS = 60.0  # what Intuit asks for after a throttle
QUICKBOOKS = Vendor("QuickBooks", CONNECT_HINT, _PAUSE_SECONDS)
INTUIT = Vendor(
    "Intuit", "Compare QUICKBOOKS_CLIENT_ID and QUICKBOOKS_CLIENT_SECRET with the app's keys.", _PAUSE_SECONDS
)

_THROTTLED = "3001"
_LEAST_SYSTEM_CODE = 10_000
_CREDENTIALS = ("120", "3100", "3200")
_HINTS = {
    "5010": "Somebody changed it in QuickBooks meanwhile: run the same command again to see it as it is now.",
    "6140": "A document that Tillbook did not make has that number: use another one.",
    "6190": "The QuickBooks subscription has lapsed: its owner must renew it.",
    "6200": "The books are closed for that date: move the closing date in QuickBooks, or use a later date.",
    "6210": "The books are closed for that date: move the closing date in QuickBooks, or use a later date.",
    "6240": "Another customer, vendor or employee has that name: choose another one.",
}


class TokenRefused(Exception):
    """The access token was not accepted: worth one refresh, never two. `error` is what it means after that."""

    def __init__(self, error: TillbookError) -> None:
        super().__init__(error.message)
        self.error = error


def require_success(
    status: int, headers: Mapping[str, str], content: bytes, *, change: bool, hidden: Collection[str] = ()
) -> None:
    """Return for a good answer only, whose content is a JSON object without a fault.

    Raises TokenRefused for 401, and for any other answer what `Vendor.refusal` gives. Nothing of `hidden` (our
    credentials) is ever shown.
    """
    try:
        fault = _fault(json_object(content), hidden)
        good = status == HTTPStatus.OK and fault is None
    except NoAnswer:
        fault, good = None, False
    if good:
        return
    # Intuit reports some faults with 200.
    said = HTTPStatus.BAD_REQUEST if status == HTTPStatus.OK and fault else status
    error = QUICKBOOKS.refusal(said, headers, fault, change=change)
    raise TokenRefused(error) if status == HTTPStatus.UNAUTHORIZED else error


def _fault(body: Json, hidden: Collection[str]) -> Fault | None:
    """The fault in an answer, however it is spelt: `Fault` from the API, `fault` from Intuit's gateway."""
    found = _field(body, "fault")
    if found is None:
        return None
    errors = _field(found, "error") if isinstance(found, dict) else None
    listed = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    code = next((str(_field(error, "code") or "").lstrip("0") for error in listed), "")
    words = [str(_field(error, name) or "") for error in listed for name in ("message", "detail")]
    kind = str(_field(found, "type") or "") if isinstance(found, dict) else ""
    return Fault(
        code=vendor_text(code, hidden),
        text=vendor_text(": ".join(dict.fromkeys(word for word in words if word)), hidden) or "no reason given",
        hint=_HINTS.get(code, ""),
        throttled=code == _THROTTLED,
        not_allowed=code in _CREDENTIALS,
        undecided=kind.lower() == "systemfault" or (code.isdigit() and int(code) >= _LEAST_SYSTEM_CODE),
    )


def _field(record: Json, name: str) -> Any:
    return next((value for key, value in record.items() if key.lower() == name), None)
