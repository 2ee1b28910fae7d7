"""Pages at every provider: planned, opened once, found again, and what becomes of them."""

from __future__ import annotations

from urllib.parse import unquote_plus

import pytest

from helpers.providers.stage import Stage
from helpers.providers.words import raised, request_of
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.rules.facts import PaymentSucceeded
from tillbook.rules.operations import Plan
from tillbook.vendors.protocols import Provider

KINDS = ("create_checkout", "close_checkout", "refund_payment", "capture_checkout")


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
    if stage.declaration.lasting_pages:
        assert provider.send(stage.opening(request))["expires_at"] is None
        return
    assert "TILLBOOK_BASE_URL" in raised(Refused, provider.plan_checkout, request).hint


def test_c1_the_same_key_gives_the_same_page(stage: Stage, provider: Provider) -> None:
    """C1: a page with an address and some hours to live; sent again, by another process, it is the same one."""
    operation, before = stage.opening(), stage.made()
    result = provider.send(operation)
    assert result["url"].startswith("http")
    if stage.declaration.expiring_pages:
        assert 1800 < result["expires_at"] - stage.clock.now() < 40 * 86_400
    else:
        assert result["expires_at"] is None
    assert stage.provider().send(operation) == result
    assert stage.made() == before + 1
    assert stage.opened() != result["checkout_id"]
    stage.later(600)
    assert provider.checkout(result["checkout_id"]).expires_at == result["expires_at"]


def test_c3_each_attempt_says_the_same_under_the_same_key(stage: Stage) -> None:
    """C3, C4: two processes, word for word alike; another generation has another key. The vendor is told for which
    invoice, by which operation, and where the customer comes back to."""
    request = request_of()
    plan = stage.usual.plan_checkout(request)
    method, path = stage.calls["create"]
    with stage.between() as between:
        for generation in (1, 1, 2):
            stage.at(between.url).send(stage.sent(plan, generation))
        calls = [seen for seen in between.seen if (seen.method, seen.path) == (method, path)]
    first, again, other = [(seen.body, stage.key_of(seen.headers)) for seen in calls]
    assert first == again
    assert first[1] != other[1] != ""
    told = unquote_plus(first[0].decode())
    for word in (request.invoice, request.description, request.success_url, request.cancel_url, stage.sent(plan).id):
        assert word in told


def test_a_page_is_found_by_its_operation_alone(stage: Stage, provider: Provider) -> None:
    """C2: what a lost answer said is read back word for word, and no other operation's page is taken for it."""
    plan = provider.plan_checkout(request_of())
    operation = stage.sent(plan)
    assert provider.find(operation) is None
    result = provider.send(operation)
    assert provider.find(operation) == (result if stage.finds_pages else None)
    assert provider.find(stage.sent(plan, generation=2)) is None
    assert provider.latest(operation) == (1 if stage.finds_pages else None)
    assert provider.latest(stage.sent(plan, generation=2)) is None


def test_b25_a_page_is_found_behind_a_hundred_others(stage: Stage, provider: Provider) -> None:
    """B25: the list is read to its end; where there is none, nothing is made up."""
    operation = stage.opening()
    result = provider.send(operation)
    if stage.finds_pages:
        for _ in range(101):
            stage.opened()
    assert provider.find(operation) == (result if stage.finds_pages else None)


def test_c7_every_kind_has_its_evidence_and_no_other_is_known(stage: Stage, provider: Provider) -> None:
    """C7: how long a key is remembered and how late a read may be; what belongs to another door is refused."""
    for kind in KINDS[: 4 if stage.declaration.captures else 3]:
        assert provider.evidence(kind).window_seconds >= 3600
        assert provider.evidence(kind).read_lag_seconds > 0
    stranger = stage.sent(Plan("create_invoice", "INV-1", provider.name, {}))
    for call in (provider.send, provider.find, lambda operation: provider.evidence(operation.kind)):
        raised(Refused, call, stranger)


# -- the life of a page ----------------------------------------------------------------------------


def test_a_page_goes_from_open_to_paid(stage: Stage, provider: Provider) -> None:
    """The page asks for exactly the amount, and money is known by its payment."""
    amount = Money(12345, "USD")
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
    assert (plan is not None) is stage.declaration.captures
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


def test_c18_money_on_its_way_is_no_money_yet(stage: Stage, provider: Provider) -> None:
    """C18: it may take days: no fact, no payment and no other page meanwhile."""
    page, payment = stage.unfinished()
    state = provider.checkout(page)
    assert state.status == "processing"
    assert provider.settle(state) is None
    assert [provider.read(name).facts for name in {page, payment}] == [()] * len({page, payment})


@pytest.mark.parametrize("outcome", ["completed", "declined"])
def test_c18_a_pending_capture_ends(stage: Stage, provider: Provider, outcome: str) -> None:
    """C18: where we capture: completed it is money, denied it is nothing, and the end of its page."""
    if not stage.declaration.captures:
        assert provider.settle(provider.checkout(stage.opened())) is None
        return
    page, _ = stage.unfinished()
    assert provider.checkout(page).payment == ""
    stage.end_capture(page, outcome)
    state, facts = provider.checkout(page), provider.read(page).facts
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


def test_a_page_ends_by_itself_where_the_provider_says_so(stage: Stage, provider: Provider) -> None:
    """A page that nobody paid is dead in the end: it says so, or it is not there any more. Else it stays open."""
    result = provider.send(stage.opening())
    if not stage.declaration.expiring_pages:
        stage.later(90 * 86_400)
        assert provider.checkout(result["checkout_id"]).status == "open"
        return
    stage.later(result["expires_at"] - stage.clock.now() + 1)
    if not stage.forgets_pages:
        assert provider.checkout(result["checkout_id"]).status == "expired"
        return
    assert raised(Refused, provider.checkout, result["checkout_id"]).code == "resource_missing"


def test_a_page_is_closed_once(stage: Stage, provider: Provider) -> None:
    """Closing again, under the same key or another, gives the same answer; nobody can pay it after that."""
    checkout_id = stage.opened()
    operation = stage.sent(provider.plan_close(checkout_id))
    result = {"checkout_id": checkout_id, "status": "expired"}
    assert provider.find(operation) == (None if stage.closes_at_vendor else result)
    assert provider.send(operation) == result == provider.send(operation)
    assert provider.send(stage.closing(checkout_id, generation=2)) == result
    assert provider.find(operation) == result
    assert provider.checkout(checkout_id).status == ("expired" if stage.closes_at_vendor else "open")
    stage.pay(checkout_id)
    assert provider.read(checkout_id).facts == ()


def test_a_paid_page_cannot_be_closed(stage: Stage, provider: Provider) -> None:
    """The customer was faster: closing is refused with a code that says so, and looking finds no closed page."""
    operation = stage.closing(stage.paid().id)
    assert raised(Refused, provider.send, operation).code == "complete"
    assert provider.find(operation) is None
