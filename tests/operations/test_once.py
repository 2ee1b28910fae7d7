"""Once: the same event, or the same step, again and again, is one payment, one document and one mail."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from helpers.running.processes import Processes
from helpers.sale import Shop
from helpers.web.receiving import receiving
from tillbook.proof import invariants

ONE_SALE = {"PaymentSucceeded": 1, "ProcessorFee": 1, "InvoiceIssued": 1}


def settled(shop: Shop) -> None:
    """Every step after the events, twice."""
    for _ in range(2):
        for script in ("process_inbox", "post_to_books", "send_messages"):
            assert shop.run(script).code == 0


def assert_one_sale(shop: Shop, *, minor: int = 6000, fee: int = 204) -> None:
    """One payment in ledger and books, one fee, one confirmation; and the invariants hold."""
    facts = shop.till.ledger.facts.of_invoice("INV-1001")
    assert Counter(fact.kind for fact in facts) == ONE_SALE
    balances = {account: money.minor for (account, _), money in shop.till.ledger.facts.balances().items()}
    assert balances == {"Stripe Clearing": minor - fee, "Processing Fees": fee, "Revenue": -minor}
    (payment,) = shop.books("Payment")
    assert payment["TotalAmt"] == "60.00"
    assert [mail["subject"] for mail in shop.mails()] == ["Receipt for INV-1001: 60.00 USD paid"]
    assert list(invariants.broken(shop.till.ledger)) == []


def paid_page(shop: Shop) -> None:
    """A page that was paid, with its fee known."""
    shop.pay(shop.opened_page()["checkout_id"])
    shop.later(60)


def events(shop: Shop) -> list[str]:
    return [event["id"] for event in shop.simulator.world.all("stripe.event")]


def test_b1_every_event_five_times_by_webhook(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event delivered five times more, at once: all answered 200, one payment, one mail."""
    with receiving(shop, monkeypatch) as receiver:
        paid_page(shop)
        receiver.delivered()
        for event in events(shop):
            assert receiver.redeliver(event, 5) == [200] * 5
        settled(shop)
        for event in events(shop):
            assert receiver.redeliver(event, 1) == [200]
    settled(shop)
    assert_one_sale(shop)


def test_b1_the_same_events_by_poll_again_and_again(shop: Shop) -> None:
    """A poll reads an overlap again: what was seen is not new, and changes nothing."""
    paid_page(shop)
    first = shop.run("poll_events").json
    settled(shop)
    second = shop.run("poll_events").json
    settled(shop)
    assert first["new"] == first["seen"] > 0
    assert (second["new"], second["seen"]) == (0, first["seen"])
    assert_one_sale(shop)


