"""Refunds in tests: what is done to a payment, and what ledger, Stripe and QuickBooks say of it afterwards."""

from __future__ import annotations

from typing import Any

import requests

from helpers.sale import Json, Shop, control
from tillbook.proof import invariants

TAXED = [
    {"description": "Stickers", "sku": "SUPPORT", "quantity": "1", "unit_price": "0.61", "taxable": True},
    {"description": "Advice", "sku": "CONSULT", "quantity": "1", "unit_price": "9.39"},
]
"""10.00, of which 0.61 carry 8.25 % of tax (0.0503): 10.05 in all."""


def in_dashboard(shop: Shop, payment: str, amount: int, **more: Any) -> str:
    """A refund that a person makes in Stripe's dashboard, in minor units; its id."""
    return str(control(shop.simulator, "refund", {"payment": payment, "amount": amount, **more})["id"])


def ended(shop: Shop, refund: str, outcome: str) -> None:
    """What becomes of a refund days later."""
    shop.later(86400)
    control(shop.simulator, "refund_outcome", {"refund": refund, "outcome": outcome})


def refunds_start_as(shop: Shop, status: str) -> None:
    control(shop.simulator, "refunds", {"status": status})


def settled(shop: Shop) -> None:
    """Everything that follows is done: two rounds of cron, a little apart."""
    for _ in range(2):
        shop.later(61)
        ran = shop.run("run_pending")
        assert ran.code == 0, ran.err + ran.out
    assert list(invariants.broken(shop.till.ledger)) == []


def state(shop: Shop) -> Json:
    found: Json = requests.get(f"{shop.simulator.url}/_control/state", timeout=10).json()
    return found


def in_ledger(shop: Shop) -> dict[str, int]:
    """Every account that is not zero, in minor units; debit positive."""
    return {account: amount.minor for (account, _), amount in shop.till.ledger.facts.balances().items()}


def at_stripe(shop: Shop) -> tuple[int, int]:
    """What is refunded of all charges, and what the balance has moved by, fees included; in minor units."""
    found = state(shop)
    return sum(found["refunded"]["stripe"].values()), sum(found["statement"]["stripe"].values())


def documents(shop: Shop) -> list[str]:
    """Kind and total of every document that moves money in QuickBooks, sorted."""
    kinds = ("Payment", "RefundReceipt", "SalesReceipt", "Purchase", "Deposit")
    return sorted(f"{kind} {one['TotalAmt']}" for kind in kinds for one in shop.books(kind))


def book_balances(shop: Shop, *names: str) -> dict[str, str]:
    """What QuickBooks says of these accounts."""
    return {one["Name"]: str(one["CurrentBalance"]) for one in shop.books("Account") if one["Name"] in names}


def receivable(shop: Shop) -> str:
    (found,) = book_balances(shop, "Accounts Receivable (A/R)").values()
    return found


def paid_twice(shop: Shop, number: str = "INV-1001") -> tuple[str, str]:
    """An invoice of 60.00 was paid on its page and through the link in its mail: two payments, one too many."""
    shop.opened_page(number)
    assert shop.run("send_invoice", number).code == 0
    payments = [shop.pay(page.id)["payment_intent"] for page in shop.till.ledger.sales.checkouts_of_invoice(number)]
    settled(shop)
    facts = shop.till.ledger.facts
    first, second = sorted(
        payments, key=lambda one: min((f.occurred_at, f.key) for f in facts.of_payment("stripe", one))
    )
    return first, second
