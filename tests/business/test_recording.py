"""Intake: whatever order, repetition and delay, the end is the same; what cannot be applied is kept with its reason."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.ledgers import NOW, asked_for, booked, event, fee, page_operation, payment, reading, received, rows, usd
from helpers.sale import Shop
from tillbook.kit.money import Money
from tillbook.ledger import Ledger
from tillbook.money_in import inbox
from tillbook.operations.kinds.sales.create_checkout import CheckoutRequest
from tillbook.operations.perform import perform
from tillbook.proof import invariants
from tillbook.recording.facts import record_invoice, uses_of
from tillbook.rules.events import Event
from tillbook.rules.facts import Fact
from tillbook.till import Till
from tillbook.vendors.providers import clearing

# -- the end is equal for any order --------------------------------------------------------------------


@dataclass
class Story:
    """What happens around one invoice: each payment's amount, time and fee, and whether it was an invoice of ours."""

    total: int
    payments: list[tuple[int, int, int, bool]]
    steps: list[tuple[str, int]] = field(default_factory=list)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Up to three payments, and every reading of them in any order, each up to twenty times, some before the fee."""
    count = draw(st.integers(1, 3))
    amounts = st.sampled_from([1, 2000, 5999, 6000, 6001, 9000])
    payments = [
        (draw(amounts), NOW + draw(st.integers(0, 2)), draw(st.integers(0, 300)), draw(st.booleans()))
        for _ in range(count)
    ]
    steps: list[tuple[str, int]] = []
    for nth in range(count):
        steps += [("late", nth)] * draw(st.integers(1, 20))
        steps += [("early", nth)] * draw(st.integers(0, 20))
        steps += [("unmatched", nth)] * draw(st.integers(0, 2))
    steps += [("invoice", 0)] * draw(st.integers(1, 5))
    return Story(draw(st.sampled_from([6000, 6001, 12000])), payments, draw(st.permutations(steps)))


def told(ledger: Ledger, story: Story, steps: list[tuple[str, int]]) -> dict[str, Any]:
    """The end of a story told in this order. A payment that is not ours is read without our operation."""
    operations = [page_operation(ledger, nth=nth) for nth in range(3)]
    for step, (what, nth) in enumerate(steps):
        if what == "invoice":
            with ledger.transaction():
                record_invoice(ledger, booked(total=story.total), NOW + step)
            continue
        minor, at, kept, ours = story.payments[nth]
        facts: list[Fact] = [payment(str(nth), minor, at)]
        if what == "late" and kept:
            facts.append(fee(str(nth), kept, at))
        known = ours and what != "unmatched"
        received(ledger, reading(facts, operations[nth] if known else None), NOW + step)
    return end(ledger)


def end(ledger: Ledger) -> dict[str, Any]:
    """What must be equal: facts, balances, the invoice's open amount and its allocations, documents, mails."""
    facts = ledger.facts.of_invoice("INV-1")
    return {
        "facts": sorted((fact.kind, fact.key) for fact in facts),
        "nobody": sorted((fact.kind, fact.key) for fact in ledger.facts.of_nobody()),
        "balances": ledger.facts.balances(),
        "open": {place: money for place, money in ledger.facts.invoice_balances("INV-1").items() if money},
        "allocations": uses_of(ledger, "INV-1", facts),
        "documents": sorted((one.kind, one.key, one.amount.minor) for one in ledger.documents.of_invoice("INV-1")),
        "messages": sorted((one["key"], one["kind"]) for one in ledger.messages.of_invoice("INV-1")),
    }


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """An invoice that was asked for, and nothing else; copied in memory for each telling."""
    ledger = Ledger(tmp_path_factory.mktemp("intake") / "ledger.db", clearing)
    asked_for(ledger)
    yield ledger
    ledger.close()


@given(story=stories())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_inv4_any_order_repetition_and_delay_has_the_same_end(empty: Ledger, story: Story) -> None:
    """Readings with and without the fee, repeated up to twenty times, around the invoice: as in the plain telling."""
    plain: list[tuple[str, int]] = [("invoice", 0), *(("late", nth) for nth in range(len(story.payments)))]
    first, second = empty.forgetful(), empty.forgetful()
    assert told(first, story, story.steps) == told(second, story, plain)
    assert list(invariants.broken(first)) == []
    first.close()
    second.close()


