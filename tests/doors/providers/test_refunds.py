"""Money back through every provider: planned, sent once, found again, read completely, and what becomes of it."""

from __future__ import annotations

import pytest

from helpers.providers.stage import Stage
from helpers.providers.words import DAY, TWENTY, asked, raised, returns
from tillbook.kit.errors import Refused, Unavailable
from tillbook.kit.money import Money
from tillbook.rules.facts import RefundFailed
from tillbook.rules.uses import PURPOSES
from tillbook.vendors.protocols import Provider


@pytest.mark.parametrize("purpose", PURPOSES)
def test_c13_a_refund_plan_names_all_that_the_ledger_needs(provider: Provider, purpose: str) -> None:
    """C13: kind, subject and every parameter, the amount explicit in both forms."""
    plan = provider.plan_refund(asked("pay_1", purpose=purpose))
    assert (plan.kind, plan.subject, plan.door) == ("refund_payment", f"{provider.name}/pay_1/RMA-1", provider.name)
    assert " ".join(plan.params) == "payment invoice amount amount_minor currency reason purpose"
    assert list(plan.params.values()) == ["pay_1", "INV-1", "20.00", 2000, "USD", "a word of ours", purpose]
    assert plan.params_hash == provider.plan_refund(asked("pay_1", purpose=purpose)).params_hash


def test_a_refund_is_made_once_and_found_again(stage: Stage, provider: Provider, payment: str) -> None:
    """C1, C2: the same operation again is the same refund; what a lost answer said is read back; a stranger is not."""
    operation, before = stage.refunding(asked(payment)), len(stage.refunds())
    assert (provider.find(operation), provider.latest(operation)) == (None, None)
    made = provider.send(operation)
    assert made["refund"]
    assert made["status"] == "succeeded"
    assert stage.provider().send(operation) == made == provider.find(operation)
    assert len(stage.refunds()) == before + 1
    assert len(returns(provider.read(payment))) == 1
    assert provider.find(stage.refunding(asked(payment), generation=2)) is None
    assert provider.find(stage.refunding(asked(payment, reference="RMA-2"))) is None


def test_a_refund_shows_its_generation_to_whoever_forgot_it(stage: Stage, provider: Provider, payment: str) -> None:
    """F5: the newest from a generation on; neither an older one, nor one of another reference or of a dashboard."""
    for generation in (2, 4):
        provider.send(stage.refunding(asked(payment), generation=generation))
    stage.refund_in_dashboard(payment, 100)
    seen = [provider.latest(stage.refunding(asked(payment), generation=one)) for one in (1, 2, 3, 4, 5)]
    assert seen == [4, 4, 4, 4, None]
    assert provider.latest(stage.refunding(asked(payment, reference="RMA-2"))) is None


def test_a_refund_is_a_fact_that_names_its_operation(stage: Stage, provider: Provider, payment: str) -> None:
    """Keyed by its own movement, gross; two of one amount are two; one of the dashboard is nobody's operation."""
    operations = [stage.refunding(asked(payment, reference=name)) for name in ("RMA-1", "RMA-2")]
    made = {(provider.send(operation)["refund"], operation.id, TWENTY, payment) for operation in operations}
    facts = returns(provider.read(payment))
    assert {(fact.refund, fact.operation, fact.amount, fact.payment) for fact in facts} == made
    stage.refund_in_dashboard(payment, 1500)
    (other,) = set(returns(provider.read(payment))) - set(facts)
    assert (other.operation, other.amount) == ("", Money(1500, "USD"))
    assert len({fact.key for fact in (*facts, other)}) == 3


def test_c10_all_of_a_payment_can_be_given_back_and_no_more(stage: Stage, provider: Provider, payment: str) -> None:
    """C10: in parts up to the whole; should our bound fail, the vendor's holds."""
    for name, amount in (("A", TWENTY), ("B", Money(3999, "USD")), ("C", Money(1, "USD"))):
        assert provider.send(stage.refunding(asked(payment, amount, reference=name)))["status"] == "succeeded"
    facts = returns(provider.read(payment))
    assert sum(fact.amount.minor for fact in facts) == 6000
    raised(Refused, provider.send, stage.refunding(asked(payment, Money(1, "USD"), reference="D")))
    assert returns(provider.read(payment)) == facts


