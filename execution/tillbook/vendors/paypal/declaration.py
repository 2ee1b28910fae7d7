"""PayPal, as everything outside this folder knows it."""

from __future__ import annotations

from tillbook.kit.declared import Setting, api_base
from tillbook.rules.accounts import ClearingAccount
from tillbook.vendors.declaration import Declaration

CLIENT_ID = Setting("PAYPAL_CLIENT_ID", needed=True)
CLIENT_SECRET = Setting("PAYPAL_CLIENT_SECRET", needed=True, secret=True)
WEBHOOK_ID = Setting("PAYPAL_WEBHOOK_ID")
WEBHOOK_CHECK = Setting("PAYPAL_WEBHOOK_CHECK", default="certificate", one_of=("certificate", "call"))
TRUST_ANCHORS = Setting(
    "PAYPAL_TRUST_ANCHORS",
    not_in_live="in live mode only the system's own certificate authorities are trusted",
    simulated_file="paypal-ca.pem",
)
API_BASE = api_base("PAYPAL_API_BASE", test="https://api-m.sandbox.paypal.com", live="https://api-m.paypal.com")

LAG_SECONDS = 3 * 3600 + 15 * 60
"""How long a movement may be missing: three hours, as PayPal says, and a little for what was moving meanwhile."""

DECLARATION = Declaration(
    name="paypal",
    title="PayPal",
    adapter="tillbook.vendors.paypal.provider:PayPalProvider",
    settings=(CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, WEBHOOK_CHECK, TRUST_ANCHORS, API_BASE),
    clearing=ClearingAccount(ledger="PayPal Clearing", books="PayPal"),
    statement_lag_seconds=LAG_SECONDS,
    captures=True,
    lasting_pages=False,
    expiring_pages=True,
    tells_balance=True,
    signs_time=True,
)
