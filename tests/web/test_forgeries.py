"""The door under attack: forged, malformed, endless and slow requests, and our own trouble."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import requests

from helpers.forging import forgeries
from helpers.forging.forgeries import BODY, CANARY, EVENT, Forger
from helpers.forging.receiver_process import CLOSED, HOST, Customer, Served, answered, first_status, served
from helpers.sale import Shop
from helpers.settings import loaded
from helpers.web.receiving import Receiver, event_body, receiving
from tillbook.kit.errors import Refused
from tillbook.vendors.providers import open_provider

SECRETS = ("whsec_4eC39HqLyjWDarjtT1zdp7dc", "whsec_9zB5kVtQmWxYc2LrNhUe8PsA")
MEBIBYTE = 2**20


def _forger(shop: Shop, **changes: object) -> Forger:
    secret = str(shop.simulator.world.accounts["stripe_webhook_secret"])
    return Forger(secret, shop.till.clock.now())


def _kept(shop: Shop) -> int:
    return shop.till.ledger.inbox.waiting()[0]


def customer(receiver: Served, forger: Forger) -> Customer:
    """Somebody who sends genuine events meanwhile."""

    def deliver(number: int) -> tuple[bytes, dict[str, str]]:
        body = event_body(number)
        return body, {"Stripe-Signature": forger.genuine(body)}

    return Customer(receiver.url + forgeries.PATH, deliver)


def test_a1_the_corpus_is_large_and_each_row_is_another_request() -> None:
    """At least a thousand different requests, and the same ones for the same secret and time."""
    corpus = Forger("whsec_x", 1_795_000_000).corpus()
    assert len(corpus) >= 1000
    assert len({row.wire for row in corpus}) == len(corpus)
    assert corpus == Forger("whsec_x", 1_795_000_000).corpus()
    assert not any(200 <= status < 300 or status >= 500 for row in corpus for status in row.allowed)


def test_a1_no_forged_request_gets_in(shop: Shop) -> None:
    """Every row gets the status that is right for it; nothing is kept, little memory is used, nothing is logged."""
    forger = _forger(shop)
    with served(shop) as receiver:
        with customer(receiver, forger) as meanwhile:
            wrong, before = [], 0
            for index, row in enumerate(forger.corpus()):
                status = answered(receiver.port, row.wire)
                if status not in row.allowed:
                    wrong.append(f"{row.name}: {status}, expected one of {sorted(row.allowed)}")
                if index == 100:
                    before = receiver.resident_bytes
            grown = receiver.resident_bytes - before
        assert wrong == []
        assert meanwhile.trouble == []
        assert meanwhile.taken > 0
        assert _kept(shop) == meanwhile.taken
        assert grown <= 20 * MEBIBYTE
    output = receiver.output.read_text()
    for secret in (forger.secret, CANARY, "v1=", forger.digest(BODY), "Traceback"):
        assert secret not in output


def test_the_genuine_request_of_the_corpus_gets_in(shop: Shop) -> None:
    """The corpus fails for the reason that each row names: the same bytes with nothing forged are taken."""
    forger = _forger(shop)
    with served(shop) as receiver:
        assert answered(receiver.port, forgeries.wire(signature=forger.genuine())) == 200
        chunks = forgeries.wire(body=forgeries.chunked(BODY, 50), chunks=True, signature=forger.genuine())
        assert answered(receiver.port, chunks) == 200
        absolute = forgeries.wire(path=f"{receiver.url}{forgeries.PATH}", signature=forger.genuine())
        assert answered(receiver.port, absolute) == 200
    assert _kept(shop) == 1


def test_a14_a_live_event_is_kept_and_parked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed, so not forged, but of the other mode: nothing is read for it, and it is shown with its reason."""
    with receiving(shop, monkeypatch, deliver=False) as receiver:
        body = event_body(livemode=True)
        assert receiver.post(body, receiver.signed(body)).status_code == 200
    assert shop.run("process_inbox").json["parked"] == 1
    assert "live event" in shop.till.ledger.inbox.parked()[0]["reason"]
    assert shop.requests("stripe", "GET", "payment_intents") == []


def test_a13_ten_thousand_genuine_signatures_of_two_secrets(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half are signed with the secret that is being rolled out: none is refused."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", ",".join(SECRETS))
    provider = open_provider("stripe", loaded(), shop.till.clock)
    now = shop.till.clock.now()
    for number in range(10_000):
        body = json.dumps({**EVENT, "id": f"evt_{number}", "note": "é" * (number % 7)}, indent=number % 3).encode()
        header = Forger(SECRETS[number % 2], now - number % 250).genuine(body)
        assert provider.verify({"stripe-signature": header}, body).id == f"evt_{number}"


