"""What every provider must do, for each method of the protocol. A provider joins by being named in PROVIDERS and put on
a stage; where vendors truly differ, an attribute of the stage says so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.vendors.provider_stages import READS, STAGES, TWENTY, Stage, asked, raised, request_of, returns, set_stage
from tillbook.kit.errors import Forged, Refused, Throttled, Unavailable, Uncertain
from tillbook.kit.money import Money
from tillbook.rules.facts import InvoiceFact, PaymentSucceeded, ProcessorFee, RefundFailed
from tillbook.rules.matching import clearing_minor
from tillbook.rules.operations import Door, Json, Plan
from tillbook.rules.uses import PURPOSES
from tillbook.vendors.protocols import Provider
from tillbook.vendors.providers import PROVIDERS, declared, open_provider

DAY = 86_400
KINDS = ("create_checkout", "close_checkout", "refund_payment", "capture_checkout")


@pytest.fixture(scope="module", params=sorted(PROVIDERS))
def theatre(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One simulator for all tests of a provider."""
    with set_stage(request.param, tmp_path_factory.mktemp("home")) as stage:
        yield stage


@pytest.fixture
def stage(theatre: Stage) -> Stage:
    """The stage without the faults and the slow refunds of the test before."""
    theatre.calm()
    return theatre


@pytest.fixture
def provider(stage: Stage) -> Provider:
    return stage.usual


@pytest.fixture
def payment(stage: Stage) -> str:
    """A payment of 60.00 whose fee is known."""
    payment = stage.paid().payment
    stage.later(60)
    return payment


def test_every_provider_has_a_stage(stage: Stage) -> None:
    """A provider cannot join without being held to this suite; a wrong name is answered with the right ones."""
    assert set(STAGES) == set(PROVIDERS)
    refusal = raised(Refused, open_provider, "cheque", stage.settings, stage.clock)
    assert all(name in refusal.hint for name in PROVIDERS)


def test_every_method_of_the_protocol_is_held_to_here() -> None:
    """A promise that this file does not name is one that nobody keeps."""
    promised = {*vars(Provider), *vars(Door), *Provider.__annotations__, *Door.__annotations__}
    tree = ast.parse(Path(__file__).read_text())
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert {name for name in promised if not name.startswith("_")} - named == set()


# -- plans and operations --------------------------------------------------------------------------


def test_the_account_behind_the_key_is_a_test_account(stage: Stage, provider: Provider) -> None:
    """In simulator mode no money is real; the account has an id to bind the ledger to, and the key has a mark."""
    assert provider.account().id
    assert not provider.account().livemode
    other = stage.provider(stripe_secret_key="sk_test_other", paypal_client_secret="other")
    assert provider.key_fingerprint == stage.provider().key_fingerprint != other.key_fingerprint
    assert len(provider.key_fingerprint) == 64


def test_a_plan_is_the_same_for_the_same_request(provider: Provider) -> None:
    """C4: nothing in the parameters comes from the clock or from chance."""
    request = request_of()
    plan = provider.plan_checkout(request)
    assert plan.params_hash == provider.plan_checkout(request).params_hash
    subject = f"{provider.name}/{request.invoice}"
    assert (plan.kind, plan.subject, plan.door) == ("create_checkout", subject, provider.name)
    assert " ".join(plan.params) == "invoice amount currency description email success_url cancel_url"
    told = [request.description, request.email, request.success_url, request.cancel_url]
    assert list(plan.params.values()) == [request.invoice, "60.00", "USD", *told]
    for minor in (0, -1, -6000):  # D15: a page asks for more than zero
        raised(Refused, provider.plan_checkout, request_of(Money(minor, "USD")))


def test_a_page_lasts_only_where_the_provider_says_so(stage: Stage, provider: Provider) -> None:
    """Without an address to come back to: a page that has no end, or a refusal that says what to set."""
    request = request_of(lasting=True)
    if declared(provider.name).lasting_pages:
        assert provider.send(stage.opening(request))["expires_at"] is None
        return
    assert "TILLBOOK_BASE_URL" in raised(Refused, provider.plan_checkout, request).hint


