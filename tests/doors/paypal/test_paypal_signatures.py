"""PayPal's webhooks: what is signed, by whom, from where the certificate comes, and what is kept of it."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from helpers.forging import certificate_authority as ca
from helpers.forging.certificate_authority import (
    SIGNER,
    WEBHOOK_ID,
    Authority,
    CertificateServer,
    Leaf,
    answers,
    headers,
    rsa_key,
)
from helpers.settings import changed, loaded
from tillbook.kit.clock import Clock
from tillbook.kit.errors import Forged, NotAllowed, Refused, Unavailable, Uncertain
from tillbook.kit.settings import Settings
from tillbook.vendors.paypal.webhooks.certificates import Certificates, certificate_place, require_certificate_url
from tillbook.vendors.paypal.webhooks.signatures import WebhookCheck

Json = dict[str, Any]
NOW = 1_795_000_000
BODY = b'{"id": "WH-1", "event_type": "PAYMENT.CAPTURE.COMPLETED", "resource": {"id": "8AB"}, "note": "caf\xc3\xa9"}'
LIVE = ("https://api.paypal.com", "/v1/notifications/certs/")


class SteeredClock(Clock):
    """Time that a test sets; the monotonic clock goes on by itself, and further when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOW
        self.ahead = 0

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


def never(question: bytes) -> Json:
    """Who checks by certificate never asks PayPal."""
    raise AssertionError("PayPal was asked")


@dataclass
class Stage:
    """A home whose PayPal is a server of certificates, and a good certificate on it."""

    settings: Settings
    clock: SteeredClock
    server: CertificateServer
    authority: Authority
    url: str

    def check(self, ask: Callable[[bytes], Json] = never, **changes: Any) -> WebhookCheck:
        return WebhookCheck(changed(self.settings, **changes), self.clock, ask)

    def certificates(self, **changes: Any) -> Certificates:
        return Certificates(changed(self.settings, **changes), self.clock)

    def genuine(self, body: bytes = BODY, **changes: Any) -> dict[str, str]:
        return headers(body, changes.pop("url", self.url), self.clock.at, **changes)

    def asks(self, answer: object) -> tuple[WebhookCheck, list[bytes]]:
        """A check that asks PayPal, who gives this answer or raises it; and what it was asked."""
        questions: list[bytes] = []

        def ask(question: bytes) -> Any:
            questions.append(question)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return self.check(ask, paypal_webhook_check="call"), questions