def test_b25_a_hundred_refunds_are_all_read(stage: Stage, provider: Provider, payment: str) -> None:
    """B25: a hundred and one, more than come at a time, in one order; the first and the last are found again."""
    first, last = (stage.refunding(asked(payment, Money(100, "USD"), reference=name)) for name in ("first", "last"))
    made = provider.send(first)
    for _ in range(99):
        stage.refund_in_dashboard(payment, 30)
    ended = provider.send(last)
    facts = returns(provider.read(payment))
    assert len({fact.key for fact in facts}) == len(facts) == 101
    assert (provider.find(first), provider.find(last)) == (made, ended)
    assert provider.read(payment).facts == stage.provider().read(payment).facts
    assert provider.find(stage.refunding(asked(payment, reference="none"))) is None


@pytest.mark.parametrize("start", ["pending", "held"])
@pytest.mark.parametrize("outcome", ["failed", "canceled"])
def test_c14_a_refund_fails(stage: Stage, provider: Provider, payment: str, start: str, outcome: str) -> None:
    """Where a pending one moved money, a second fact takes it back; else there is none, and its operation is free."""
    stage.refunds_start_as(start)
    operation, moved = stage.refunding(asked(payment)), stage.pending_moves and start == "pending"
    made, before = provider.send(operation), provider.read(payment)
    assert made["status"] == "pending"
    assert (len(returns(before)), before.released) == (moved, ())
    stage.later(DAY)
    stage.end_refund(made["refund"], outcome)
    after = provider.read(payment)
    failures = [fact for fact in after.facts if isinstance(fact, RefundFailed)]
    assert set(before.facts) | set(failures) == set(after.facts)
    assert after.released == (() if moved else (operation.id,))
    assert len(failures) == moved
    for failure in failures:
        assert (failure.refund, failure.amount, failure.payment) == (made["refund"], TWENTY, payment)
        assert 0 <= stage.clock.now() - failure.occurred_at <= 10
        assert failure.occurred_at >= returns(after)[0].occurred_at + DAY
        assert failure.key != returns(after)[0].key
    assert provider.find(operation) == {"refund": made["refund"], "status": outcome}


def test_c14_a_pending_refund_that_succeeds_is_one_fact(stage: Stage, provider: Provider, payment: str) -> None:
    """Whenever its money moves, it moves once, and the operation is not free."""
    stage.refunds_start_as("pending")
    operation = stage.refunding(asked(payment))
    refund = provider.send(operation)["refund"]
    assert len(returns(provider.read(payment))) == stage.pending_moves
    stage.end_refund(refund, "succeeded")
    after = provider.read(payment)
    assert [(fact.operation, fact.amount) for fact in returns(after)] == [(operation.id, TWENTY)]
    assert after.released == ()
    assert provider.find(operation) == {"refund": refund, "status": "succeeded"}


def test_c12_a_dispute_forbids_a_refund_and_an_inquiry_does_not(stage: Stage, provider: Provider, payment: str) -> None:
    """An inquiry and another payment's dispute are no obstacle, its own is named; not to know is no permission."""
    assert provider.dispute(payment) == ""
    stage.question(payment, "inquiry")
    assert provider.dispute(payment) == ""
    other = stage.paid().payment
    stage.question(other, "dispute")
    assert provider.dispute(payment) == ""
    assert provider.dispute(other)
    raised(Refused, provider.send, stage.refunding(asked(other)))
    stage.fail("read", "500", times=3)
    raised(Unavailable, provider.dispute, payment)


def test_what_waits_for_our_answer_is_listed_with_its_end(stage: Stage, provider: Provider, payment: str) -> None:
    """A dispute and an inquiry: its amount, when it began, and by when somebody must answer."""
    before = {one.id for one in provider.open_disputes()}
    stage.question(payment, "dispute")
    (found,) = [one for one in provider.open_disputes() if one.id not in before]
    assert found.amount == Money(6000, "USD")
    assert found.status
    assert found.due_at is not None
    assert found.opened_at < found.due_at
    stage.question(stage.paid().payment, "inquiry")
    assert len(list(provider.open_disputes())) == len(before) + 2