def test_c1_the_same_key_gives_the_same_page(stage: Stage, provider: Provider) -> None:
    """C1: a page with an address and some hours to live; sent again, by another process, it is the same one."""
    operation, before = stage.opening(), stage.made()
    result = provider.send(operation)
    assert result["url"].startswith("http")
    assert result["expires_at"] > stage.clock.now() + 1800
    assert stage.provider().send(operation) == result
    assert stage.made() == before + 1
    assert stage.opened() != result["checkout_id"]


def test_a_page_is_found_by_its_operation_alone(stage: Stage, provider: Provider) -> None:
    """C2: what a lost answer said is read back word for word, and no other operation's page is taken for it."""
    plan = provider.plan_checkout(request_of())
    operation = stage.sent(plan)
    assert provider.find(operation) is None
    result = provider.send(operation)
    assert provider.find(operation) == (result if stage.finds_pages else None)
    assert provider.find(stage.sent(plan, generation=2)) is None


def test_c7_every_kind_has_its_evidence_and_no_other_is_known(stage: Stage, provider: Provider) -> None:
    """C7: how long a key is remembered and how late a read may be; what belongs to another door is refused."""
    for kind in KINDS[: 3 if stage.moves_by_itself else 4]:
        assert provider.evidence(kind).window_seconds >= 3600
        assert provider.evidence(kind).read_lag_seconds > 0
    stranger = stage.sent(Plan("create_invoice", "INV-1", provider.name, {}))
    for call in (provider.send, provider.find, lambda operation: provider.evidence(operation.kind)):
        raised(Refused, call, stranger)


# -- the life of a page ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "amount", [Money(6000, "USD"), Money(1, "USD"), Money(5000, "JPY"), Money(12345, "EUR")], ids=str
)
def test_a_page_goes_from_open_to_paid(stage: Stage, provider: Provider, amount: Money) -> None:
    """The page asks for exactly the amount, and money is known by its payment."""
    checkout_id = stage.opened(amount)
    state = provider.checkout(checkout_id)
    assert (state.id, state.status, state.amount, state.payment) == (checkout_id, "open", amount, "")
    assert state.url.startswith("http")
    assert provider.settle(state) is None
    stage.pay(checkout_id)
    state = stage.settled(checkout_id)
    assert (state.status, state.amount) == ("paid", amount)
    assert state.payment
    assert provider.settle(state) is None


def test_c19_what_is_approved_is_settled_by_exactly_one_plan(stage: Stage, provider: Provider) -> None:
    """C17, C19: where we must move the money, nothing moved before, and the plan moves it once, however often sent."""
    checkout_id = stage.opened()
    stage.pay(checkout_id)
    state = provider.checkout(checkout_id)
    plan = provider.settle(state)
    assert (plan is None) is stage.moves_by_itself is not declared(provider.name).captures
    if plan is None:
        assert state.status == "paid"
        return
    assert (state.status, state.payment, provider.read(checkout_id).facts) == ("approved", "", ())
    assert plan == Plan("capture_checkout", checkout_id, provider.name, {"checkout_id": checkout_id})
    assert provider.find(stage.sent(plan)) is None
    made = provider.send(stage.sent(plan))
    assert (made["checkout_id"], made["status"]) == (checkout_id, "completed")
    # Under the same key, under another, and by looking: always the one capture.
    assert stage.provider().send(stage.sent(plan)) == made
    assert provider.send(stage.sent(plan, generation=2)) == made == provider.find(stage.sent(plan))
    (money,) = [fact for fact in provider.read(checkout_id).facts if isinstance(fact, PaymentSucceeded)]
    assert money.charge == made["capture"]


@pytest.mark.parametrize("outcome", ["completed", "declined"])
def test_c18_a_pending_capture_is_no_money_yet(stage: Stage, provider: Provider, outcome: str) -> None:
    """C18: where we capture, it may take days: no fact and no other page meanwhile; denied is nothing, and the end."""
    if stage.moves_by_itself:
        pytest.skip("this vendor moves the money by itself")
    stage.captures_start_as("PENDING")
    state = stage.paid()
    assert (state.status, state.payment, provider.read(state.id).facts) == ("processing", "", ())
    assert provider.settle(state) is None
    stage.end_capture(state.id, outcome)
    state, facts = provider.checkout(state.id), provider.read(state.id).facts
    assert (state.status, len(facts)) == (("paid", 2) if outcome == "completed" else ("expired", 0))
    assert provider.settle(state) is None


