"""The events of the simulated PayPal: signed with real certificates, listed, sent again, and judged on request."""

from __future__ import annotations

import base64
import json
import stat
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate, DNSName, load_pem_x509_certificate, load_pem_x509_certificates
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from helpers.vendors.asking_paypal import Json, ask, issue
from helpers.vendors.simulated_stripe import control, wait_until
from helpers.vendors.stand_in import Asked, StandIn
from simulator.paypal import certificates, webhooks
from simulator.paypal.account import Account
from simulator.server import Simulator

HOOK = "/webhooks/paypal"
EVENTS, VERIFY = "/v1/notifications/webhooks-events", "/v1/notifications/verify-webhook-signature"
CAPTURE, CAPTURED = "8MC585209K746392H", "PAYMENT.CAPTURE.COMPLETED"
YEAR = 366 * 86_400


@pytest.fixture
def receiver(simulator: Simulator) -> Iterator[StandIn]:
    """An endpoint that gets the events."""
    with StandIn() as standing:
        control(simulator, "deliveries", {"to": standing.url})
        yield standing
        control(simulator, "reset", {})
        control(simulator, "deliveries", {"to": ""})


def happened(
    simulator: Simulator, kind: str = "PAYMENT.CAPTURE.COMPLETED", *, ago: int = 0, key: str = CAPTURE
) -> Json:
    """An event that was recorded and not sent to anybody yet."""
    resource = {"id": key, "status": "COMPLETED", "custom_id": "Zoë"}
    return Account(simulator.world).emit(kind, "capture", resource, simulator.world.now() - ago, "It happened")


def resend(simulator: Simulator, event: Json) -> None:
    """Ask for an event to be sent."""
    assert ask(simulator, "POST", f"{EVENTS}/{event['id']}/resend", body={})[0] == 202


def delivery(simulator: Simulator) -> Json:
    """The one delivery that there is: its state, its attempts and the last status."""
    rows = list(simulator.world.all("paypal.delivery"))
    assert len(rows) <= 1
    return rows[0] if rows else {"state": "", "attempts": 0}


def chain_of(simulator: Simulator, url: str) -> tuple[Certificate, list[Certificate]]:
    """The certificate that a message names and those that lead from it to the root, as anybody may fetch them."""
    assert url.startswith(f"{simulator.url}/paypal/v1/notifications/certs/CERT-")
    leaf, *between = load_pem_x509_certificates(requests.get(url, timeout=10).content)
    return leaf, between


def vouched_for(simulator: Simulator, url: str, *, at: int, name: str = certificates.SIGNER) -> RSAPublicKey:
    """The key of a certificate, checked by nobody's rules but cryptography's own. Raises VerificationError."""
    leaf, between = chain_of(simulator, url)
    root = load_pem_x509_certificate((simulator.world.folder / "paypal-ca.pem").read_bytes())
    policy = PolicyBuilder().store(Store([root])).time(datetime.fromtimestamp(at, UTC))
    policy.build_server_verifier(DNSName(name)).verify(leaf, between)
    key = leaf.public_key()
    assert isinstance(key, RSAPublicKey)
    return key


def check(simulator: Simulator, asked: Asked) -> None:
    """Raise unless the message is signed by the simulated PayPal for our webhook."""
    heads, body = asked.headers, asked.body.encode()
    parts = (heads["paypal-transmission-id"], heads["paypal-transmission-time"])
    signed = "|".join((*parts, simulator.world.accounts["paypal_webhook_id"], str(zlib.crc32(body))))
    key = vouched_for(simulator, heads["paypal-cert-url"], at=simulator.world.now())
    key.verify(base64.b64decode(heads["paypal-transmission-sig"]), signed.encode(), PKCS1v15(), SHA256())


def verdict(simulator: Simulator, heads: dict[str, str], event: bytes, **changes: str) -> str:
    """What PayPal says of a message. Its body goes into the question byte by byte."""
    names = ("auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time")
    asked = {name: heads["paypal-" + name.replace("_", "-")] for name in names}
    asked = {**asked, "webhook_id": simulator.world.accounts["paypal_webhook_id"], **changes}
    raw = json.dumps(asked).encode()[:-1] + b', "webhook_event": ' + event + b"}"
    status, answer = ask(simulator, "POST", VERIFY, raw=raw)
    assert status == 200
    return str(answer["verification_status"])


