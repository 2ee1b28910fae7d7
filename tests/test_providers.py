"""What every provider must do. A provider joins by being named in PROVIDERS and put on a stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from provider_stages import SIXTY, STAGES, StripeStage, operation_of, request_of, set_stage
from tillbook.errors import Forged, Refused, Throttled, Unavailable, Uncertain
from tillbook.facts import InvoiceFact, PaymentSucceeded, ProcessorFee
from tillbook.matching import clearing_minor
from tillbook.money import Money
from tillbook.operations import Json, Operation
from tillbook.providers import PROVIDERS, CheckoutState, Provider, open_provider

Stage = StripeStage


@pytest.fixture(scope="module", params=sorted(PROVIDERS))
def theatre(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One simulator for all tests of a provider."""
    with set_stage(request.param, tmp_path_factory.mktemp("home")) as stage:
        yield stage


@pytest.fixture
def stage(theatre: Stage) -> Stage:
    """The stage without the faults of the test before."""
    theatre.calm()
    theatre.clock.slept.clear()
    return theatre


@pytest.fixture
def provider(stage: Stage) -> Provider:
    """The provider as its settings describe it."""
    return stage.provider()


def opening(stage: Stage, provider: Provider, amount: Money = SIXTY) -> Operation:
    """A new operation that opens a page."""
    return operation_of(provider.plan_checkout(request_of(amount)), stage.clock.now())


def opened(stage: Stage, provider: Provider, amount: Money = SIXTY) -> str:
    """The id of a new open page."""
    return str(provider.send(opening(stage, provider, amount))["checkout_id"])


def closing(stage: Stage, provider: Provider, checkout_id: str, generation: int = 1) -> Operation:
    """A new operation that closes a page."""
    return operation_of(provider.plan_close(checkout_id), stage.clock.now(), generation)


def paid(stage: Stage, provider: Provider, amount: Money = SIXTY) -> CheckoutState:
    """A page that a customer paid, as the provider sees it."""
    checkout_id = opened(stage, provider, amount)
    stage.pay(checkout_id)
    return provider.checkout(checkout_id)


def test_every_provider_has_a_stage() -> None:
    """A provider cannot join without being held to this suite."""
    assert set(STAGES) == set(PROVIDERS)


def test_an_unknown_provider_is_refused_by_name(stage: Stage) -> None:
    """A wrong name is answered with the names that there are."""
    with pytest.raises(Refused) as refusal:
        open_provider("cheque", stage.settings, stage.clock)
    assert all(name in refusal.value.hint for name in PROVIDERS)


# -- plans and operations --------------------------------------------------------------------------


def test_the_account_behind_the_key_is_a_test_account(provider: Provider) -> None:
    """In simulator mode no money is real, and the account has an id to bind the ledger to."""
    account = provider.account()
    assert account.id
    assert not account.livemode


def test_a_plan_is_the_same_for_the_same_request(provider: Provider) -> None:
    """C4: nothing in the parameters comes from the clock or from chance."""
    request = request_of()
    plan = provider.plan_checkout(request)
    assert plan.params_hash == provider.plan_checkout(request).params_hash
    assert (plan.kind, plan.subject, plan.door) == (
        "create_checkout",
        f"{provider.name}/{request.invoice}",
        provider.name,
    )
    assert {name: plan.params[name] for name in ("invoice", "amount", "currency")} == {
        "invoice": request.invoice,
        "amount": "60.00",
        "currency": "USD",
    }


def test_the_result_of_opening_names_page_address_and_end(stage: Stage, provider: Provider) -> None:
    """What a step needs to show the customer is in the result, and the page lives for hours."""
    result = provider.send(opening(stage, provider))
    assert result["checkout_id"]
    assert result["url"].startswith("http")
    assert result["expires_at"] > stage.clock.now() + 1800