def test_a_declined_card_is_no_money(stage: Stage, provider: Provider) -> None:
    """B13: a failed attempt is no fact. The page is open for another card, or the capture is refused as such."""
    checkout_id = stage.opened()
    stage.pay(checkout_id, well=False)
    state = provider.checkout(checkout_id)
    if plan := provider.settle(state):
        refusal = raised(Refused, provider.send, stage.sent(plan))
        assert refusal.message.startswith("not captured: ")
        assert refusal.code == refusal.code.upper() != ""
        assert provider.find(stage.sent(plan)) is None
    else:
        assert state.status == "open"
        stage.pay(stage.opened())
    assert provider.read(checkout_id).facts == ()


def test_a_page_expires_by_itself(stage: Stage, provider: Provider) -> None:
    """A page that nobody paid is dead in the end: it says so, or it is not there any more."""
    result = provider.send(stage.opening())
    stage.later(result["expires_at"] - stage.clock.now() + 1)
    if not stage.forgets_pages:
        assert provider.checkout(result["checkout_id"]).status == "expired"
        return
    assert raised(Refused, provider.checkout, result["checkout_id"]).code == "resource_missing"


def test_a_page_is_closed_once(stage: Stage, provider: Provider) -> None:
    """Closing again, under the same key or another, gives the same answer."""
    checkout_id = stage.opened()
    operation = stage.sent(provider.plan_close(checkout_id))
    result = {"checkout_id": checkout_id, "status": "expired"}
    assert provider.find(operation) == (None if stage.closes_at_vendor else result)
    assert provider.send(operation) == result == provider.send(operation)
    assert provider.send(stage.closing(checkout_id, generation=2)) == result
    assert provider.find(operation) == result
    assert provider.checkout(checkout_id).status == ("expired" if stage.closes_at_vendor else "open")


def test_a_paid_page_cannot_be_closed(stage: Stage, provider: Provider) -> None:
    """The customer was faster: closing is refused with a code that says so, and looking finds no closed page."""
    operation = stage.closing(stage.paid().id)
    assert raised(Refused, provider.send, operation).code == "complete"
    assert provider.find(operation) is None


# -- reading ---------------------------------------------------------------------------------------


def test_a_payment_is_a_fact_at_once_and_its_fee_another(stage: Stage, provider: Provider) -> None:
    """C1, D14: the money is recorded when it is read, gross, the fee when it is known; the page leads to both, too."""
    operation = stage.opening(Money(12345, "USD"))
    checkout_id = provider.send(operation)["checkout_id"]
    assert provider.read(checkout_id).facts == ()
    stage.pay(checkout_id)
    payment = stage.settled(checkout_id).payment
    early = provider.read(payment)
    money = early.facts[0]
    assert isinstance(money, PaymentSucceeded)
    assert (money.amount, money.payment) == (Money(12345, "USD"), payment)
    assert len(early.facts) == (2 if stage.fee_at_once else 1)
    assert (early.operation, early.invoice) == (operation.id, operation.params["invoice"])
    stage.later(3600)
    again, fee = provider.read(payment).facts
    assert again == money
    assert isinstance(fee, ProcessorFee)
    assert fee.amount == stage.fee_of_123_45
    assert provider.read(checkout_id).facts == (money, fee)


def test_every_fact_has_its_own_key_and_payment(stage: Stage, provider: Provider) -> None:
    """INV-1, B1: two payments share no key, so neither is taken for the other; reading again says the same."""
    payments = [stage.paid().payment for _ in range(2)]
    stage.later(3600)
    readings = [provider.read(payment) for payment in payments]
    keys = [fact.key for reading in readings for fact in reading.facts]
    assert len(keys) == len(set(keys)) == 4
    assert all(fact.provider == provider.name for reading in readings for fact in reading.facts)
    assert [provider.read(payment) for payment in payments] == readings


