"""receive_webhooks.py: the real server. Only what Stripe signed just now gets in, and it is durable before the 200."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import apsw
import pytest
import requests

from helpers.forging.forgeries import Forger
from helpers.sale import SCRIPTS, Shop
from helpers.vendors.simulated_stripe import wait_until
from helpers.web.receiving import Receiver, event_body, receiving
from simulator.server import free_port
from tillbook.ledger import Ledger
from tillbook.vendors.providers import clearing
from tillbook.web.commit import BUSY_LIMIT_SECONDS

MOST_BYTES = 1024 * 1024


@pytest.fixture
def receiver(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A running receiver that the world does not deliver to."""
    with receiving(shop, monkeypatch, deliver=False) as running:
        yield running


def kept(shop: Shop) -> list[str]:
    """The events in the ledger file, read by a connection of its own: what is durable."""
    with closing(apsw.Connection(str(shop.till.settings.ledger), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        return [str(event) for (event,) in connection.execute("select event from inbox order by id")]


@contextmanager
def held(shop: Shop) -> Iterator[None]:
    """Another process keeps the ledger busy."""
    other = apsw.Connection(str(shop.till.settings.ledger))
    other.execute("begin immediate")
    try:
        yield
    finally:
        other.execute("rollback")
        other.close()


# -- what gets in ----------------------------------------------------------------------------------


def test_a_signed_event_is_kept_before_the_answer(shop: Shop, receiver: Receiver) -> None:
    """200 with nothing else to read, and another connection sees the raw bytes."""
    body = event_body()
    answer = receiver.post(body, receiver.signed(body))
    assert (answer.status_code, answer.content) == (200, b"")
    assert kept(shop) == ["evt_" + "0" * 23 + "1"]
    with closing(apsw.Connection(str(shop.till.settings.ledger), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        assert list(connection.execute("select body from inbox")) == [(body,)]


def test_the_worlds_own_deliveries_get_in(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment's events arrive by themselves, each once."""
    with receiving(shop, monkeypatch) as running:
        shop.pay(shop.opened_page()["checkout_id"])
        running.delivered()
        assert sorted(kept(shop)) == sorted(event["id"] for event in shop.simulator.world.all("stripe.event"))


@pytest.mark.parametrize("age", [0, 299, -299])
def test_a_time_within_the_window(shop: Shop, receiver: Receiver, age: int) -> None:
    """Five minutes either way are allowed for clocks that differ (a second is left for the way)."""
    body = event_body()
    assert receiver.post(body, receiver.signed(body, age=age - 1 if age < 0 else age - bool(age))).status_code == 200
    assert len(kept(shop)) == 1


def test_a13_the_second_secret_while_one_is_rolled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both secrets of the list are taken, a third is not; several v1 signatures in one header are tried."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_old, whsec_new")
    with receiving(shop, monkeypatch, deliver=False) as running:
        for number, secret in enumerate(("whsec_old", "whsec_new"), 1):
            body = event_body(number)
            assert running.post(body, running.signed(body, secret=secret)).status_code == 200
        body = event_body(3)
        assert running.post(body, running.signed(body, secret="whsec_other")).status_code == 400
        right = running.signed(body, secret="whsec_new")
        stamp, _, signature = right.partition(",")
        assert running.post(body, f"{stamp},v1={'0' * 64},{signature},v0=abc").status_code == 200
    assert len(kept(shop)) == 3


def test_b1_the_same_event_twice_is_kept_once(shop: Shop, receiver: Receiver) -> None:
    """The second delivery is answered 200 as well, else Stripe would go on for three days."""
    body = event_body()
    assert [receiver.post(body, receiver.signed(body)).status_code for _ in range(3)] == [200] * 3
    assert len(kept(shop)) == 1


# -- what does not ---------------------------------------------------------------------------------

FORGED: dict[str, Callable[[Receiver, bytes], str | None]] = {
    "a1 unsigned": lambda receiver, body: None,
    "a1 an empty header": lambda receiver, body: "",
    "a1 nonsense": lambda receiver, body: "nonsense",
    "a1 a time alone": lambda receiver, body: receiver.signed(body).partition(",")[0],
    "a1 a signature alone": lambda receiver, body: receiver.signed(body).partition(",")[2],
    "a1 zeros": lambda receiver, body: receiver.signed(body)[:-64] + "0" * 64,
    "a1 another secret": lambda receiver, body: receiver.signed(body, secret="whsec_guess"),
    "a2 the empty secret": lambda receiver, body: receiver.signed(body, secret="\0"),
    "a4 another body's": lambda receiver, body: receiver.signed(body + b" "),
    "a8 written again": lambda receiver, body: receiver.signed(body.replace(b": ", b":")),
    "a10 six minutes old": lambda receiver, body: receiver.signed(body, age=360),
    "a10 a day old": lambda receiver, body: receiver.signed(body, age=86400),
    "a11 six minutes ahead": lambda receiver, body: receiver.signed(body, age=-360),
    "a11 two times": lambda receiver, body: "t=1," + receiver.signed(body),
    "a test scheme": lambda receiver, body: receiver.signed(body).replace("v1=", "v0="),
}


@pytest.mark.parametrize("case", FORGED)
def test_a15_what_stripe_did_not_sign_just_now_is_400(shop: Shop, receiver: Receiver, case: str) -> None:
    """400 (never 5xx, which would bring it again), and nothing is kept."""
    body = event_body()
    assert receiver.post(body, FORGED[case](receiver, body)).status_code == 400
    assert kept(shop) == []


def test_a3_no_header_opens_a_back_door(shop: Shop, receiver: Receiver) -> None:
    """Headers and parameters that switch the check off elsewhere do nothing here."""
    headers = {"X-Test": "true", "X-Debug": "1", "X-Skip-Verification": "1", "Authorization": "Bearer test"}
    url = f"{receiver.url}/webhooks/stripe?test=true&skip_signature=1"
    assert requests.post(url, data=event_body(), headers=headers, timeout=10).status_code == 400
    assert kept(shop) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b"{" * 5000,
        b'{"id": NaN}',
        b'{"object": "event", "object": "event"}',
        b"{}",
    ],
)
def test_a18_signed_bytes_that_are_no_event_are_400(shop: Shop, receiver: Receiver, body: bytes) -> None:
    """Signed or not, what is not an event of Stripe's is refused and not kept."""
    assert receiver.post(body, receiver.signed(body)).status_code == 400
    assert kept(shop) == []


def test_a16_a_body_beyond_the_limit_is_413(shop: Shop, receiver: Receiver) -> None:
    """One MiB and a byte: refused while it is read, whole or in chunks, signed or not."""
    body = event_body(padding="x" * MOST_BYTES)
    assert receiver.post(body, receiver.signed(body)).status_code == 413
    chunks = (b"x" * 65536 for _ in range(17))
    headers = {"Stripe-Signature": "t=1,v1=0"}
    answer = requests.post(f"{receiver.url}/webhooks/stripe", data=chunks, headers=headers, timeout=10)
    assert answer.status_code == 413
    assert kept(shop) == []


def test_a16_a_body_at_the_limit_gets_in(shop: Shop, receiver: Receiver) -> None:
    """Exactly one MiB is not too large."""
    body = event_body(padding="")
    body = event_body(padding="x" * (MOST_BYTES - len(body)))
    assert len(body) == MOST_BYTES
    assert receiver.post(body, receiver.signed(body)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/webhooks/stripe", 405),
        ("HEAD", "/webhooks/stripe", 405),
        ("PUT", "/webhooks/stripe", 405),
        ("OPTIONS", "/webhooks/stripe", 405),
        ("POST", "/webhooks/stripe/", 404),
        ("POST", "/webhooks/paypla", 404),
        ("POST", "/webhooks/", 404),
        ("POST", "/webhooks", 404),
        ("POST", "/Webhooks/Stripe", 404),
        ("POST", "/webhooks/stripe/../stripe2", 404),
        ("GET", "/", 404),
        ("POST", "/healthz", 405),
        ("GET", "/docs", 404),
    ],
)
def test_a21_only_the_exact_method_and_path(
    shop: Shop, receiver: Receiver, method: str, path: str, status: int
) -> None:
    """Anything else is 404 or 405 and never a redirect, which would lose the body."""
    body = event_body()
    headers = {"Stripe-Signature": receiver.signed(body)}
    answer = requests.request(
        method, receiver.url + path, data=body, headers=headers, timeout=10, allow_redirects=False
    )
    assert answer.status_code == status
    assert kept(shop) == []


# -- our own troubles ------------------------------------------------------------------------------


def test_a15_a_ledger_that_stays_busy_is_503(shop: Shop, receiver: Receiver) -> None:
    """Another process holds the ledger beyond three seconds: 503, so that Stripe sends again; then it gets in."""
    body = event_body()
    with held(shop):
        assert receiver.post(body, receiver.signed(body)).status_code == 503
    assert kept(shop) == []
    assert receiver.post(body, receiver.signed(body)).status_code == 200
    assert len(kept(shop)) == 1


def test_a15_many_that_wait_for_a_busy_ledger_hear_it_in_the_same_time(shop: Shop, receiver: Receiver) -> None:
    """More than fit one commit: nobody waits for the time of those before them."""
    bodies = [event_body(number) for number in range(300)]
    with held(shop), ThreadPoolExecutor(300) as senders:
        began = time.monotonic()
        answers = list(senders.map(lambda body: receiver.post(body, receiver.signed(body)).status_code, bodies))
        assert time.monotonic() - began < 3 * BUSY_LIMIT_SECONDS - 1
    assert set(answers) == {503}
    assert kept(shop) == []


def test_any_letter_may_stand_in_an_address(receiver: Receiver) -> None:
    """What is not Latin, escaped or not, is an address like any other."""
    for query in ("a=€", "a=%E2%82%AC", "a=é", "a=%ff"):
        raw = f"GET /healthz?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", int(receiver.url.rpartition(":")[2])), timeout=5) as connection:
            connection.sendall(raw)
            assert connection.recv(20).startswith(b"HTTP/1.1 200 "), query


