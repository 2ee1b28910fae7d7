"""The simulated PayPal asked by plain HTTP, each answer judged by PayPal's own schema where that is at hand."""

from __future__ import annotations

import os
from typing import Any

import requests

from helpers.vendors.simulated_paypal import Seller
from helpers.vendors.simulated_stripe import contract
from simulator.server import Simulator

Json = dict[str, Any]


def ask(
    simulator: Simulator, method: str, path: str, *, body: Any = None, raw: bytes = b"", **params: str
) -> tuple[int, Json]:
    """Status and JSON of an authorized call; `raw` is sent as the body as it is, instead of `body`."""
    token = Seller(simulator).sign_in()
    sent: Json = {"data": raw} if raw else {"json": body} if body is not None else {}
    answer = requests.request(
        method,
        f"{simulator.url}/paypal{path}",
        params=params,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        timeout=10,
        **sent,
    )
    found: Json = answer.json()
    if os.environ.get("TILLBOOK_CONTRACTS"):
        place = path.partition("?")[0]
        assert contract("paypal_contract").check_response(method, place, answer.status_code, found) == []
    return answer.status_code, found


def issue(answer: Json) -> tuple[str, str]:
    """The field and the issue that a refusal names."""
    detail = answer["details"][0]
    return detail.get("field", ""), detail["issue"]
