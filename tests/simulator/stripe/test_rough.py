"""The simulated Stripe with the habits of the real one: minimum amounts, and settlement in US dollars."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from helpers.vendors.simulated_stripe import contract, control, order, plain
from simulator.server import Simulator

Json = dict[str, Any]
TWO_SECONDS = {"advance_seconds": 2}


def paid(api: stripe.StripeClient, simulator: Simulator, amount: int, currency: str) -> Json:
    """A settled charge with its row."""
    session = api.v1.checkout.sessions.create(order(amount, currency))
    intent = control(simulator, "pay", {"checkout_id": session.id})["payment_intent"]
    control(simulator, "clock", TWO_SECONDS)
    expand: Any = {"expand": ["latest_charge.balance_transaction"]}
    found: Json = plain(api.v1.payment_intents.retrieve(intent, expand))["latest_charge"]
    return found


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (49, "usd", "The Checkout Session's total amount due must add up to at least $0.50 usd"),
        (29, "gbp", "The Checkout Session's total amount due must add up to at least £0.30 gbp"),
        (49, "jpy", "The Checkout Session's total amount due must add up to at least ¥50 jpy"),
    ],
)
def test_a_page_below_the_minimum_is_refused(
    api: stripe.StripeClient, simulator: Simulator, amount: int, currency: str, words: str
) -> None:
    """In Stripe's words, with its code; the minimum itself can be paid. A link has the same rule."""
    control(simulator, "rough", {"habits": ["minimums"]})
    asked = order(amount, currency)
    link: Any = {"line_items": asked["line_items"]}
    for call in (lambda: api.v1.checkout.sessions.create(asked), lambda: api.v1.payment_links.create(link)):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            call()
        assert (caught.value.code, caught.value.user_message) == ("amount_too_small", words)
    assert api.v1.checkout.sessions.create(order(amount + 1, currency)).status == "open"


def test_the_minimum_is_that_of_the_currency_it_settles_in(api: stripe.StripeClient, simulator: Simulator) -> None:
    """60 yen would do where yen are kept. Converted they are less than fifty cents."""
    control(simulator, "rough", {"habits": ["minimums", "conversion"]})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.v1.checkout.sessions.create(order(60, "jpy"))
    expected = (
        "The Checkout Session's total amount must convert to at least 50 cents. ¥60 converts to approximately $0."
    )
    assert str(caught.value.user_message).startswith(expected)


@pytest.mark.parametrize(("amount", "currency", "cents"), [(10_000, "eur", 10_584), (10_000, "jpy", 6_566)])
def test_another_currency_settles_in_dollars(
    api: stripe.StripeClient, simulator: Simulator, amount: int, currency: str, cents: int
) -> None:
    """At about 1.08 and 0.0067 dollars less two percent. The rate is between minor units, so a yen's is near 0.66.
    The charge keeps its currency, and a refund takes dollars, too. Every object is as Stripe's schema has it."""
    control(simulator, "rough", {"habits": ["conversion"]})
    charge = paid(api, simulator, amount, currency)
    row = charge["balance_transaction"]
    assert (charge["currency"], charge["amount"], row["currency"]) == (currency, amount, "usd")
    assert abs(row["amount"] - cents) <= cents * 0.01 + 1
    assert round(amount * row["exchange_rate"]) == row["amount"]
    assert row["net"] == row["amount"] - row["fee"]
    refund = plain(api.v1.refunds.create({"charge": charge["id"], "expand": ["balance_transaction"]}))
    assert refund["balance_transaction"]["amount"] == -row["amount"]
    check = contract().check_object
    assert check({**charge, "balance_transaction": None}) + check(row) + check(refund["balance_transaction"]) == []
    held = plain(api.v1.balance.retrieve())
    assert {part["currency"] for name in ("available", "pending") for part in held[name]} == {"usd"}