@given(story=stories())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_inv2_every_cent_is_somewhere(empty: Ledger, story: Story) -> None:
    """By figures of the story alone: Clearing is what came less the fees; owed, applied and left over add up."""
    ledger = empty.forgetful()
    told(ledger, story, story.steps)
    found = {account: money.minor for (account, _), money in ledger.facts.balances().items()}
    came = sum(minor for minor, *_ in story.payments)
    kept = sum(kept for _, _, kept, _ in story.payments)
    ours = sum(minor for minor, _, _, known in story.payments if known)
    assert found.get("Stripe Clearing", 0) == came - kept
    assert found.get("Processing Fees", 0) == kept
    assert found.get("Revenue", 0) == -story.total
    assert found.get("Receivable", 0) == max(story.total - ours, 0)
    assert found.get("Customer Credit", 0) == -max(ours - story.total, 0)
    assert found.get("Suspense", 0) == -(came - ours)
    assert sum(found.values()) == 0
    ledger.close()


def sums(ledger: Ledger) -> dict[str, int]:
    return {account: money.minor for (account, _), money in ledger.facts.balances().items()}


@pytest.fixture
def ledger(empty: Ledger) -> Iterator[Ledger]:
    copy = empty.forgetful()
    yield copy
    copy.close()


def booked_now(ledger: Ledger, **changes: Any) -> None:
    with ledger.transaction():
        record_invoice(ledger, booked(**changes), NOW)


def test_b15_money_of_nobody_waits_in_suspense_and_a_later_match_moves_it(ledger: Ledger) -> None:
    """60.00 is recorded at once; when our operation is seen on it, a correcting entry moves it, nothing is edited."""
    booked_now(ledger)
    received(ledger, reading([payment("1", 6000)]))
    assert sums(ledger) == {"Stripe Clearing": 6000, "Suspense": -6000, "Receivable": 6000, "Revenue": -6000}
    assert ledger.documents.count_waiting() == ledger.messages.count_waiting() == 0
    received(ledger, reading([payment("1", 6000)], page_operation(ledger)))
    assert sums(ledger) == {"Stripe Clearing": 6000, "Revenue": -6000}
    entries = ledger.facts.entries(payment("1", 6000))
    assert [(row["account"], row["amount_minor"]) for row in entries] == [
        ("Stripe Clearing", 6000),
        ("Suspense", -6000),
        ("Receivable", -6000),
        ("Suspense", 6000),
    ]
    assert ledger.documents.count_waiting() == 1


def test_b15_an_operation_that_we_do_not_know_is_no_match(ledger: Ledger) -> None:
    """Metadata can be written by anybody: an unknown operation, or one of another invoice, proves nothing."""
    booked_now(ledger)
    known = page_operation(ledger)
    for claim in (
        replace(reading([payment("1", 6000)], known), operation="opunknown"),
        replace(reading([payment("1", 6000)], known), invoice="INV-2"),
        replace(reading([payment("1", 6000)], known), invoice=""),
    ):
        received(ledger, claim)
    assert sums(ledger)["Suspense"] == -6000
    assert ledger.sales.match_of("stripe", "pi_1") == ""


def test_d10_what_is_paid_too_much_becomes_the_customers_credit(ledger: Ledger) -> None:
    """100.00 for an invoice of 60.00, in two payments: 60.00 applied, 40.00 credit, two gross documents."""
    booked_now(ledger)
    received(ledger, reading([payment("2", 7000, NOW + 1)], page_operation(ledger, nth=2)))
    received(ledger, reading([payment("1", 3000, NOW)], page_operation(ledger, nth=1)))
    assert sums(ledger) == {"Stripe Clearing": 10000, "Customer Credit": -4000, "Revenue": -6000}
    assert sorted(one.amount.minor for one in ledger.documents.of_invoice("INV-1")) == [3000, 7000]
    applied = {line.account: line.amount.minor for line in ledger.facts.posted(payment("2", 7000, NOW + 1))}
    assert applied == {"Stripe Clearing": 7000, "Receivable": -3000, "Customer Credit": -4000}


def test_d14_a_fee_that_comes_later_is_a_fact_of_its_own(ledger: Ledger) -> None:
    """The payment stands at once; the fee of 2.04 is added when Stripe has worked it out, and changes nothing else."""
    booked_now(ledger)
    operation = page_operation(ledger)
    received(ledger, reading([payment("1", 6000)], operation))
    assert sums(ledger) == {"Stripe Clearing": 6000, "Revenue": -6000}
    received(ledger, reading([payment("1", 6000), fee("1", 204)], operation))
    assert sums(ledger) == {"Stripe Clearing": 5796, "Processing Fees": 204, "Revenue": -6000}
    assert len(ledger.documents.of_invoice("INV-1")) == 1
    assert [row["kind"] for row in ledger.messages.of_invoice("INV-1")] == ["confirmation", "owner"]


