"""The business that the account belongs to."""

from __future__ import annotations

from simulator.stripe.operation import READ, Call, Operation
from simulator.world import Json

DISPLAY_NAME = "Harbor Lane Studio LLC"


def _show(call: Call) -> Json:
    return {
        "id": call.account.world.accounts["stripe_account"],
        "object": "account",
        "business_profile": {"mcc": "7333", "name": DISPLAY_NAME, "url": "https://harborlane.example"},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "owner@harborlane.example",
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }


OPERATIONS = (Operation("GET", "/v1/account", READ, "account", _show),)
