"""Records of every provider that cannot be understood: each is named in its place, and stops no other."""

from __future__ import annotations

from helpers.providers.stage import Stage
from tillbook.kit.money import Money
from tillbook.rules.events import Event, UnreadableRecord
from tillbook.rules.matching import Movement
from tillbook.vendors.protocols import Provider


def test_an_odd_row_of_the_statement(stage: Stage, provider: Provider) -> None:
    """A currency that nobody knows: the row is named with it, and every other row is told."""
    stage.later(60)
    since = stage.clock.now()
    odd, good = stage.paid().payment, stage.paid(Money(12345, "USD")).payment
    stage.later(60)
    stage.spoil_row(odd)
    stage.later(stage.declaration.statement_lag_seconds)
    rows = list(provider.statement(since, stage.clock.now() + 300))
    (named,) = (one for one in rows if isinstance(one, UnreadableRecord))
    assert (named.vendor, named.currency, named.payment) == (stage.name, "XYZ", odd)
    assert named.id
    assert named.field
    assert named.reason
    assert abs(named.at - since) <= 120
    told = {one.kind: one.minor for one in rows if isinstance(one, Movement) and one.payment == good}
    assert told == {"PaymentSucceeded": 12345, "ProcessorFee": stage.fee_of_123_45.minor}


def test_an_odd_fee_leaves_the_payment(stage: Stage, provider: Provider) -> None:
    """The customer paid, and that is a fact whatever the fee may be."""
    payment = stage.paid().payment
    stage.later(60)
    fee = stage.spoil_fee(payment)
    reading = provider.read(payment)
    assert [(fact.kind, fact.amount) for fact in reading.facts] == [("PaymentSucceeded", Money(6000, "USD"))]
    assert [(one.vendor, one.id, "fee" in one.field) for one in reading.unreadable] == [(stage.name, fee, True)]
    assert reading.operation


def test_an_odd_event_of_the_list(stage: Stage, provider: Provider) -> None:
    """It leads nowhere. The others are told, the older ones, too."""
    stage.later(10)
    since = stage.clock.now()
    for _ in range(3):
        stage.paid()
    stage.later(60)
    whole = [one for one in provider.events(since) if isinstance(one, Event)]
    odd = whole[len(whole) // 2]
    stage.spoil_event(odd.id)
    found = list(provider.events(since))
    assert [one.id for one in found] == [one.id for one in whole]
    assert [one.id for one in found if isinstance(one, UnreadableRecord)] == [odd.id]