@pytest.fixture(scope="module")
def server() -> Iterator[CertificateServer]:
    """One server of certificates for all tests here."""
    with ca.serving_certificates() as running:
        yield running


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Whom the tests trust."""
    return Authority("trusted", NOW)


@pytest.fixture
def stage(server: CertificateServer, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Test mode with an address of our own."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for name, value in {
        "TILLBOOK_HOME": str(home),
        "TILLBOOK_MODE": "test",
        "PAYPAL_API_BASE": server.url,
        "PAYPAL_WEBHOOK_ID": WEBHOOK_ID,
        "PAYPAL_TRUST_ANCHORS": ca.written(tmp_path, authority),
    }.items():
        monkeypatch.setenv(name, value)
    server.served.clear()
    server.asked.clear()
    url = server.put("CERT-360caa42-fca2a594-a5cafa77", authority.chain())
    return Stage(loaded(), SteeredClock(), server, authority, url)


# -- the message ---------------------------------------------------------------------------------------


def test_a_genuine_delivery_is_known_by_its_transmission_id(stage: Stage) -> None:
    """The certificate is fetched for the first one and never again; only for the first one PayPal has to be asked."""
    check = stage.check()
    assert check.asks_first(stage.genuine())
    for number in range(3):
        sent = stage.genuine(number=number)
        assert check.check(sent, BODY) == sent["paypal-transmission-id"]
        assert not check.asks_first(sent)
    assert len(stage.server.asked) == 1


def test_a_signature_made_elsewhere_is_verified_as_it_is(stage: Stage) -> None:
    """The scheme by hand, not by our helper: id, time, webhook id and decimal CRC32, with bars between them."""
    sent = {**stage.genuine(b"123456789"), "paypal-transmission-time": "2026-11-18T14:26:40Z"}
    stage.clock.at = 1_795_012_000
    assert sent["paypal-transmission-id"] == "69cd13f0-d67a-11e5-baa3-000000000001"
    written = f"69cd13f0-d67a-11e5-baa3-000000000001|2026-11-18T14:26:40Z|{WEBHOOK_ID}|3421780262".encode()
    raw = rsa_key("leaf").sign(written, padding.PKCS1v15(), hashes.SHA256())
    sent["paypal-transmission-sig"] = base64.b64encode(raw).decode()
    assert stage.check().check(sent, b"123456789")


@pytest.mark.parametrize("away", [-300, -299, 0, 299, 300])
def test_a10_a_message_of_these_five_minutes_is_taken(stage: Stage, away: int) -> None:
    """The window has two sides, and its ends belong to it."""
    sent = stage.genuine()
    stage.clock.at = NOW + away
    assert stage.check().check(sent, BODY)


@pytest.mark.parametrize("away", [-(10**8), -301, 301, 86_400])
def test_a10_a11_a_message_of_another_time_is_refused_and_nothing_is_fetched(stage: Stage, away: int) -> None:
    """Old ones are replays, and those of the future may wait to become some."""
    sent = stage.genuine()
    stage.clock.at = NOW + away
    with pytest.raises(Forged, match="300 seconds"):
        stage.check().check(sent, BODY)
    assert stage.server.asked == []


@pytest.mark.parametrize(
    "time_text", ["2026-11-18T12:06:40+01:00", "2026-11-18T11:06:40.123Z", "2026-11-18T11:06:40.5Z"]
)
def test_a_time_may_have_an_offset_or_a_fraction(stage: Stage, time_text: str) -> None:
    """RFC 3339 has several spellings; what is signed is the spelling that came."""
    sent = stage.genuine()
    stage.clock.at = 1_795_000_000
    signed = ca.payload(sent["paypal-transmission-id"], time_text, BODY)
    sent |= {"paypal-transmission-time": time_text, "paypal-transmission-sig": ca.signature(signed)}
    assert stage.check().check(sent, BODY)


def test_a2_without_a_webhook_id_nothing_starts_and_nothing_verifies(stage: Stage) -> None:
    """Not even a message that is signed for the empty id."""
    for empty in ("", " "):
        check = stage.check(paypal_webhook_id=empty)
        with pytest.raises(Refused, match="PAYPAL_WEBHOOK_ID"):
            check.ready()
        with pytest.raises(Refused, match="PAYPAL_WEBHOOK_ID"):
            check.check(stage.genuine(webhook=empty), BODY)
    stage.check().ready()


@pytest.mark.parametrize("name", sorted(headers(BODY, "x", NOW)))
def test_a1_every_header_is_needed(stage: Stage, name: str) -> None:
    """Missing, empty or not ASCII: refused before anything is fetched, and nothing of it comes back in the words."""
    for value in (None, "", " ", "canary9d1f\u00e9", "canary9d1f\n", "canary9d1f" * 200):
        sent = {key: text for key, text in {**stage.genuine(), name: value}.items() if text is not None}
        assert not stage.check().asks_first(sent)
        with pytest.raises(Forged) as refusal:
            stage.check().check(sent, BODY)
        assert "canary" not in str(refusal.value)
    assert stage.server.asked == []


# -- where a certificate comes from (A5) -----------------------------------------------------------------


def test_a5_certificates_come_from_the_address_of_the_mode(stage: Stage) -> None:
    """PayPal's own hosts; an address of our own only where the settings name one, and never in live mode."""
    sandbox = changed(stage.settings, paypal_api_base="https://api-m.sandbox.paypal.com")
    assert certificate_place(sandbox) == ("https://api.sandbox.paypal.com", "/v1/notifications/certs/")
    for base in ("https://api-m.paypal.com", "http://127.0.0.1:1"):
        assert certificate_place(changed(sandbox, mode="live", paypal_api_base=base)) == LIVE
    simulated = changed(sandbox, mode="simulator", paypal_api_base="http://127.0.0.1:4242/paypal")
    assert certificate_place(simulated) == ("http://127.0.0.1:4242", "/paypal/v1/notifications/certs/")


