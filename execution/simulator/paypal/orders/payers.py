"""Who pays: an e-mail address and a name, with the id that PayPal knows them by."""

from __future__ import annotations

import hashlib

from simulator.world import Json

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_ID_LENGTH = 13


def payer(email: str, name: str) -> Json:
    """A payer as orders show them. The same address is always the same account."""
    digest = hashlib.sha256(email.strip().lower().encode()).digest()
    given, _, surname = name.strip().partition(" ")
    return {
        "name": {"given_name": given or "Test", "surname": surname or "Buyer"},
        "email_address": email.strip(),
        "payer_id": "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:_ID_LENGTH]),
        "address": {"country_code": "US"},
    }
