"""create_checkout.py: one open page for an invoice's open balance, whoever asks and however often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from create_checkout import create_checkout
from helpers.dry_runs import dry_run, operations
from helpers.sale import DECLINED, Json, Shop
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.sales.balance import require_enough

DAY = 24 * 3600


def sessions(shop: Shop) -> list[Json]:
    return list(shop.simulator.world.all("stripe.checkout.session"))


def test_the_result_has_the_documented_keys(shop: Shop) -> None:
    """invoice, provider, checkout_id, url, amount, expires_at: as the directives rely on."""
    result = shop.opened_page()
    (session,) = sessions(shop)
    assert result["expires_at"].endswith("Z")
    assert {name: result[name] for name in ("invoice", "provider", "checkout_id", "url", "amount", "already_done")} == {
        "invoice": "INV-1001",
        "provider": "stripe",
        "checkout_id": session["id"],
        "url": session["url"],
        "amount": {"minor": 6000, "currency": "USD"},
        "already_done": False,
    }


def test_metadata_and_return_pages(shop: Shop) -> None:
    """Operation id and invoice number are on session and payment intent; the customer comes back to pages of ours."""
    page = shop.opened_page()
    shop.pay(page["checkout_id"])
    (session,) = sessions(shop)
    (intent,) = shop.simulator.world.all("stripe.payment_intent")
    operation = shop.till.ledger.operations.last("create_checkout", "stripe/INV-1001")
    invoice = shop.till.ledger.sales.invoice("INV-1001")
    assert operation is not None
    assert invoice is not None
    for found in (session["metadata"], intent["metadata"]):
        assert (found["operation"], found["invoice"]) == (operation.id, "INV-1001")
    ours = f"http://127.0.0.1:8080/pay/{invoice.token}"
    assert (session["success_url"], session["cancel_url"]) == (f"{ours}/paid", f"{ours}/cancelled")


def test_the_same_page_while_it_lives(shop: Shop) -> None:
    """Asked again an hour later, after a declined card too: the same page, and one session at Stripe."""
    page = shop.opened_page()
    shop.pay(page["checkout_id"], DECLINED)
    shop.later(3600)
    again = shop.run("create_checkout", "INV-1001").json
    assert again == {**page, "already_done": True}
    assert len(sessions(shop)) == 1


def test_a_new_page_when_the_old_one_died(shop: Shop) -> None:
    """After a day the session has expired: another one, of the next generation."""
    page = shop.opened_page()
    shop.later(DAY + 60)
    new = shop.run("create_checkout", "INV-1001").json
    assert new["checkout_id"] != page["checkout_id"]
    assert new["already_done"] is False
    assert [session["status"] for session in sessions(shop)].count("open") == 1
    operation = shop.till.ledger.operations.last("create_checkout", "stripe/INV-1001")
    assert operation is not None
    assert operation.generation == 2


def test_d9_a_changed_balance_closes_the_old_page_first(shop: Shop) -> None:
    """20.00 of 60.00 were paid in cash: the page of 60.00 is closed, the new one asks for 40.00."""
    page = shop.opened_page()
    shop.paid_at_the_counter("INV-1001", "20.00")
    new = shop.run("create_checkout", "INV-1001").json
    assert new["amount"] == {"minor": 4000, "currency": "USD"}
    status = {session["id"]: session["status"] for session in sessions(shop)}
    assert status == {page["checkout_id"]: "expired", new["checkout_id"]: "open"}


def test_a_paid_invoice_needs_no_page(shop: Shop) -> None:
    """Paid and posted: exit 3, with the command that shows its payments."""
    shop.finished()
    ran = shop.run("create_checkout", "INV-1001")
    assert (ran.code, ran.out) == (3, "")
    assert "nothing is open on invoice INV-1001" in ran.err
    assert "show_payment.py INV-1001" in ran.err


@pytest.mark.parametrize("processed", [False, True])
def test_a_paid_page_that_the_books_do_not_know_yet(shop: Shop, processed: bool) -> None:
    """Paid a moment ago, QuickBooks still says 60.00 open: no second page for the same money."""
    shop.pay(shop.opened_page()["checkout_id"])
    if processed:
        shop.run("poll_events")
        shop.run("process_inbox")
    ran = shop.run("create_checkout", "INV-1001")
    assert (ran.code, ran.out) == (3, "")
    assert "nothing is open" in ran.err
    assert len(sessions(shop)) == 1


def test_a_number_that_nobody_knows(shop: Shop) -> None:
    """Neither in the ledger nor in QuickBooks: exit 3 names the step that makes one."""
    ran = shop.run("create_checkout", "INV-404")
    assert (ran.code, ran.out) == (3, "")
    assert "create_invoice.py" in ran.err
    assert sessions(shop) == []


def by_hand(shop: Shop, number: str, amount: str) -> None:
    """Somebody writes an invoice in QuickBooks for Ada."""
    shop.run("check_setup")
    line = {
        "DetailType": "SalesItemLineDetail",
        "Amount": float(amount),
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": "NON"}},
    }
    body = {
        "DocNumber": number,
        "CustomerRef": {"value": "1"},
        "BillEmail": {"Address": "ada@example.com"},
        "Line": [line],
    }
    connection: Any = shop.till.books
    connection.connection.call(lambda client: client.create_object("Invoice", json.dumps(body).encode()))


def test_an_invoice_made_by_hand_is_adopted_by_exact_number(shop: Shop) -> None:
    """It gets its page, is paid, and is posted like our own."""
    by_hand(shop, "1042", "75.50")
    assert shop.run("create_checkout", "104").code == 3
    page = shop.run("create_checkout", "1042").json
    assert page["amount"] == {"minor": 7550, "currency": "USD"}
    shop.pay(page["checkout_id"])
    shop.later(60)
    assert shop.run("run_pending").code == 0
    (invoice,) = shop.books("Invoice")
    assert invoice["Balance"] == "0.00"
    assert [mail["to"] for mail in shop.mails()] == [["ada@example.com"]]


def test_c1_an_answer_that_was_lost_is_not_a_second_page(shop: Shop) -> None:
    """Stripe made the session, its answer never came: exit 5, then the same command returns the one session."""
    shop.invoiced()
    shop.fail("stripe", "*/checkout/sessions", "drop_after", method="POST", times=9)
    lost = shop.run("create_checkout", "INV-1001")
    assert (lost.code, lost.out) == (5, "")
    assert "exactly the same command" in lost.err
    shop.simulator._faults.clear()
    assert shop.run("create_checkout", "INV-1001").code == 0
    assert len(sessions(shop)) == 1


def test_c23_a_throttled_request_did_nothing(shop: Shop) -> None:
    """429 all the way: exit 4, nothing happened, and the next run makes the page."""
    shop.invoiced()
    shop.fail("stripe", "*/checkout/sessions", "429", method="POST", times=9)
    ran = shop.run("create_checkout", "INV-1001")
    assert (ran.code, ran.out) == (4, "")
    shop.simulator._faults.clear()
    assert shop.run("create_checkout", "INV-1001").code == 0
    assert len(sessions(shop)) == 1


def test_the_plain_function_does_the_same(shop: Shop) -> None:
    """Other scripts import the function."""
    shop.invoiced()
    made = create_checkout("INV-1001", provider="stripe", till=shop.till)
    assert (made.amount.text, made.already_done) == ("60.00", False)


def test_g20_a_dry_run_plans_what_the_real_run_does(shop: Shop) -> None:
    """The planned parameters are the stored ones, to the byte."""
    shop.invoiced()
    plan = dry_run(shop, "create_checkout", "INV-1001")["plan"]
    assert shop.run("create_checkout", "INV-1001").code == 0
    assert plan == operations(shop)[-1:]


def test_g20_a_dry_run_says_that_a_page_would_be_closed(shop: Shop) -> None:
    """Close the old one, open the new one: in this order, as the real run does."""
    shop.opened_page()
    shop.paid_at_the_counter("INV-1001", "20.00")
    plan = dry_run(shop, "create_checkout", "INV-1001")["plan"]
    assert [step["kind"] for step in plan] == ["close_checkout", "create_checkout"]
    assert shop.run("create_checkout", "INV-1001").code == 0
    assert plan == operations(shop)[-2:]


SMALL = {"lines": [{"description": "Hosting", "sku": "HOSTING", "quantity": "1", "unit_price": "0.30"}]}


@pytest.mark.parametrize("script", ["create_checkout", "send_invoice"])
def test_a_page_below_the_minimum_is_refused_before_its_provider_is_asked(shop: Shop, script: str) -> None:
    """0.30 where Stripe takes 0.50 or more: both figures are told, no page is made and no link is mailed."""
    shop.invoiced("INV-1", **SMALL)
    ran = shop.run(script, "INV-1")
    assert (ran.code, ran.out) == (3, "")
    assert "0.30 USD is too little for a page: Stripe takes 0.50 USD or more" in ran.err
    assert list(shop.simulator.world.all("stripe.checkout.session")) == []
    assert shop.mails() == []


def test_what_one_provider_takes_is_enough_for_a_link_to_our_page() -> None:
    """PayPal has no minimum: with it a mail may lead to our page. Alone, Stripe takes 0.50 USD or more."""
    require_enough(Money(30, "USD"), ["stripe", "paypal"])
    require_enough(Money(50, "USD"), ["stripe"])
    with pytest.raises(Refused, match=r"0\.49 USD is too little"):
        require_enough(Money(49, "USD"), ["stripe"])