def test_b23_what_is_not_there_is_refused(stage: Stage, provider: Provider) -> None:
    """B23: a page or an object that nobody can read is no state and no fact: it is said, not guessed."""
    looks = [(provider.checkout, stage.absent_page), *((provider.read, key) for key in stage.absent_objects)]
    for look, object_id in looks:
        assert raised(Refused, look, object_id).code == "resource_missing"
    raised(Refused, provider.send, stage.closing(stage.absent_page))
    before = len(stage.requests())
    for object_id in ("", "nonsense", "../v1/account"):  # no id of ours: refused before anything is sent
        raised(Refused, provider.read, object_id)
        raised(Refused, provider.checkout, object_id)
    assert len(stage.requests()) == before


# -- money back ------------------------------------------------------------------------------------


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
    operation = stage.refunding(asked(payment))
    assert provider.find(operation) is None
    made = provider.send(operation)
    assert made["refund"]
    assert made["status"] == "succeeded"
    assert stage.provider().send(operation) == made == provider.find(operation)
    assert len(returns(provider.read(payment))) == 1
    assert provider.find(stage.refunding(asked(payment), generation=2)) is None
    assert provider.find(stage.refunding(asked(payment, reference="RMA-2"))) is None


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


def test_c10_many_refunds_are_all_read_and_not_one_more(stage: Stage, provider: Provider, payment: str) -> None:
    """B1, C10: thirty, more than come with a charge, in one order; should our bound fail, the vendor's holds."""
    for _ in range(30):
        stage.refund_in_dashboard(payment, 150)
    first = provider.read(payment)
    assert len(returns(first)) == 30
    raised(Refused, provider.send, stage.refunding(asked(payment)))
    assert first == provider.read(payment)


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
        assert failure.occurred_at >= returns(after)[0].occurred_at + DAY
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


# -- events ----------------------------------------------------------------------------------------


def test_events_come_newest_first_and_lead_to_facts(stage: Stage, provider: Provider) -> None:
    """INV-9, B20: an event leads to an object, and the object to facts; a sweep goes back to its cursor, no further."""
    stage.later(10)
    since = stage.clock.now()
    payments = [stage.paid().payment for _ in range(3)]
    stage.later(3600)
    events = list(provider.events(since))
    assert {event.object_id for event in events} == set(payments)
    assert [event.created_at for event in events] == sorted((event.created_at for event in events), reverse=True)
    assert len({event.id for event in events}) == len(events)
    assert not any(event.livemode or event.delivery for event in events)
    assert all(provider.read(event.object_id).facts for event in events)
    assert all(event.created_at >= since for event in events)
    assert list(provider.events(stage.clock.now() + 1)) == []


def test_b20_open_pages_are_read_where_no_list_tells_of_them(stage: Stage, provider: Provider) -> None:
    """B20: a page that was paid is told of once more by itself; one that nobody used, or that is gone, says nothing."""
    paid, unused = stage.paid(), stage.opened()
    stage.later(60)
    found = list(provider.events(stage.clock.now() + 1, [paid.id, unused, stage.absent_page]))
    assert [event.object_id for event in found] == ([] if stage.lists_all_events else [paid.id])
    assert all(provider.read(event.object_id).facts for event in found)
    assert found == list(provider.events(stage.clock.now() + 1, [paid.id]))


# -- webhooks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew", [-299, 0, 299])
def test_a_genuine_event_of_about_now_is_read(stage: Stage, provider: Provider, skew: int) -> None:
    """Clocks differ by seconds: what the vendor signed comes through untouched, and the receiver may start."""
    provider.webhook_ready()
    body = stage.message()
    event = provider.verify(stage.signed(body, at=stage.clock.now() + skew), body)
    assert (event.body, event.provider, event.livemode) == (body, provider.name, False)
    assert all((event.id, event.type, event.object_id))


def test_whether_the_vendor_is_asked_first_is_known_before(stage: Stage, tmp_path: Path) -> None:
    """What has to be fetched is fetched once; what is forged already by its looks needs no asking."""
    fresh, body = stage.provider(home=tmp_path), stage.message()
    headers = stage.signed(body, at=stage.clock.now())
    assert fresh.asks_first(headers) is stage.asks_for_certificates
    assert not fresh.asks_first({})
    fresh.verify(headers, body)
    assert not fresh.asks_first(headers)