def test_a_ledger_that_fails_is_503_for_everybody(shop: Shop, receiver: Receiver) -> None:
    """A ledger that cannot be written at all: 503 without its reason, and the server lives on."""
    receiver.till.ledger.database._connection.pragma("query_only", 1)
    body = event_body()
    answer = receiver.post(body, receiver.signed(body))
    assert answer.status_code == 503
    assert str(shop.home) not in answer.text
    receiver.till.ledger.database._connection.pragma("query_only", 0)
    assert receiver.post(body, receiver.signed(body)).status_code == 200


def test_thirty_two_at_once_share_commits_and_all_are_durable(shop: Shop, receiver: Receiver) -> None:
    """While the ledger is busy they gather; then they are all kept in fewer commits than there are events."""
    commits = 0

    def count() -> bool:
        nonlocal commits
        commits += 1
        return False

    receiver.till.ledger.database._connection.set_commit_hook(count)
    bodies = [event_body(number) for number in range(1, 33)]
    with ThreadPoolExecutor(32) as pool:
        with held(shop):
            waiting = [pool.submit(receiver.post, body, receiver.signed(body)) for body in bodies]
            threading.Event().wait(0.5)
            assert not any(one.done() for one in waiting)
        assert [one.result().status_code for one in waiting] == [200] * 32
    assert len(set(kept(shop))) == 32
    assert 1 <= commits < 32