@pytest.mark.parametrize("name", ["CERT-360caa42-fca2a594-a5cafa77", "a", "cert_key.pem", "0" * 120])
def test_a5_plain_names_of_certificates_are_taken(name: str) -> None:
    """Letters, digits, and single dots, bars and hyphens between them."""
    require_certificate_url(f"https://api.paypal.com/v1/notifications/certs/{name}", *LIVE)


def test_a5_an_address_off_the_list_is_asked_nothing(stage: Stage) -> None:
    """Not even whether it is there. (The corpus of forgeries holds hundreds of such addresses.)"""
    elsewhere = stage.url.replace("127.0.0.1", "localhost")
    with pytest.raises(Forged, match="address"):
        stage.check().check(stage.genuine(url=elsewhere), BODY)
    with pytest.raises(Forged, match="address"):
        stage.certificates().public_key(elsewhere)
    assert stage.server.asked == []


# -- who vouches for it (A6) -----------------------------------------------------------------------------


def test_a6_what_no_authority_vouches_for_is_forged(stage: Stage) -> None:
    """And it is not asked for again for a while, nor written anywhere."""
    for index, (wrong, chain) in enumerate(ca.bad_chains(stage.authority).items()):
        url = stage.server.put(f"bad{index}", chain)
        certificates = stage.certificates()
        for _ in range(3):
            with pytest.raises(Forged, match=r"vouches|a moment ago"):
                certificates.public_key(url)
        assert certificates.known(url), wrong
        assert stage.server.asked.count(ca.CERTS + f"bad{index}") == 1, wrong
        stage.clock.ahead += 60
    assert not list(stage.settings.home.rglob("*.pem"))


def test_a6_the_live_account_has_a_signer_of_its_own(stage: Stage) -> None:
    """A certificate of the sandbox proves nothing in live mode."""
    certificates = stage.certificates(mode="live")
    assert certificates._signer == "messageverificationcerts.paypal.com"
    assert stage.certificates()._signer == SIGNER


def test_a6_by_default_the_authorities_of_the_system_are_trusted(stage: Stage) -> None:
    """They do not vouch for a certificate of our own, and reading them says nothing on stderr."""
    with pytest.raises(Forged, match="vouches"):
        stage.certificates(paypal_trust_anchors="").public_key(stage.url)


def test_a6_a_directly_signed_certificate_is_taken(stage: Stage) -> None:
    """Without an intermediate, where the authority itself signed."""
    url = stage.server.put("direct", ca.pem(stage.authority.leaf(issuer="root")))
    assert stage.certificates().public_key(url).key_size == 2048


@pytest.mark.parametrize("content", [None, b"", b"junk"])
def test_a15_authorities_that_cannot_be_read_are_our_own_trouble(stage: Stage, content: bytes | None) -> None:
    """503, not 400: the message may be genuine."""
    file = stage.settings.home / "anchors.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Unavailable, match="authorities"):
        stage.certificates(paypal_trust_anchors=str(file)).public_key(stage.url)


# -- an address in trouble (A7) ---------------------------------------------------------------------------


