"""What every provider with pages that last holds to: they outlive months, are paid once, and end when closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.providers import set_stage
from helpers.providers.stripe.stage import StripeStage
from helpers.providers.words import operation_of, request_of
from tillbook.kit.errors import NotAllowed, Refused, Uncertain
from tillbook.kit.money import Money
from tillbook.rules.operations import Operation
from tillbook.vendors.protocols import Provider

MONTH_SECONDS = 30 * 86_400


@pytest.fixture(scope="module", params=["stripe"])
def theatre(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeStage]:
    """One simulated world for each provider that has such pages."""
    with set_stage(request.param, tmp_path_factory.mktemp("home")) as stage:
        yield stage


@pytest.fixture
def provider(stage: StripeStage) -> Provider:
    """The provider on its stage."""
    return stage.provider()


def opening(stage: StripeStage, provider: Provider, amount: Money = Money(6000, "USD")) -> Operation:  # noqa: B008  frozen
    """A new operation that opens a page that lasts."""
    return operation_of(provider.plan_checkout(request_of(amount, lasting=True)), stage.clock.now())


def opened(stage: StripeStage, provider: Provider) -> str:
    """The id of a new page that lasts."""
    return str(provider.send(opening(stage, provider))["checkout_id"])


def closing(stage: StripeStage, provider: Provider, checkout_id: str, generation: int = 1) -> Operation:
    """An operation that closes a page."""
    return operation_of(provider.plan_close(checkout_id), stage.clock.now(), generation)


def test_a_lasting_page_is_another_operation_than_one_of_a_day(provider: Provider) -> None:
    """Both may stand beside each other for one invoice, so neither is taken for the other."""
    plans = [provider.plan_checkout(request_of(invoice="INV-7", lasting=lasting)) for lasting in (True, False)]
    assert plans[0].subject != plans[1].subject


def test_it_has_no_end_and_is_open_months_later(stage: StripeStage, provider: Provider) -> None:
    """A mail may lie unread: the page is still there, and paid then it is known by its payment."""
    result = provider.send(opening(stage, provider))
    assert result["expires_at"] is None
    stage.later(3 * MONTH_SECONDS)
    state = provider.checkout(result["checkout_id"])
    assert (state.status, state.url, state.expires_at) == ("open", result["url"], None)
    stage.pay(state.id)
    state = provider.checkout(state.id)
    assert state.status == "paid"
    assert provider.read(state.payment).facts


@pytest.mark.parametrize("amount", [Money(1, "USD"), Money(5000, "JPY"), Money(12345, "EUR")], ids=str)
def test_it_asks_for_exactly_the_amount(stage: StripeStage, provider: Provider, amount: Money) -> None:
    """In the currency's own decimals."""
    made = provider.send(opening(stage, provider, amount))
    assert provider.checkout(made["checkout_id"]).amount == amount


def test_the_same_key_gives_the_same_page_and_it_is_found_again(stage: StripeStage, provider: Provider) -> None:
    """C1, C2: sent twice it is one page; its operation leads to it, also when it was closed since."""
    operation = opening(stage, provider)
    assert provider.find(operation) is None
    result = provider.send(operation)
    assert stage.provider().send(operation) == result == provider.find(operation)
    provider.send(closing(stage, provider, result["checkout_id"]))
    assert provider.find(operation) == result


def test_it_is_found_behind_hundreds_of_others(stage: StripeStage, provider: Provider) -> None:
    """The list is read to its end, page by page."""
    operation = opening(stage, provider)
    result = provider.send(operation)
    for _ in range(101):
        opened(stage, provider)
    assert provider.find(operation) == result


def test_it_is_closed_once_and_its_open_sessions_with_it(stage: StripeStage, provider: Provider) -> None:
    """A customer who has the page before him cannot pay it any more; closing again gives the same answer."""
    checkout_id = opened(stage, provider)
    stage.pay(checkout_id, well=False)
    operation = closing(stage, provider, checkout_id)
    assert provider.find(operation) is None
    result = provider.send(operation)
    assert result == {"checkout_id": checkout_id, "status": "expired"}
    assert provider.send(operation) == provider.send(closing(stage, provider, checkout_id, 2)) == result
    assert provider.find(operation) == result
    stage.pay(checkout_id)
    assert (provider.checkout(checkout_id).status, provider.checkout(checkout_id).payment) == ("expired", "")


def test_a_paid_one_cannot_be_closed(stage: StripeStage, provider: Provider) -> None:
    """The customer was faster: a code says so, and looking finds no closed page."""
    checkout_id = opened(stage, provider)
    stage.pay(checkout_id)
    operation = closing(stage, provider, checkout_id)
    with pytest.raises(Refused) as refusal:
        provider.send(operation)
    assert refusal.value.code == "complete"
    assert provider.find(operation) is None
    assert provider.checkout(checkout_id).status == "paid"


def test_c2_half_a_close_is_uncertain_and_finished_by_the_next_attempt(stage: StripeStage, provider: Provider) -> None:
    """Deactivated, but what customers have open could not be read: nobody says that it is closed."""
    checkout_id = opened(stage, provider)
    stage.pay(checkout_id, well=False)
    operation = closing(stage, provider, checkout_id)
    stage.fail("read", "500", times=20)
    with pytest.raises(Uncertain):
        provider.send(operation)
    stage.calm()
    assert provider.find(operation) is None
    assert provider.send(operation)["status"] == "expired"
    assert provider.find(operation) is not None


def test_one_that_is_not_there_is_refused(stage: StripeStage, provider: Provider) -> None:
    """By a code, as for a page of a day; and it is no trouble with our key."""
    checkout_id = opened(stage, provider) + "none"
    for call in (provider.checkout, lambda one: provider.send(closing(stage, provider, one))):
        with pytest.raises(Refused) as refusal:
            call(checkout_id)
        assert refusal.value.code == "resource_missing"
        assert not isinstance(refusal.value, NotAllowed)