def test_a6_an_event_arrives_signed(simulator: Simulator, receiver: StandIn) -> None:
    """The body is the event as the API shows it. Plain cryptography accepts chain, name, validity and signature."""
    receiver.answer(HOOK, {})
    event = happened(simulator)
    resend(simulator, event)
    wait_until(lambda: delivery(simulator)["state"] == "delivered")
    (asked,) = receiver.asked
    assert (asked.method, asked.headers["content-type"]) == ("POST", "application/json")
    assert (asked.headers["paypal-auth-algo"], asked.headers["paypal-auth-version"]) == ("SHA256withRSA", "v2")
    check(simulator, asked)
    assert json.loads(asked.body) == ask(simulator, "GET", f"{EVENTS}/{event['id']}")[1] == event
    assert event["id"].startswith("WH-")
    assert (event["event_version"], event["resource_version"]) == ("1.0", "2.0")


def test_each_attempt_is_another_transmission(simulator: Simulator, receiver: StandIn) -> None:
    """A failed delivery comes again after a minute, then after two: the same body under another id and signature."""
    receiver.answer(HOOK, {}, 503)
    receiver.answer(HOOK, {}, 302, Location=receiver.url + "/elsewhere")
    receiver.answer(HOOK, {}, 200)
    resend(simulator, happened(simulator))
    for tries, pause in ((1, 60), (2, 120)):
        wait_until(lambda tries=tries: delivery(simulator)["attempts"] == tries)
        control(simulator, "clock", {"advance_seconds": pause - 2})
        assert len(receiver.asked) == tries
        control(simulator, "clock", {"advance_seconds": 2})
    wait_until(lambda: delivery(simulator)["state"] == "delivered")
    assert [asked.path for asked in receiver.asked] == [HOOK] * 3
    assert len({asked.body for asked in receiver.asked}) == 1
    for name in ("paypal-transmission-id", "paypal-transmission-time", "paypal-transmission-sig"):
        assert len({asked.headers[name] for asked in receiver.asked}) == 3
    for asked in receiver.asked:
        check(simulator, asked)


def test_b20_after_25_attempts_paypal_gives_up(simulator: Simulator, receiver: StandIn) -> None:
    """An event that was never taken is still listed, and comes again only when it is asked for."""
    receiver.answer(HOOK, {}, 500)
    event = happened(simulator)
    resend(simulator, event)
    for tries in range(1, 25):
        wait_until(lambda tries=tries: delivery(simulator)["attempts"] == tries)
        control(simulator, "clock", {"advance_seconds": 14_400 if tries > 7 else 60 * 2 ** (tries - 1)})
    wait_until(lambda: delivery(simulator)["state"] == "given_up")
    assert delivery(simulator)["attempts"] == 25
    assert [one["id"] for one in ask(simulator, "GET", EVENTS)[1]["events"]] == [event["id"]]
    resend(simulator, event)
    wait_until(lambda: len(receiver.asked) == 26)


def test_b20_after_three_days_paypal_gives_up(simulator: Simulator, receiver: StandIn) -> None:
    """An outage that is longer than three days loses the event for its webhook."""
    receiver.answer(HOOK, {}, 500)
    resend(simulator, happened(simulator))
    wait_until(lambda: delivery(simulator)["attempts"] == 1)
    control(simulator, "clock", {"advance_seconds": 4 * 86_400})
    wait_until(lambda: delivery(simulator)["state"] == "given_up")
    assert len(receiver.asked) == 1


def test_events_are_listed_newest_first(simulator: Simulator) -> None:
    """Pages of ten unless another number is asked for. The links lead on until all were seen once."""
    made = [happened(simulator, ago=100 - number)["id"] for number in range(23)]
    seen: list[str] = []
    status, answer = ask(simulator, "GET", EVENTS)
    sizes = []
    while True:
        assert status == 200
        sizes.append(answer["count"])
        seen += [event["id"] for event in answer["events"]]
        if not answer["links"]:
            break
        (link,) = answer["links"]
        assert (link["rel"], link["method"]) == ("next", "GET")
        happened(simulator)  # what happens meanwhile moves no page
        status, answer = ask(simulator, "GET", link["href"].removeprefix(f"{simulator.url}/paypal"))
    assert (sizes, seen) == ([10, 10, 3], made[::-1])
    assert ask(simulator, "GET", EVENTS, page_size="100")[1]["count"] == 25
    assert ask(simulator, "GET", EVENTS, page_size="0")[0] == 400


