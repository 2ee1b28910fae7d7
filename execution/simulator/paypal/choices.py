"""What `/_control` chose for the account: kept in the World, so that a restart and a photograph know it."""

from __future__ import annotations

from typing import Any

from simulator.paypal.account import Account
from simulator.world import Json

_KIND = "choice"
_DEFAULTS: Json = {
    "capture_status": "COMPLETED",
    "capture_reason": "",
    "refund_status": "COMPLETED",
    # PayPal's "Block accidental payments": an invoice number is paid once.
    "unique_invoices": True,
}


def choose(account: Account, **chosen: Any) -> Json:
    """Set some of the choices. Returns all of them."""
    made = {**_now(account), **chosen}
    account.save(_KIND, {"id": "all", **made})
    return made


def chosen(account: Account, name: str) -> Any:
    """One choice: `capture_status`, `capture_reason`, `refund_status` or `unique_invoices`."""
    return _now(account)[name]


def _now(account: Account) -> Json:
    kept = account.find(_KIND, "all") or {}
    return {name: kept.get(name, default) for name, default in _DEFAULTS.items()}
