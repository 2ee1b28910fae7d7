"""The simulated PayPal: its API, the payer's pages and its webhooks, over one Account."""

from __future__ import annotations

from simulator.paypal.account import Account
from simulator.paypal.api import Api
from simulator.paypal.certificates import authority
from simulator.paypal.pages import routes

__all__ = ["Account", "Api", "authority", "routes"]