def test_b1_the_same_events_by_webhook_and_by_poll(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a webhook brought, a poll finds again: still one payment and one mail."""
    with receiving(shop, monkeypatch) as receiver:
        paid_page(shop)
        receiver.delivered()
    settled(shop)
    polled = shop.run("poll_events").json
    settled(shop)
    assert polled == {"new": 0, "seen": 4, "unreadable": 0}  # a poll asks only for the types that mean something
    assert shop.till.ledger.inbox.waiting() == (0, None)
    assert_one_sale(shop)


def test_b1_polled_first_and_delivered_late(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook that comes after the poll had its event is taken with 200 and adds nothing."""
    paid_page(shop)
    shop.run("poll_events")
    settled(shop)
    with receiving(shop, monkeypatch) as receiver:
        for event in events(shop):
            assert receiver.redeliver(event, 2) == [200, 200]
    settled(shop)
    assert_one_sale(shop)


def test_b7_the_events_in_the_opposite_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fee's event before the payment's, each processed alone: the end is the same."""
    paid_page(shop)
    with receiving(shop, monkeypatch) as receiver:
        for event in reversed(events(shop)):
            assert receiver.redeliver(event, 1) == [200]
            assert shop.run("process_inbox").code == 0
    settled(shop)
    assert_one_sale(shop)


def test_the_same_step_twice_is_one_object(shop: Shop) -> None:
    """Each step of a sale twice: one customer, invoice, session, payment; the second run says `already_done`."""
    order = shop.order()
    for script, argument in (("create_invoice", order), ("send_invoice", "INV-1001"), ("create_checkout", "INV-1001")):
        first, second = shop.run(script, argument).json, shop.run(script, argument).json
        assert (first.pop("already_done"), second.pop("already_done")) == (False, True)
        assert first == second
    shop.pay(shop.run("create_checkout", "INV-1001").json["checkout_id"])
    shop.later(60)
    shop.run("poll_events")
    settled(shop)
    assert len(shop.books("Invoice")) == len(shop.books("Payment")) == 1
    assert [row["DisplayName"] for row in shop.books("Customer")] == ["Ada Ltd", "Grace Ltd"]
    assert len(list(shop.simulator.world.all("stripe.checkout.session"))) == 1
    assert [mail["subject"].split()[0] for mail in shop.mails()] == ["Invoice", "Receipt"]


def test_a_done_step_sends_nothing_again(shop: Shop) -> None:
    """The second round of every step makes no changing request at any vendor."""
    shop.finished()
    before = [row for row in shop.requests(method="POST") if "/oauth" not in row["path"]]
    shop.run("create_invoice", shop.order())
    shop.run("create_checkout", "INV-1001")
    shop.run("run_pending")
    after = [row for row in shop.requests(method="POST") if "/oauth" not in row["path"]]
    assert after == before


def test_b2_eight_processes_of_one_step_make_one_invoice(shop: Shop, processes: Processes) -> None:
    """Eight at once, each a process of its own: one invoice, one customer, the same answer for all."""
    ended = processes.run(*[("create_invoice", shop.order())] * 8)
    assert [run.code for run in ended] == [0] * 8, [run.err for run in ended]
    answers = [json.loads(run.out) for run in ended]
    assert len({answer["quickbooks_id"] for answer in answers}) == 1
    assert [answer["already_done"] for answer in answers].count(False) == 1
    assert len(shop.books("Invoice")) == 1
    assert [row["DisplayName"] for row in shop.books("Customer")] == ["Ada Ltd", "Grace Ltd"]


def test_b2_two_rounds_at_once_post_once(shop: Shop, processes: Processes) -> None:
    """Four workers on the same inbox, documents and mails: one payment, one document, one mail."""
    shop.paid()
    for script in ("process_inbox", "post_to_books", "send_messages"):
        ended = processes.run(*[(script,)] * 4)
        assert [run.code for run in ended] == [0] * 4, [run.err for run in ended]
    settled(shop)
    assert_one_sale(shop)


# Three attempts, then it is uncertain; silence takes the time of all of them.
LOST = [("drop_after", 1, 0), ("timeout_after", 1, 5), ("drop_after", 3, 5)]


@pytest.mark.parametrize(("kind", "times", "code"), LOST)
def test_c1_an_answer_that_was_lost_is_not_a_second_invoice(
    shop: Shop, kind: str, times: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QuickBooks made the invoice, its answer never came: exit 5 at worst, then the same command finds it."""
    monkeypatch.setenv("TILLBOOK_TIMEOUT_SECONDS", "1")
    order = shop.order()
    shop.fail("quickbooks", "*/invoice", kind, method="POST", times=times)
    first = shop.run("create_invoice", order)
    assert first.code == code
    assert ("exactly the same command" in first.err) == (code == 5)
    second = shop.run("create_invoice", order)
    assert second.code == 0, second.err
    assert len(shop.books("Invoice")) == 1


def test_c1_a_lost_answer_of_a_payment_is_not_a_second_payment(shop: Shop) -> None:
    """The Payment stands in QuickBooks, we never heard: the next round adopts it."""
    shop.paid()
    shop.run("process_inbox")
    shop.fail("quickbooks", "*/payment", "drop_after", method="POST", times=3)
    first = shop.run("post_to_books")
    assert (first.code, first.json["posted"], first.json["waiting"]) == (5, 0, 1)
    shop.later(120)
    settled(shop)
    assert_one_sale(shop)


def test_the_same_number_with_other_content_is_refused(shop: Shop) -> None:
    """A number stands for one content for ever; the refusal says so and nothing is sent."""
    shop.invoiced()
    before = len(shop.requests(method="POST"))
    changed = shop.order(lines=[{"description": "More", "sku": "CONSULT", "quantity": "2", "unit_price": "120.00"}])
    refused = shop.run("create_invoice", changed)
    assert refused.code == 3
    assert "other content" in refused.err
    assert refused.out == ""
    assert len(shop.requests(method="POST")) == before
    assert [row["TotalAmt"] for row in shop.books("Invoice")] == ["60.00"]


def test_the_same_order_in_another_layout_is_the_same_order(shop: Shop) -> None:
    """Spaces, the order of keys and zeros at the end do not make another order."""
    file = Path(shop.order())
    assert shop.run("create_invoice", str(file)).code == 0
    content = json.loads(file.read_text())
    content["lines"][0] = dict(reversed(content["lines"][0].items())) | {"quantity": "0.50"}
    file.write_text(json.dumps(dict(reversed(content.items())), indent=4))
    assert shop.run("create_invoice", str(file)).json["already_done"] is True
    assert len(shop.books("Invoice")) == 1