@pytest.mark.skipif(not shutil.which("strace"), reason="strace shows what a process asks of the kernel")
def test_the_answer_leaves_after_the_sync(shop: Shop) -> None:
    """Between the answer before it and the 200 of an event, the kernel was told to write the ledger to the disk."""
    port, trace = free_port(), shop.home / "trace.txt"
    calls = "trace=fsync,fdatasync,write,writev,sendto,sendmsg"
    strace = ["strace", "-D", "-f", "-e", calls, "-e", "signal=none", "-o", str(trace)]
    command = [*strace, sys.executable, str(SCRIPTS / "receive_webhooks.py"), "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    secret = str(shop.simulator.world.accounts["stripe_webhook_secret"])
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=shop.home) as traced:
        try:
            wait_until(lambda: answers(f"{url}/healthz"))
            body = event_body()
            header = {"Stripe-Signature": Forger(secret, shop.till.clock.now()).genuine(body)}
            assert requests.post(f"{url}/webhooks/stripe", body, headers=header, timeout=10).status_code == 200
        finally:
            traced.terminate()
    wait_until(lambda: bool(re.search(rf"^{traced.pid} +\+\+\+ exited", trace.read_text(), re.MULTILINE)))
    *_, before_it, _after = trace.read_text().split('"HTTP/1.1 200')
    assert re.search(r"\b(fsync|fdatasync)\b.*= 0", before_it)


