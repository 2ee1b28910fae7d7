"""poll_events.py: what a webhook would have brought, fetched; nothing is lost and nothing is new twice."""

from __future__ import annotations

import pytest

from poll_events import poll_events
from receiving import receiving
from rehearsed import rehearse
from sale import Till

DAY = 24 * 3600


def test_new_and_seen(till: Till) -> None:
    """The result says how many were new; the second time all were seen."""
    till.pay(till.opened_page()["checkout_id"])
    till.later(60)
    assert till.run("poll_events").json == {"new": 4, "seen": 4}
    assert till.run("poll_events").json == {"new": 0, "seen": 4}


def test_nothing_happened(till: Till) -> None:
    """An account without events."""
    assert till.run("poll_events", "--provider", "stripe").json == {"new": 0, "seen": 0}


def test_b20_more_than_a_page(till: Till) -> None:
    """Forty sales are more events than one page of Stripe's list: all come."""
    for number in range(40):
        till.pay(till.opened_page(f"INV-{number}")["checkout_id"])
    till.later(60)
    assert till.run("poll_events").json == {"new": 160, "seen": 160}


def test_b20_a_poll_that_broke_off_starts_where_it_was(till: Till) -> None:
    """Stripe fails: exit 4, the cursor stays, and the next poll brings everything."""
    till.pay(till.opened_page()["checkout_id"])
    till.later(60)
    till.fail("stripe", "*/events", "500", times=99)
    ran = till.run("poll_events")
    assert (ran.code, ran.out) == (4, "")
    assert till.shop.ledger.activity.cursor("events:stripe") == 0
    till.simulator._faults.clear()
    assert till.run("poll_events").json["new"] == 4


def test_an_event_that_was_listed_late_is_still_found(till: Till) -> None:
    """An overlap is read again: a payment within five minutes before the last poll comes with the next one."""
    till.pay(till.opened_page()["checkout_id"])
    with till.shop.ledger.transaction():
        till.shop.ledger.activity.set_cursor("events:stripe", till.shop.clock.now() + 200)
    assert till.run("poll_events").json["new"] == 3


def test_a_week_without_a_poll_loses_nothing(till: Till) -> None:
    """The cursor is a time, not a count of days."""
    till.run("poll_events")
    till.pay(till.opened_page()["checkout_id"])
    till.later(7 * DAY)
    assert till.run("poll_events").json["new"] >= 4
    assert till.run("process_inbox").json["remaining"] == 0
    assert till.shop.ledger.facts.balances()[("Stripe Clearing", "USD")].minor == 5796


def test_a_lost_webhook_costs_time_only(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver was down when the events were due: the poll has them."""
    with receiving(till, monkeypatch):
        pass
    till.pay(till.opened_page()["checkout_id"])
    till.later(60)
    assert till.run("poll_events").json["new"] == 4


def test_an_unknown_provider_is_usage(till: Till) -> None:
    """Exit 2 names the providers that there are."""
    ran = till.run("poll_events", "--provider", "cash")
    assert (ran.code, ran.out) == (2, "")
    assert "stripe" in ran.err


def test_the_plain_function_does_the_same(till: Till) -> None:
    """Other scripts import the function."""
    till.pay(till.opened_page()["checkout_id"])
    assert poll_events(shop=till.shop).new == 3


def test_g20_a_rehearsal_keeps_nothing(till: Till) -> None:
    """It says how many would be new, and the next real poll finds them new."""
    till.pay(till.opened_page()["checkout_id"])
    till.later(60)
    assert rehearse(till, "poll_events")["new"] == 4
    assert till.run("poll_events").json["new"] == 4
