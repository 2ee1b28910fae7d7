"""PayPal's errors as ours, in one function: the class says whether something may have happened at PayPal."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from tillbook.kit.errors import TillbookError
from tillbook.rules.operations import Json
from tillbook.vendors.errors import Fault, NoAnswer, Vendor, json_object, vendor_text

PAYPAL = Vendor("PayPal")
RESOURCE_MISSING = "resource_missing"

_NOT_FOUND = 404
_PAUSE = "RATE_LIMIT_REACHED"
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


def translated(error: Exception, *, change: bool, hidden: Collection[str] = ()) -> TillbookError:
    """What an error of the client means for us.

    `change` is whether the call was to change something. Nothing of `hidden` (our credentials) is ever shown.
    """
    if isinstance(error, NoAnswer):
        return PAYPAL.silence(error, change=change)
    answered: Any = error  # the SDK's own, which has no types
    status = answered.response.status_code
    fault = _fault(status, answered.content, hidden)
    return PAYPAL.refusal(status, answered.response.headers, fault, change=change)


def _fault(status: int, content: bytes, hidden: Collection[str]) -> Fault | None:
    vendor = _error_body(content)
    if vendor is None:
        return None
    words = _words(vendor, hidden)
    code = RESOURCE_MISSING if status == _NOT_FOUND else next(iter(words), "")
    undecided = not _IN_DOUBT.isdisjoint(words)
    return Fault(code, _said(vendor, words, hidden), throttled=_PAUSE in words, undecided=undecided)


def _error_body(content: bytes) -> Json | None:
    """PayPal's own error object, or None when the answer was not one (a proxy's page, half an answer).

    Its APIs name an error by `name`, its authorisation server by `error`.
    """
    try:
        body = json_object(content)
    except NoAnswer:
        return None
    return body if any(isinstance(body.get(key), str) for key in ("name", "error")) else None


def _words(vendor: Json, hidden: Collection[str]) -> list[str]:
    """PayPal's words for what is wrong, in upper case: its issues, then its name for all of it.

    Older APIs put sentences where the newer ones have words: those are shown, but are no code.
    """
    named = [detail.get("issue") for detail in _details(vendor)] + [vendor.get("name"), vendor.get("error")]
    return [word.upper() for word in named if isinstance(word, str) and _is_word(word, hidden)]


def _is_word(text: str, hidden: Collection[str]) -> bool:
    return len(text) <= _LONGEST_WORD and bool(_WORD.fullmatch(text)) and vendor_text(text, hidden) == text


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
    said, marked = (vendor_text(text, hidden) for text in shown)
    return f"{said} ({marked})" if marked else said