def test_the_same_key_gives_the_same_page(stage: Stage, provider: Provider) -> None:
    """C1: after a crash the same operation is sent again, by another process, and one page exists."""
    operation = opening(stage, provider)
    before = stage.made()
    assert provider.send(operation) == stage.provider().send(operation)
    assert stage.made() == before + 1


def test_two_keys_give_two_pages(stage: Stage, provider: Provider) -> None:
    """A page for another invoice is another page."""
    assert opened(stage, provider) != opened(stage, provider)


def test_a_page_is_found_by_its_operation(stage: Stage, provider: Provider) -> None:
    """C2: what a lost answer said is read back from the vendor, word for word."""
    operation = opening(stage, provider)
    assert provider.find(operation) is None
    result = provider.send(operation)
    assert provider.find(operation) == result


def test_a_stranger_is_not_found(stage: Stage, provider: Provider) -> None:
    """A page of another operation, even for the same invoice, is not taken for ours."""
    plan = provider.plan_checkout(request_of())
    provider.send(operation_of(plan, stage.clock.now(), generation=1))
    assert provider.find(operation_of(plan, stage.clock.now(), generation=2)) is None


@pytest.mark.parametrize("minor", [0, -1, -6000])
def test_an_amount_of_nothing_is_refused(provider: Provider, minor: int) -> None:
    """D15: a page asks for more than zero."""
    with pytest.raises(Refused):
        provider.plan_checkout(request_of(Money(minor, "USD")))


def test_an_unknown_kind_is_refused(stage: Stage, provider: Provider) -> None:
    """An operation of another door is neither sent, nor looked for, nor given evidence."""
    plan = provider.plan_close("cs_test_1")
    stranger = operation_of(type(plan)("create_invoice", "INV-1", provider.name, {}), stage.clock.now())
    for call in (provider.send, provider.find):
        with pytest.raises(Refused):
            call(stranger)
    with pytest.raises(Refused):
        provider.evidence("create_invoice")


@pytest.mark.parametrize("kind", ["create_checkout", "close_checkout"])
def test_every_kind_has_its_evidence(provider: Provider, kind: str) -> None:
    """C7: how long a key is remembered and how late a read may be is known for each kind."""
    evidence = provider.evidence(kind)
    assert evidence.window_seconds >= 3600
    assert evidence.read_lag_seconds > 0


# -- the life of a page ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "amount", [Money(6000, "USD"), Money(1, "USD"), Money(5000, "JPY"), Money(12345, "EUR")], ids=str
)
def test_a_page_goes_from_open_to_paid(stage: Stage, provider: Provider, amount: Money) -> None:
    """The page asks for exactly the amount, and money is known by its payment."""
    checkout_id = opened(stage, provider, amount)
    state = provider.checkout(checkout_id)
    assert (state.id, state.status, state.amount, state.payment) == (checkout_id, "open", amount, "")
    assert state.url.startswith("http")
    stage.pay(checkout_id)
    state = provider.checkout(checkout_id)
    assert (state.status, state.amount) == ("paid", amount)
    assert state.payment
    assert provider.settle(state) is None


def test_a_declined_card_leaves_the_page_open(stage: Stage, provider: Provider) -> None:
    """A failed attempt is no money and no end: the customer may try another card."""
    checkout_id = opened(stage, provider)
    stage.pay(checkout_id, well=False)
    assert provider.checkout(checkout_id).status == "open"
    stage.pay(checkout_id)
    assert provider.checkout(checkout_id).status == "paid"


def test_a_page_expires_by_itself(stage: Stage, provider: Provider) -> None:
    """A page that nobody paid is dead in the end."""
    result = provider.send(opening(stage, provider))
    stage.later(result["expires_at"] - stage.clock.now() + 1)
    assert provider.checkout(result["checkout_id"]).status == "expired"


