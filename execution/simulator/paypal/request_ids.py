"""PayPal-Request-Id: for a while, the first answer to an id is given again instead of doing something twice."""

from __future__ import annotations

import copy
import hashlib
import json

from simulator.paypal.account import Account
from simulator.paypal.wire.call import Call
from simulator.paypal.wire.errors import invalid, unprocessable
from simulator.world import Json

HEADER = "paypal-request-id"
LONGEST = 108
_KIND = "requestid"


def stored(account: Account, call: Call, family: str) -> Json | None:
    """The answer to replay, or None for a new id. Raises PayPalError when the request differs from the first.

    `family` is the kind of call: an id is unique within its own kind only.
    """
    key = call.headers.get(HEADER, "")
    if len(key) > LONGEST:
        raise invalid("INVALID_STRING_LENGTH", field=HEADER)
    row = account.find(_KIND, f"{family}:{key}") if key else None
    if row is None or row["ends"] <= call.now:
        return None
    if row["request"] != _fingerprint(call):
        raise unprocessable("DUPLICATE_REQUEST_ID", "The value of PayPal-Request-Id header has already been used")
    answer: Json = row["answer"]
    return answer


def keep(account: Account, call: Call, family: str, answer: Json, seconds: int) -> None:
    """Remember the answer to a request for this long."""
    if key := call.headers.get(HEADER, ""):
        row = {"id": f"{family}:{key}", "ends": call.now + seconds, "request": _fingerprint(call)}
        account.save(_KIND, {**row, "answer": copy.deepcopy(answer)})


def _fingerprint(call: Call) -> str:
    return hashlib.sha256(f"{call.path}\n{json.dumps(call.body, sort_keys=True)}".encode()).hexdigest()
