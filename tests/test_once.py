"""Once: the same event, or the same step, again and again, is one payment, one document and one mail."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from receiving import receiving
from sale import Till
from tillbook import invariants

ONE_SALE = {"PaymentSucceeded": 1, "ProcessorFee": 1, "InvoiceIssued": 1}


def settled(till: Till) -> None:
    """Every step after the events, twice."""
    for _ in range(2):
        for script in ("process_inbox", "post_to_books", "send_messages"):
            assert till.run(script).code == 0


def assert_one_sale(till: Till, *, minor: int = 6000, fee: int = 204) -> None:
    """One payment in ledger and books, one fee, one confirmation; and the invariants hold."""
    facts = till.shop.ledger.facts.of_invoice("INV-1001")
    assert Counter(fact.kind for fact in facts) == ONE_SALE
    balances = {account: money.minor for (account, _), money in till.shop.ledger.facts.balances().items()}
    assert balances == {"Stripe Clearing": minor - fee, "Processing Fees": fee, "Revenue": -minor}
    (payment,) = till.books("Payment")
    assert payment["TotalAmt"] == "60.00"
    assert [mail["subject"] for mail in till.mails()] == ["Receipt for INV-1001: 60.00 USD paid"]
    assert list(invariants.broken(till.shop.ledger)) == []


def paid_page(till: Till) -> None:
    """A page that was paid, with its fee known."""
    till.pay(till.opened_page()["checkout_id"])
    till.later(60)


def events(till: Till) -> list[str]:
    return [event["id"] for event in till.simulator.world.all("stripe.event")]


def test_b1_every_event_five_times_by_webhook(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event delivered five times more, at once: all answered 200, one payment, one mail."""
    with receiving(till, monkeypatch) as receiver:
        paid_page(till)
        receiver.delivered()
        for event in events(till):
            assert receiver.redeliver(event, 5) == [200] * 5
        settled(till)
        for event in events(till):
            assert receiver.redeliver(event, 1) == [200]
    settled(till)
    assert_one_sale(till)


def test_b1_the_same_events_by_poll_again_and_again(till: Till) -> None:
    """A poll reads an overlap again: what was seen is not new, and changes nothing."""
    paid_page(till)
    first = till.run("poll_events").json
    settled(till)
    second = till.run("poll_events").json
    settled(till)
    assert first["new"] == first["seen"] > 0
    assert (second["new"], second["seen"]) == (0, first["seen"])
    assert_one_sale(till)


