"""The statement of every provider: what moved, by the keys of the facts, completely, and what is left."""

from __future__ import annotations

import pytest

from helpers.providers.stage import Stage
from helpers.providers.words import DAY, asked
from tillbook.kit.money import Money
from tillbook.rules.facts import PaymentFact
from tillbook.rules.matching import Movement, clearing_minor
from tillbook.vendors.protocols import Provider


def begun(stage: Stage) -> int:
    """A moment after everything that moved until now."""
    stage.later(60)
    return stage.clock.now()


def moved(stage: Stage, since: int) -> list[Movement]:
    """The rows from a moment on, once they must be on the statement."""
    stage.later(stage.declaration.statement_lag_seconds)
    return list(stage.usual.statement(since, stage.clock.now() + 300))


def assert_equal_to_facts(stage: Stage, payment: str, rows: list[Movement]) -> None:
    """Each fact is a row and each row a fact: by key, kind, amount and time. Each row leads to the payment's facts."""
    reading = stage.usual.read(payment)
    facts = [fact for fact in reading.facts if isinstance(fact, PaymentFact)]
    told = {one.key: (one.kind, Money(one.minor, one.currency)) for one in rows}
    assert told == {fact.key: (fact.kind, fact.amount) for fact in facts}
    assert len(rows) == len(facts)
    times = {fact.key: fact.occurred_at for fact in facts}
    assert all(abs(one.at - times[one.key]) <= 60 for one in rows)
    assert all(stage.usual.read(name).facts == reading.facts for name in {one.payment for one in rows})


def test_the_statement_is_that_of_the_facts(stage: Stage, provider: Provider) -> None:
    """What moved is named as the facts are, with equal amounts, at the same times; refunds an hour later, too."""
    since, payment = begun(stage), stage.paid(Money(12345, "USD")).payment
    stage.later(3600)
    provider.send(stage.refunding(asked(payment)))
    stage.refund_in_dashboard(payment, 1500)
    rows = moved(stage, since)
    assert len(rows) == 4
    assert_equal_to_facts(stage, payment, rows)


@pytest.mark.parametrize("outcome", ["failed", "canceled", "succeeded"])
def test_c14_a_refund_that_was_pending_is_on_it_as_it_ended(stage: Stage, provider: Provider, outcome: str) -> None:
    """C14: where it moved money at once and failed, the money comes back by a row of its own."""
    since, payment = begun(stage), stage.paid().payment
    stage.refunds_start_as("pending")
    refund = provider.send(stage.refunding(asked(payment)))["refund"]
    stage.later(3600)
    stage.end_refund(refund, outcome)
    rows = moved(stage, since)
    back = clearing_minor([one for one in rows if one.kind in ("PaymentRefunded", "RefundFailed")])
    assert back == (-2000 if outcome == "succeeded" else 0)
    assert_equal_to_facts(stage, payment, rows)


def test_b25_more_rows_than_come_at_a_time_are_all_told(stage: Stage) -> None:
    """B25: a payment, its fee and a hundred and one refunds."""
    since, payment = begun(stage), stage.paid().payment
    for _ in range(101):
        stage.refund_in_dashboard(payment, 10)
    rows = moved(stage, since)
    assert len(rows) == 103
    assert_equal_to_facts(stage, payment, rows)


def test_b27_the_statement_begins_and_ends_where_it_is_asked_to(stage: Stage, provider: Provider) -> None:
    """B27: from `since` to before `until`, however long that is: two halves are the whole, without an overlap."""
    payments = set()
    for _ in range(2):
        payments.add(stage.paid().payment)
        stage.later(40 * DAY)
    now = stage.clock.now()
    whole = list(provider.statement(0, now + 300))
    middle = max(one.at for one in whole)
    halves = [*provider.statement(0, middle), *provider.statement(middle, now + 300)]
    assert sorted(halves) == sorted(whole)
    assert {one.at for one in provider.statement(middle, middle + 1)} == {middle}
    assert payments <= {one.payment for one in whole}
    assert list(provider.statement(now + 300, now + 600)) == []


def test_the_balance_is_the_sum_of_the_statement(stage: Stage, provider: Provider) -> None:
    """The figure that reconciliation proves, in every currency, where the provider tells one."""
    for amount in (Money(6000, "USD"), Money(5000, "EUR")):
        stage.paid(amount)
    if not stage.declaration.tells_balance:
        return
    stage.later(stage.declaration.statement_lag_seconds)
    rows = list(provider.statement(0, stage.clock.now() + 300))
    balance = provider.balance()
    assert {"USD", "EUR"} <= set(balance)
    for currency, amount in balance.items():
        assert (amount.currency, amount.minor > 0) == (currency, True)
        assert clearing_minor([one for one in rows if one.currency == currency]) == amount.minor
