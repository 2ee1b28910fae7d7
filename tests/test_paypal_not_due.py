"""Money that is not due any more is never captured: paid elsewhere meanwhile, whatever had been begun."""

from __future__ import annotations

import pytest
import requests

from receiving import receiving
from reconciling import looked
from refunding import documents, state
from sale import Till
from test_paypal_sale import captures, pages
from tillbook import checkouts, invoices
from tillbook.errors import Uncertain

PAID_AT_STRIPE = {"stripe": {"usd": 6000}, "paypal": {}}


def both_pages(till: Till) -> tuple[str, str]:
    """An invoice with an open page at each provider: PayPal's and Stripe's."""
    paypal = till.opened_page(provider="paypal")["checkout_id"]
    return paypal, till.run("create_checkout", "INV-1001", "--provider", "stripe").json["checkout_id"]


def paid_at_stripe(till: Till, page: str) -> None:
    """Paid, read, and posted to QuickBooks."""
    till.pay(page)
    till.later(60)
    for script in ("poll_events", "process_inbox", "post_to_books"):
        assert till.run(script).code == 0


def calm(till: Till) -> None:
    requests.delete(f"{till.simulator.url}/_control/faults", timeout=10).raise_for_status()


def rounds(till: Till) -> None:
    """Cron for a while: what is uncertain is looked at twice."""
    for _ in range(3):
        till.later(400)
        till.run("run_pending")


def come_back(till: Till, monkeypatch: pytest.MonkeyPatch) -> str:
    """The customer returns from PayPal's page to ours; what our page says."""
    invoice = till.shop.ledger.sales.invoice("INV-1001")
    assert invoice is not None
    with receiving(till, monkeypatch, deliver=False) as receiver:
        return requests.get(f"{receiver.url}/pay/{invoice.token}/paid", timeout=20).text


def assert_nothing_captured(till: Till) -> None:
    assert captures(till) == []
    assert list(till.shop.ledger.operations.unfinished()) == []
    assert len(documents(till)) == 1


def test_a_stale_balance_captures_nothing_on_the_way_back(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paid at Stripe and posted since our ledger read the balance: QuickBooks is asked before money moves."""
    paypal, stripe = both_pages(till)
    paid_at_stripe(till, stripe)
    till.pay(paypal)
    come_back(till, monkeypatch)
    assert_nothing_captured(till)
    assert state(till)["captured"] == PAID_AT_STRIPE


def test_cash_that_only_quickbooks_knows_of_captures_nothing(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paid in full at the counter before the customer came back: nothing is charged."""
    till.approved()
    till.paid_at_the_counter("INV-1001", "60.00")
    come_back(till, monkeypatch)
    assert_nothing_captured(till)


def test_without_quickbooks_nothing_is_captured_and_later_it_is_judged(till: Till) -> None:
    """Not to know the balance is no permission: the page waits, and ends once QuickBooks answers."""
    paypal, stripe = both_pages(till)
    paid_at_stripe(till, stripe)
    till.pay(paypal)
    till.fail("quickbooks", "*", "500", times=200)
    assert till.run("run_pending").code != 0
    assert captures(till) == []
    calm(till)
    rounds(till)
    assert_nothing_captured(till)


def test_reconciliation_captures_nothing_that_is_paid(till: Till) -> None:
    """--repair asks QuickBooks, too."""
    till.approved()
    till.paid_at_the_counter("INV-1001", "60.00")
    till.later(400)
    till.run("reconcile_payments", "--repair")
    assert_nothing_captured(till)


@pytest.mark.parametrize("kind", ["429", "drop_before"])
@pytest.mark.parametrize("by", ["run_pending", "reconcile_payments"])
def test_a_capture_that_was_begun_is_not_sent_once_the_invoice_is_paid(till: Till, kind: str, by: str) -> None:
    """C2: prepared or unknown, and paid elsewhere since: it ends by evidence, and is not sent again."""
    till.approved()
    till.fail("paypal", "*/capture", kind, method="POST", times=3)
    till.run("run_pending")
    till.paid_at_the_counter("INV-1001", "60.00")
    till.later(400)
    till.run(by, *(["--repair"] if by == "reconcile_payments" else []))
    assert captures(till) == []
    rounds(till)
    assert_nothing_captured(till)


def test_a_page_that_was_closed_is_not_captured_later(till: Till) -> None:
    """Closed while the outcome of its capture was unknown: looked at, never sent, and the operation ends."""
    till.approved()
    till.fail("paypal", "*/capture", "drop_before", method="POST", times=3)
    till.run("run_pending")
    till.paid_at_the_counter("INV-1001", "60.00")
    invoices.learn_of_changes(till.shop)
    with pytest.raises(Uncertain):
        checkouts.settle_pages(till.shop, "INV-1001")
    rounds(till)
    assert_nothing_captured(till)
    assert [status for status, _ in pages(till)] == ["expired"]


def test_an_approval_for_too_much_is_told_until_the_rest_is_paid(till: Till) -> None:
    """25.00 of 60.00 came in at the counter: not captured, and the customer may not know that 35.00 are open."""
    till.approved()
    till.paid_at_the_counter("INV-1001", "25.00")
    rounds(till)
    assert pages(till) == [("expired", "not captured: it asked for more than was open")]
    ran = looked(till)
    assert [one["type"] for one in ran.json["discrepancies"]] == ["approved_not_captured"]


def test_an_approval_after_we_closed_the_page_is_told(till: Till) -> None:
    """PayPal cannot take its page back: who approves it after all pays nothing, and a person hears of it."""
    order = till.opened_page(provider="paypal")["checkout_id"]
    till.paid_at_the_counter("INV-1001", "25.00")
    rounds(till)
    assert pages(till) == [("expired", "")]
    till.pay(order)
    rounds(till)
    assert captures(till) == []
    found = looked(till).json["discrepancies"]
    assert [(one["type"], one["subject"]) for one in found] == [("approved_not_captured", order)]


def test_a_doubt_about_one_page_keeps_no_other_page_open(till: Till) -> None:
    """The capture's outcome is unknown and the invoice is paid in cash: Stripe's page is closed in the next round."""
    paypal, stripe = both_pages(till)
    till.pay(paypal)
    till.fail("paypal", "*/capture", "drop_before", method="POST", times=3)
    till.run("run_pending")
    till.paid_at_the_counter("INV-1001", "60.00")
    till.run("run_pending")
    assert "error" in till.pay(stripe)
    rounds(till)
    assert_nothing_captured(till)


def test_the_other_page_is_closed_before_money_moves(till: Till) -> None:
    """Nobody can pay there while PayPal's capture is under way."""
    paypal, _ = both_pages(till)
    till.pay(paypal)
    till.run("run_pending")
    changes = [row["path"] for row in till.requests(method="POST") if row["path"].endswith(("/expire", "/capture"))]
    assert [path.rpartition("/")[2] for path in changes] == ["expire", "capture"]
    assert captures(till) == ["COMPLETED"]
