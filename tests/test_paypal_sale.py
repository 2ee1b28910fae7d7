"""Sales through PayPal from the order to the books: approved, captured, pending, denied, lost, late and twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import requests

from create_checkout import create_checkout
from receiving import Receiver, receiving
from reconciling import clean, ended, looked, the_one
from refunding import documents, in_ledger, settled, state
from rehearsed import changes, rehearse
from sale import Till, control
from send_invoice import send_invoice
from tillbook import invariants
from tillbook.errors import Refused
from tillbook.workshop import Workshop

LAG = 4 * 3600  # longer than the statement may lag behind
ONE_SALE = {"PaymentSucceeded": 1, "ProcessorFee": 1, "InvoiceIssued": 1}
# 3.49 % of 60.00 is 2.094; with 0.49 it is 2.58.
FEE = 258


def captures(till: Till) -> list[str]:
    """The status of every capture that PayPal holds."""
    return [one["status"] for one in till.simulator.world.all("paypal.capture")]


def pages(till: Till, number: str = "INV-1001") -> list[tuple[str, str]]:
    """Every page of an invoice as the ledger has it: status and reason."""
    return [(page.status, page.reason) for page in till.shop.ledger.sales.checkouts_of_invoice(number)]


def assert_paid_once(till: Till) -> None:
    """One payment of 60.00 at PayPal, in the ledger, in QuickBooks and by mail; every invariant holds."""
    facts = till.shop.ledger.facts.of_invoice("INV-1001")
    assert Counter(fact.kind for fact in facts) == ONE_SALE
    assert in_ledger(till) == {"PayPal Clearing": 6000 - FEE, "Processing Fees": FEE, "Revenue": -6000}
    assert state(till)["captured"]["paypal"] == {"USD": 6000}
    assert documents(till) == ["Payment 60.00"]
    assert [mail["subject"] for mail in till.mails()].count("Receipt for INV-1001: 60.00 USD paid") == 1
    assert list(invariants.broken(till.shop.ledger)) == []


def assert_not_paid(till: Till) -> None:
    """No money moved: nothing but the invoice is in the ledger, and nothing is in QuickBooks."""
    assert in_ledger(till) == {"Receivable": 6000, "Revenue": -6000}
    assert documents(till) == []
    assert till.mails() == []


def test_c19_an_approved_order_is_captured_when_nobody_comes_back(till: Till) -> None:
    """Approval moves no money; the next round of cron captures it, once, and the whole chain follows."""
    order = till.approved()
    assert captures(till) == []
    settled(till)
    assert captures(till) == ["COMPLETED"]
    assert_paid_once(till)
    chain = till.run("show_payment", order).json["chain"]
    assert [link["status"] for link in chain if link["what"] == "checkout"] == ["paid"]
    assert "PayPal (USD)" in {one["Name"] for one in till.books("Account")}
    assert till.run("create_checkout", "INV-1001", "--provider", "paypal").code == 3


def test_the_customer_comes_back_and_the_money_is_captured(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page after paying captures at once, says thanks, and asked again changes nothing."""
    with receiving(till, monkeypatch) as receiver:
        page = till.opened_page(provider="paypal")
        back = _approve(receiver, page["url"])
        for _ in range(2):
            answer = requests.get(back, timeout=20)
            assert "Thank you" in answer.text
            assert "<form" not in answer.text
        assert captures(till) == ["COMPLETED"]
        receiver.delivered()
    settled(till)
    assert_paid_once(till)


