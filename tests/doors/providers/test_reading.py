"""What every provider reads: whose account it is, and what its objects prove, exactly and at the vendor's own times."""

from __future__ import annotations

import pytest

from helpers.providers.stage import Stage
from helpers.providers.words import asked, raised, request_of, returns
from tillbook.kit.errors import NotAllowed, Refused
from tillbook.kit.money import Money
from tillbook.rules.facts import PaymentSucceeded, ProcessorFee
from tillbook.vendors.protocols import Provider

HOUR = 3600


def test_the_account_behind_the_key_is_a_test_account(stage: Stage, provider: Provider) -> None:
    """In simulator mode no money is real; the account has the vendor's id, to bind the ledger to."""
    account = provider.account()
    assert (account.id, account.livemode) == (stage.account_id, False)


def test_a14_a_live_account_is_known_for_one(stage: Stage) -> None:
    """A14, G4: whether money is real is never guessed from where it was meant to be."""
    with stage.between() as between:
        account = stage.live(between).account()
    assert (account.id, account.livemode) == (stage.account_id, True)


def test_a_key_says_which_mode_it_is_for(stage: Stage) -> None:
    """G4: where keys of each mode have forms of their own, one of the other mode is refused before it is used."""
    for setting in stage.declaration.settings:
        for form in setting.live_forms:
            raised(Refused, lambda one=setting, key=form: one.require(f"{key}1", "test", is_set=True))
            setting.require(f"{form}1", "live", is_set=True)
        for form in setting.test_forms:
            raised(Refused, lambda one=setting, key=form: one.require(f"{key}1", "live", is_set=True))
    key = next(setting for setting in stage.declaration.settings if setting.needed)
    assert key.mode_of(stage.settings[key]) in ("", "test")


def test_every_key_leaves_its_mark(stage: Stage, provider: Provider) -> None:
    """Another key may lead to another account, so the ledger asks whose it is; the mark tells nothing of the key."""
    needed = [setting for setting in stage.declaration.settings if setting.needed]
    others = [stage.provider(**{setting.name.lower(): stage.settings[setting] + "x"}) for setting in needed]
    marks = {one.key_fingerprint for one in (provider, stage.provider(), *others)}
    assert len(marks) == len(needed) + 1
    assert all(len(mark) == 64 and set(mark) <= set("0123456789abcdef") for mark in marks)


def test_a_wrong_or_missing_key_is_said_to_be_one(stage: Stage) -> None:
    """Exit code 3 with what to check; a missing one is asked nothing."""
    for setting in stage.declaration.settings:
        if not setting.needed:
            continue
        wrong = stage.provider(**{setting.name.lower(): stage.settings[setting] + "x"})
        assert "check_setup.py" in raised(NotAllowed, wrong.account).hint
        before = len(stage.requests())
        assert setting.name in raised(NotAllowed, stage.provider(**{setting.name.lower(): ""}).account).message
        assert len(stage.requests()) == before


# -- facts -----------------------------------------------------------------------------------------


def test_every_read_that_a_step_needs_can_be_tried(stage: Stage, provider: Provider) -> None:
    """All work with a full key. Where a key lacks the permission each says that it is not allowed."""
    for read in provider.needed_reads().values():
        read()
    stage.ordered("faults", {"vendor": provider.name, "path": "*", "method": "GET", "kind": "403", "times": 999})
    for read in provider.needed_reads().values():
        raised(NotAllowed, read)


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
    stage.later(HOUR)
    again, fee = provider.read(payment).facts
    assert again == money
    assert isinstance(fee, ProcessorFee)
    assert (fee.amount, fee.payment) == (stage.fee_of_123_45, payment)
    page = provider.read(checkout_id)
    assert page.facts == (money, fee)
    assert (page.object_id, page.operation, page.invoice) == (checkout_id, early.operation, early.invoice)


