"""Events of every provider: polled to the last one, or signed by the vendor and by nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.providers.stage import Stage
from helpers.providers.words import DAY, raised
from tillbook.kit.errors import Forged, Refused
from tillbook.vendors.protocols import Provider


def test_events_come_newest_first_and_lead_to_facts(stage: Stage, provider: Provider) -> None:
    """INV-9, B20: an event leads to an object, and the object to facts; a sweep goes back to its cursor, no further."""
    stage.later(10)
    since = stage.clock.now()
    payments = [stage.paid().payment for _ in range(3)]
    told_until = stage.clock.now()
    stage.later(3600)
    events = list(provider.events(since))
    assert {event.object_id for event in events} == set(payments)
    assert [event.created_at for event in events] == sorted((event.created_at for event in events), reverse=True)
    assert len({event.id for event in events}) == len(events)
    assert {event.provider for event in events} == {provider.name}
    assert {event.account for event in events} <= {stage.account_id, *([] if stage.events_name_account else [""])}
    assert not any(event.livemode or event.delivery for event in events)
    assert all(provider.read(event.object_id).facts for event in events)
    assert all(since <= event.created_at <= told_until + 60 for event in events)
    assert list(provider.events(stage.clock.now() + 1)) == []


def test_b25_more_events_than_come_at_a_time_are_all_told(stage: Stage, provider: Provider) -> None:
    """B25: a hundred and one refunds after a payment: the payment's own event is not the one that is lost."""
    stage.later(10)
    since = stage.clock.now()
    payment = stage.paid().payment
    first = {event.id for event in provider.events(since)}
    for _ in range(101):
        stage.refund_in_dashboard(payment, 10)
    events = list(provider.events(since))
    assert first
    assert first < {event.id for event in events}
    assert len({event.id for event in events} - first) >= 101
    assert {event.object_id for event in events if event.id in first} == {payment}
    assert all(provider.read(object_id).facts for object_id in {event.object_id for event in events})


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
    stage.later(DAY)
    sent_from = stage.clock.now()
    body = stage.message()
    event = provider.verify(stage.signed(body, at=stage.clock.now() + skew), body)
    assert (event.body, event.provider, event.livemode) == (body, provider.name, False)
    assert all((event.id, event.type, event.object_id))
    assert event.account in (stage.account_id, "" if not stage.events_name_account else stage.account_id)
    assert sent_from <= event.created_at <= stage.clock.now()
    assert provider.read(event.object_id).facts


def test_what_a_vendor_signed_and_is_no_event_is_refused(stage: Stage, provider: Provider) -> None:
    """The signature is good, the body is not one that we know: it is our trouble or the vendor's, and no forgery."""
    for body in (b"", b"5", b"[]", b"{}", b'{"id": "evt_1"}', b"not json"):
        headers = stage.signed(body, at=stage.clock.now())
        assert not isinstance(raised(Refused, provider.verify, headers, body), Forged)


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
    """A10, A11: the window has two sides, and no setting opens it. Without a signed time there is none."""
    body = stage.message()
    headers = stage.signed(body, at=stage.clock.now() + skew)
    if stage.declaration.signs_time:
        raised(Forged, provider.verify, headers, body)
    else:
        assert provider.verify(headers, body).body == body


def test_a1_what_was_not_signed_is_forged(stage: Stage, provider: Provider) -> None:
    """A1: one byte more, less or other; another event; another endpoint's secret: nothing is read."""
    body, now = stage.message(), stage.clock.now()
    headers = stage.signed(body, at=now)
    other = body[:99] + bytes([body[99] ^ 1]) + body[100:]
    for changed in (body + b" ", body[:-1], other, stage.message(), b""):
        raised(Forged, provider.verify, headers, changed)
    raised(Forged, stage.other_secret().verify, headers, body)


def test_a1_every_header_is_needed_as_it_was_sent(stage: Stage, provider: Provider) -> None:
    """A1: none, an empty one, a shorter, a longer and one with another letter at its end are all forged."""
    body = stage.message()
    headers = stage.signed(body, at=stage.clock.now())
    raised(Forged, provider.verify, {}, body)
    raised(Forged, provider.verify, dict.fromkeys(headers, ""), body)
    for name in stage.signing_headers:
        value = headers[name]
        last = "b" if value[-1] == "a" else "a"
        for wrong in ("", " ", value[:-1], value[:-1] + last, value + last, value[::-1]):
            error = raised(Forged, provider.verify, {**headers, name: wrong}, body)
            assert value not in error.message


def test_a13_both_secrets_sign_while_one_is_replaced(stage: Stage) -> None:
    """A13: the vendor may sign with the old or the new one; a third stays a stranger."""
    body, now = stage.message(), stage.clock.now()
    rolled = stage.rolled("old-secret-of-ours", "new-secret-of-ours")
    if rolled is None:
        assert not any(setting.secret for setting in stage.declaration.settings if "WEBHOOK" in setting.name)
        return
    for secret in ("old-secret-of-ours", "new-secret-of-ours"):
        assert rolled.verify(stage.signed(body, at=now, secret=secret), body).body == body
    for secret in ("third-secret", "old-secret-of-ours,new-secret-of-ours", "old-secret"):
        raised(Forged, rolled.verify, stage.signed(body, at=now, secret=secret), body)


def test_a2_without_a_secret_nothing_is_verified(stage: Stage) -> None:
    """A2: an empty secret stops the receiver before it starts, and verifies nothing signed with an empty key."""
    bare, body = stage.no_secret(), stage.message()
    assert raised(Refused, bare.webhook_ready).hint
    refusal = raised(Refused, bare.verify, stage.signed(body, at=stage.clock.now(), secret=" "), body)
    assert not isinstance(refusal, Forged), "the fault is ours, not the sender's"


def test_a_type_that_means_nothing_leads_nowhere(stage: Stage, provider: Provider) -> None:
    """It is taken, so that the vendor need not send it again, and names no object to read."""
    raw = json.loads(stage.message())
    raw[stage.event_type] = "something.that.we.do.not.know"
    body = json.dumps(raw).encode()
    event = provider.verify(stage.signed(body, at=stage.clock.now()), body)
    assert (event.type, event.object_id) == ("something.that.we.do.not.know", "")
