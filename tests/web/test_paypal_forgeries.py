"""PayPal's door under attack: no forged delivery gets in, and none makes us speak to a stranger."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helpers.forging import certificate_authority as ca
from helpers.forging import paypal_forgeries as forgeries
from helpers.forging.address_tricks import addresses
from helpers.forging.certificate_authority import Authority, CertificateServer, answers, bad_chains
from helpers.forging.paypal_forgeries import BODY, CANARY, Delivery, Forger
from helpers.forging.receiver_process import Customer, Served, answered, served
from helpers.sale import Shop
from helpers.settings import loaded
from tillbook.kit.clock import Clock
from tillbook.kit.errors import Forged
from tillbook.vendors.paypal.webhooks.certificates import require_certificate_url
from tillbook.vendors.paypal.webhooks.signatures import WebhookCheck

MEBIBYTE = 2**20
NAME = "CERT-360caa42-fca2a594-a5cafa77"


class PatientClock(Clock):
    """A clock on which a minute passes when a test says so, so that fetches are not too many."""

    ahead = 0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


# -- who was spoken to ---------------------------------------------------------------------------------


class _Watched:
    """Every connection and every look-up of a name that this process makes, while somebody watches.

    An audit hook sees them below every library; it can never be taken away again, only be told not to listen.
    """

    hooked = False
    seen: Counter[str] | None = None

    @classmethod
    def hear(cls, event: str, arguments: tuple[Any, ...]) -> None:
        if cls.seen is None:
            return
        if event == "socket.connect":
            cls.seen[f"connect {arguments[1][0]}:{arguments[1][1]}"] += 1
        elif event.startswith("socket.get"):
            cls.seen[f"look up {arguments[0]}"] += 1


@contextmanager
def connections() -> Iterator[Counter[str]]:
    """Whom this process connects to or looks up within the block."""
    if not _Watched.hooked:
        sys.addaudithook(_Watched.hear)
        _Watched.hooked = True
    _Watched.seen = seen = Counter()
    try:
        yield seen
    finally:
        _Watched.seen = None


HOOK = """
import os, sys

def hear(event, arguments, file=os.environ["CONNECTIONS"]):
    if event == "socket.connect" or event.startswith("socket.get"):
        with open(file, "a") as out:
            where = arguments[1] if event == "socket.connect" else arguments[:2]
            out.write(f"{event} {where[0]}:{where[1]}\\n" if len(where) > 1 else f"{event} {where}\\n")

sys.addaudithook(hear)
"""


def _watching(folder: Path) -> dict[str, str]:
    """The environment of a Python process that writes down whom it connects to."""
    (folder / "hooks").mkdir()
    (folder / "hooks" / "sitecustomize.py").write_text(HOOK)
    return {"PYTHONPATH": str(folder / "hooks"), "CONNECTIONS": str(folder / "connections.txt")}


# -- the stage -----------------------------------------------------------------------------------------


@dataclass
class Attack:
    """PayPal's certificates, good and bad, on one server; a host of the forger's; and who forges."""

    server: CertificateServer
    stranger: CertificateServer
    forger: Forger
    environment: dict[str, str]


@pytest.fixture
def attack(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attack]:
    """Everything around an attack on the receiver of a till."""
    now = shop.till.clock.now()
    for name in shop.till.provider_names:
        shop.till.provider(name)  # whose account it is, is known from here on: the receiver asks nobody when it starts
    good = Authority("trusted", now)
    with ca.serving_certificates() as server, ca.serving_certificates() as stranger:
        bad = tuple(server.put(f"bad{index}", chain) for index, chain in enumerate(bad_chains(good).values()))
        own = stranger.put(NAME, Authority("forger", now).chain(ca.Leaf(key=ca.rsa_key("forger"))))
        environment = {
            "PAYPAL_API_BASE": server.url,
            "PAYPAL_WEBHOOK_ID": ca.WEBHOOK_ID,
            "PAYPAL_TRUST_ANCHORS": ca.written(tmp_path, good),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield Attack(server, stranger, Forger(now, server.put(NAME, good.chain()), bad, own), environment)


def _never(question: bytes) -> dict[str, Any]:
    raise AssertionError("PayPal was asked")


def _check(shop: Shop) -> tuple[WebhookCheck, PatientClock]:
    settings = loaded()
    clock = PatientClock(settings.clock_file)
    return WebhookCheck(settings, clock, _never), clock


def customer(running: Served, forger: Forger) -> Customer:
    """Somebody who sends genuine deliveries meanwhile."""

    def deliver(number: int) -> tuple[bytes, dict[str, str]]:
        body = BODY.replace(b"WH-58D3", b"WH-%04d" % number)
        return body, forger.genuine(number, body).headers

    return Customer(running.url + forgeries.PATH, deliver)


# -- the corpus and the check -----------------------------------------------------------------------------


def test_a1_the_corpus_is_large_and_each_row_is_another_request(attack: Attack) -> None:
    """At least a thousand different requests that HTTP can carry, each with a name of its own."""
    corpus = attack.forger.corpus()
    carried = [row for row in corpus if not row.only_here]
    assert len({row.wire for row in carried}) == len(carried) >= 1000
    assert len({row.name for row in corpus}) == len(corpus)
    assert attack.forger.genuine().lines not in {row.lines for row in corpus if row.body == BODY}


@pytest.mark.parametrize("origin", ["https://api.paypal.com", "https://api.sandbox.paypal.com"])
def test_a5_no_address_that_only_looks_like_paypals_is_taken(origin: str) -> None:
    """Hosts, users, ports, schemes, backslashes, dots, percent signs, other scripts: all but the one spelling."""
    place = (origin, ca.CERTS)
    require_certificate_url(f"{origin}{ca.CERTS}{NAME}", *place)
    tricks = addresses(f"{origin}{ca.CERTS}{NAME}")
    assert len(set(tricks)) > 150
    for trick in tricks:
        with pytest.raises(Forged, match="address"):
            require_certificate_url(trick, *place)


def test_a1_a5_no_forged_delivery_passes_the_check(shop: Shop, attack: Attack) -> None:
    """Every row is forged, whatever it says; only PayPal's own address is asked, once for each name."""
    check, clock = _check(shop)
    wrong = []
    corpus = attack.forger.corpus()
    with connections() as seen:
        for row in corpus:
            clock.ahead += 60 * row.fetches
            wrong += _not_forged(check, row)
    assert wrong == []
    host = attack.server.url.removeprefix("http://")
    assert set(seen) <= {f"connect {host}", "look up 127.0.0.1"}
    assert seen[f"connect {host}"] == len(attack.server.asked)
    assert attack.stranger.asked == []
    assert max(Counter(attack.server.asked).values()) == 1
    assert len(attack.server.asked) == 1 + len({row.headers["paypal-cert-url"] for row in corpus if row.fetches})