def test_a_page_is_closed_once(stage: Stage, provider: Provider) -> None:
    """Closing again, under the same key or another, gives the same answer."""
    checkout_id = opened(stage, provider)
    operation = closing(stage, provider, checkout_id)
    assert provider.find(operation) is None
    result = provider.send(operation)
    assert result == {"checkout_id": checkout_id, "status": "expired"}
    assert provider.send(operation) == result
    assert provider.send(closing(stage, provider, checkout_id, generation=2)) == result
    assert provider.find(operation) == result
    assert provider.checkout(checkout_id).status == "expired"


def test_a_paid_page_cannot_be_closed(stage: Stage, provider: Provider) -> None:
    """The customer was faster: closing is refused with a code that says so, and looking finds no closed page."""
    state = paid(stage, provider)
    operation = closing(stage, provider, state.id)
    with pytest.raises(Refused) as refusal:
        provider.send(operation)
    assert refusal.value.code == "complete"
    assert provider.find(operation) is None


def test_a_page_that_is_not_there_is_refused(stage: Stage, provider: Provider) -> None:
    """A wrong id is an error to mend, not a page in some state."""
    with pytest.raises(Refused) as refusal:
        provider.checkout("cs_test_nothing")
    assert refusal.value.code == "resource_missing"
    with pytest.raises(Refused):
        provider.send(closing(stage, provider, "cs_test_nothing"))


# -- reading ---------------------------------------------------------------------------------------


def test_a_payment_is_a_fact_at_once_and_its_fee_later(stage: Stage, provider: Provider) -> None:
    """C1, D14: the money is recorded when it is read, gross; the fee is a fact of its own when it is known."""
    operation = opening(stage, provider, Money(12345, "USD"))
    stage.pay(provider.send(operation)["checkout_id"])
    payment = provider.checkout(provider.send(operation)["checkout_id"]).payment
    early = provider.read(payment)
    (money,) = early.facts
    assert isinstance(money, PaymentSucceeded)
    assert money.amount == Money(12345, "USD")
    assert (early.operation, early.invoice) == (operation.id, operation.params["invoice"])
    stage.later(3600)
    again, fee = provider.read(payment).facts
    assert again == money
    assert isinstance(fee, ProcessorFee)
    # 2.9 % of 123.45 is 3.580; with 0.30 it is 3.88.
    assert fee.amount == Money(388, "USD")


def test_every_fact_has_its_own_key_and_payment(stage: Stage, provider: Provider) -> None:
    """INV-1: two payments share no key, so neither is taken for the other."""
    readings = [provider.read(paid(stage, provider).payment) for _ in range(2)]
    keys = [fact.key for reading in readings for fact in reading.facts]
    assert len(keys) == len(set(keys))
    assert all(fact.provider == provider.name for reading in readings for fact in reading.facts)


def test_reading_twice_gives_the_same_facts(stage: Stage, provider: Provider) -> None:
    """B1: a read changes nothing and says the same each time."""
    payment = paid(stage, provider).payment
    stage.later(3600)
    assert provider.read(payment) == provider.read(payment)


def test_a_page_may_be_read_as_well_as_its_payment(stage: Stage, provider: Provider) -> None:
    """An event may name only the page: reading it gives the same facts."""
    checkout_id = opened(stage, provider)
    assert provider.read(checkout_id).facts == ()
    stage.pay(checkout_id)
    stage.later(3600)
    assert provider.read(checkout_id).facts == provider.read(provider.checkout(checkout_id).payment).facts


def test_a_failed_attempt_is_no_fact(stage: Stage, provider: Provider) -> None:
    """B13: only money that moved is money."""
    checkout_id = opened(stage, provider)
    stage.pay(checkout_id, well=False)
    assert provider.read(checkout_id).facts == ()


@pytest.mark.parametrize("object_id", ["pi_nothing", "cs_test_nothing"])
def test_an_object_that_is_not_there_is_refused(provider: Provider, object_id: str) -> None:
    """B23: an event may be about something that nobody can read; that is said, not guessed."""
    with pytest.raises(Refused) as refusal:
        provider.read(object_id)
    assert refusal.value.code == "resource_missing"


