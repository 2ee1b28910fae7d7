"""Stripe, as everything outside this folder knows it."""

from __future__ import annotations

from tillbook.kit.declared import Setting, api_base
from tillbook.rules.accounts import ClearingAccount
from tillbook.vendors.declaration import Declaration

SECRET_KEY = Setting(
    "STRIPE_SECRET_KEY",
    needed=True,
    secret=True,
    test_forms=("sk_test_", "rk_test_"),
    live_forms=("sk_live_", "rk_live_"),
)
PUBLISHABLE_KEY = Setting("STRIPE_PUBLISHABLE_KEY")
WEBHOOK_SECRET = Setting("STRIPE_WEBHOOK_SECRET", secret=True)
API_BASE = api_base("STRIPE_API_BASE", test="https://api.stripe.com", live="https://api.stripe.com")

LEAST = {
    **dict.fromkeys(("AUD", "BRL", "CAD", "CHF", "EUR", "INR", "NZD", "SGD", "USD"), 50),
    "AED": 200,
    "BGN": 100,
    "CZK": 1500,
    "DKK": 250,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17_500,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "THB": 1000,
}
"""Stripe's minimums. An account that settles in another currency may have a higher one: then Stripe itself says so."""

DECLARATION = Declaration(
    name="stripe",
    title="Stripe",
    adapter="tillbook.vendors.stripe.provider:StripeProvider",
    settings=(SECRET_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET, API_BASE),
    clearing=ClearingAccount(ledger="Stripe Clearing", books="Stripe Clearing"),
    statement_lag_seconds=300,
    captures=False,
    lasting_pages=True,
    expiring_pages=True,
    tells_balance=True,
    signs_time=True,
    least=LEAST,
)