# -- health and the customer's pages ---------------------------------------------------------------


def test_health_says_how_much_waits(shop: Shop, receiver: Receiver) -> None:
    """For a monitor: ok, how many events wait, since when."""
    assert requests.get(f"{receiver.url}/healthz", timeout=10).json() == {
        "ok": True,
        "waiting": 0,
        "oldest_received_at": None,
    }
    body = event_body()
    receiver.post(body, receiver.signed(body))
    found = requests.get(f"{receiver.url}/healthz", timeout=10).json()
    assert (found["ok"], found["waiting"]) == (True, 1)
    assert abs(found["oldest_received_at"] - shop.till.clock.now()) <= 60


def link(shop: Shop, receiver: Receiver, number: str = "INV-1001") -> str:
    invoice = shop.till.ledger.sales.invoice(number)
    assert invoice is not None
    return f"{receiver.url}/pay/{invoice.token}"


def test_a_get_of_the_pay_link_changes_nothing(shop: Shop, receiver: Receiver) -> None:
    """Mail scanners open every link: no request at any vendor, no page opened; the customer sees what is owed."""
    shop.invoiced()
    before = len(shop.requests())
    for _ in range(3):
        answer = requests.get(link(shop, receiver), timeout=10)
        assert answer.status_code == 200
    assert "60.00 USD" in answer.text
    assert 'method="post"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert len(shop.requests()) == before


def test_the_button_leads_to_the_page(shop: Shop, receiver: Receiver) -> None:
    """POST mints the page and redirects there with 303; pressed again, it is the same page."""
    shop.invoiced()
    first, second = (requests.post(link(shop, receiver), timeout=10, allow_redirects=False) for _ in range(2))
    (session,) = shop.simulator.world.all("stripe.checkout.session")
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"] == session["url"]
    assert session["success_url"] == link(shop, receiver) + "/paid"


def test_ten_presses_at_once_are_one_page(shop: Shop, receiver: Receiver) -> None:
    """An impatient customer: one session, one address."""
    shop.invoiced()
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(lambda _: requests.post(link(shop, receiver), timeout=20, allow_redirects=False), range(10))
        )
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(list(shop.simulator.world.all("stripe.checkout.session"))) == 1


def test_the_pages_after_the_payment(shop: Shop, receiver: Receiver) -> None:
    """/paid thanks and has no button; /cancelled says so and shows the button again."""
    shop.invoiced()
    paid, cancelled = (requests.get(link(shop, receiver) + end, timeout=10) for end in ("/paid", "/cancelled"))
    assert (paid.status_code, cancelled.status_code) == (200, 200)
    assert "<form" not in paid.text
    assert "Thank you" in paid.text
    assert cancelled.text != requests.get(link(shop, receiver), timeout=10).text
    assert 'method="post"' in cancelled.text


def test_a_paid_invoice_has_no_button(shop: Shop, receiver: Receiver) -> None:
    """Paid is paid: no form, and pressing an old page's button answers 409 and opens nothing."""
    shop.finished()
    before = len(list(shop.simulator.world.all("stripe.checkout.session")))
    shown = requests.get(link(shop, receiver), timeout=10)
    assert "This invoice is paid" in shown.text
    assert "<form" not in shown.text
    pressed = requests.post(link(shop, receiver), timeout=10, allow_redirects=False)
    assert pressed.status_code == 409
    assert len(list(shop.simulator.world.all("stripe.checkout.session"))) == before


def test_a_vendor_that_is_down_is_503_with_a_page(shop: Shop, receiver: Receiver) -> None:
    """Stripe is away: the customer reads that nothing was charged."""
    shop.invoiced()
    shop.fail("stripe", "*", "500", times=99)
    answer = requests.post(link(shop, receiver), timeout=30, allow_redirects=False)
    assert answer.status_code == 503
    assert "Nothing was charged" in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["unknown", "INV-1001", "%27%20or%201=1", "..%2f..%2fhealthz", "x" * 3000])
