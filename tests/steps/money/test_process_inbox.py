"""process_inbox.py: events are hints; what they point at is read, and becomes facts, entries, documents and mails."""

from __future__ import annotations

import json
from typing import cast

import pytest

from helpers.dry_runs import dry_run
from helpers.ledgers import rows
from helpers.sale import DECLINED, Json, Shop
from helpers.web.receiving import event_body
from process_inbox import process_inbox
from tillbook.proof import invariants
from tillbook.vendors.stripe.webhooks.events import read_event


def keep(shop: Shop, body: bytes) -> None:
    """Put an event into the inbox as the receiver does."""
    with shop.till.ledger.transaction():
        shop.till.ledger.inbox.add(read_event(body), source="webhook", now=shop.till.clock.now())


def entries(shop: Shop) -> list[tuple[str, int]]:
    return [(row["account"], row["amount_minor"]) for row in shop.till.ledger.facts.lines_after(0)]


def test_payment_and_fee_are_two_facts(shop: Shop) -> None:
    """The payment is known at once; its fee comes later, by an event of its own, as a fact of its own."""
    shop.pay(shop.opened_page()["checkout_id"])
    shop.run("poll_events")
    assert shop.run("process_inbox").code == 0
    kinds = [fact.kind for fact in shop.till.ledger.facts.of_invoice("INV-1001")]
    assert kinds == ["InvoiceIssued", "PaymentSucceeded"]
    shop.later(60)
    shop.run("poll_events")
    assert shop.run("process_inbox").code == 0
    facts = shop.till.ledger.facts.of_invoice("INV-1001")
    assert [(fact.kind, fact.provider) for fact in facts] == [
        ("InvoiceIssued", "quickbooks"),
        ("PaymentSucceeded", "stripe"),
        ("ProcessorFee", "stripe"),
    ]


def test_the_entries_of_a_sale(shop: Shop) -> None:
    """Dr Receivable Cr Revenue 60.00; Dr Clearing Cr Receivable 60.00; Dr Fees Cr Clearing 2.04."""
    shop.paid()
    shop.run("process_inbox")
    assert entries(shop) == [
        ("Receivable", 6000),
        ("Revenue", -6000),
        ("Stripe Clearing", 6000),
        ("Receivable", -6000),
        ("Processing Fees", 204),
        ("Stripe Clearing", -204),
    ]


def test_the_result_counts(shop: Shop) -> None:
    """applied, parked, ignored, remaining: and a second run finds nothing."""
    shop.paid()
    waiting, _ = shop.till.ledger.inbox.waiting()
    first, second = shop.run("process_inbox").json, shop.run("process_inbox").json
    assert first == {"applied": waiting, "parked": 0, "ignored": 0, "remaining": 0, "unreadable": 0}
    assert second == {"applied": 0, "parked": 0, "ignored": 0, "remaining": 0, "unreadable": 0}


def test_at_most_one_and_a_half_reads_a_payment(shop: Shop) -> None:
    """Ten payments with their fees: the events of one object share a read, so at most fifteen reads."""
    for number in range(10):
        shop.paid(f"INV-{number}")
    before = len(shop.requests("stripe"))
    shop.run("process_inbox")
    assert len(shop.requests("stripe")) - before <= 15
    assert shop.till.ledger.facts.count() == 30


def test_inv8_a_body_that_lies_about_the_amount(shop: Shop) -> None:
    """A verified event with another amount in it: the vendor's object is read, and 60.00 is booked."""
    payment = shop.pay(shop.opened_page()["checkout_id"])["payment_intent"]
    lie = {"id": payment, "object": "payment_intent", "amount": 999_999, "amount_received": 999_999, "currency": "eur"}
    keep(shop, event_body(data={"object": lie}))
    shop.run("process_inbox")
    assert shop.till.ledger.facts.balances()[("Stripe Clearing", "USD")].minor == 6000


def test_a_declined_card_is_no_money(shop: Shop) -> None:
    """A failed attempt leaves no fact, no document, no mail."""
    shop.pay(shop.opened_page()["checkout_id"], DECLINED)
    shop.run("poll_events")
    shop.run("process_inbox")
    assert [fact.kind for fact in shop.till.ledger.facts.of_invoice("INV-1001")] == ["InvoiceIssued"]
    assert shop.till.ledger.documents.count_waiting() == 0
    assert shop.till.ledger.messages.count_waiting() == 0


def test_b12_an_object_that_cannot_be_read_is_parked_and_tried_again(shop: Shop) -> None:
    """Unknown at Stripe: parked with its reason, not dropped, not read again at once, and read again later."""
    keep(shop, event_body())
    assert shop.run("process_inbox").json == {"applied": 0, "parked": 1, "ignored": 0, "remaining": 1, "unreadable": 0}
    (parked,) = shop.till.ledger.inbox.parked()
    assert "cannot be read" in parked["reason"]
    asked = len(shop.requests("stripe"))
    assert shop.run("process_inbox").json["parked"] == 0
    assert len(shop.requests("stripe")) == asked
    shop.later(61)
    assert shop.run("process_inbox").json["parked"] == 1
    assert len(shop.requests("stripe")) > asked