def test_the_rate_is_another_every_day(api: stripe.StripeClient, simulator: Simulator) -> None:
    """A refund a day later takes more or fewer dollars than the payment brought."""
    control(simulator, "rough", {"habits": ["conversion"]})
    charge = paid(api, simulator, 100_000, "eur")
    control(simulator, "clock", {"advance_seconds": 86_400})
    refund = plain(api.v1.refunds.create({"charge": charge["id"], "expand": ["balance_transaction"]}))
    lost = refund["balance_transaction"]["amount"] + charge["balance_transaction"]["amount"]
    assert 0 < abs(lost) < 2_200


def test_dollars_settle_in_dollars(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Without a rate, and without the habit so does every currency."""
    control(simulator, "rough", {"habits": ["conversion"]})
    assert paid(api, simulator, 5_000, "usd")["balance_transaction"]["exchange_rate"] is None
    control(simulator, "rough", {"habits": []})
    row = paid(api, simulator, 5_000, "eur")["balance_transaction"]
    assert (row["amount"], row["currency"], row["exchange_rate"]) == (5_000, "eur", None)


@pytest.mark.parametrize(("currency", "settles_in"), [("usd", "usd"), ("eur", "usd")])
@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_moves_money(
    api: stripe.StripeClient, simulator: Simulator, currency: str, settles_in: str, outcome: str
) -> None:
    """What is disputed and 15.00 go at once, by one row that the dispute shows. A win brings the same amount back and
    keeps the fee. Each step has its event, and the objects are as Stripe's schema has them."""
    control(simulator, "rough", {"habits": ["conversion", "disputed_money"]})
    charge = paid(api, simulator, 5_000, currency)
    began = control(simulator, "dispute", {"payment": charge["id"], "kind": "dispute"})
    ended = control(simulator, "dispute_outcome", {"dispute": began["id"], "outcome": outcome})
    taken, *returned = ended["balance_transactions"]
    assert (taken["currency"], taken["fee"], taken["reporting_category"]) == (settles_in, 1_500, "dispute")
    assert taken["amount"] == -charge["balance_transaction"]["amount"]
    assert [row["amount"] for row in returned] == ([-taken["amount"]] if outcome == "won" else [])
    assert ended["status"] == outcome
    told = [event["type"] for event in simulator.world.all("stripe.event") if "dispute" in event["type"]]
    steps = ["created", "funds_withdrawn", "closed", *(["funds_reinstated"] if outcome == "won" else [])]
    assert told == [f"charge.dispute.{step}" for step in steps]
    listed: Any = {"expand": ["data.source"], "limit": 100}
    rows = [plain(row) for row in api.v1.balance_transactions.list(listed).data]
    assert {row["source"]["object"] for row in rows} == {"charge", "dispute"}
    held = plain(api.v1.balance.retrieve())
    assert sum(row["net"] for row in rows) == sum(
        part["amount"] for name in ("available", "pending") for part in held[name]
    )
    check = contract().check_object
    assert [problem for one in (ended, *ended["balance_transactions"]) for problem in check(one)] == []
    refused = control(simulator, "dispute_outcome", {"dispute": began["id"], "outcome": "won"}, status=409)
    assert "already" in refused["error"]


def test_an_inquiry_moves_no_money_and_is_closed(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Whoever was right. Without the habit a dispute moves none either."""
    control(simulator, "rough", {"habits": ["disputed_money"]})
    began = control(simulator, "dispute", {"payment": paid(api, simulator, 5_000, "usd")["id"], "kind": "inquiry"})
    ended = control(simulator, "dispute_outcome", {"dispute": began["id"], "outcome": "lost"})
    assert (ended["status"], ended["balance_transactions"]) == ("warning_closed", [])
    control(simulator, "rough", {"habits": []})
    began = control(simulator, "dispute", {"payment": paid(api, simulator, 5_000, "usd")["id"], "kind": "dispute"})
    assert began["balance_transactions"] == []
