"""Acorn, as everything outside this folder knows it."""

from __future__ import annotations

from tillbook.kit.declared import Setting, api_base
from tillbook.rules.accounts import ClearingAccount
from tillbook.vendors.declaration import Declaration

API_KEY = Setting("ACORN_API_KEY", needed=True, secret=True, test_forms=("nut_test_",), live_forms=("nut_live_",))
WEBHOOK_SECRET = Setting("ACORN_WEBHOOK_SECRET", secret=True)
API_BASE = api_base("ACORN_API_BASE", test="https://sandbox.acorn.example", live="https://api.acorn.example")

DECLARATION = Declaration(
    name="acorn",
    title="Acorn",
    adapter="helpers.providers.acorn.adapter:Acorn",
    settings=(API_KEY, WEBHOOK_SECRET, API_BASE),
    clearing=ClearingAccount(ledger="Acorn Clearing", books="Acorn Clearing"),
    statement_lag_seconds=600,
    captures=False,
    lasting_pages=True,
    expiring_pages=False,
    tells_balance=False,
    signs_time=False,
)
