"""Money that is not due any more is never captured: paid elsewhere meanwhile, whatever had been begun."""

from __future__ import annotations

import pytest
import requests

from helpers.reconciling import looked
from helpers.refunding import documents, state
from helpers.sale import Shop
from helpers.vendors.paypal_sale import captures, pages
from helpers.web.receiving import receiving
from tillbook.kit.errors import Uncertain
from tillbook.sales import invoices
from tillbook.sales.captures import settle_pages

PAID_AT_STRIPE = {"stripe": {"usd": 6000}, "paypal": {}}


def both_pages(shop: Shop) -> tuple[str, str]:
    """An invoice with an open page at each provider: PayPal's and Stripe's."""
    paypal = shop.opened_page(provider="paypal")["checkout_id"]
    return paypal, shop.run("create_checkout", "INV-1001", "--provider", "stripe").json["checkout_id"]


def paid_at_stripe(shop: Shop, page: str) -> None:
    """Paid, read, and posted to QuickBooks."""
    shop.pay(page)
    shop.later(60)
    for script in ("poll_events", "process_inbox", "post_to_books"):
        assert shop.run(script).code == 0


def calm(shop: Shop) -> None:
    requests.delete(f"{shop.simulator.url}/_control/faults", timeout=10).raise_for_status()


def rounds(shop: Shop) -> None:
    """Cron for a while: what is uncertain is looked at twice."""
    for _ in range(3):
        shop.later(400)
        shop.run("run_pending")


def come_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> str:
    """The customer returns from PayPal's page to ours; what our page says."""
    invoice = shop.till.ledger.sales.invoice("INV-1001")
    assert invoice is not None
    with receiving(shop, monkeypatch, deliver=False) as receiver:
        return requests.get(f"{receiver.url}/pay/{invoice.token}/paid", timeout=20).text


def assert_nothing_captured(shop: Shop) -> None:
    assert captures(shop) == []
    assert list(shop.till.ledger.operations.unfinished()) == []
    assert len(documents(shop)) == 1


def test_a_stale_balance_captures_nothing_on_the_way_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paid at Stripe and posted since our ledger read the balance: QuickBooks is asked before money moves."""
    paypal, stripe = both_pages(shop)
    paid_at_stripe(shop, stripe)
    shop.pay(paypal)
    come_back(shop, monkeypatch)
    assert_nothing_captured(shop)
    assert state(shop)["captured"] == PAID_AT_STRIPE


def test_cash_that_only_quickbooks_knows_of_captures_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paid in full at the counter before the customer came back: nothing is charged."""
    shop.approved()
    shop.paid_at_the_counter("INV-1001", "60.00")
    come_back(shop, monkeypatch)
    assert_nothing_captured(shop)


def test_without_quickbooks_nothing_is_captured_and_later_it_is_judged(shop: Shop) -> None:
    """Not to know the balance is no permission: the page waits, and ends once QuickBooks answers."""
    paypal, stripe = both_pages(shop)
    paid_at_stripe(shop, stripe)
    shop.pay(paypal)
    shop.fail("quickbooks", "*", "500", times=200)
    assert shop.run("run_pending").code != 0
    assert captures(shop) == []
    calm(shop)
    rounds(shop)
    assert_nothing_captured(shop)


def test_reconciliation_captures_nothing_that_is_paid(shop: Shop) -> None:
    """--repair asks QuickBooks, too."""
    shop.approved()
    shop.paid_at_the_counter("INV-1001", "60.00")
    shop.later(400)
    shop.run("reconcile_payments", "--repair")
    assert_nothing_captured(shop)


@pytest.mark.parametrize("kind", ["429", "drop_before"])
@pytest.mark.parametrize("by", ["run_pending", "reconcile_payments"])
def test_a_capture_that_was_begun_is_not_sent_once_the_invoice_is_paid(shop: Shop, kind: str, by: str) -> None:
    """C2: prepared or unknown, and paid elsewhere since: it ends by evidence, and is not sent again."""
    shop.approved()
    shop.fail("paypal", "*/capture", kind, method="POST", times=3)
    shop.run("run_pending")
    shop.paid_at_the_counter("INV-1001", "60.00")
    shop.later(400)
    shop.run(by, *(["--repair"] if by == "reconcile_payments" else []))
    assert captures(shop) == []
    rounds(shop)
    assert_nothing_captured(shop)


def test_a_page_that_was_closed_is_not_captured_later(shop: Shop) -> None:
    """Closed while the outcome of its capture was unknown: looked at, never sent, and the operation ends."""
    shop.approved()
    shop.fail("paypal", "*/capture", "drop_before", method="POST", times=3)
    shop.run("run_pending")
    shop.paid_at_the_counter("INV-1001", "60.00")
    invoices.learn_of_changes(shop.till)
    with pytest.raises(Uncertain):
        settle_pages(shop.till, "INV-1001")
    rounds(shop)
    assert_nothing_captured(shop)
    assert [status for status, _ in pages(shop)] == ["expired"]


def test_an_approval_for_too_much_is_told_until_the_rest_is_paid(shop: Shop) -> None:
    """25.00 of 60.00 came in at the counter: not captured, and the customer may not know that 35.00 are open."""
    shop.approved()
    shop.paid_at_the_counter("INV-1001", "25.00")
    rounds(shop)
    assert pages(shop) == [("expired", "not captured: it asked for more than was open")]
    ran = looked(shop)
    assert [one["type"] for one in ran.json["discrepancies"]] == ["approved_not_captured"]


def test_an_approval_after_we_closed_the_page_is_told(shop: Shop) -> None:
    """PayPal cannot take its page back: who approves it after all pays nothing, and a person hears of it."""
    order = shop.opened_page(provider="paypal")["checkout_id"]
    shop.paid_at_the_counter("INV-1001", "25.00")
    rounds(shop)
    assert pages(shop) == [("expired", "")]
    shop.pay(order)
    rounds(shop)
    assert captures(shop) == []
    found = looked(shop).json["discrepancies"]
    assert [(one["type"], one["subject"]) for one in found] == [("approved_not_captured", order)]


def test_a_doubt_about_one_page_keeps_no_other_page_open(shop: Shop) -> None:
    """The capture's outcome is unknown and the invoice is paid in cash: Stripe's page is closed in the next round."""
    paypal, stripe = both_pages(shop)
    shop.pay(paypal)
    shop.fail("paypal", "*/capture", "drop_before", method="POST", times=3)
    shop.run("run_pending")
    shop.paid_at_the_counter("INV-1001", "60.00")
    shop.run("run_pending")
    assert "error" in shop.pay(stripe)
    rounds(shop)
    assert_nothing_captured(shop)


def test_the_other_page_is_closed_before_money_moves(shop: Shop) -> None:
    """Nobody can pay there while PayPal's capture is under way."""
    paypal, _ = both_pages(shop)
    shop.pay(paypal)
    shop.run("run_pending")
    changes = [row["path"] for row in shop.requests(method="POST") if row["path"].endswith(("/expire", "/capture"))]
    assert [path.rpartition("/")[2] for path in changes] == ["expire", "capture"]
    assert captures(shop) == ["COMPLETED"]