def test_an_invoice_that_shrank_in_quickbooks_frees_what_was_applied(ledger: Ledger) -> None:
    """Lowered by hand from 60.00 to 45.00 after it was paid: 15.00 become the customer's credit."""
    booked_now(ledger)
    received(ledger, reading([payment("1", 6000)], page_operation(ledger)))
    for _ in range(2):
        booked_now(ledger, total=4500, version=1)
    assert sums(ledger) == {"Stripe Clearing": 6000, "Customer Credit": -1500, "Revenue": -4500}
    assert list(invariants.broken(ledger)) == []


# -- events that are not applied -----------------------------------------------------------------------


@pytest.fixture
def till(shop: Shop) -> Till:
    """A ledger that is bound to its Stripe account."""
    shop.till.provider("stripe")
    return shop.till


def kept(till: Till, *events: Event) -> None:
    with till.ledger.transaction():
        for one in events:
            assert till.ledger.inbox.add(one, source="webhook", now=till.clock.now())


def state(till: Till, name: str = "evt_1") -> tuple[str, str]:
    (found,) = rows(till.settings.ledger, "select state, reason from inbox where event = ?", name)
    return found


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"livemode": True}, "a live event in a ledger of simulator mode"),
        ({"account": "acct_stranger"}, "belongs to account acct_stranger"),
    ],
)
def test_a14_an_event_of_another_account_or_mode_is_parked_with_a_reason(
    shop: Shop, till: Till, change: dict[str, Any], reason: str
) -> None:
    """Nothing is read for it, however often it is tried, and it does not take the genuine event down with it."""
    paid = shop.paid()
    asked = len(shop.requests(path="/v1/payment_intents"))
    kept(till, event(object_id=paid, **change))
    assert shop.run("process_inbox").json["parked"] == 1
    assert shop.till.ledger.facts.of_payment("stripe", paid), "the genuine events of the same payment were applied"
    found, said = state(till)
    assert (found, reason in said) == ("parked", True)
    assert len(shop.requests(path="/v1/payment_intents")) == asked + 1
    shop.later(7200)
    assert shop.run("process_inbox").json == {"applied": 0, "parked": 1, "ignored": 0, "remaining": 1, "unreadable": 0}


def test_a14_a_stranger_is_not_applied_on_the_back_of_a_genuine_event(shop: Shop, till: Till) -> None:
    """The genuine event comes first and is applied; the stranger about the same object still is not."""
    paid = shop.paid()
    kept(till, event("evt_zz", object_id=paid, livemode=True))
    shop.run("process_inbox")
    assert state(till, "evt_zz")[0] == "parked"


def test_an_event_of_our_own_account_by_name_is_applied(shop: Shop, till: Till) -> None:
    """An event that names our account is no stranger."""
    paid = shop.paid()
    kept(till, event("evt_named", object_id=paid, account=till.ledger.binding.bound()["stripe"]))
    shop.run("process_inbox")
    assert state(till, "evt_named") == ("applied", "")


def test_a_type_that_means_nothing_is_ignored_with_a_reason(shop: Shop, till: Till) -> None:
    """Kept, ended, and no vendor read."""
    kept(till, event(type="customer.created", object_id=""))
    asked = len(shop.requests())
    assert shop.run("process_inbox").json["ignored"] == 1
    assert state(till) == ("ignored", "nothing to read for this type")
    assert len(shop.requests()) == asked


def test_b3_an_object_that_cannot_be_read_is_parked_and_tried_again(shop: Shop, till: Till) -> None:
    """Stripe is down: parked with its words, not tried before its time, applied when Stripe answers."""
    paid = shop.paid()
    shop.fail("stripe", f"/v1/payment_intents/{paid}", "500", times=3)
    first = shop.run("process_inbox").json
    assert (first["applied"], first["remaining"]) == (0, first["parked"])
    assert first["parked"] > 1
    assert all(row["reason"] for row in till.ledger.inbox.parked())
    assert shop.run("process_inbox").json["applied"] == 0, "its time has not come"
    shop.later(61)
    assert shop.run("process_inbox").json["remaining"] == 0
    assert till.ledger.facts.of_payment("stripe", paid)


def test_b15_an_object_that_does_not_exist_is_parked(shop: Shop, till: Till) -> None:
    """Signed, but about nothing: a person sees it, later and later attempts, never dropped."""
    kept(till, event(object_id="pi_of_nobody"))
    for attempt in range(3):
        assert shop.run("process_inbox").json["parked"] == 1, attempt
        shop.later(3601)
    found, said = state(till)
    assert found == "parked"
    assert "cannot be read" in said


def test_an_event_of_an_unknown_provider_is_parked(shop: Shop, till: Till) -> None:
    """A ledger that was used by a newer Tillbook with another provider loses nothing."""
    kept(till, event(provider="squirrel"))
    assert shop.run("process_inbox").json["parked"] == 1
    assert "squirrel" in state(till)[1]


