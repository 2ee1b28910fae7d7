"""Names that QuickBooks can hold."""

from __future__ import annotations

import base64
import hashlib
import re

LONGEST_NAME = 100  # QuickBooks allows 500; shorter ones survive its reports, exports and searches

_OURS = re.compile(r"\(customer(?: [0-9]+)?\)$|~[a-z2-7]{10}$", re.IGNORECASE)


def display_name(name: str, attempt: int = 0) -> str:
    """The customer's name as QuickBooks can hold it: no colon, no control character, at most 100 characters.

    Two different (name, attempt) never give the same result: what was changed, cut, or looks like one of ours, carries
    a hash of the name. `attempt` above 0 makes another one when a vendor, an employee or another customer has the name.
    """
    legal = re.sub(r"\s*:\s*", " - ", name)
    legal = "".join(character if character.isprintable() or character == "\u200d" else " " for character in legal)
    suffix = "" if attempt == 0 else " (customer)" if attempt == 1 else f" (customer {attempt})"
    legal = legal.strip()
    if legal != name or len(legal) + len(suffix) > LONGEST_NAME or _OURS.search(legal):
        suffix = f" ~{_hash(name)}{suffix}"
        legal = legal[: LONGEST_NAME - len(suffix)].rstrip(" \u200d\ufe0f")
    return (legal + suffix).strip()


def common_start(name: str) -> str:
    """What every display name of a name begins with, whatever the attempt."""
    return display_name(name)[: LONGEST_NAME // 2].rstrip()


def _hash(name: str) -> str:
    return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:10]