def test_every_fact_has_its_own_key_and_payment(stage: Stage, provider: Provider) -> None:
    """INV-1, B1: two payments share no key, so neither is taken for the other; reading again says the same."""
    payments = [stage.paid().payment for _ in range(2)]
    stage.later(HOUR)
    readings = [provider.read(payment) for payment in payments]
    keys = [fact.key for reading in readings for fact in reading.facts]
    assert len(keys) == len(set(keys)) == 4
    assert all(fact.provider == provider.name for reading in readings for fact in reading.facts)
    assert [{fact.payment for fact in reading.facts} for reading in readings] == [{payment} for payment in payments]
    assert [provider.read(payment) for payment in payments] == readings


def test_facts_have_the_times_at_which_money_moved(stage: Stage, provider: Provider) -> None:
    """In the vendor's UTC seconds: not when the page was made, when it was read, or when something else moved."""
    checkout_id = stage.opened()
    stage.later(HOUR)
    paid_at = stage.clock.now()
    stage.pay(checkout_id)
    payment = stage.settled(checkout_id).payment
    stage.later(2 * HOUR)
    refunded_at = stage.clock.now()
    provider.send(stage.refunding(asked(payment)))
    stage.later(4 * HOUR)
    money, fee, refund = provider.read(payment).facts
    for fact, at, slack in ((money, paid_at, 10), (fee, paid_at, 60), (refund, refunded_at, 10)):
        assert 0 <= fact.occurred_at - at <= slack, fact.kind


@pytest.mark.parametrize(
    ("amount", "back"),
    [
        (Money(1, "USD"), Money(1, "USD")),
        (Money(12345, "EUR"), Money(6172, "EUR")),
        (Money(5000, "JPY"), Money(4999, "JPY")),  # no decimals
        (Money(1230, "KWD"), Money(410, "KWD")),  # three
        (Money(1234, "KWD"), Money(1234, "KWD")),
        (Money(300, "ISK"), Money(299, "ISK")),  # none, which not every vendor has noticed
        (Money(700, "MGA"), Money(200, "MGA")),  # hundredths that nobody has
        (Money(9900, "HUF"), Money(9800, "HUF")),  # two, which not every vendor takes
        (Money(9990, "HUF"), Money(9990, "HUF")),
    ],
    ids=str,
)
def test_d1_d2_d3_an_amount_goes_through_exactly_or_not_at_all(
    stage: Stage, provider: Provider, amount: Money, back: Money
) -> None:
    """D1, D2, D3: page, fact, refund and statement have the same minor units; what cannot be written exactly is not
    asked for, neither to pay nor to give back."""
    try:
        provider.plan_checkout(request_of(amount))
    except Refused:
        raised(Refused, provider.plan_refund, asked("pay_1", amount))
        return
    state = stage.paid(amount)
    assert (state.status, state.amount) == ("paid", amount)
    provider.send(stage.refunding(asked(state.payment, back)))
    stage.later(stage.declaration.statement_lag_seconds)
    facts = provider.read(state.payment).facts
    assert [fact.amount for fact in facts if isinstance(fact, PaymentSucceeded)] == [amount]
    assert [fact.amount for fact in returns(provider.read(state.payment))] == [back]
    now = stage.clock.now()
    moved = {one.key: Money(one.minor, one.currency) for one in provider.statement(now - 86_400, now + 300)}
    assert [moved[fact.key] for fact in facts] == [fact.amount for fact in facts]
    assert {fact.amount.currency for fact in facts} == {amount.currency}


def test_b23_what_is_not_there_is_refused(stage: Stage, provider: Provider) -> None:
    """B23: a page or an object that nobody can read is no state and no fact: it is said, not guessed."""
    looks = [(provider.checkout, stage.absent_page), *((provider.read, key) for key in stage.absent_objects)]
    for look, object_id in looks:
        refusal = raised(Refused, look, object_id)
        assert refusal.code == "resource_missing"
        assert not isinstance(refusal, NotAllowed)
    raised(Refused, provider.send, stage.closing(stage.absent_page))
    raised(Refused, provider.send, stage.refunding(asked(stage.absent_objects[0])))
    before = len(stage.requests())
    for object_id in ("", "nonsense", "../v1/account"):  # no id of ours: refused before anything is sent
        raised(Refused, provider.read, object_id)
        raised(Refused, provider.checkout, object_id)
    assert len(stage.requests()) == before
