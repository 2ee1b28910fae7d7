"""What every provider must do with money that goes back: the refund half of `test_providers.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provider_stages import SIXTY, StripeStage, operation_of, request_of, set_stage
from tillbook.errors import Refused, Unavailable, Uncertain
from tillbook.facts import PaymentRefunded, PaymentSucceeded, RefundFailed
from tillbook.money import Money
from tillbook.operations import Operation
from tillbook.providers import PROVIDERS, Provider, Reading, RefundRequest
from tillbook.uses import PURPOSES

Stage = StripeStage
TWENTY = Money(2000, "USD")


@pytest.fixture(scope="module", params=sorted(PROVIDERS))
def theatre(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One simulator for all tests of a provider."""
    with set_stage(request.param, tmp_path_factory.mktemp("home")) as stage:
        yield stage


@pytest.fixture
def stage(theatre: Stage) -> Stage:
    """The stage without the faults and the slow refunds of the test before."""
    theatre.calm()
    theatre.clock.slept.clear()
    theatre.refunds_start_as("succeeded")
    return theatre


@pytest.fixture
def provider(stage: Stage) -> Provider:
    return stage.provider()


@pytest.fixture
def payment(stage: Stage, provider: Provider) -> str:
    """A settled payment of 60.00."""
    plan = provider.plan_checkout(request_of(SIXTY))
    checkout_id = provider.send(operation_of(plan, stage.clock.now()))["checkout_id"]
    stage.pay(checkout_id)
    stage.later(60)
    return provider.checkout(checkout_id).payment


def asked(payment: str, amount: Money = TWENTY, **changes: str) -> RefundRequest:
    values = {"invoice": "INV-1", "reason": "a word of ours", "reference": "RMA-1", "purpose": "sale", **changes}
    return RefundRequest(payment=payment, amount=amount, **values)


def refunding(stage: Stage, provider: Provider, request: RefundRequest, generation: int = 1) -> Operation:
    """An operation that gives money back, as the ledger holds it when it was sent."""
    return operation_of(provider.plan_refund(request), stage.clock.now(), generation)


def returns(reading: Reading) -> list[PaymentRefunded]:
    return [fact for fact in reading.facts if isinstance(fact, PaymentRefunded)]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_plan_names_everything_that_the_ledger_and_the_bound_need(provider: Provider, purpose: str) -> None:
    """C13: kind, subject and every parameter, the amount explicit in both forms."""
    plan = provider.plan_refund(asked("pay_1", purpose=purpose))
    assert (plan.kind, plan.subject, plan.door) == ("refund_payment", f"{provider.name}/pay_1/RMA-1", provider.name)
    assert plan.params == {
        "payment": "pay_1",
        "invoice": "INV-1",
        "amount": "20.00",
        "amount_minor": 2000,
        "currency": "USD",
        "reason": "a word of ours",
        "purpose": purpose,
    }
    assert plan.params_hash == provider.plan_refund(asked("pay_1", purpose=purpose)).params_hash


def test_a_refund_is_made_once_and_found_again(stage: Stage, provider: Provider, payment: str) -> None:
    """C1, C2: the same operation again is the same refund; what a lost answer said is read back; a stranger is not."""
    operation = refunding(stage, provider, asked(payment))
    assert provider.find(operation) is None
    made = provider.send(operation)
    assert made["refund"]
    assert made["status"] == "succeeded"
    assert stage.provider().send(operation) == made == provider.find(operation)
    assert len(returns(provider.read(payment))) == 1
    assert provider.find(refunding(stage, provider, asked(payment), generation=2)) is None
    assert provider.find(refunding(stage, provider, asked(payment, reference="RMA-2"))) is None


def test_a_refund_is_a_fact_that_names_its_operation(stage: Stage, provider: Provider, payment: str) -> None:
    """Keyed by its own movement, gross, in the currency of the charge; two of one amount are two."""
    operations = [refunding(stage, provider, asked(payment, reference=name)) for name in ("RMA-1", "RMA-2")]
    made = [provider.send(operation) for operation in operations]
    facts = returns(provider.read(payment))
    assert {(fact.refund, fact.operation, fact.amount, fact.payment) for fact in facts} == {
        (result["refund"], operation.id, TWENTY, payment) for result, operation in zip(made, operations, strict=True)
    }
    assert len({fact.key for fact in facts}) == 2


def test_a_refund_of_the_dashboard_is_a_fact_without_an_operation(
    stage: Stage, provider: Provider, payment: str
) -> None:
    """A person's refund is money all the same, and nobody's operation."""
    stage.refund_in_dashboard(payment, 4500)
    (fact,) = returns(provider.read(payment))
    assert (fact.operation, fact.amount) == ("", Money(4500, "USD"))


