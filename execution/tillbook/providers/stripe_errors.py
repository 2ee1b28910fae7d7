"""The SDK's errors as ours, in one function: the class says whether something may have happened at Stripe."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tillbook.cards import mask_card_numbers
from tillbook.errors import NotAllowed, Refused, Throttled, TillbookError, Unavailable, Uncertain
from tillbook.operations import Json

if TYPE_CHECKING:
    from stripe import StripeError

CHECK_SETUP = "python execution/check_setup.py"

_TOO_MANY = 429
_NOT_ALLOWED = (401, 403)
# Time-out at the edge, the same key in use by another call, a dependency of Stripe's that failed.
_MAY_HAVE_ACTED = (408, 409, 424)
_CLIENT_ERRORS = range(400, 500)
_LONGEST_VENDOR_TEXT = 300
_KEY = re.compile(r"\b(?:sk|rk|pk)_(?:live|test)_[^\s,;\"']+|\bwhsec_[^\s,;\"']+")


def translated(error: StripeError, *, change: bool) -> TillbookError:
    """What one of the SDK's errors means for us. `change` is whether the call was to change something."""
    status = error.http_status
    if status is None:
        return _no_answer(error, change=change)
    vendor = _error_body(error)
    if vendor is None:
        return doubt(f"something that is not Stripe's own answer came back (HTTP {status})", change=change)
    code = str(vendor.get("code") or "")
    said = vendor_text(str(vendor.get("message") or "no reason given"))
    if status == _TOO_MANY or code in ("rate_limit", "lock_timeout"):
        pause = _retry_after(error)
        return Throttled(f"Stripe asked for a pause: {said}", retry_after_seconds=pause)
    if status in _NOT_ALLOWED:
        return NotAllowed(f"Stripe does not accept our key: {said}", hint=CHECK_SETUP, code=code)
    if status in _MAY_HAVE_ACTED or status not in _CLIENT_ERRORS:
        return doubt(f"Stripe could not finish (HTTP {status}): {said}", change=change)
    if vendor.get("type") == "idempotency_error":
        code = "idempotency_error"
    return Refused(f"Stripe refused: {said}", code=code)


def doubt(message: str, *, change: bool) -> TillbookError:
    """A change without a clear answer may have happened; a read without one is only unavailable."""
    return Uncertain(message) if change else Unavailable(message)


def vendor_text(text: str) -> str:
    """A vendor's words, safe to show: one short line without control characters, keys or card numbers."""
    line = " ".join(text.split())
    visible = "".join(letter for letter in line if not unicodedata.category(letter).startswith("C"))
    return mask_card_numbers(_KEY.sub("[key]", visible))[:_LONGEST_VENDOR_TEXT]


def _error_body(error: StripeError) -> Json | None:
    """Stripe's own error object, or None when the answer was not one (a proxy's page, half an answer)."""
    body = error.json_body
    vendor = body.get("error") if isinstance(body, dict) else None
    return vendor if isinstance(vendor, dict) else None


def _retry_after(error: StripeError) -> float:
    """The pause that Stripe asked for in seconds; one second when it named none that can be read."""
    asked = next((value for name, value in (error.headers or {}).items() if name.lower() == "retry-after"), "")
    return int(asked) if re.fullmatch(r"[0-9]{1,5}", asked, re.ASCII) else 1.0


def _no_answer(error: StripeError, *, change: bool) -> TillbookError:
    if _never_left(error):
        return Unavailable("no connection to Stripe could be made; nothing was sent")
    return doubt("the connection to Stripe broke off or timed out before an answer came", change=change)


def _never_left(error: StripeError) -> bool:
    """Whether it failed before a byte of the request was sent: no address, no connection, no trusted certificate."""
    from ssl import SSLCertVerificationError  # noqa: PLC0415  with the SDK only: start-up time

    from requests import exceptions  # noqa: PLC0415  with the SDK only: start-up time
    from urllib3.exceptions import NewConnectionError  # noqa: PLC0415  with the SDK only: start-up time

    before_sending = (
        NewConnectionError,
        SSLCertVerificationError,
        exceptions.ConnectTimeout,
        exceptions.ProxyError,
        exceptions.InvalidURL,
        exceptions.InvalidSchema,
        exceptions.MissingSchema,
    )
    return any(isinstance(cause, before_sending) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what lies under it: requests and urllib3 wrap each other's errors as arguments and `reason`s."""
    seen: list[BaseException] = [error]
    for one in seen:
        inner = (one.__cause__, getattr(one, "reason", None), *one.args)
        seen.extend(cause for cause in inner if isinstance(cause, BaseException) and cause not in seen)
    yield from seen
