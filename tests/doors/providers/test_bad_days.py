"""What every provider makes of a bad day: a change without an answer may have happened, a read without one has not."""

from __future__ import annotations

import time

import pytest

from helpers.providers.stage import Stage
from helpers.providers.words import READS, asked, raised, request_of, returns
from helpers.settings import changed
from helpers.vendors.misbehaving import answer, cut, drip, hang
from helpers.vendors.stand_in import StandIn
from tillbook.kit.errors import NotAllowed, Refused, Throttled, Unavailable, Uncertain
from tillbook.rules.operations import Json, Plan
from tillbook.vendors.protocols import Provider

CARD = "4242 4242 4242 4242"


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
    nobody = stage.at("http://127.0.0.1:1")
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
    if name == "balance" and not stage.declaration.tells_balance:
        raised(Refused, provider.balance)
        return
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


# -- what answers is not what was asked --------------------------------------------------------------


def test_c40_a_redirect_is_not_followed(stage: Stage) -> None:
    """C40: our key and our request go to the vendor's address and nowhere else; a change may have happened."""
    operation, checkout_id = stage.opening(), stage.opened()
    method, path = stage.calls["create"]
    with StandIn() as elsewhere, stage.between() as between:
        told = answer(b"", 307, Location=f"{elsewhere.url}{path}")
        between.on_call(method, path, told)
        between.on_call("GET", "*", told)
        provider = stage.at(between.url)
        raised(Uncertain, provider.send, operation)
        raised(Unavailable, provider.checkout, checkout_id)
        assert elsewhere.asked == []


@pytest.mark.parametrize("behaviour", [drip(b"{}", 10), hang, cut], ids=["drips", "hangs", "is cut off"])
def test_c24_an_answer_that_never_ends_is_left_in_time(stage: Stage, behaviour: object) -> None:
    """C24: a byte at a time begins no socket's time-out anew: a call with all its attempts takes the time-out."""
    operation, checkout_id, seconds = stage.opening(), stage.opened(), 1.0
    method, path = stage.calls["create"]
    with stage.between() as between:
        between.on_call(method, path, behaviour)
        provider = stage.at(between.url, timeout_seconds=seconds)
        provider.checkout(checkout_id)  # what has to be imported or signed in first is not measured
        begun = time.monotonic()
        raised(Uncertain, provider.send, operation)
        between.on_call("GET", "*", behaviour)
        raised(Unavailable, provider.checkout, checkout_id)
        assert time.monotonic() - begun < 2 * (seconds + 1)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b"<html>", b'{"id": "A"', b"\xff"], ids=repr)
def test_c20_an_answer_that_makes_no_sense_proves_nothing(stage: Stage, body: bytes) -> None:
    """C20: of an object without its fields nobody says what it proves."""
    operation, payment = stage.opening(), stage.paid().payment
    method, path = stage.calls["create"]
    with stage.between() as between:
        between.on_call(method, path, answer(body))
        between.on_call("GET", "*", answer(body))
        provider = stage.at(between.url)
        raised(Uncertain, provider.send, operation)
        for look in (provider.checkout, provider.read):
            raised(Unavailable, look, stage.absent_page if look == provider.checkout else payment)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_g3_a_vendors_words_never_show_what_is_secret(stage: Stage, status: int) -> None:
    """G3: keys, card numbers and control characters do not come through, whatever status the words come with. A secret
    need not look like one."""
    plain = {
        one.name.lower(): "acorns-in-autumn" for one in stage.declaration.settings if one.secret and not one.needed
    }
    secrets = changed(stage.settings, **plain).secrets
    words = f"No: {' '.join(secrets)} for {CARD}\x1b[31m \u202e" + "x" * 5000
    method, path = stage.calls["create"]
    with stage.between() as between:
        between.on_call(method, path, answer(stage.refusal(words), status))
        provider = stage.at(between.url, **plain)
        with pytest.raises((Refused, Unavailable, Uncertain)) as caught:
            provider.send(stage.opening())
    said = f"{caught.value.message} {caught.value.hint} {caught.value!r} {caught.value.__cause__!r}"
    assert len(caught.value.message) < 1000
    for secret in (*secrets, CARD, CARD.replace(" ", ""), "\x1b", "\u202e"):
        assert secret not in said
    assert isinstance(caught.value, NotAllowed) is (status in (401, 403))