def test_more_than_there_is_is_refused_by_the_vendor(stage: Stage, provider: Provider, payment: str) -> None:
    """C10: should our own bound ever fail, this one holds."""
    stage.refund_in_dashboard(payment, 4500)
    with pytest.raises(Refused):
        provider.send(refunding(stage, provider, asked(payment)))
    assert len(returns(provider.read(payment))) == 1


def test_reading_refunds_twice_says_the_same(stage: Stage, provider: Provider, payment: str) -> None:
    """B1: thirty refunds, more than come with a charge: all of them, each time, in the same order."""
    for _ in range(30):
        stage.refund_in_dashboard(payment, 100)
    first = provider.read(payment)
    assert len(returns(first)) == 30
    assert first == provider.read(payment)


@pytest.mark.parametrize("outcome", ["failed", "canceled"])
def test_c14_a_refund_that_comes_back_is_a_second_fact(
    stage: Stage, provider: Provider, payment: str, outcome: str
) -> None:
    """The first fact stays as it was; the movement back has its own key and its own time."""
    stage.refunds_start_as("pending")
    operation = refunding(stage, provider, asked(payment))
    refund = provider.send(operation)["refund"]
    before = provider.read(payment)
    stage.later(86400)
    stage.end_refund(refund, outcome)
    after = provider.read(payment)
    (failure,) = [fact for fact in after.facts if isinstance(fact, RefundFailed)]
    assert set(before.facts) < set(after.facts)
    assert (failure.refund, failure.amount, failure.payment) == (refund, TWENTY, payment)
    assert failure.occurred_at >= returns(after)[0].occurred_at + 86400
    assert after.released == ()
    found = provider.find(operation)
    assert found is not None
    assert found["status"] == outcome


@pytest.mark.parametrize("outcome", ["failed", "canceled"])
def test_c14_a_refund_that_never_moved_money_is_released(
    stage: Stage, provider: Provider, payment: str, outcome: str
) -> None:
    """Held, then ended: no fact of any kind, and the operation is named as free."""
    stage.refunds_start_as("held")
    operation = refunding(stage, provider, asked(payment))
    made = provider.send(operation)
    assert made["status"] == "pending"
    assert provider.read(payment).released == ()
    stage.end_refund(made["refund"], outcome)
    after = provider.read(payment)
    assert after.released == (operation.id,)
    assert not [fact for fact in after.facts if isinstance(fact, PaymentRefunded | RefundFailed)]
    assert [fact for fact in after.facts if isinstance(fact, PaymentSucceeded)]


def test_c12_a_dispute_forbids_a_refund_and_an_inquiry_does_not(stage: Stage, provider: Provider, payment: str) -> None:
    """Nothing, an inquiry, and another payment's dispute are no obstacle; its own is named by its status."""
    assert provider.dispute(payment) == ""
    stage.question(payment, "inquiry")
    assert provider.dispute(payment) == ""
    plan = provider.plan_checkout(request_of(SIXTY))
    checkout_id = provider.send(operation_of(plan, stage.clock.now()))["checkout_id"]
    stage.pay(checkout_id)
    other = provider.checkout(checkout_id).payment
    stage.question(other, "dispute")
    assert provider.dispute(payment) == ""
    assert provider.dispute(other)
    with pytest.raises(Refused):
        provider.send(refunding(stage, provider, asked(other)))


@pytest.mark.parametrize("kind", ["drop_after", "500", "html_502"])
def test_c2_a_lost_answer_is_uncertain_and_found(stage: Stage, provider: Provider, payment: str, kind: str) -> None:
    """Whatever came back instead of an answer, the next look or the same key tells the truth; one refund at most."""
    operation = refunding(stage, provider, asked(payment))
    stage.fail("refund", kind, times=3)
    with pytest.raises(Uncertain):
        provider.send(operation)
    stage.calm()
    found = provider.find(operation)
    assert found is None or found == provider.send(operation)
    assert len(returns(provider.read(payment))) == (0 if found is None else 1)


def test_a_dispute_that_cannot_be_read_is_never_taken_for_none(stage: Stage, provider: Provider, payment: str) -> None:
    """C12: not to know is no permission."""
    stage.fail("read", "500", times=3)
    with pytest.raises(Unavailable):
        provider.dispute(payment)


def test_every_refund_has_its_evidence(provider: Provider) -> None:
    """C7: how long a key is remembered and how late a read may be."""
    evidence = provider.evidence("refund_payment")
    assert evidence.window_seconds >= 3600
    assert evidence.read_lag_seconds > 0