def test_an_unknown_token_is_404(shop: Shop, receiver: Receiver, method: str, token: str) -> None:
    """A guessed link shows nothing of anybody, and asks no vendor."""
    shop.invoiced()
    before = len(shop.requests())
    answer = requests.request(method, f"{receiver.url}/pay/{token}", timeout=10, allow_redirects=False)
    assert answer.status_code == 404
    assert "Grace" not in answer.text
    assert len(shop.requests()) == before


def test_an_unknown_token_before_the_first_sale_is_404(shop: Shop, receiver: Receiver) -> None:
    """Strangers cannot make a new installation ask QuickBooks, and get their 404 when it is down."""
    shop.fail("quickbooks", "*", "500", times=99)
    before = len(shop.requests())
    assert requests.get(f"{receiver.url}/pay/unknown", timeout=10).status_code == 404
    assert len(shop.requests()) == before


def test_an_unknown_provider_opens_nothing(shop: Shop, receiver: Receiver) -> None:
    """The provider in the address is one of ours or the answer is a refusal."""
    shop.invoiced()
    answer = requests.post(link(shop, receiver) + "?provider=evil", timeout=10, allow_redirects=False)
    assert answer.status_code in (400, 404, 409)
    assert list(shop.simulator.world.all("stripe.checkout.session")) == []


def test_an_order_that_is_not_in_the_books_yet_has_no_page(shop: Shop, receiver: Receiver) -> None:
    """Asked for, but QuickBooks did not answer: its link is not known yet, by GET or POST."""
    shop.fail("quickbooks", "*/invoice", "500", method="POST", times=3)
    assert shop.run("create_invoice", shop.order()).code == 5
    for method in ("GET", "POST"):
        answer = requests.request(method, link(shop, receiver), timeout=10, allow_redirects=False)
        assert answer.status_code == 404


def test_g9_a_hostile_description_is_text_on_the_page(shop: Shop, receiver: Receiver) -> None:
    """Markup in an order is shown as it was written, and the page allows no script anyway."""
    line = {"description": "<img src=x onerror=alert(1)>", "sku": "CONSULT", "quantity": "1", "unit_price": "5.00"}
    shop.invoiced(lines=[line])
    answer = requests.get(link(shop, receiver), timeout=10)
    assert "<img" not in answer.text
    assert "&lt;img src=x" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


# -- starting and stopping -------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["", " , "])
def test_a2_without_a_secret_it_does_not_start(shop: Shop, secret: str) -> None:
    """In test mode the secret must be set: exit 3 with its name, and nothing listens."""
    home = shop.home / "another"
    Ledger(home / "ledger.db", clearing).close()
    accounts = shop.simulator.world.accounts
    environment = {
        "TILLBOOK_MODE": "test",
        "TILLBOOK_HOME": str(home),
        "STRIPE_SECRET_KEY": str(accounts["stripe_secret_key"]),
        "STRIPE_API_BASE": shop.simulator.url + "/stripe",
        "STRIPE_WEBHOOK_SECRET": secret,
    }
    ran = shop.spawn("receive_webhooks", "--port", str(free_port()), **environment)
    assert (ran.code, ran.out) == (3, "")
    assert "STRIPE_WEBHOOK_SECRET" in ran.err
    assert "Listening" not in ran.err


def test_a_port_that_is_taken_is_told_in_words(shop: Shop, receiver: Receiver) -> None:
    """Another program listens there: not exit 0, and no traceback."""
    ran = shop.spawn("receive_webhooks", "--port", receiver.url.rpartition(":")[2])
    assert ran.code in (3, 4)
    assert ran.out == ""
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_it_is_told_to(shop: Shop, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it without a traceback, after it said where it listens."""
    port = free_port()
    command = [sys.executable, str(SCRIPTS / "receive_webhooks.py"), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=shop.home) as server:
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"))
            server.send_signal(number)
            out, err = server.communicate(timeout=20)
        finally:
            server.kill()
    assert out == ""
    assert f"Listening on http://127.0.0.1:{port}" in err
    assert "Traceback" not in err
    assert server.returncode in (0, 130, -number)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except (requests.ConnectionError, requests.Timeout):
        return False