@pytest.mark.parametrize("object_id", ["", "nonsense", "../v1/account"])
def test_an_id_of_no_known_kind_is_refused_unasked(stage: Stage, provider: Provider, object_id: str) -> None:
    """What is not an id of an object that we read is refused before anything is sent."""
    before = len(stage.requests())
    with pytest.raises(Refused):
        provider.read(object_id)
    assert len(stage.requests()) == before


# -- events ----------------------------------------------------------------------------------------


def test_events_come_newest_first_and_lead_to_facts(stage: Stage, provider: Provider) -> None:
    """INV-9: an event leads to an object, and the object to facts."""
    stage.later(10)
    since = stage.clock.now()
    payments = [paid(stage, provider).payment for _ in range(3)]
    stage.later(3600)
    events = list(provider.events(since))
    assert {event.object_id for event in events} == set(payments)
    assert [event.created_at for event in events] == sorted((event.created_at for event in events), reverse=True)
    assert len({event.id for event in events}) == len(events)
    assert not any(event.livemode for event in events)
    assert all(provider.read(event.object_id).facts for event in events)


def test_events_begin_where_they_are_asked_to(stage: Stage, provider: Provider) -> None:
    """B20: a sweep goes back to its own cursor, and no further."""
    stage.later(10)
    since = stage.clock.now()
    paid(stage, provider)
    stage.later(3600)
    assert all(event.created_at >= since for event in provider.events(since))
    assert list(provider.events(stage.clock.now() + 1)) == []


# -- webhooks --------------------------------------------------------------------------------------


def test_a_genuine_event_is_read(stage: Stage, provider: Provider) -> None:
    """What the vendor signed just now comes through with its bytes untouched."""
    body = stage.message()
    event = provider.verify(stage.signed(body, at=stage.clock.now()), body)
    assert event.body == body
    assert event.provider == provider.name
    assert event.id
    assert event.type
    assert event.object_id
    assert not event.livemode


@pytest.mark.parametrize("skew", [-299, 0, 299])
def test_an_event_of_about_now_is_read(stage: Stage, provider: Provider, skew: int) -> None:
    """Clocks differ by seconds and deliveries take their time."""
    body = stage.message()
    assert provider.verify(stage.signed(body, at=stage.clock.now() + skew), body)


@pytest.mark.parametrize("skew", [-305, -86400, 305, 86400, 10**9])
def test_a10_a11_a_replayed_or_future_event_is_forged(stage: Stage, provider: Provider, skew: int) -> None:
    """A10, A11: the window has two sides, and no setting opens it."""
    body = stage.message()
    with pytest.raises(Forged):
        provider.verify(stage.signed(body, at=stage.clock.now() + skew), body)


def test_a1_a_changed_body_is_forged(stage: Stage, provider: Provider) -> None:
    """A1: one byte more or less, and the signature is worth nothing."""
    body = stage.message()
    headers = stage.signed(body, at=stage.clock.now())
    for changed in (body + b" ", body[:-1], body.replace(b"false", b"true "), b""):
        with pytest.raises(Forged):
            provider.verify(headers, changed)


def test_a1_an_unsigned_event_is_forged(stage: Stage, provider: Provider) -> None:
    """A1: without a signature nothing is read."""
    for headers in ({}, dict.fromkeys(stage.signed(b"{}", at=0), "")):
        with pytest.raises(Forged):
            provider.verify(headers, stage.message())


def test_an_event_signed_with_another_secret_is_forged(stage: Stage) -> None:
    """The secret of another endpoint, or of test mode, does not open this one."""
    body = stage.message()
    with pytest.raises(Forged):
        stage.other_secret().verify(stage.signed(body, at=stage.clock.now()), body)


