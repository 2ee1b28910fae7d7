"""The payouts of the simulated Stripe: money leaves the balance, and arrives at the bank two days later."""

from __future__ import annotations

import pytest
import stripe

from helpers.vendors.simulated_stripe import Json, contract, control, order, plain
from simulator.server import Simulator

DAY = 86_400


@pytest.fixture
def _paid(api: stripe.StripeClient, simulator: Simulator) -> None:
    """A payment of 100.00 dollars, of which 96.80 are available."""
    session = api.v1.checkout.sessions.create(order(10_000))
    control(simulator, "pay", {"checkout_id": session.id})
    control(simulator, "clock", {"advance_seconds": 3 * DAY})


def balance(api: stripe.StripeClient) -> Json:
    """What the balance holds, by part."""
    held = plain(api.v1.balance.retrieve())
    return {part: held[part][0]["amount"] for part in ("available", "pending")}


@pytest.mark.usefixtures("_paid")
def test_a_payout_leaves_the_balance_and_arrives(api: stripe.StripeClient, simulator: Simulator) -> None:
    """It is in transit for two days, then paid. Its row names it, and an event tells of both."""
    made = control(simulator, "payout", {"amount": 5_000})
    assert (made["status"], balance(api)) == ("in_transit", {"available": 4_680, "pending": 0})
    control(simulator, "clock", {"advance_seconds": 2 * DAY})
    listed = plain(api.v1.payouts.list({"status": "paid", "expand": ["data.balance_transaction"]}))["data"]
    assert [one["id"] for one in listed] == [made["id"]]
    row = listed[0]["balance_transaction"]
    assert (row["type"], row["net"], row["source"]) == ("payout", -5_000, made["id"])
    events = api.v1.events.list({"types": ["payout.created", "payout.paid"]}).data
    assert [event.type for event in events] == ["payout.paid", "payout.created"]


@pytest.mark.usefixtures("_paid")
def test_everything_that_is_available_is_paid_out(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Without an amount nothing is left, and a second payout is refused."""
    assert control(simulator, "payout", {})["amount"] == 9_680
    assert balance(api) == {"available": 0, "pending": 0}
    assert control(simulator, "payout", {}, status=409)["error"].startswith("0 usd cannot be paid out")


@pytest.mark.usefixtures("_paid")
def test_more_than_there_is_stays(api: stripe.StripeClient, simulator: Simulator) -> None:
    """One cent too much is refused in a sentence, and so is every payout of a vendor that has none."""
    refused = control(simulator, "payout", {"amount": 9_681}, status=409)["error"]
    assert refused == "9681 usd cannot be paid out: 9680 are available"
    assert balance(api) == {"available": 9_680, "pending": 0}
    assert "paypal pays nothing out" in control(simulator, "payout", {"vendor": "paypal"}, status=409)["error"]


@pytest.mark.usefixtures("_paid")
def test_a_payout_satisfies_stripes_schema(api: stripe.StripeClient, simulator: Simulator) -> None:
    """As it begins and as it ends, with its row."""
    check = contract().check_object
    key = control(simulator, "payout", {"amount": 100})["id"]
    for _ in range(2):
        answer = plain(api.v1.payouts.retrieve(key, {"expand": ["balance_transaction"]}))
        assert check(answer) + check(answer["balance_transaction"]) == []
        control(simulator, "clock", {"advance_seconds": 2 * DAY})