def test_b1_the_same_events_by_webhook_and_by_poll(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a webhook brought, a poll finds again: still one payment and one mail."""
    with receiving(till, monkeypatch) as receiver:
        paid_page(till)
        receiver.delivered()
    settled(till)
    polled = till.run("poll_events").json
    settled(till)
    assert polled == {"new": 0, "seen": 4}  # a poll asks only for the types that mean something
    assert till.shop.ledger.inbox.waiting() == (0, None)
    assert_one_sale(till)


def test_b1_polled_first_and_delivered_late(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook that comes after the poll had its event is taken with 200 and adds nothing."""
    paid_page(till)
    till.run("poll_events")
    settled(till)
    with receiving(till, monkeypatch) as receiver:
        for event in events(till):
            assert receiver.redeliver(event, 2) == [200, 200]
    settled(till)
    assert_one_sale(till)


def test_b7_the_events_in_the_opposite_order(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fee's event before the payment's, each processed alone: the end is the same."""
    paid_page(till)
    with receiving(till, monkeypatch) as receiver:
        for event in reversed(events(till)):
            assert receiver.redeliver(event, 1) == [200]
            assert till.run("process_inbox").code == 0
    settled(till)
    assert_one_sale(till)


def test_the_same_step_twice_is_one_object(till: Till) -> None:
    """Each step of a sale twice: one customer, invoice, session, payment; the second run says `already_done`."""
    order = till.order()
    for script, argument in (("create_invoice", order), ("send_invoice", "INV-1001"), ("create_checkout", "INV-1001")):
        first, second = till.run(script, argument).json, till.run(script, argument).json
        assert (first.pop("already_done"), second.pop("already_done")) == (False, True)
        assert first == second
    till.pay(till.run("create_checkout", "INV-1001").json["checkout_id"])
    till.later(60)
    till.run("poll_events")
    settled(till)
    assert len(till.books("Invoice")) == len(till.books("Payment")) == 1
    assert [row["DisplayName"] for row in till.books("Customer")] == ["Ada Ltd", "Grace Ltd"]
    assert len(list(till.simulator.world.all("stripe.checkout.session"))) == 1
    assert [mail["subject"].split()[0] for mail in till.mails()] == ["Invoice", "Receipt"]


def test_a_done_step_sends_nothing_again(till: Till) -> None:
    """The second round of every step makes no changing request at any vendor."""
    till.finished()
    before = [row for row in till.requests(method="POST") if "/oauth" not in row["path"]]
    till.run("create_invoice", till.order())
    till.run("create_checkout", "INV-1001")
    till.run("run_pending")
    after = [row for row in till.requests(method="POST") if "/oauth" not in row["path"]]
    assert after == before


def test_b2_eight_processes_of_one_step_make_one_invoice(till: Till) -> None:
    """Eight at once, each a process of its own: one invoice, one customer, the same answer for all."""
    order = till.order()
    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(lambda _: till.spawn("create_invoice", order), range(8)))
    assert [run.code for run in ended] == [0] * 8, [run.err for run in ended]
    answers = [json.loads(run.out) for run in ended]
    assert len({answer["quickbooks_id"] for answer in answers}) == 1
    assert [answer["already_done"] for answer in answers].count(False) == 1
    assert len(till.books("Invoice")) == 1
    assert [row["DisplayName"] for row in till.books("Customer")] == ["Ada Ltd", "Grace Ltd"]


def test_b2_two_rounds_at_once_post_once(till: Till) -> None:
    """Four workers on the same inbox, documents and mails: one payment, one document, one mail."""
    till.paid()
    with ThreadPoolExecutor(4) as pool:
        for script in ("process_inbox", "post_to_books", "send_messages"):
            ended = list(pool.map(till.spawn, (script,) * 4))
            assert [run.code for run in ended] == [0] * 4, [run.err for run in ended]
    settled(till)
    assert_one_sale(till)


LOST = [("drop_after", 1, 0), ("timeout_after", 1, 0), ("drop_after", 3, 5)]  # three attempts, then it is uncertain


@pytest.mark.parametrize(("kind", "times", "code"), LOST)
def test_c1_an_answer_that_was_lost_is_not_a_second_invoice(
    till: Till, kind: str, times: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QuickBooks made the invoice, its answer never came: exit 5 at worst, then the same command finds it."""
    monkeypatch.setenv("TILLBOOK_TIMEOUT_SECONDS", "1")
    order = till.order()
    till.fail("quickbooks", "*/invoice", kind, method="POST", times=times)
    first = till.run("create_invoice", order)
    assert first.code == code
    assert ("exactly the same command" in first.err) == (code == 5)
    second = till.run("create_invoice", order)
    assert second.code == 0, second.err
    assert len(till.books("Invoice")) == 1


def test_c1_a_lost_answer_of_a_payment_is_not_a_second_payment(till: Till) -> None:
    """The Payment stands in QuickBooks, we never heard: the next round adopts it."""
    till.paid()
    till.run("process_inbox")
    till.fail("quickbooks", "*/payment", "drop_after", method="POST", times=3)
    first = till.run("post_to_books")
    assert (first.code, first.json["posted"], first.json["waiting"]) == (5, 0, 1)
    till.later(120)
    settled(till)
    assert_one_sale(till)


def test_the_same_number_with_other_content_is_refused(till: Till) -> None:
    """A number stands for one content for ever; the refusal says so and nothing is sent."""
    till.invoiced()
    before = len(till.requests(method="POST"))
    changed = till.order(lines=[{"description": "More", "sku": "CONSULT", "quantity": "2", "unit_price": "120.00"}])
    refused = till.run("create_invoice", changed)
    assert refused.code == 3
    assert "other content" in refused.err
    assert refused.out == ""
    assert len(till.requests(method="POST")) == before
    assert [row["TotalAmt"] for row in till.books("Invoice")] == ["60.00"]


def test_the_same_order_in_another_layout_is_the_same_order(till: Till) -> None:
    """Spaces, the order of keys and zeros at the end do not make another order."""
    file = Path(till.order())
    assert till.run("create_invoice", str(file)).code == 0
    content = json.loads(file.read_text())
    content["lines"][0] = dict(reversed(content["lines"][0].items())) | {"quantity": "0.50"}
    file.write_text(json.dumps(dict(reversed(content.items())), indent=4))
    assert till.run("create_invoice", str(file)).json["already_done"] is True
    assert len(till.books("Invoice")) == 1