def test_a2_without_a_secret_nothing_is_verified(stage: Stage) -> None:
    """A2: an empty secret stops the receiver before it starts, and verifies nothing signed with an empty key."""
    bare, body = stage.no_secret(), stage.message()
    with pytest.raises(Refused) as refusal:
        bare.webhook_ready()
    assert refusal.value.hint
    with pytest.raises(Refused) as refusal:
        bare.verify(stage.signed(body, at=stage.clock.now(), secret=" "), body)
    assert not isinstance(refusal.value, Forged), "the fault is ours, not the sender's"


def test_with_a_secret_the_receiver_may_start(provider: Provider) -> None:
    """A receiver asks once, before it listens."""
    provider.webhook_ready()


# -- bad days --------------------------------------------------------------------------------------


def test_c2_a_lost_answer_is_fetched_by_the_same_key(stage: Stage, provider: Provider) -> None:
    """C2: the vendor acted, its answer was lost, the next attempt gets it; one page exists."""
    operation, before = opening(stage, provider), stage.made()
    stage.fail("create", "drop_after")
    assert provider.send(operation) == provider.find(operation)
    assert stage.made() == before + 1


def test_c2_lost_answers_leave_doubt_that_a_read_ends(stage: Stage, provider: Provider) -> None:
    """C2: when every attempt loses its answer the outcome is unknown, never 'failed'."""
    operation, before = opening(stage, provider), stage.made()
    stage.fail("create", "drop_after", times=3)
    with pytest.raises(Uncertain):
        provider.send(operation)
    assert provider.find(operation) is not None
    assert stage.made() == before + 1


def test_a_request_that_was_cut_off_is_uncertain_too(stage: Stage, provider: Provider) -> None:
    """From here a request lost on its way looks like an answer lost on its way."""
    operation = opening(stage, provider)
    stage.fail("create", "drop_before", times=3)
    with pytest.raises(Uncertain):
        provider.send(operation)
    assert provider.find(operation) is None


def test_c24_a_time_out_after_sending_is_uncertain(stage: Stage) -> None:
    """C24: a vendor that holds the line is left within the time-out, in doubt."""
    provider = stage.provider(timeout_seconds=0.3)
    operation = opening(stage, provider)
    stage.fail("create", "slow", seconds=3)
    with pytest.raises(Uncertain):
        provider.send(operation)
    assert provider.find(operation) is not None


def test_c24_a_read_that_times_out_is_unavailable(stage: Stage) -> None:
    """C24: a read changes nothing, so there is nothing to be in doubt about."""
    provider = stage.provider(timeout_seconds=0.3)
    checkout_id = opened(stage, provider)
    stage.fail("read", "slow", seconds=3)
    with pytest.raises(Unavailable):
        provider.checkout(checkout_id)


def test_c8_a_500_stays_with_its_key(stage: Stage, provider: Provider) -> None:
    """C8: the vendor repeats its failure to this key; nothing was made, so a new generation goes through."""
    request = request_of()
    first, second = (
        operation_of(provider.plan_checkout(request), stage.clock.now(), generation) for generation in (1, 2)
    )
    stage.fail("create", "500")
    for _ in range(2):
        with pytest.raises(Uncertain):
            provider.send(first)
    assert provider.find(first) is None
    assert provider.send(second)["checkout_id"]


def test_a_page_of_a_proxy_is_no_answer(stage: Stage, provider: Provider) -> None:
    """HTML instead of an answer says nothing about what happened behind it."""
    operation = opening(stage, provider)
    stage.fail("create", "html_502", times=3)
    with pytest.raises(Uncertain) as doubt:
        provider.send(operation)
    assert "<" not in doubt.value.message
    stage.fail("read", "html_502", times=3)
    with pytest.raises(Unavailable):
        provider.find(operation)


def test_c23_a_pause_is_taken_as_asked(stage: Stage, provider: Provider) -> None:
    """C23: the SDK does not repeat a 429; we wait as long as the vendor asks, then send the same key."""
    operation, before = opening(stage, provider), stage.made()
    stage.fail("create", "429")
    assert provider.send(operation)["checkout_id"]
    assert stage.clock.slept == [1.0]
    assert stage.made() == before + 1


