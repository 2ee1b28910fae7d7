"""Sales through PayPal from the order to the books: approved, captured, pending, denied, lost, late and twice."""

from __future__ import annotations

import pytest
import requests

from create_checkout import create_checkout
from helpers.dry_runs import changes, dry_run
from helpers.reconciling import clean, ended, looked, the_one
from helpers.refunding import documents, settled, state
from helpers.sale import Shop, control
from helpers.settings import changed
from helpers.vendors.paypal_sale import LAG, assert_not_paid, assert_paid_once, captures, pages
from helpers.web.receiving import Receiver, receiving
from send_invoice import send_invoice
from tillbook.kit.errors import Refused
from tillbook.till import Till


def test_c19_an_approved_order_is_captured_when_nobody_comes_back(shop: Shop) -> None:
    """Approval moves no money; the next round of cron captures it, once, and the whole chain follows."""
    order = shop.approved()
    assert captures(shop) == []
    settled(shop)
    assert captures(shop) == ["COMPLETED"]
    assert_paid_once(shop)
    chain = shop.run("show_payment", order).json["chain"]
    assert [link["status"] for link in chain if link["what"] == "checkout"] == ["paid"]
    assert "PayPal (USD)" in {one["Name"] for one in shop.books("Account")}
    assert shop.run("create_checkout", "INV-1001", "--provider", "paypal").code == 3


