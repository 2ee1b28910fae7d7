"""PayPal's errors as ours, in one function: the class says whether something may have happened at PayPal."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from tillbook.kit import strict_json
from tillbook.kit.errors import NotAllowed, Refused, Throttled, TillbookError
from tillbook.rules.operations import Json
from tillbook.vendors.errors import CHECK_SETUP, doubt, no_answer, pause_seconds, vendor_text

RESOURCE_MISSING = "resource_missing"

_NOT_FOUND, _TOO_MANY = 404, 429
_NOT_ALLOWED = (401, 403)
# Time-out at the edge, a conflict with another call, a dependency of PayPal's that failed.
_MAY_HAVE_ACTED = (408, 409, 424)
_CLIENT_ERRORS = range(400, 500)
# Another call with the same request id is on its way or was made already: its outcome is not in this answer.
_IN_DOUBT = frozenset(
    {
        "DUPLICATE_REQUEST",
        "DUPLICATE_REQUEST_ID",
        "PREVIOUS_REQUEST_IN_PROGRESS",
        "ORDER_COMPLETION_IN_PROGRESS",
        "INTERNAL_SERVER_ERROR",
        "INTERNAL_SERVICE_ERROR",
    }
)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*", re.ASCII)
_LONGEST_WORD = 63
# Client ids, secrets and tokens look like nothing else; no id, issue or debug id of PayPal's is as long.
_CREDENTIAL = re.compile(r"[A-Za-z0-9_~+/=.-]{64,}", re.ASCII)


class Unreadable(Exception):
    """What came is not an answer of PayPal's: no JSON object, too large, or not all of it in time."""


def translated(error: Exception, *, change: bool, hidden: Collection[str] = ()) -> TillbookError:
    """What an error of the client means for us.

    `change` is whether the call was to change something. Nothing of `hidden` (our credentials) is ever shown.
    """
    from paypalrestsdk.exceptions import ConnectionError as Answered  # noqa: PLC0415  start-up time

    if isinstance(error, Answered):
        return _answered(error.response.status_code, error.response.headers, error.content, change, hidden)
    if isinstance(error, Unreadable):
        return doubt(f"the answer to a call to PayPal could not be read: {error}", change=change)
    return no_answer("PayPal", error, change=change)


def without_token(error: Exception, *, hidden: Collection[str] = ()) -> TillbookError:
    """What it means that PayPal gave no token: nothing was asked of it yet, and a refusal is one of our credentials."""
    failure = translated(error, change=False, hidden=hidden)
    if isinstance(failure, Refused):
        return NotAllowed(failure.message, hint=CHECK_SETUP, code=failure.code)
    return failure


def _answered(
    status: int, headers: Mapping[str, str], content: bytes, change: bool, hidden: Collection[str]
) -> TillbookError:
    vendor = _error_body(content)
    if vendor is None:
        if status == _TOO_MANY and not change:
            return Throttled("PayPal's gateway asked for a pause", retry_after_seconds=pause_seconds(headers))
        return doubt(f"something that is not PayPal's own answer came back (HTTP {status})", change=change)
    words = _words(vendor, hidden)
    code = words[0] if words else ""
    said = _said(vendor, words, hidden)
    if status == _TOO_MANY or "RATE_LIMIT_REACHED" in words:
        return Throttled(f"PayPal asked for a pause: {said}", retry_after_seconds=pause_seconds(headers))
    if status in _NOT_ALLOWED:
        return NotAllowed(f"PayPal does not accept our credentials: {said}", hint=CHECK_SETUP, code=code)
    if status in _MAY_HAVE_ACTED or status not in _CLIENT_ERRORS or not _IN_DOUBT.isdisjoint(words):
        return doubt(f"PayPal could not finish (HTTP {status}): {said}", change=change)
    return Refused(f"PayPal refused: {said}", code=RESOURCE_MISSING if status == _NOT_FOUND else code)


def _error_body(content: bytes) -> Json | None:
    """PayPal's own error object, or None when the answer was not one (a proxy's page, half an answer).

    Its APIs name an error by `name`, its authorisation server by `error`.
    """
    try:
        body = strict_json.loads(content)
    except Refused:
        return None
    if not isinstance(body, dict) or not any(isinstance(body.get(key), str) for key in ("name", "error")):
        return None
    return body


def _words(vendor: Json, hidden: Collection[str]) -> list[str]:
    """PayPal's words for what is wrong, in upper case: its issues, then its name for all of it.

    Older APIs put sentences where the newer ones have words: those are shown, but are no code.
    """
    named = [detail.get("issue") for detail in _details(vendor)] + [vendor.get("name"), vendor.get("error")]
    return [word.upper() for word in named if isinstance(word, str) and _is_word(word, hidden)]


def _is_word(text: str, hidden: Collection[str]) -> bool:
    return len(text) <= _LONGEST_WORD and bool(_WORD.fullmatch(text)) and not any(key in text for key in hidden if key)


def _details(vendor: Json) -> list[Json]:
    details = vendor.get("details")
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _said(vendor: Json, words: list[str], hidden: Collection[str]) -> str:
    """PayPal's explanation with its word and its debug id, safe to show."""
    first = next(iter(_details(vendor)), {})
    sentences = (
        first.get("description"),
        first.get("issue") if " " in str(first.get("issue")) else None,
        vendor.get("message"),
        vendor.get("error_description"),
    )
    sentence = next((text for text in sentences if isinstance(text, str) and text), "no reason given")
    field = first.get("field")
    debug_id = vendor.get("debug_id")
    marks = [*words[:1], f"field {field}" if field else "", f"debug id {debug_id}" if debug_id else ""]
    shown = (sentence, ", ".join(filter(None, marks)))
    said, marked = (vendor_text(_CREDENTIAL.sub("[key]", text), hidden) for text in shown)
    return f"{said} ({marked})" if marked else said
