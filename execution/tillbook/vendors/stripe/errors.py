"""The SDK's errors as ours, in one function: the class says whether something may have happened at Stripe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.kit.errors import TillbookError
from tillbook.vendors.errors import Fault, NoAnswer, Vendor, vendor_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from stripe import StripeError

STRIPE = Vendor("Stripe")

_PAUSES = ("rate_limit", "lock_timeout")
_OTHER_PARAMETERS = "idempotency_error"


def translated(error: StripeError, *, change: bool, hidden: Collection[str]) -> TillbookError:
    """What one of the SDK's errors means for us. `change` is whether the call was to change something.

    Nothing of `hidden` (our credentials) is ever shown.
    """
    cause = error.__cause__
    if isinstance(cause, TillbookError):
        return cause
    if isinstance(cause, NoAnswer):
        return STRIPE.silence(cause, change=change)
    return STRIPE.refusal(error.http_status or 0, error.headers or {}, _fault(error, hidden), change=change)


def _fault(error: StripeError, hidden: Collection[str]) -> Fault | None:
    """Stripe's own error object, or None when the answer was not one (a proxy's page, half an answer)."""
    body = error.json_body
    vendor = body.get("error") if isinstance(body, dict) else None
    if not isinstance(vendor, dict):
        return None
    code = str(vendor.get("code") or "")
    said = vendor_text(str(vendor.get("message") or "no reason given"), hidden)
    of_key = vendor.get("type") == _OTHER_PARAMETERS
    return Fault(_OTHER_PARAMETERS if of_key else vendor_text(code, hidden), said, throttled=code in _PAUSES)