def test_a8_only_the_original_bytes_verify(shop: Shop) -> None:
    """A genuine header proves one sequence of bytes: the same value written in any other way is refused."""
    forger = _forger(shop)
    provider = open_provider("stripe", shop.till.settings, shop.till.clock)
    rewritten = [body for body in forgeries.written_again() if body != BODY]
    assert len(rewritten) > 20
    for body in rewritten:
        with pytest.raises(Refused, match="does not match"):
            provider.verify({"stripe-signature": forger.genuine()}, body)


# -- slow senders (A17) -----------------------------------------------------------------------------


@pytest.fixture
def receiver(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """An impatient receiver that the world does not deliver to: it waits two seconds for headers, and for a body."""
    with receiving(shop, monkeypatch, deliver=False, seconds=2.0) as running:
        yield running


def _port(receiver: Receiver) -> int:
    return int(receiver.url.rsplit(":", 1)[1])


def test_a17_two_hundred_slow_senders_hold_nobody_up(shop: Shop, receiver: Receiver) -> None:
    """Half stop in their headers, half in their body: genuine events are taken, and the slow ones are cut off.

    Only who sent all headers made a request, and gets an answer to it.
    """
    whole = forgeries.wire(signature=receiver.signed(BODY))
    head = whole.index(b"Content-Type")
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection((HOST, _port(receiver)), timeout=10)) for _ in range(200)]
        for index, connection in enumerate(slow):
            connection.sendall(whole[:head] if index % 2 else whole[:-10])
        for number in range(20):
            body = event_body(number)
            header = {"Stripe-Signature": receiver.signed(body)}
            answer = requests.post(receiver.url + forgeries.PATH, body, headers=header, timeout=1)
            assert answer.status_code == 200
        assert {first_status(connection) for connection in slow[::2]} == {408}
        assert {first_status(connection) for connection in slow[1::2]} == {CLOSED}
    assert _kept(shop) == 20


def test_a17_a_sender_that_trickles_is_cut_off(receiver: Receiver) -> None:
    """A byte now and then does not extend the time: there is one deadline for the headers and one for the body."""
    with socket.create_connection((HOST, _port(receiver)), timeout=10) as connection:
        connection.settimeout(0.2)
        status = None
        for byte in forgeries.wire():
            try:
                connection.sendall(bytes([byte]))
                status = first_status(connection)
            except TimeoutError:
                continue
            except OSError:
                break
            break
        assert status in (408, 0)


def test_a17_a_connection_that_says_nothing_is_closed(receiver: Receiver) -> None:
    """Without a single byte there is nothing to answer."""
    with socket.create_connection((HOST, _port(receiver)), timeout=10) as connection:
        assert connection.recv(100) == b""


def test_a_connection_is_used_again_after_a_pause(receiver: Receiver) -> None:
    """The deadline is for a request, not for the pause before the next one."""
    with requests.Session() as session:
        for number in range(3):
            body = event_body(number)
            header = {"Stripe-Signature": receiver.signed(body)}
            assert session.post(receiver.url + forgeries.PATH, body, headers=header, timeout=5).status_code == 200
            threading.Event().wait(1.2)


def test_pipelined_requests_are_each_answered(shop: Shop, receiver: Receiver) -> None:
    """Several requests in one piece, some of them forged: each gets its own answer."""
    bodies = [event_body(number) for number in range(5)]
    genuine = [forgeries.wire(body=body, signature=receiver.signed(body)) for body in bodies]
    with socket.create_connection((HOST, _port(receiver)), timeout=10) as connection:
        connection.sendall(genuine[0] + forgeries.wire() + genuine[1])
        received = b""
        while received.count(b"HTTP/1.1 ") < 3:
            received += connection.recv(65536)
    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"400", b"200"]
    assert _kept(shop) == 2


def test_a_thousand_requests_in_one_piece_are_each_answered(shop: Shop, receiver: Receiver) -> None:
    """Behind one that waits for its turn nothing nests: the last gets its answer like the first."""
    first = f"GET /healthz HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    empty = b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    with socket.create_connection((HOST, _port(receiver)), timeout=10) as connection:
        connection.sendall(first + 700 * empty)
        received = b""
        while received.count(b"HTTP/1.1 ") < 701:
            piece = connection.recv(65536)
            assert piece, f"closed after {received.count(b'HTTP/1.1 ')} answers"
            received += piece
    assert received.count(b"HTTP/1.1 400 ") == 700


def test_whoever_hangs_up_costs_nobody_else_an_answer(shop: Shop, receiver: Receiver) -> None:
    """Twenty senders do not wait for their answer; everybody after them is answered, and what was answered is kept."""
    for number in range(20):
        body = event_body(number)
        with socket.create_connection((HOST, _port(receiver)), timeout=10) as connection:
            connection.sendall(forgeries.wire(body=body, signature=receiver.signed(body)))
    for number in range(20, 25):
        body = event_body(number)
        assert receiver.post(body, receiver.signed(body)).status_code == 200
    kept = {row["event"] for row in shop.till.ledger.database.all("inbox.due", now=shop.till.clock.now(), most=100)}
    assert kept >= {json.loads(event_body(number))["id"] for number in range(20, 25)}