def test_events_are_filtered(simulator: Simulator) -> None:
    """By time (both ends count), type and the id of what they tell of. Filters hold on all pages."""
    old = happened(simulator, "CHECKOUT.ORDER.APPROVED", ago=100, key="5O190127TN364715T")
    new = [happened(simulator, ago=10), happened(simulator, ago=10)]

    def found(**params: str) -> list[str]:
        return [event["id"] for event in ask(simulator, "GET", EVENTS, **params)[1]["events"]]

    def at(event: Json) -> str:
        return str(event["create_time"].replace(".000Z", "Z"))

    assert found(start_time=at(new[0])) == [new[1]["id"], new[0]["id"]]
    assert found(end_time=at(old).replace("Z", "+00:00")) == [old["id"]]
    assert found(start_time=at(old), end_time=at(old)) == [old["id"]]
    assert found(event_type="CHECKOUT.ORDER.APPROVED") == [old["id"]]
    assert found(transaction_id=CAPTURE, event_type="CHECKOUT.ORDER.APPROVED") == []
    (link,) = ask(simulator, "GET", EVENTS, transaction_id=CAPTURE, page_size="1")[1]["links"]
    last = ask(simulator, "GET", link["href"].removeprefix(f"{simulator.url}/paypal"))[1]
    assert ([event["id"] for event in last["events"]], last["links"]) == ([new[0]["id"]], [])
    status, answer = ask(simulator, "GET", EVENTS, start_time="2026-11-26T00:00:00-0700")
    assert (status, issue(answer)) == (400, ("start_time", "INVALID_PARAMETER_SYNTAX"))


def test_b19_an_event_is_sent_again_on_request(simulator: Simulator, receiver: StandIn) -> None:
    """One that was delivered comes once more as a new transmission. One that still waits is not doubled."""
    receiver.answer(HOOK, {}, 200)
    receiver.answer(HOOK, {}, 500)
    event = happened(simulator)
    for times in (1, 2):
        resend(simulator, event)
        wait_until(lambda times=times: len(receiver.asked) == times and delivery(simulator)["attempts"] == 1)
    assert len({asked.headers["paypal-transmission-id"] for asked in receiver.asked}) == 2
    resend(simulator, event)
    control(simulator, "clock", {"advance_seconds": 0})
    assert (len(receiver.asked), delivery(simulator)["state"]) == (2, "pending")
    unknown = {"webhook_ids": ["WHNOBODY"]}
    assert ask(simulator, "POST", f"{EVENTS}/{event['id']}/resend", body=unknown)[0] == 400
    assert ask(simulator, "POST", f"{EVENTS}/WH-NONE/resend", body={})[0] == 404
    assert ask(simulator, "GET", f"{EVENTS}/WH-NONE")[0] == 404


def test_deliveries_are_steered(simulator: Simulator, receiver: StandIn) -> None:
    """Held events wait or are lost. One is let through in as many copies as are asked for, each of its own id."""
    receiver.answer(HOOK, {})
    control(simulator, "deliveries", {"paused": True, "vendor": "paypal"})
    first, second = happened(simulator), happened(simulator)
    resend(simulator, first)
    assert control(simulator, "deliver", {"event_id": second["id"], "times": 3}) == {"statuses": [200] * 3}
    assert [json.loads(asked.body)["id"] for asked in receiver.asked] == [second["id"]] * 3
    assert len({asked.headers["paypal-transmission-id"] for asked in receiver.asked}) == 3
    assert control(simulator, "deliveries", {"discard": True, "paused": False, "vendor": "paypal"})["discarded"] == 1
    assert control(simulator, "deliveries", {"vendor": "paypal"})["given_up"] == 1
    assert ask(simulator, "GET", EVENTS)[1]["count"] == 2
    assert len(receiver.asked) == 3


def test_a8_paypal_judges_the_bytes_that_it_sent(simulator: Simulator) -> None:
    """The same event written in another way is refused, as is any other value that was signed or should be ours."""
    event = happened(simulator)
    body = webhooks.as_body(event)
    heads = webhooks.sign(simulator.world, body, simulator.world.now())
    assert verdict(simulator, heads, body) == "SUCCESS"
    assert verdict(simulator, heads, json.dumps(event).encode()) == "FAILURE"
    assert verdict(simulator, heads, body.replace(b"COMPLETED", b"REFUNDED!")) == "FAILURE"
    for name, wrong in {
        "transmission_id": "11111111-2222-3333-4444-55555555555a",
        "transmission_time": "2026-01-01T00:00:00Z",
        "transmission_sig": "bm8gc2lnbmF0dXJl",
        "auth_algo": "SHA512withRSA",
        "webhook_id": "WH0000000000000001",
        "cert_url": "https://api.paypal.com/v1/notifications/certs/CERT-1",
    }.items():
        assert verdict(simulator, heads, body, **{name: wrong}) == "FAILURE", name
    status, answer = ask(simulator, "POST", VERIFY, body={"auth_algo": "SHA256withRSA"})
    assert (status, issue(answer)) == (400, ("/cert_url", "MISSING_REQUIRED_PARAMETER"))