# -- at the vendor -------------------------------------------------------------------------------------


def test_at_most_one_and_a_half_reads_for_a_payment(shop: Shop) -> None:
    """Ten payments with all their events: at most fifteen reads of payment intents, and ten payments."""
    for number in range(10):
        shop.pay(shop.opened_page(f"INV-{number}")["checkout_id"])
    shop.later(60)
    shop.run("poll_events")
    before = len(shop.requests("stripe", "GET", "/v1/payment_intents"))
    result = shop.run("process_inbox").json
    reads = len(shop.requests("stripe", "GET", "/v1/payment_intents")) - before
    assert result["remaining"] == 0
    assert result["applied"] >= 30
    assert reads <= 15
    assert shop.till.ledger.documents.count_waiting() == 10


def test_facts_hold_no_personal_data(shop: Shop) -> None:
    """Neither the customer's name nor the address is in the fact table, in any column."""
    shop.finished()
    rows = shop.till.ledger.database._connection.execute("select * from fact")
    text = json.dumps(list(rows), default=str).lower()
    assert "paymentsucceeded" in text
    for personal in ("grace", "example.com", "4242", "test customer"):
        assert personal not in text


def three_payments(shop: Shop) -> list[str]:
    """One invoice of 60.00 with three pages that were paid: 60.00, 25.00 and 0.50."""
    shop.invoiced()
    paid: list[str] = []
    for minor in (6000, 2500, 50):
        request = CheckoutRequest(
            "INV-1001", Money(minor, "USD"), "Test", "", "http://127.0.0.1/s", "http://127.0.0.1/c"
        )
        plan = shop.till.provider("stripe").plan_checkout(request)
        page = perform(shop.till, plan, renew="another page" if paid else "").result.checkout_id
        paid.append(shop.pay(page)["payment_intent"])
        with shop.till.ledger.transaction():
            shop.till.ledger.sales.set_checkout_status(page, "paid")
    return paid


def test_b7_b9_real_events_in_any_order_have_the_same_end(shop: Shop) -> None:
    """Three payments' events at the simulated Stripe: shuffled, repeated, in small rounds, before and after the fee."""
    intents = three_payments(shop)
    provider = shop.till.provider("stripe")
    early = list(provider.events(0))
    ends = []
    shop.till.ledger.database.copy_to(shop.home / "middle.db")
    middle = Ledger(shop.home / "middle.db", clearing)
    deliver(shop, middle, early[::-1])
    shop.later(60)
    events = list(provider.events(0))
    assert len(events) > len(early) >= 6
    for seed in range(6):
        ledger = (middle if seed % 2 else shop.till.ledger).forgetful()
        chance = random.Random(seed)
        shuffled = events * 3
        chance.shuffle(shuffled)
        deliver(shop, ledger, shuffled, size=chance.choice([1, 3, 50]))
        ends.append(world_end(ledger))
        assert list(invariants.broken(ledger)) == []
        ledger.close()
    assert ends == [ends[0]] * 6
    assert ends[0]["balances"] == {
        "Stripe Clearing": 8550 - 204 - 103 - 31,
        "Processing Fees": 204 + 103 + 31,
        "Revenue": -6000,
        "Customer Credit": -2550,
    }
    assert ends[0]["kinds"] == {"InvoiceIssued": 1, "PaymentSucceeded": 3, "ProcessorFee": 3}
    assert len(ends[0]["documents"]) == len(intents) == 3
    middle.close()


def deliver(shop: Shop, ledger: Ledger, events: list[Event], size: int = 50) -> None:
    """Events arrive one after the other, and the inbox is processed after every `size` of them and at the end."""
    till = Till(shop.till.settings, shop.till.clock, ledger, "test")
    for number, one in enumerate(events, 1):
        with ledger.transaction():
            ledger.inbox.add(one, source="poll", now=till.clock.now())
        if number % size == 0:
            inbox.process(till, limit=1000)
    inbox.process(till, limit=1000)
    assert ledger.inbox.waiting()[0] == 0


def world_end(ledger: Ledger) -> dict[str, Any]:
    facts = ledger.facts.of_invoice("INV-1001")
    return {
        "facts": {(fact.kind, fact.key, fact.occurred_at) for fact in facts},
        "kinds": Counter(fact.kind for fact in facts),
        "balances": sums(ledger),
        "documents": sorted((one.key, one.amount.minor) for one in ledger.documents.of_invoice("INV-1001")),
        "messages": sorted(row["key"] for row in ledger.messages.of_invoice("INV-1001")),
    }


def test_usd_helper_is_minor_units() -> None:
    """6000 here means 60.00: the figures above are what a person worked out."""
    assert usd(6000).text == "60.00"
