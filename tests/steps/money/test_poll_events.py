"""poll_events.py: what a webhook would have brought, fetched; nothing is lost and nothing is new twice."""

from __future__ import annotations

import pytest

from helpers.dry_runs import dry_run
from helpers.sale import Shop
from helpers.web.receiving import receiving
from poll_events import poll_events

DAY = 24 * 3600


def test_new_and_seen(shop: Shop) -> None:
    """The result says how many were new; the second time all were seen."""
    shop.pay(shop.opened_page()["checkout_id"])
    shop.later(60)
    assert shop.run("poll_events").json == {"new": 4, "seen": 4, "unreadable": 0}
    assert shop.run("poll_events").json == {"new": 0, "seen": 4, "unreadable": 0}


def test_nothing_happened(shop: Shop) -> None:
    """An account without events."""
    assert shop.run("poll_events", "--provider", "stripe").json == {"new": 0, "seen": 0, "unreadable": 0}


def test_b20_more_than_a_page(shop: Shop) -> None:
    """Forty sales are more events than one page of Stripe's list: all come."""
    for number in range(40):
        shop.pay(shop.opened_page(f"INV-{number}")["checkout_id"])
    shop.later(60)
    assert shop.run("poll_events").json == {"new": 160, "seen": 160, "unreadable": 0}


def test_b20_a_poll_that_broke_off_starts_where_it_was(shop: Shop) -> None:
    """Stripe fails: exit 4, the cursor stays, and the next poll brings everything."""
    shop.pay(shop.opened_page()["checkout_id"])
    shop.later(60)
    shop.fail("stripe", "*/events", "500", times=99)
    ran = shop.run("poll_events")
    assert (ran.code, ran.out) == (4, "")
    assert shop.till.ledger.activity.cursor("events:stripe") == 0
    shop.simulator._faults.clear()
    assert shop.run("poll_events").json["new"] == 4


def test_an_event_that_was_listed_late_is_still_found(shop: Shop) -> None:
    """An overlap is read again: a payment within five minutes before the last poll comes with the next one."""
    shop.pay(shop.opened_page()["checkout_id"])
    with shop.till.ledger.transaction():
        shop.till.ledger.activity.set_cursor("events:stripe", shop.till.clock.now() + 200)
    assert shop.run("poll_events").json["new"] == 3


def test_a_week_without_a_poll_loses_nothing(shop: Shop) -> None:
    """The cursor is a time, not a count of days."""
    shop.run("poll_events")
    shop.pay(shop.opened_page()["checkout_id"])
    shop.later(7 * DAY)
    assert shop.run("poll_events").json["new"] >= 4
    assert shop.run("process_inbox").json["remaining"] == 0
    assert shop.till.ledger.facts.balances()[("Stripe Clearing", "USD")].minor == 5796


def test_a_lost_webhook_costs_time_only(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver was down when the events were due: the poll has them."""
    with receiving(shop, monkeypatch):
        pass
    shop.pay(shop.opened_page()["checkout_id"])
    shop.later(60)
    assert shop.run("poll_events").json["new"] == 4


def test_an_unknown_provider_is_usage(shop: Shop) -> None:
    """Exit 2 names the providers that there are."""
    ran = shop.run("poll_events", "--provider", "cash")
    assert (ran.code, ran.out) == (2, "")
    assert "stripe" in ran.err


def test_the_plain_function_does_the_same(shop: Shop) -> None:
    """Other scripts import the function."""
    shop.pay(shop.opened_page()["checkout_id"])
    assert poll_events(till=shop.till).new == 3


def test_g20_a_dry_run_keeps_nothing(shop: Shop) -> None:
    """It says how many would be new, and the next real poll finds them new."""
    shop.pay(shop.opened_page()["checkout_id"])
    shop.later(60)
    assert dry_run(shop, "poll_events")["new"] == 4
    assert shop.run("poll_events").json["new"] == 4