def test_a4_another_body_with_the_same_crc_has_a_valid_signature(simulator: Simulator) -> None:
    """The CRC32 does not bind the body, at the simulated PayPal as at the real one: an event is a hint."""
    genuine, forged = b'{"id":"WH-1"}', bytearray(b'{"id":"WH-2","x":"0000"}')
    place = forged.index(b"0000")
    # Four free bytes make any CRC: each bit flips a fixed set of bits, so it is one system of 32 equations over GF(2).
    base = zlib.crc32(bytes(forged))
    columns = []
    for bit in range(32):
        flipped = bytearray(forged)
        flipped[place + bit // 8] ^= 1 << bit % 8
        columns.append((zlib.crc32(bytes(flipped)) ^ base, 1 << bit))
    left, flips = base ^ zlib.crc32(genuine), 0
    for digit in range(32):
        pivot = next(column for column in columns if column[0] >> digit & 1)
        columns = [(a ^ pivot[0], b ^ pivot[1]) if a >> digit & 1 else (a, b) for a, b in columns if (a, b) != pivot]
        if left >> digit & 1:
            left, flips = left ^ pivot[0], flips ^ pivot[1]
    for bit in range(32):
        forged[place + bit // 8] ^= (flips >> bit & 1) << bit % 8
    now = simulator.world.now()
    given = {"transmission_id": "11111111-2222-3333-4444-55555555555a"}
    heads = [webhooks.sign(simulator.world, body, now, **given) for body in (genuine, bytes(forged))]
    assert (zlib.crc32(genuine), heads[0]) == (zlib.crc32(bytes(forged)), heads[1])


def test_a_message_is_signed_as_a_test_wants_it(simulator: Simulator) -> None:
    """Any body with a chosen transmission id, time and webhook. Without them each is new and the account's own."""
    now = simulator.world.now()
    chosen = {"transmission_id": "t-1", "webhook_id": "WHOTHER1", "time": "2020-01-01T00:00:00Z"}
    heads = webhooks.sign(simulator.world, b"\xff", now, **chosen)
    assert heads["paypal-transmission-id"] == "t-1"
    signed = b"t-1|2020-01-01T00:00:00Z|WHOTHER1|%d" % zlib.crc32(b"\xff")
    key = vouched_for(simulator, heads["paypal-cert-url"], at=now)
    key.verify(base64.b64decode(heads["paypal-transmission-sig"]), signed, PKCS1v15(), SHA256())
    ids = {webhooks.sign(simulator.world, b"", now)["paypal-transmission-id"] for _ in range(3)}
    assert len(ids) == 3


def test_a6_the_certificate_lasts_as_far_as_the_clock_goes(simulator: Simulator) -> None:
    """Years later it is still valid, for its own name only. Another name of a certificate is unknown."""
    url = webhooks.sign(simulator.world, b"", simulator.world.now())["paypal-cert-url"]
    now = simulator.world.now()
    for moved in (0, 10 * YEAR, -10 * YEAR):
        vouched_for(simulator, url, at=now + moved)
    with pytest.raises(VerificationError):
        vouched_for(simulator, url, at=now, name="messageverificationcerts.paypal.com")
    with pytest.raises(VerificationError):
        vouched_for(simulator, url, at=now + 30 * YEAR)
    control(simulator, "clock", {"advance_seconds": 9 * YEAR})
    assert vouched_for(simulator, url, at=simulator.world.now())
    assert requests.get(url + "0", timeout=10).status_code == 404


def test_certificates_outlive_resets_and_restarts(tmp_path: Path) -> None:
    """One authority for a folder: what settings point to is there from the first start on, and private."""
    with Simulator(tmp_path) as first:
        root = (tmp_path / "paypal-ca.pem").read_bytes()
        before = [webhooks.sign(first.world, b"", 0)["paypal-cert-url"].rpartition("/")[2]]
        control(first, "reset", {})
        before.append(webhooks.sign(first.world, b"", 0)["paypal-cert-url"].rpartition("/")[2])
    with Simulator(tmp_path) as second:
        url = webhooks.sign(second.world, b"", 0)["paypal-cert-url"]
        assert {*before, url.rpartition("/")[2]} == {before[0]}
        assert (tmp_path / "paypal-ca.pem").read_bytes() == root
        vouched_for(second, url, at=second.world.now())
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("paypal-*")} == {0o600}