def test_a10_a_thousand_genuine_deliveries_pass(shop: Shop, attack: Attack) -> None:
    """With bodies of many shapes and ages within the window: none is refused, and one certificate is fetched."""
    check, _ = _check(shop)
    for number in range(1000):
        body = BODY.replace(CANARY.encode(), ("é" * (number % 7) + "\\u00e9" * (number % 3)).encode()) + b" " * (
            number % 5
        )
        at = Forger(attack.forger.now - 250 + number % 500, attack.forger.url)
        sent = at.genuine(number, body)
        assert check.check(sent.headers, body) == sent.headers["paypal-transmission-id"]
    assert attack.server.asked == [ca.CERTS + NAME]


def test_a4_a_twin_passes_under_the_very_id_of_the_genuine_one(shop: Shop, attack: Attack) -> None:
    """PayPal's scheme cannot tell them apart: what is left is that both claim one transmission, and only ids count."""
    check, _ = _check(shop)
    genuine = attack.forger.genuine()
    twins = attack.forger.twins()
    assert len({twin.body for twin in twins} | {BODY}) == 21
    for twin in twins:
        assert b'"60.00"' not in twin.body
        assert check.check(twin.headers, twin.body) == check.check(genuine.headers, BODY)


def _not_forged(check: WebhookCheck, row: Delivery) -> list[str]:
    """What is wrong with how a row was refused; nothing when all is well."""
    try:
        return [f"{row.name}: taken as {check.check(row.headers, row.body)}"]
    except Forged as refusal:
        return [f"{row.name}: its refusal tells what it said"] if CANARY in str(refusal) else []


# -- the door itself ----------------------------------------------------------------------------------------


def test_a1_a5_no_forged_delivery_gets_through_the_door(shop: Shop, attack: Attack, tmp_path: Path) -> None:
    """400 for each; 429 only for certificates beyond the tenth fetch. Customers wait for nothing, nothing is logged."""
    forger, watching = attack.forger, _watching(tmp_path)
    wrong, answers_to_bad, before = [], Counter[int](), 0
    with served(shop, **attack.environment, **watching) as receiver:
        assert answered(receiver.port, forger.genuine(0).wire) == 200
        with customer(receiver, forger) as meanwhile:
            for index, row in enumerate(row for row in forger.corpus() if not row.only_here):
                status = answered(receiver.port, row.wire)
                if status != 400 and not (row.fetches and status == 429):
                    wrong.append(f"{row.name}: {status}")
                answers_to_bad[status] += row.fetches
                if index == 100:
                    before = receiver.resident_bytes
            grown = receiver.resident_bytes - before
        output = receiver.output.read_text()
    assert wrong == []
    assert answers_to_bad[400] >= 9
    assert len(attack.server.asked) <= 10
    assert meanwhile.trouble == []
    assert meanwhile.taken > 0
    assert shop.till.ledger.inbox.waiting()[0] == meanwhile.taken + 1
    assert grown <= 20 * MEBIBYTE
    for secret in (
        CANARY,
        "Traceback",
        forger.genuine().headers["paypal-transmission-sig"][:20],
        "CERT-",
        ca.WEBHOOK_ID,
    ):
        assert secret not in output
    _spoke_only_to(attack, Path(watching["CONNECTIONS"]))


def _spoke_only_to(attack: Attack, file: Path) -> None:
    """PayPal's own address was all that the receiver connected to."""
    lines = set(file.read_text().splitlines())
    host = attack.server.url.removeprefix("http://")
    assert {line for line in lines if line.startswith("socket.connect")} == {f"socket.connect {host}"}
    # The names that it looked up: that address again, and its own for listening.
    assert {line.split()[1].partition(":")[0] for line in lines if "getaddrinfo" in line} <= {"127.0.0.1"}
    assert attack.stranger.asked == []


def test_a15_while_the_address_of_certificates_is_down_the_sender_comes_again(shop: Shop, attack: Attack) -> None:
    """503 for what may be genuine, 400 still for what cannot be; then the same delivery gets in."""
    genuine, forged = attack.forger.genuine(), attack.forger.corpus()[0]
    attack.server.put(NAME, answers(500, b"<html>"))
    with served(shop, **attack.environment) as receiver:
        assert answered(receiver.port, genuine.wire) == 503
        assert answered(receiver.port, forged.wire) == 400
        attack.server.put(NAME, Authority("trusted", attack.forger.now).chain())
        assert answered(receiver.port, genuine.wire) == 200
    assert shop.till.ledger.inbox.waiting()[0] == 1
    assert os.listdir(shop.home / "paypal-certificates")
