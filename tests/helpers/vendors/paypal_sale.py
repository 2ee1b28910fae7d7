"""What a sale of 60.00 through PayPal looks like, paid and not paid, in all places at once."""

from __future__ import annotations

from collections import Counter

from helpers.refunding import documents, in_ledger, state
from helpers.sale import Shop
from tillbook.proof import invariants

LAG = 4 * 3600  # longer than the statement may lag behind
ONE_SALE = {"PaymentSucceeded": 1, "ProcessorFee": 1, "InvoiceIssued": 1}
# 3.49 % of 60.00 is 2.094; with 0.49 it is 2.58.
FEE = 258


def captures(shop: Shop) -> list[str]:
    """The status of every capture that PayPal holds."""
    return [one["status"] for one in shop.simulator.world.all("paypal.capture")]


def pages(shop: Shop, number: str = "INV-1001") -> list[tuple[str, str]]:
    """Every page of an invoice as the ledger has it: status and reason."""
    return [(page.status, page.reason) for page in shop.till.ledger.sales.checkouts_of_invoice(number)]


def assert_paid_once(shop: Shop) -> None:
    """One payment of 60.00 at PayPal, in the ledger, in QuickBooks and by mail; every invariant holds."""
    facts = shop.till.ledger.facts.of_invoice("INV-1001")
    assert Counter(fact.kind for fact in facts) == ONE_SALE
    assert in_ledger(shop) == {"PayPal Clearing": 6000 - FEE, "Processing Fees": FEE, "Revenue": -6000}
    assert state(shop)["captured"]["paypal"] == {"USD": 6000}
    assert documents(shop) == ["Payment 60.00"]
    assert [mail["subject"] for mail in shop.mails()].count("Receipt for INV-1001: 60.00 USD paid") == 1
    assert list(invariants.broken(shop.till.ledger)) == []


def assert_not_paid(shop: Shop) -> None:
    """No money moved: nothing but the invoice is in the ledger, and nothing is in QuickBooks."""
    assert in_ledger(shop) == {"Receivable": 6000, "Revenue": -6000}
    assert documents(shop) == []
    assert shop.mails() == []