def _cut(chain: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """All but the last bytes of what was announced."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(chain) + chain[:-300])

    return behave


def test_a7_trouble_of_the_address_is_trouble_and_not_consent(stage: Stage) -> None:
    """Each time Unavailable, so that the sender comes again; and then the certificate is there and is taken."""
    chain = stage.authority.chain()
    troubles: list[bytes | ca.Behaviour] = [
        *(answers(status, chain) for status in (201, 204, 400, 401, 403, 429, 500, 502, 503)),
        b"<html><body>Service unavailable</body></html>",
        b"junk\xff\x00",
        b"-----BEGIN CERTIFICATE-----\njunk\n-----END CERTIFICATE-----\n",
        chain.replace(b"CERTIFICATE", b"PUBLIC KEY"),
        answers(200, b""),
        answers(200, b"x" * 70_000),
        answers(200, ca.pem(stage.authority.leaf()) * 9),
        chain + b"\n" * 70_000,
        answers(200, chain, Content_Encoding="gzip"),
        _cut(chain),
        lambda handler: handler.connection.close(),
        lambda handler: handler.wfile.write(b"HTTP/9 what\r\n\r\n"),
    ]
    certificates = stage.certificates()
    url = stage.server.put("troubled", b"")
    for index, trouble in enumerate(troubles):
        stage.server.put("troubled", trouble)
        with pytest.raises(Unavailable):
            certificates.public_key(url)
        assert not certificates.known(url), index
        stage.clock.ahead += 60
    stage.server.put("troubled", chain)
    assert certificates.public_key(url)


def test_made_up_names_do_not_turn_us_against_paypal(stage: Stage) -> None:
    """Each name is asked for once, ten in a minute; then the sender is told to come again, and it passes."""
    certificates = stage.certificates()
    for number in range(10):
        for _ in range(2):
            with pytest.raises(Forged, match=r"no such certificate|a moment ago"):
                certificates.public_key(f"{stage.server.url}{ca.CERTS}made-up-{number}")
    for number in range(10, 40):
        with pytest.raises(Unavailable, match="too many"):
            certificates.public_key(f"{stage.server.url}{ca.CERTS}made-up-{number}")
    assert len(stage.server.asked) == 10
    stage.clock.ahead += 60
    assert certificates.public_key(stage.url)


# -- what is kept ------------------------------------------------------------------------------------------


def _file(stage: Stage) -> Path:
    (file,) = (stage.settings.home / "paypal-certificates").iterdir()
    return file


def test_a_certificate_is_kept_in_the_home_for_its_owner_only(stage: Stage) -> None:
    """The next process asks nobody, even when PayPal is not there; the file's name is not the sender's."""
    stage.certificates().public_key(stage.url)
    assert stat.S_IMODE(_file(stage).stat().st_mode) == 0o600
    assert stat.S_IMODE(_file(stage).parent.stat().st_mode) == 0o700
    assert "CERT" not in _file(stage).name
    stage.server.served.clear()
    again = stage.certificates()
    assert again.known(stage.url)
    assert again.public_key(stage.url)
    assert len(stage.server.asked) == 1


@pytest.mark.parametrize("damage", [b"", b"junk", b"\xff" * 99_999])
def test_a_damaged_file_is_fetched_anew(stage: Stage, damage: bytes) -> None:
    """Whatever is in it, and a certificate of another authority too."""
    for content in (damage, Authority("other", NOW).chain()):
        stage.certificates().public_key(stage.url)
        _file(stage).write_bytes(content)
        assert not stage.certificates().known(stage.url)
        assert stage.certificates().public_key(stage.url)
        assert _file(stage).read_bytes() == stage.server.served[ca.CERTS + stage.url.rpartition("/")[2]]
    assert len(stage.server.asked) == 3


def test_a6_a_certificate_that_has_expired_is_fetched_anew(stage: Stage) -> None:
    """In memory and on disk: who vouched for it then does not now."""
    short, url = stage.authority.chain(Leaf(ends=600)), stage.url
    stage.server.put(url.rpartition("/")[2], short)
    certificates = stage.certificates()
    certificates.public_key(url)
    stage.clock.at = NOW + 600
    assert certificates.known(url)
    stage.clock.at = NOW + 601
    assert not certificates.known(url)
    assert not stage.certificates().known(url)
    with pytest.raises(Forged):
        certificates.public_key(url)
    stage.clock.at += 60
    stage.server.put(url.rpartition("/")[2], stage.authority.chain())
    assert certificates.public_key(url)


def test_a_home_that_takes_no_file_costs_another_fetch_only(stage: Stage) -> None:
    """A full or read-only disk refuses no message."""
    (stage.settings.home / "paypal-certificates").write_text("in the way")
    check = stage.check()
    for number in range(3):
        assert check.check(stage.genuine(number=number), BODY)
    assert len(stage.server.asked) == 1


# -- asking PayPal -----------------------------------------------------------------------------------------


def test_a8_paypal_is_asked_about_the_very_bytes_that_came(stage: Stage) -> None:
    """The event stands in the question unchanged; the words around it are the headers and our webhook's id."""
    body = b'{ "id" : "WH-1",\r\n "n": 1.10, "u": "\\u00e9 \xc3\xa9" } '
    check, questions = stage.asks({"verification_status": "SUCCESS"})
    sent = stage.genuine(body)
    assert check.asks_first(sent)
    assert check.check(sent, body) == sent["paypal-transmission-id"]
    (question,) = questions
    assert question.count(body) == 1
    assert json.loads(question) == {
        "transmission_id": sent["paypal-transmission-id"],
        "transmission_time": sent["paypal-transmission-time"],
        "transmission_sig": sent["paypal-transmission-sig"],
        "cert_url": stage.url,
        "auth_algo": "SHA256withRSA",
        "webhook_id": WEBHOOK_ID,
        "webhook_event": json.loads(body),
    }
    assert stage.server.asked == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"verification_status": "FAILURE"}, Forged),
        (Refused("VALIDATION_ERROR"), Forged),
        ({"verification_status": "success"}, Unavailable),
        ({"verification_status": "SUCCESS "}, Unavailable),
        ({"verification_status": True}, Unavailable),
        ({}, Unavailable),
        ([], Unavailable),
        (None, Unavailable),
        (Unavailable("503"), Unavailable),
        (Uncertain("lost"), Unavailable),
        (NotAllowed("our key"), NotAllowed),
    ],
)
def test_a7_only_the_word_success_counts(stage: Stage, answer: object, expected: type[Exception]) -> None:
    """A clear no is forged; what is no answer, or our own trouble, lets the sender come again."""
    check, _ = stage.asks(answer)
    with pytest.raises(expected) as failure:
        check.check(stage.genuine(), BODY)
    assert type(failure.value) is expected
    assert isinstance(failure.value, Forged | Unavailable), "anything else would be for good"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"1",
        b"[]",
        b'{}, "webhook_id": "MINE"',
        b'{}, "webhook_event": {}',
        b'{"a": 1}}',
        b'{"a": 1',
        b'{"a": 1, "a": 2}',
        b"\xef\xbb\xbf{}",
        b'{"canary9d1f": NaN}',
    ],
)
def test_a_body_cannot_speak_for_us(stage: Stage, body: bytes) -> None:
    """One JSON object or nothing: it could end the question early and add words of its own."""
    check, questions = stage.asks({"verification_status": "SUCCESS"})
    with pytest.raises(Forged) as refusal:
        check.check(stage.genuine(body), body)
    assert questions == []
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize("change", ["cert_url", "age", "auth_algo"])
def test_paypal_is_not_asked_about_what_we_can_refuse_ourselves(stage: Stage, change: str) -> None:
    """Headers, address and age are checked here all the same."""
    check, questions = stage.asks({"verification_status": "SUCCESS"})
    sent = stage.genuine()
    if change == "age":
        stage.clock.at += 301
    else:
        sent |= {"cert_url": {"paypal-cert-url": "https://evil.example/x"}, "auth_algo": {"paypal-auth-algo": "none"}}[
            change
        ]
    with pytest.raises(Forged):
        check.check(sent, BODY)
    assert not check.asks_first(sent)
    assert questions == []