def test_b12_a_vendor_that_is_down_does_not_lose_the_event(shop: Shop) -> None:
    """Parked while Stripe is away, applied when it is back."""
    shop.paid()
    shop.fail("stripe", "*", "500", times=99)
    assert shop.run("process_inbox").json["applied"] == 0
    shop.simulator._faults.clear()
    shop.later(61)
    assert shop.run("process_inbox").json["remaining"] == 0
    assert shop.till.ledger.facts.balances()[("Stripe Clearing", "USD")].minor == 5796


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"livemode": True}, "a live event in a ledger of simulator mode"), ({"account": "acct_other"}, "acct_other")],
)
def test_a14_an_event_of_another_mode_or_account_is_parked(shop: Shop, changed: Json, words: str) -> None:
    """It is not applied even though its payment exists; the reason says whose it is."""
    payment = shop.pay(shop.opened_page()["checkout_id"])["payment_intent"]
    keep(shop, event_body(data={"object": {"id": payment, "object": "payment_intent"}}, **changed))
    assert shop.run("process_inbox").json["parked"] == 1
    (parked,) = shop.till.ledger.inbox.parked()
    assert words in parked["reason"]
    assert [fact.kind for fact in shop.till.ledger.facts.of_invoice("INV-1001")] == ["InvoiceIssued"]


def test_b15_a_payment_of_no_invoice_of_ours_is_money_all_the_same(shop: Shop) -> None:
    """Somebody charged a card elsewhere in the same account: recorded, in Suspense, no document, no mail."""
    payment = shop.pay(shop.opened_page()["checkout_id"])["payment_intent"]
    shop.later(60)
    intent = shop.simulator.world.get("stripe.payment_intent", payment)
    assert intent is not None
    shop.simulator.world.save("stripe.payment_intent", payment, {**intent, "metadata": {}})
    shop.run("poll_events")
    shop.run("process_inbox")
    balances = {account: money.minor for (account, _), money in shop.till.ledger.facts.balances().items()}
    assert balances["Suspense"] == -6000
    assert balances["Stripe Clearing"] == 5796
    assert shop.till.ledger.documents.count_waiting() == 0
    assert shop.till.ledger.messages.count_waiting() == 0


def test_b15_metadata_that_names_our_invoice_proves_nothing(shop: Shop) -> None:
    """Only our own operation links a payment to an invoice: a number that somebody typed does not."""
    payment = shop.pay(shop.opened_page()["checkout_id"])["payment_intent"]
    intent = shop.simulator.world.get("stripe.payment_intent", payment)
    assert intent is not None
    typed = {"invoice": "INV-1001", "operation": "op" + "a" * 17}
    shop.simulator.world.save("stripe.payment_intent", payment, {**intent, "metadata": typed})
    shop.run("poll_events")
    shop.run("process_inbox")
    assert rows(shop.till.settings.ledger, "select * from payment_invoice where invoice = 'INV-1001'") == []


def test_a_type_that_means_nothing_is_ignored_with_its_reason(shop: Shop) -> None:
    """Kept, ended, and no vendor is asked."""
    keep(shop, event_body(type="customer.created", data={"object": {"id": "cus_1", "object": "customer"}}))
    before = len(shop.requests("stripe"))
    assert shop.run("process_inbox").json["ignored"] == 1
    assert len(shop.requests("stripe")) == before


def test_no_more_than_the_limit(shop: Shop) -> None:
    """--limit bounds a round; the rest remains for the next one."""
    for number in range(1, 6):
        keep(shop, event_body(number))
    assert shop.run("process_inbox", "--limit", "2").json == {
        "applied": 0,
        "parked": 2,
        "ignored": 0,
        "remaining": 5,
        "unreadable": 0,
    }


def test_the_plain_function_does_the_same(shop: Shop) -> None:
    """Other scripts import the function."""
    shop.paid()
    assert process_inbox(till=shop.till).remaining == 0
    assert list(invariants.broken(shop.till.ledger)) == []


def test_g20_a_dry_run_shows_the_entries_of_the_real_run(shop: Shop) -> None:
    """Debits and credits, line by line, are the ones that the real run then posts; the counts too."""
    shop.paid()
    newest = shop.till.ledger.facts.last_entry()
    plan = dry_run(shop, "process_inbox")
    real = shop.run("process_inbox").json
    posted = shop.till.ledger.facts.lines_after(newest)
    assert [(line["account"], line["amount"]["minor"]) for line in plan["entries"]] == [
        (row["account"], row["amount_minor"]) for row in posted
    ]
    assert {name: plan[name] for name in real} == real
    assert plan["plan"] == []


def test_a_raw_event_stays_as_it_came(shop: Shop) -> None:
    """The inbox keeps the bytes that were signed, and after processing still does."""
    body = event_body(note="  spaces   and ünïcode ")
    keep(shop, body)
    shop.run("process_inbox")
    (found,) = cast(list[Json], list(shop.till.ledger.database._connection.execute("select body from inbox")))
    assert json.loads(found["body"]) == json.loads(body)
    assert bytes(found["body"]) == body