def test_the_customer_comes_back_and_the_money_is_captured(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page after paying captures at once, says thanks, and asked again changes nothing."""
    with receiving(shop, monkeypatch) as receiver:
        page = shop.opened_page(provider="paypal")
        back = _approve(receiver, page["url"])
        for _ in range(2):
            answer = requests.get(back, timeout=20)
            assert "Thank you" in answer.text
            assert "<form" not in answer.text
        assert captures(shop) == ["COMPLETED"]
        receiver.delivered()
    settled(shop)
    assert_paid_once(shop)


def _approve(receiver: Receiver, url: str) -> str:
    """Press the button on PayPal's page; the address of ours that it leads to."""
    typed = {"email": "grace@example.com", "outcome": "approve"}
    answer = requests.post(url, data=typed, timeout=10, allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(receiver.url)
    return answer.headers["location"]


def test_a_customer_whose_payment_was_refused_is_told_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The capture is declined: nothing was charged, the page says it with a way to pay, and nothing is thanked for."""
    with receiving(shop, monkeypatch) as receiver:
        page = shop.opened_page(provider="paypal")
        control(shop.simulator, "pay", {"checkout_id": page["checkout_id"], "card": "4000000000000002"})
        answer = requests.get(f"{receiver.url}/pay/{_token(shop)}/paid", timeout=20)
        assert "nothing was charged" in answer.text
        assert 'method="post"' in answer.text
    ((status, reason),) = pages(shop)
    assert (status, reason[:13]) == ("expired", "not captured:")
    assert_not_paid(shop)


def _token(shop: Shop) -> str:
    invoice = shop.till.ledger.sales.invoice("INV-1001")
    assert invoice is not None
    return invoice.token


def test_our_page_offers_both_providers(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A button each, named as people write them; the one for PayPal leads to PayPal's page."""
    with receiving(shop, monkeypatch) as receiver:
        shop.invoiced()
        link = f"{receiver.url}/pay/{_token(shop)}"
        shown = requests.get(link, timeout=10).text
        assert "with Stripe</button>" in shown
        assert "with PayPal</button>" in shown
        pressed = requests.post(link, params={"provider": "paypal"}, timeout=20, allow_redirects=False)
        assert pressed.status_code == 303
        assert "/paypal/approve/" in pressed.headers["location"]


def test_c18_pending_is_no_money_until_it_is_completed(shop: Shop) -> None:
    """An eCheck takes days: a payment in progress, no second page, and money only in the end."""
    control(shop.simulator, "captures", {"status": "PENDING", "reason": "ECHECK"})
    shop.approved()
    settled(shop)
    assert captures(shop) == ["PENDING"]
    assert_not_paid(shop)
    assert "in progress" in shop.run("create_checkout", "INV-1001").err
    (capture,) = shop.simulator.world.all("paypal.capture")
    shop.later(3 * 86400)
    control(shop.simulator, "capture_outcome", {"capture": capture["id"], "outcome": "completed"})
    settled(shop)
    assert_paid_once(shop)


def test_c18_pending_then_denied_was_never_money(shop: Shop) -> None:
    """Denied days later: nothing to take back, and the customer can pay on a new page."""
    control(shop.simulator, "captures", {"status": "PENDING", "reason": "PENDING_REVIEW"})
    shop.approved()
    settled(shop)
    (capture,) = shop.simulator.world.all("paypal.capture")
    control(shop.simulator, "capture_outcome", {"capture": capture["id"], "outcome": "declined"})
    settled(shop)
    assert_not_paid(shop)
    assert pages(shop) == [("expired", "not captured: PayPal did not complete the payment")]
    control(shop.simulator, "captures", {"status": "COMPLETED"})
    page = shop.run("create_checkout", "INV-1001", "--provider", "paypal").json
    assert page["already_done"] is False
    shop.pay(page["checkout_id"])
    settled(shop)
    assert_paid_once(shop)


def test_c17_captured_by_somebody_else_is_adopted(shop: Shop) -> None:
    """Another program was faster: its capture is ours, and there is no second one."""
    control(shop.simulator, "capture", {"checkout_id": shop.approved()})
    settled(shop)
    assert captures(shop) == ["COMPLETED"]
    assert_paid_once(shop)


def test_c7_a_capture_whose_answer_was_lost_is_looked_for_after_hours(shop: Shop) -> None:
    """Sent in time, settled 7 h later, past half of PayPal's window: read first, captured once."""
    shop.approved()
    shop.fail("paypal", "*/capture", "drop_after", method="POST", times=3)
    assert shop.run("run_pending").code == 5
    control_sent = [row["idempotency_key"] for row in shop.requests("paypal", "POST", "/capture")]
    assert len(set(control_sent)) == 1
    shop.later(7 * 3600)
    settled(shop)
    assert len(shop.requests("paypal", "POST", "/capture")) == len(control_sent), "nothing was sent again"
    assert_paid_once(shop)


def test_c19_an_approval_that_expired_ends_not_captured(shop: Shop) -> None:
    """Nobody captured in time: the page is over with its reason, and a new one is minted and paid once."""
    shop.approved()
    shop.later(4 * 3600)
    shop.run("run_pending")
    ((status, reason),) = pages(shop)
    assert (status, reason[:13]) == ("expired", "not captured:")
    assert_not_paid(shop)
    page = shop.run("create_checkout", "INV-1001", "--provider", "paypal").json
    shop.pay(page["checkout_id"])
    settled(shop)
    assert_paid_once(shop)
    chain = shop.run("show_payment", "INV-1001").json["chain"]
    assert [link["status"] for link in chain if link["what"] == "checkout"] == ["expired", "paid"]


def test_c19_approved_and_not_captured_is_a_discrepancy(shop: Shop) -> None:
    """The nightly proof finds it without any event, names its amount, and its command ends it."""
    control(shop.simulator, "deliveries", {"paused": True})
    order = shop.approved()
    found = the_one(shop)
    assert (found["type"], found["subject"], found["amount"]) == (
        "approved_not_captured",
        order,
        {"minor": 6000, "currency": "USD"},
    )
    ended(shop, found)
    assert captures(shop) == ["COMPLETED"]


def test_c19_reconciliation_repairs_what_was_not_captured(shop: Shop) -> None:
    """--repair captures it, too."""
    shop.approved()
    assert looked(shop).code == 7
    assert shop.run("reconcile_payments", "--repair").code == 0
    settled(shop)
    assert_paid_once(shop)


def test_c19_an_approval_that_came_to_nothing_is_told_until_it_is_paid(shop: Shop) -> None:
    """The customer may believe that it is paid: a person hears of it every night, until it is."""
    shop.approved()
    shop.later(4 * 3600)
    shop.run("run_pending")
    found = the_one(shop)
    assert found["type"] == "approved_not_captured"
    assert found["needs_person"]
    page = shop.run("create_checkout", "INV-1001").json
    shop.pay(page["checkout_id"])
    settled(shop)
    clean(shop)


def test_more_than_is_open_is_not_captured(shop: Shop) -> None:
    """Paid at the counter meanwhile: the approved page asks for too much and is closed; a new one asks for the rest."""
    shop.approved()
    shop.paid_at_the_counter("INV-1001", "25.00")
    settled(shop)
    assert captures(shop) == []
    assert [status for status, _ in pages(shop)] == ["expired"]
    page = shop.run("create_checkout", "INV-1001", "--provider", "paypal").json
    assert page["amount"] == {"minor": 3500, "currency": "USD"}


def test_no_other_page_is_minted_while_an_approval_waits(shop: Shop) -> None:
    """The customer has agreed to pay: neither provider opens a second page for the same money."""
    shop.approved()
    for provider in ("stripe", "paypal"):
        assert "in progress" in shop.run("create_checkout", "INV-1001", "--provider", provider).err


def test_the_page_of_the_other_provider_is_closed_by_a_capture(shop: Shop) -> None:
    """Both pages are open; PayPal's is approved and captured, and Stripe's cannot be paid any more."""
    stripe = shop.opened_page()
    paypal = shop.run("create_checkout", "INV-1001", "--provider", "paypal").json
    shop.pay(paypal["checkout_id"])
    settled(shop)
    assert "error" in shop.pay(stripe["checkout_id"])
    assert_paid_once(shop)


def test_both_pages_used_before_we_looked_are_one_payment(shop: Shop) -> None:
    """Stripe moved its money by itself, PayPal's order was only approved: it is not captured."""
    paypal = shop.opened_page(provider="paypal")
    stripe = shop.run("create_checkout", "INV-1001", "--provider", "stripe").json
    shop.pay(stripe["checkout_id"])
    shop.pay(paypal["checkout_id"])
    settled(shop)
    assert captures(shop) == []
    assert state(shop)["captured"] == {"stripe": {"usd": 6000}, "paypal": {}}


def test_polling_alone_reaches_the_same_end(shop: Shop) -> None:
    """B20: no webhook, no list: another program captured it, and reading the open order by id brings the facts."""
    control(shop.simulator, "deliveries", {"paused": True})
    control(shop.simulator, "capture", {"checkout_id": shop.approved()})
    for script in ("poll_events", "process_inbox", "post_to_books", "send_messages"):
        assert shop.run(script).code == 0
    assert_paid_once(shop)


def test_a_day_of_lost_events_is_repaired_by_the_statement(shop: Shop) -> None:
    """A capture that nobody heard of stands in the statement hours later, is read by id and booked."""
    control(shop.simulator, "capture", {"checkout_id": shop.approved()})
    shop.later(LAG)
    assert shop.run("reconcile_payments").code == 7
    assert shop.run("reconcile_payments", "--repair").code == 0
    settled(shop)
    assert_paid_once(shop)


def test_balance_ledger_and_books_agree_after_a_sale_and_a_refund(shop: Shop) -> None:
    """Inside the lag nothing is found that is none; after it every figure is equal."""
    shop.approved()
    settled(shop)
    refund = shop.run("refund_payment", "INV-1001", "--amount", "20.00", "--reason", "came late").json
    assert (refund["status"], refund["remaining"]) == ("succeeded", {"minor": 4000, "currency": "USD"})
    again = shop.run("refund_payment", "INV-1001", "--amount", "20.00", "--reason", "came late").json
    assert (again["refund"], again["already_done"]) == (refund["refund"], True)
    settled(shop)
    clean(shop)
    shop.later(LAG)
    told = clean(shop)
    assert any(proof["name"].startswith("PayPal balance") for proof in told["proofs"])
    assert documents(shop) == ["Payment 60.00", "RefundReceipt 20.00"]
    assert state(shop)["refunded"]["paypal"] == {"USD": 2000}


def test_without_a_public_address_no_paypal_link_is_made_or_mailed(shop: Shop) -> None:
    """PayPal's pages live for hours: exit 3 with the setting that helps, nothing mailed, nothing asked of PayPal."""
    shop.invoiced()
    settings = changed(shop.till.settings, mode="test", stripe_secret_key="")
    bare = Till(settings, shop.till.clock, shop.till.ledger, "somebody")
    for step in (
        lambda: create_checkout("INV-1001", provider="paypal", till=bare),
        lambda: send_invoice("INV-1001", till=bare),
    ):
        with pytest.raises(Refused) as refusal:
            step()
        assert (refusal.value.exit_code, "TILLBOOK_BASE_URL" in refusal.value.hint) == (3, True)
    assert shop.mails() == []
    assert shop.requests("paypal", "POST", "/orders") == []


def test_g20_a_dry_run_captures_nothing(shop: Shop) -> None:
    """The plan names the capture; PayPal hears of none."""
    shop.approved()
    before = changes(shop)
    plan = dry_run(shop, "run_pending")["plan"]
    assert "capture_checkout" in [one["kind"] for one in plan]
    assert changes(shop) == before
    assert captures(shop) == []
