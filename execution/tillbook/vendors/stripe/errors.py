"""The SDK's errors as ours, in one function: the class says whether something may have happened at Stripe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.kit.errors import NotAllowed, Refused, Throttled, TillbookError
from tillbook.rules.operations import Json
from tillbook.vendors.errors import CHECK_SETUP, doubt, no_answer, pause_seconds, vendor_text

if TYPE_CHECKING:
    from stripe import StripeError

__all__ = ["CHECK_SETUP", "doubt", "translated"]

_TOO_MANY = 429
_NOT_ALLOWED = (401, 403)
# Time-out at the edge, the same key in use by another call, a dependency of Stripe's that failed.
_MAY_HAVE_ACTED = (408, 409, 424)
_CLIENT_ERRORS = range(400, 500)


def translated(error: StripeError, *, change: bool) -> TillbookError:
    """What one of the SDK's errors means for us. `change` is whether the call was to change something."""
    status = error.http_status
    if status is None:
        return no_answer("Stripe", error, change=change)
    vendor = _error_body(error)
    if vendor is None:
        return doubt(f"something that is not Stripe's own answer came back (HTTP {status})", change=change)
    code = str(vendor.get("code") or "")
    said = vendor_text(str(vendor.get("message") or "no reason given"))
    if status == _TOO_MANY or code in ("rate_limit", "lock_timeout"):
        pause = pause_seconds(error.headers or {})
        return Throttled(f"Stripe asked for a pause: {said}", retry_after_seconds=pause)
    if status in _NOT_ALLOWED:
        return NotAllowed(f"Stripe does not accept our key: {said}", hint=CHECK_SETUP, code=code)
    if status in _MAY_HAVE_ACTED or status not in _CLIENT_ERRORS:
        return doubt(f"Stripe could not finish (HTTP {status}): {said}", change=change)
    if vendor.get("type") == "idempotency_error":
        code = "idempotency_error"
    return Refused(f"Stripe refused: {said}", code=code)


def _error_body(error: StripeError) -> Json | None:
    """Stripe's own error object, or None when the answer was not one (a proxy's page, half an answer)."""
    body = error.json_body
    vendor = body.get("error") if isinstance(body, dict) else None
    return vendor if isinstance(vendor, dict) else None