@pytest.mark.parametrize("skew", [-305, -DAY, 305, DAY, 10**9])
def test_a10_a11_a_replayed_or_future_event_is_forged(stage: Stage, provider: Provider, skew: int) -> None:
    """A10, A11: the window has two sides, and no setting opens it."""
    body = stage.message()
    raised(Forged, provider.verify, stage.signed(body, at=stage.clock.now() + skew), body)


def test_a1_what_was_not_signed_is_forged(stage: Stage, provider: Provider) -> None:
    """A1: one byte more, less or other; no signature, or empty ones; another endpoint's secret: nothing is read."""
    body = stage.message()
    headers = stage.signed(body, at=stage.clock.now())
    other = body[:99] + bytes([body[99] ^ 1]) + body[100:]
    for changed in (body + b" ", body[:-1], other, b""):
        raised(Forged, provider.verify, headers, changed)
    for unsigned in ({}, dict.fromkeys(headers, "")):
        raised(Forged, provider.verify, unsigned, body)
    raised(Forged, stage.other_secret().verify, headers, body)


def test_a2_without_a_secret_nothing_is_verified(stage: Stage) -> None:
    """A2: an empty secret stops the receiver before it starts, and verifies nothing signed with an empty key."""
    bare, body = stage.no_secret(), stage.message()
    assert raised(Refused, bare.webhook_ready).hint
    refusal = raised(Refused, bare.verify, stage.signed(body, at=stage.clock.now(), secret=" "), body)
    assert not isinstance(refusal, Forged), "the fault is ours, not the sender's"


# -- bad days --------------------------------------------------------------------------------------


def test_c2_lost_answers_leave_doubt_that_the_same_key_ends(stage: Stage, provider: Provider) -> None:
    """C2: the vendor acted and an answer is lost: the next attempt has it. When all are lost, nobody says 'failed'."""
    for times in (1, 3):
        operation, before = stage.opening(), stage.made()
        stage.fail("create", "drop_after", times=times)
        if times == 3:
            raised(Uncertain, provider.send, operation)
            assert (provider.find(operation) is not None) is stage.finds_pages
        assert provider.send(operation) == stage.provider().send(operation)
        assert stage.made() == before + 1


def test_what_never_arrived_is_doubt_unless_nothing_left_us(stage: Stage, provider: Provider) -> None:
    """A request lost on its way looks like an answer lost on its way; only a refused connection surely did nothing."""
    operation = stage.opening()
    stage.fail("create", "drop_before", times=3)
    raised(Uncertain, provider.send, operation)
    assert provider.find(operation) is None
    nobody = stage.unreachable()
    for call in (lambda: nobody.send(operation), lambda: nobody.checkout(stage.absent_page)):
        raised(Unavailable, call)


def test_c24_a_time_out_is_doubt_only_where_something_changes(stage: Stage) -> None:
    """C24: a vendor that holds the line is left within the time-out: in doubt after a change, not after a read."""
    checkout_id, provider = stage.opened(), stage.provider(timeout_seconds=0.3)
    provider.checkout(checkout_id)
    operation, before = stage.opening(), stage.made()
    stage.fail("create", "slow", seconds=3)
    raised(Uncertain, provider.send, operation)
    assert stage.made() == before + 1
    stage.fail("read", "slow", seconds=3)
    raised(Unavailable, provider.checkout, checkout_id)


def test_c8_a_500_is_doubt_that_another_generation_ends(stage: Stage, provider: Provider) -> None:
    """C8: a vendor may repeat its failure to this key for ever; nothing was made, so a new generation goes through."""
    plan = provider.plan_checkout(request_of())
    first, second = (stage.sent(plan, generation) for generation in (1, 2))
    stage.fail("create", "500", times=1 if stage.pins_failures else 6)
    for _ in range(2):
        raised(Uncertain, provider.send, first)
    assert provider.find(first) is None
    assert provider.send(second)["checkout_id"]