def test_c23_a_vendor_that_stays_busy_did_nothing(stage: Stage, provider: Provider) -> None:
    """C23: after three refusals the operation is as good as never sent."""
    operation = opening(stage, provider)
    stage.fail("create", "429", times=3)
    with pytest.raises(Throttled) as pause:
        provider.send(operation)
    assert pause.value.retry_after_seconds == 1.0
    assert provider.find(operation) is None


def test_nobody_there_means_that_nothing_was_sent(stage: Stage) -> None:
    """A refused connection is the one failure of a change that surely did nothing."""
    provider = stage.unreachable()
    with pytest.raises(Unavailable):
        provider.send(opening(stage, provider))
    with pytest.raises(Unavailable):
        provider.checkout("cs_test_1")


READS: dict[str, Callable[[Provider, Operation], object]] = {
    "account": lambda provider, _: provider.account(),
    "checkout": lambda provider, _: provider.checkout("cs_test_1"),
    "events": lambda provider, _: list(provider.events(0)),
    "find": lambda provider, operation: provider.find(operation),
    "read": lambda provider, _: provider.read("pi_1"),
}


@pytest.mark.parametrize("kind", ["500", "drop_before", "html_502", "429"])
@pytest.mark.parametrize("name", sorted(READS))
def test_a_read_is_never_uncertain(stage: Stage, provider: Provider, name: str, kind: str) -> None:
    """Whatever goes wrong with a read, nothing happened."""
    operation = opening(stage, provider)
    stage.fail("read", kind, times=3)
    with pytest.raises(Unavailable):
        READS[name](provider, operation)


def test_c4_other_content_under_the_same_key_is_refused(stage: Stage, provider: Provider) -> None:
    """C4: the vendor compares; the refusal is named so that nobody takes it for a failed payment."""
    request = request_of()
    provider.send(operation_of(provider.plan_checkout(request), stage.clock.now()))
    other: Json = {**provider.plan_checkout(request).params, "description": "Something else"}
    plan = provider.plan_checkout(request)
    with pytest.raises(Refused) as refusal:
        provider.send(operation_of(type(plan)(plan.kind, plan.subject, plan.door, other), stage.clock.now()))
    assert refusal.value.code == "idempotency_error"


# -- the statement -------------------------------------------------------------------------------------


def test_the_statement_has_the_keys_and_amounts_of_the_facts(stage: Stage, provider: Provider) -> None:
    """What moved is named as the facts are, with equal amounts, so that both can be compared."""
    state = paid(stage, provider)
    stage.later(60)
    facts = {fact.key: fact for fact in provider.read(state.payment).facts if not isinstance(fact, InvoiceFact)}
    now = stage.clock.now()
    moved = {one.key: one for one in provider.statement(now - 300, now + 300) if one.payment == state.payment}
    assert moved.keys() == facts.keys()
    for key, one in moved.items():
        assert (one.kind, Money(one.minor, one.currency)) == (facts[key].kind, facts[key].amount)


def test_the_statement_begins_and_ends_where_it_is_asked_to(stage: Stage, provider: Provider) -> None:
    """From `since` to before `until`: two halves are the whole, without an overlap."""
    paid(stage, provider)
    stage.later(60)
    now = stage.clock.now()
    whole = list(provider.statement(0, now + 300))
    middle = max(one.at for one in whole)
    halves = [*provider.statement(0, middle), *provider.statement(middle, now + 300)]
    assert sorted(halves) == sorted(whole)
    assert list(provider.statement(now + 300, now + 600)) == []


def test_the_balance_is_the_sum_of_the_statement(stage: Stage, provider: Provider) -> None:
    """The figure that reconciliation proves, in every currency."""
    paid(stage, provider)
    stage.later(60)
    moved = list(provider.statement(0, stage.clock.now() + 300))
    for currency, amount in provider.balance().items():
        assert clearing_minor([one for one in moved if one.currency == currency]) == amount.minor
