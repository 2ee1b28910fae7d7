"""The simulated vendors. To add one, write its folder and name its class here."""

from __future__ import annotations

from simulator.paypal.vendor import PayPal
from simulator.quickbooks.vendor import QuickBooks
from simulator.stripe.vendor import Stripe
from simulator.vendor import Vendor

# `/_control` asks the first one about ids that none of them knows.
VENDORS: tuple[type[Vendor], ...] = (Stripe, PayPal, QuickBooks)