def _approve(receiver: Receiver, url: str) -> str:
    """Press the button on PayPal's page; the address of ours that it leads to."""
    typed = {"email": "grace@example.com", "outcome": "approve"}
    answer = requests.post(url, data=typed, timeout=10, allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(receiver.url)
    return answer.headers["location"]


def test_a_customer_whose_payment_was_refused_is_told_so(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """The capture is declined: nothing was charged, the page says it with a way to pay, and nothing is thanked for."""
    with receiving(till, monkeypatch) as receiver:
        page = till.opened_page(provider="paypal")
        control(till.simulator, "pay", {"checkout_id": page["checkout_id"], "card": "4000000000000002"})
        answer = requests.get(f"{receiver.url}/pay/{_token(till)}/paid", timeout=20)
        assert "nothing was charged" in answer.text
        assert 'method="post"' in answer.text
    ((status, reason),) = pages(till)
    assert (status, reason[:13]) == ("expired", "not captured:")
    assert_not_paid(till)


def _token(till: Till) -> str:
    invoice = till.shop.ledger.sales.invoice("INV-1001")
    assert invoice is not None
    return invoice.token


def test_our_page_offers_both_providers(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """A button each, named as people write them; the one for PayPal leads to PayPal's page."""
    with receiving(till, monkeypatch) as receiver:
        till.invoiced()
        link = f"{receiver.url}/pay/{_token(till)}"
        shown = requests.get(link, timeout=10).text
        assert "with Stripe</button>" in shown
        assert "with PayPal</button>" in shown
        pressed = requests.post(link, params={"provider": "paypal"}, timeout=20, allow_redirects=False)
        assert pressed.status_code == 303
        assert "/paypal/approve/" in pressed.headers["location"]


def test_c18_pending_is_no_money_until_it_is_completed(till: Till) -> None:
    """An eCheck takes days: a payment in progress, no second page, and money only in the end."""
    control(till.simulator, "captures", {"status": "PENDING", "reason": "ECHECK"})
    till.approved()
    settled(till)
    assert captures(till) == ["PENDING"]
    assert_not_paid(till)
    assert "in progress" in till.run("create_checkout", "INV-1001").err
    (capture,) = till.simulator.world.all("paypal.capture")
    till.later(3 * 86400)
    control(till.simulator, "capture_outcome", {"capture": capture["id"], "outcome": "completed"})
    settled(till)
    assert_paid_once(till)


def test_c18_pending_then_denied_was_never_money(till: Till) -> None:
    """Denied days later: nothing to take back, and the customer can pay on a new page."""
    control(till.simulator, "captures", {"status": "PENDING", "reason": "PENDING_REVIEW"})
    till.approved()
    settled(till)
    (capture,) = till.simulator.world.all("paypal.capture")
    control(till.simulator, "capture_outcome", {"capture": capture["id"], "outcome": "declined"})
    settled(till)
    assert_not_paid(till)
    assert pages(till) == [("expired", "not captured: PayPal did not complete the payment")]
    control(till.simulator, "captures", {"status": "COMPLETED"})
    page = till.run("create_checkout", "INV-1001", "--provider", "paypal").json
    assert page["already_done"] is False
    till.pay(page["checkout_id"])
    settled(till)
    assert_paid_once(till)


def test_c17_captured_by_somebody_else_is_adopted(till: Till) -> None:
    """Another program was faster: its capture is ours, and there is no second one."""
    control(till.simulator, "capture", {"checkout_id": till.approved()})
    settled(till)
    assert captures(till) == ["COMPLETED"]
    assert_paid_once(till)


def test_c7_a_capture_whose_answer_was_lost_is_looked_for_after_hours(till: Till) -> None:
    """Sent in time, settled 7 h later, past half of PayPal's window: read first, captured once."""
    till.approved()
    till.fail("paypal", "*/capture", "drop_after", method="POST", times=3)
    assert till.run("run_pending").code == 5
    control_sent = [row["idempotency_key"] for row in till.requests("paypal", "POST", "/capture")]
    assert len(set(control_sent)) == 1
    till.later(7 * 3600)
    settled(till)
    assert len(till.requests("paypal", "POST", "/capture")) == len(control_sent), "nothing was sent again"
    assert_paid_once(till)


def test_c19_an_approval_that_expired_ends_not_captured(till: Till) -> None:
    """Nobody captured in time: the page is over with its reason, and a new one is minted and paid once."""
    till.approved()
    till.later(4 * 3600)
    till.run("run_pending")
    ((status, reason),) = pages(till)
    assert (status, reason[:13]) == ("expired", "not captured:")
    assert_not_paid(till)
    page = till.run("create_checkout", "INV-1001", "--provider", "paypal").json
    till.pay(page["checkout_id"])
    settled(till)
    assert_paid_once(till)
    chain = till.run("show_payment", "INV-1001").json["chain"]
    assert [link["status"] for link in chain if link["what"] == "checkout"] == ["expired", "paid"]


def test_c19_approved_and_not_captured_is_a_discrepancy(till: Till) -> None:
    """The nightly proof finds it without any event, names its amount, and its command ends it."""
    control(till.simulator, "deliveries", {"paused": True})
    order = till.approved()
    found = the_one(till)
    assert (found["type"], found["subject"], found["amount"]) == (
        "approved_not_captured",
        order,
        {"minor": 6000, "currency": "USD"},
    )
    ended(till, found)
    assert captures(till) == ["COMPLETED"]


def test_c19_reconciliation_repairs_what_was_not_captured(till: Till) -> None:
    """--repair captures it, too."""
    till.approved()
    assert looked(till).code == 7
    assert till.run("reconcile_payments", "--repair").code == 0
    settled(till)
    assert_paid_once(till)


def test_c19_an_approval_that_came_to_nothing_is_told_until_it_is_paid(till: Till) -> None:
    """The customer may believe that it is paid: a person hears of it every night, until it is."""
    till.approved()
    till.later(4 * 3600)
    till.run("run_pending")
    found = the_one(till)
    assert found["type"] == "approved_not_captured"
    assert "--accept" in found["repair"]
    page = till.run("create_checkout", "INV-1001").json
    till.pay(page["checkout_id"])
    settled(till)
    clean(till)


def test_more_than_is_open_is_not_captured(till: Till) -> None:
    """Paid at the counter meanwhile: the approved page asks for too much and is closed; a new one asks for the rest."""
    till.approved()
    till.paid_at_the_counter("INV-1001", "25.00")
    settled(till)
    assert captures(till) == []
    assert [status for status, _ in pages(till)] == ["expired"]
    page = till.run("create_checkout", "INV-1001", "--provider", "paypal").json
    assert page["amount"] == {"minor": 3500, "currency": "USD"}


def test_no_other_page_is_minted_while_an_approval_waits(till: Till) -> None:
    """The customer has agreed to pay: neither provider opens a second page for the same money."""
    till.approved()
    for provider in ("stripe", "paypal"):
        assert "in progress" in till.run("create_checkout", "INV-1001", "--provider", provider).err


def test_the_page_of_the_other_provider_is_closed_by_a_capture(till: Till) -> None:
    """Both pages are open; PayPal's is approved and captured, and Stripe's cannot be paid any more."""
    stripe = till.opened_page()
    paypal = till.run("create_checkout", "INV-1001", "--provider", "paypal").json
    till.pay(paypal["checkout_id"])
    settled(till)
    assert "error" in till.pay(stripe["checkout_id"])
    assert_paid_once(till)


def test_both_pages_used_before_we_looked_are_one_payment(till: Till) -> None:
    """Stripe moved its money by itself, PayPal's order was only approved: it is not captured."""
    paypal = till.opened_page(provider="paypal")
    stripe = till.run("create_checkout", "INV-1001", "--provider", "stripe").json
    till.pay(stripe["checkout_id"])
    till.pay(paypal["checkout_id"])
    settled(till)
    assert captures(till) == []
    assert state(till)["captured"] == {"stripe": {"usd": 6000}, "paypal": {}}


def test_polling_alone_reaches_the_same_end(till: Till) -> None:
    """B20: no webhook, no list: another program captured it, and reading the open order by id brings the facts."""
    control(till.simulator, "deliveries", {"paused": True})
    control(till.simulator, "capture", {"checkout_id": till.approved()})
    for script in ("poll_events", "process_inbox", "post_to_books", "send_messages"):
        assert till.run(script).code == 0
    assert_paid_once(till)


def test_a_day_of_lost_events_is_repaired_by_the_statement(till: Till) -> None:
    """A capture that nobody heard of stands in the statement hours later, is read by id and booked."""
    control(till.simulator, "capture", {"checkout_id": till.approved()})
    till.later(LAG)
    assert till.run("reconcile_payments").code == 7
    assert till.run("reconcile_payments", "--repair").code == 0
    settled(till)
    assert_paid_once(till)


def test_balance_ledger_and_books_agree_after_a_sale_and_a_refund(till: Till) -> None:
    """Inside the lag nothing is found that is none; after it every figure is equal."""
    till.approved()
    settled(till)
    refund = till.run("refund_payment", "INV-1001", "--amount", "20.00", "--reason", "came late").json
    assert (refund["status"], refund["remaining"]) == ("succeeded", {"minor": 4000, "currency": "USD"})
    again = till.run("refund_payment", "INV-1001", "--amount", "20.00", "--reason", "came late").json
    assert (again["refund"], again["already_done"]) == (refund["refund"], True)
    settled(till)
    clean(till)
    till.later(LAG)
    told = clean(till)
    assert any(proof["name"].startswith("PayPal balance") for proof in told["proofs"])
    assert documents(till) == ["Payment 60.00", "RefundReceipt 20.00"]
    assert state(till)["refunded"]["paypal"] == {"USD": 2000}


def test_without_a_public_address_no_paypal_link_is_made_or_mailed(till: Till) -> None:
    """PayPal's pages live for hours: exit 3 with the setting that helps, nothing mailed, nothing asked of PayPal."""
    till.invoiced()
    settings = replace(till.shop.settings, mode="test", stripe_secret_key="")
    bare = Workshop(settings, till.shop.clock, till.shop.ledger, "somebody")
    for step in (
        lambda: create_checkout("INV-1001", provider="paypal", shop=bare),
        lambda: send_invoice("INV-1001", shop=bare),
    ):
        with pytest.raises(Refused) as refusal:
            step()
        assert (refusal.value.exit_code, "TILLBOOK_BASE_URL" in refusal.value.hint) == (3, True)
    assert till.mails() == []
    assert till.requests("paypal", "POST", "/orders") == []


def test_g20_a_dry_run_captures_nothing(till: Till) -> None:
    """The plan names the capture; PayPal hears of none."""
    till.approved()
    before = changes(till)
    plan = rehearse(till, "run_pending")["plan"]
    assert "capture_checkout" in [one["kind"] for one in plan]
    assert changes(till) == before
    assert captures(till) == []