def test_a_page_of_a_proxy_is_no_answer(stage: Stage, provider: Provider) -> None:
    """HTML instead of an answer says nothing about what happened behind it."""
    checkout_id, operation = stage.opened(), stage.opening()
    stage.fail("create", "html_502", times=3)
    assert "<" not in raised(Uncertain, provider.send, operation).message
    stage.fail("read", "html_502", times=3)
    raised(Unavailable, provider.checkout, checkout_id)


def test_c23_a_pause_is_taken_as_asked(stage: Stage, provider: Provider) -> None:
    """C23: we wait as long as the vendor asks, then send the same key; one that stays busy did nothing."""
    operation, before = stage.opening(), stage.made()
    stage.fail("create", "429")
    assert provider.send(operation)["checkout_id"]
    assert stage.clock.slept == [1.0]
    assert stage.made() == before + 1
    other = stage.opening()
    stage.fail("create", "429", times=3)
    assert raised(Throttled, provider.send, other).retry_after_seconds == 1.0
    assert provider.find(other) is None
    assert stage.made() == before + 1


@pytest.mark.parametrize("kind", ["500", "drop_before", "html_502", "429"])
@pytest.mark.parametrize("name", sorted(READS))
def test_a_read_is_never_uncertain(stage: Stage, provider: Provider, name: str, kind: str) -> None:
    """Whatever goes wrong with a read, nothing happened."""
    stage.fail("read", kind, times=3)
    raised(Unavailable, READS[name], provider, stage.absent_page, stage.refunding(asked(stage.absent_page)))


@pytest.mark.parametrize("kind", ["drop_after", "500", "html_502"])
def test_c2_the_lost_answer_of_a_refund(stage: Stage, provider: Provider, payment: str, kind: str) -> None:
    """C2: uncertain; the next look or the same key tells the truth; one refund at most."""
    operation = stage.refunding(asked(payment))
    stage.fail("refund", kind, times=3)
    raised(Uncertain, provider.send, operation)
    stage.calm()
    found = provider.find(operation)
    assert found is None or found == provider.send(operation)
    assert len(returns(provider.read(payment))) == (0 if found is None else 1)


def test_c4_other_content_under_the_same_key_is_never_sent(stage: Stage, provider: Provider) -> None:
    """C4: the vendor compares; nobody takes its answer for a failed payment."""
    plan = provider.plan_checkout(request_of())
    provider.send(stage.sent(plan))
    other: Json = {**plan.params, "description": "Something else"}
    kind, code = stage.other_content
    error = raised(kind, provider.send, stage.sent(Plan(plan.kind, plan.subject, plan.door, other)))
    assert getattr(error, "code", "") == code


# -- the statement ---------------------------------------------------------------------------------


def test_the_statement_has_the_keys_and_amounts_of_the_facts(stage: Stage, provider: Provider, payment: str) -> None:
    """What moved is named as the facts are, with equal amounts, so that both can be compared; the refund, too."""
    provider.send(stage.refunding(asked(payment)))
    stage.later(declared(provider.name).statement_lag_seconds)
    facts = {fact.key: fact for fact in provider.read(payment).facts if not isinstance(fact, InvoiceFact)}
    now = stage.clock.now()
    moved = {one.key: one for one in provider.statement(now - DAY, now + 300) if one.key in facts}
    assert len(moved) == len(facts) == 3
    for key, one in moved.items():
        assert (one.kind, Money(one.minor, one.currency)) == (facts[key].kind, facts[key].amount)
        assert {fact.key for fact in provider.read(one.payment).facts} == set(facts)


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
    assert payments <= {one.payment for one in whole}
    assert list(provider.statement(now + 300, now + 600)) == []


def test_the_balance_is_the_sum_of_the_statement(stage: Stage, provider: Provider) -> None:
    """The figure that reconciliation proves, in every currency."""
    stage.paid()
    stage.later(declared(provider.name).statement_lag_seconds)
    moved = list(provider.statement(0, stage.clock.now() + 300))
    for currency, amount in provider.balance().items():
        assert clearing_minor([one for one in moved if one.currency == currency]) == amount.minor
    assert any(amount.minor for amount in provider.balance().values())
