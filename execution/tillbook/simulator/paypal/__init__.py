"""The simulated PayPal: its API, the payer's pages and its webhooks, over one Account."""

from __future__ import annotations

from tillbook.simulator.paypal.account import Account
from tillbook.simulator.paypal.api import Api
from tillbook.simulator.paypal.certificates import authority
from tillbook.simulator.paypal.pages import routes

__all__ = ["Account", "Api", "authority", "routes"]