def test_a_body_in_pieces_and_a_long_one_are_taken_too(shop: Shop, receiver: Receiver) -> None:
    """Short and whole is the usual case, not the only one: byte by byte, and beyond what is read ahead."""
    body = event_body(1)
    whole = forgeries.wire(body=body, signature=receiver.signed(body))
    with socket.create_connection((HOST, _port(receiver)), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (whole[:40], whole[40:-100], *(whole[place : place + 1] for place in range(-100, -1)), whole[-1:]):
            connection.sendall(piece)
        assert first_status(connection) == 200
    long = event_body(2, note="x" * 200_000)
    assert receiver.post(long, receiver.signed(long)).status_code == 200
    assert _kept(shop) == 2


@pytest.mark.parametrize(
    ("beginning", "piece", "most"),
    [
        pytest.param(b"POST /", b"x", 4 * MEBIBYTE, id="address"),
        pytest.param(b"POST /webhooks/stripe HTTP/1.1\r\nX: ", b"x", 4 * MEBIBYTE, id="header"),
        pytest.param(b"POST /webhooks/stripe HTTP/1.1\r\n", b"X: x\r\n", 4 * MEBIBYTE, id="headers"),
        pytest.param(
            b"POST /webhooks/stripe HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
            b"x",
            64 * MEBIBYTE,
            id="trailer",
        ),
        pytest.param(
            b"POST /webhooks/stripe HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1\r\nx\r\n",
            64 * MEBIBYTE,
            id="chunks",
        ),
    ],
)
def test_a16_what_never_ends_is_cut_off(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, beginning: bytes, piece: bytes, most: int
) -> None:
    """Wherever in the request it is: nobody can fill the memory with one request, and others are answered meanwhile.

    Whoever sends tiny chunks is held back, and ends at the deadline of the body.
    """
    with receiving(shop, monkeypatch, deliver=False, seconds=2.0) as receiver:
        with socket.create_connection((HOST, _port(receiver)), timeout=5) as connection:
            connection.sendall(beginning)
            block, sent = piece * (65_536 // len(piece)), 0
            with contextlib.suppress(ConnectionError):
                while sent < most:
                    connection.sendall(block)
                    sent += len(block)
                    assert requests.get(receiver.url + "/healthz", timeout=1).status_code == 200
            assert sent < most
            assert first_status(connection) in (CLOSED, 400, 408, 413, 414, 431)
        assert requests.get(receiver.url + "/healthz", timeout=2).status_code == 200


# -- our own trouble (A15) --------------------------------------------------------------------------

HOLDER = """
import sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.execute("begin immediate")
sys.stdout.write("held"); sys.stdout.flush()
sys.stdin.read()
"""


def test_a15_while_another_process_holds_the_ledger_the_answer_is_503(shop: Shop) -> None:
    """Later, not never: the sender tries again. Health says so, forgeries are answered, and then it gets in."""
    forger = _forger(shop)
    genuine = forgeries.wire(signature=forger.genuine())
    with served(shop) as receiver:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(shop.till.settings.ledger)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert holder.stdout is not None
        assert holder.stdin is not None
        with holder:
            assert holder.stdout.read(4) == b"held"
            with socket.create_connection((HOST, receiver.port), timeout=4) as waiting:
                waiting.sendall(genuine)
                assert answered(receiver.port, forgeries.wire(), seconds=1) == 400
                assert requests.get(receiver.url + "/healthz", timeout=4).status_code == 503
                assert first_status(waiting) == 503
            holder.stdin.close()
        assert answered(receiver.port, genuine) == 200
    assert _kept(shop) == 1


def test_a15_a_ledger_that_cannot_be_written_is_503(shop: Shop) -> None:
    """A full disk: 503 for every waiter, none of the event's words in the answer, and it gets in afterwards."""
    forger = _forger(shop)
    genuine = forgeries.wire(signature=forger.genuine())
    import resource

    with served(shop) as receiver:
        assert answered(receiver.port, genuine) == 200
        body = event_body(2)
        other = forgeries.wire(body=body, signature=forger.genuine(body))
        none = os.stat(f"{shop.till.settings.ledger}-wal").st_size  # the next commit is appended to it
        _, hard = resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (none, resource.RLIM_INFINITY))
        assert answered(receiver.port, other, seconds=4) == 503
        resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert answered(receiver.port, other) == 200
    assert _kept(shop) == 2
