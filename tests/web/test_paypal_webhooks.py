"""PayPal's webhooks at our door, signed as PayPal signs them: once each, never a twin, never in anybody's way."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterator

import pytest
import requests

from helpers.forging.paypal_forgeries import same_crc
from helpers.sale import Json, Shop, control
from helpers.vendors.paypal_sale import assert_paid_once
from helpers.web.receiving import Receiver, receiving
from simulator.paypal import webhooks

PATH = "/webhooks/paypal"


@pytest.fixture
def receiver(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver to which nothing is delivered by itself."""
    with receiving(shop, monkeypatch, deliver=False) as running:
        yield running


def captured(shop: Shop) -> Json:
    """A sale that another program captured: the event that PayPal tells of it."""
    control(shop.simulator, "capture", {"checkout_id": shop.approved()})
    return next(
        one for one in shop.simulator.world.all("paypal.event") if one["event_type"] == "PAYMENT.CAPTURE.COMPLETED"
    )


def signed(shop: Shop, body: bytes) -> dict[str, str]:
    """The headers that the simulated PayPal sends with these bytes now."""
    return webhooks.sign(shop.simulator.world, body, shop.simulator.world.now())


def post(receiver: Receiver, body: bytes, headers: dict[str, str]) -> int:
    return requests.post(receiver.url + PATH, data=body, headers=headers, timeout=15).status_code


def twin_of(body: bytes) -> bytes:
    """Another event about another sum, with the CRC32 of this one: PayPal's signature fits both."""
    other = json.loads(body)
    other["id"] = "WH-00000000000000000-00000000000000000"
    other["resource"]["amount"]["value"] = "99999.00"
    found = same_crc(other, zlib.crc32(body))
    assert zlib.crc32(found) == zlib.crc32(body)
    assert found != body
    return found


def finished(shop: Shop) -> None:
    for script in ("process_inbox", "poll_events", "process_inbox", "post_to_books", "send_messages"):
        assert shop.run(script).code == 0


def test_a4_a_crc32_twin_after_the_event_is_refused(shop: Shop, receiver: Receiver) -> None:
    """The delivery has brought its event: another body under its signature is a forgery, and changes nothing."""
    body = webhooks.as_body(captured(shop))
    headers = signed(shop, body)
    assert post(receiver, body, headers) == 200
    assert post(receiver, twin_of(body), headers) == 400
    assert shop.till.ledger.inbox.waiting()[0] == 1
    finished(shop)
    assert_paid_once(shop)


def test_a4_a_crc32_twin_before_the_event_has_no_effect_on_money(shop: Shop, receiver: Receiver) -> None:
    """It is taken, for its signature fits; but facts are read by id, so its amount is nobody's."""
    body = webhooks.as_body(captured(shop))
    headers = signed(shop, body)
    assert post(receiver, twin_of(body), headers) == 200
    assert post(receiver, body, headers) == 400
    finished(shop)
    assert_paid_once(shop)


def test_a4_a_twin_that_keeps_the_event_id_is_refused_too(shop: Shop, receiver: Receiver) -> None:
    """The id alone does not make it the same message."""
    event = captured(shop)
    body = webhooks.as_body(event)
    other = json.loads(twin_of(body)) | {"id": event["id"]}
    headers = signed(shop, body)
    assert post(receiver, body, headers) == 200
    assert post(receiver, same_crc(other, zlib.crc32(body)), headers) == 400


def test_b1_the_same_delivery_again_is_taken_once(shop: Shop, receiver: Receiver) -> None:
    """PayPal did not hear our 200: the same bytes again, or the same event by a new delivery, change nothing."""
    body = webhooks.as_body(captured(shop))
    headers = signed(shop, body)
    assert [post(receiver, body, headers) for _ in range(3)] == [200] * 3
    assert post(receiver, body, signed(shop, body)) == 200
    assert shop.till.ledger.inbox.waiting()[0] == 1
    finished(shop)
    assert_paid_once(shop)


def test_a7_while_a_certificate_is_fetched_everybody_else_is_answered(shop: Shop, receiver: Receiver) -> None:
    """The first event needs PayPal's certificate, which is slow to come: the loop goes on, and then it is taken."""
    body = webhooks.as_body(captured(shop))
    headers = signed(shop, body)
    shop.fail("paypal", "*/certs/*", "slow", seconds=1.0)
    order: list[object] = []
    sender = threading.Thread(target=lambda: order.append(post(receiver, body, headers)))
    sender.start()
    while sender.is_alive():
        assert requests.get(f"{receiver.url}/healthz", timeout=5).status_code == 200
        order.append("healthy")
    sender.join()
    assert order[0] == "healthy", "the first answer did not wait for the certificate"
    assert 200 in order


def test_a7_a_certificate_that_does_not_come_is_503_and_the_event_comes_again(shop: Shop, receiver: Receiver) -> None:
    """Not to know is neither yes nor no: PayPal sends it again, and then it is taken."""
    body = webhooks.as_body(captured(shop))
    shop.fail("paypal", "*/certs/*", "500")
    assert post(receiver, body, signed(shop, body)) == 503
    assert post(receiver, body, signed(shop, body)) == 200


@pytest.mark.parametrize("verdict", ["SUCCESS", "FAILURE"])
def test_by_setting_paypal_itself_is_asked(shop: Shop, monkeypatch: pytest.MonkeyPatch, verdict: str) -> None:
    """PAYPAL_WEBHOOK_CHECK=call: each message is shown to PayPal, byte for byte, and its word is taken."""
    monkeypatch.setenv("PAYPAL_WEBHOOK_CHECK", "call")
    with receiving(shop, monkeypatch, deliver=False) as receiver:
        body = webhooks.as_body(captured(shop))
        headers = signed(shop, body)
        shown = body if verdict == "SUCCESS" else body.replace(b"60.00", b"61.00")
        assert post(receiver, shown, headers) == (200 if verdict == "SUCCESS" else 400)
        assert shop.requests("paypal", "GET", "/certs/") == []
        (asked,) = shop.requests("paypal", "POST", "verify-webhook-signature")
        assert verdict in asked["answer"]
