"""Every misbehaviour of a server, a network or an environment at every door: they all end alike.

What never left this machine did nothing. What may have left did something, perhaps, if it was to change something.
Only the vendor's own words are a no. What differs at one door, and why, stands beside that door in `doors.py`.
"""

from __future__ import annotations

import gc
import gzip
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import requests

from helpers.forging.certificate_authority import Authority, Leaf, pem, rsa_key
from helpers.settings import bare
from helpers.vendors.doors import (
    DOORS,
    SECONDS,
    SLACK,
    Asked,
    At,
    Door,
    all_of,
    always,
    ask,
    at_address,
    at_path,
    doubt,
    every_door_opens,
    good,
    in_time,
    of,
    prepare,
)
from helpers.vendors.misbehaving import (
    MOST_DRIPS,
    NO_ANSWERS,
    Behaviour,
    Line,
    Misbehaving,
    Seen,
    SetClock,
    answer,
    at_the_door,
    drip,
    drop,
    endless,
    hang,
    message,
    packed,
    raw,
    reset,
    slow_greeting,
)
from simulator.server import free_port
from tillbook.kit.errors import Refused, Unavailable
from tillbook.vendors.errors import LARGEST_BYTES, NoAnswer
from tillbook.vendors.http import Session

# Python's ssl leaves a connection that ends just before TLS begins to the collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")


@pytest.fixture(scope="module", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every door opens, so that a test shows what closes it. What is left in the end is collected here."""
    assert every_door_opens(tmp_path_factory.mktemp("warm"))
    yield
    _until_no_exchange_goes_on()
    gc.collect()


# -- nothing left this machine ---------------------------------------------------------------------------

FAILING_NAME, ENDLESS_NAME = "unknown.example", "endless.example"


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Leaf], ssl.SSLContext]]:
    """Whom this process trusts for TLS; it makes a server's side from a certificate of theirs."""
    folder = tmp_path_factory.mktemp("tls")
    ours = Authority("tls", int(time.time()))
    (folder / "trusted.pem").write_bytes(pem(ours.root))

    def server_side(leaf: Leaf, by: Authority = ours) -> ssl.SSLContext:
        (folder / "chain.pem").write_bytes(by.chain(leaf) + _private_key())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "chain.pem")
        return context

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", str(folder / "trusted.pem"))
        yield server_side


def _private_key() -> bytes:
    from cryptography.hazmat.primitives import serialization as form

    return rsa_key("leaf").private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())


def test_a_trusted_certificate_opens_every_door(trusted: Any, tmp_path: Path) -> None:
    """So what ends the next test is what is wrong with its certificates."""
    assert of(at_path(tmp_path, good, tls=trusted(Leaf("localhost")))) == all_of(None)


@pytest.mark.parametrize("wrong", ["untrusted", "another host", "expired", "not yet valid"])
def test_c16_a_bad_certificate_stops_everything_before_it_leaves(trusted: Any, tmp_path: Path, wrong: str) -> None:
    """Nobody vouches for who answers, so no byte of a request is shown to them: a change did not happen."""
    context = {
        "untrusted": lambda: trusted(Leaf("localhost"), Authority("nobody", int(time.time()))),
        "another host": lambda: trusted(Leaf("vendor.example")),
        "expired": lambda: trusted(Leaf("localhost", ends=-60)),
        "not yet valid": lambda: trusted(Leaf("localhost", begins=3600)),
    }[wrong]()
    every = at_path(tmp_path, good, tls=context)
    assert of(every) == all_of(Unavailable)
    assert [asked.server.seen for asked in every if asked.server] == [[]] * len(DOORS)


def silent(_connection: socket.socket) -> None:
    """Take the connection and say nothing."""


@contextmanager
def _at(greet: Callable[[socket.socket], object], scheme: str = "https") -> Iterator[str]:
    with at_the_door(greet) as port:
        yield f"{scheme}://127.0.0.1:{port}"


ADDRESSES: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "nobody listens": lambda: nullcontext(f"http://127.0.0.1:{free_port()}"),
    "nobody listens for TLS": lambda: nullcontext(f"https://127.0.0.1:{free_port()}"),
    "unknown host": lambda: nullcontext(f"http://{FAILING_NAME}"),
    "a name that is looked up for ever": lambda: nullcontext(f"http://{ENDLESS_NAME}"),
    "another protocol": lambda: nullcontext("ftp://127.0.0.1"),
    "TLS that stalls": lambda: _at(silent),
    "TLS that drips": slow_greeting,
    "TLS that is reset": lambda: _at(reset),
    "TLS that is none": lambda: _at(lambda connection: connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """One name that is not known, and one whose server of names does not answer."""
    known = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **named: Any) -> Any:
        if host == FAILING_NAME:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host == ENDLESS_NAME:
            time.sleep(SECONDS + SLACK)
        return known("127.0.0.1" if host == ENDLESS_NAME else host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.usefixtures("names")
@pytest.mark.filterwarnings(
    "ignore:unclosed <ssl:ResourceWarning"
)  # a reset before TLS begins is left to the collector
@pytest.mark.parametrize("address", ADDRESSES)
def test_c16_what_never_left_did_nothing(tmp_path: Path, address: str) -> None:
    """No connection, no request: nothing happened, not even where something was to be changed."""
    with ADDRESSES[address]() as url:
        every = at_address(tmp_path, url, limit=SECONDS)
        _until_no_exchange_goes_on()
    assert of(every) == all_of(Unavailable)
    assert {asked.door.name for asked in every if "nothing was sent" not in str(asked.error)} == set()
    assert in_time(every)


@pytest.mark.usefixtures("names")
def test_c16_what_is_late_does_not_leave_later(tmp_path: Path) -> None:
    """It was said that nothing was sent, so nothing is, even when the name is found at last."""
    with Misbehaving() as server:
        prepare(server)
        every = at_address(tmp_path, server.url.replace("127.0.0.1", ENDLESS_NAME), limit=SECONDS)
        assert of(every) == all_of(Unavailable)
        _until_no_exchange_goes_on()
        assert server.connections > 0
        assert server.seen == []


def _until_no_exchange_goes_on() -> None:
    end = time.monotonic() + 2
    while any(thread.name == "exchange" for thread in threading.enumerate()):
        assert time.monotonic() < end, "an exchange goes on behind our back"
        time.sleep(0.01)


# -- what may have left ----------------------------------------------------------------------------------


def _more_than_it_is(_door: Door, whole: bytes) -> Behaviour:
    return raw(message(whole, Content_Length=str(len(whole) + 9)))


def _less_than_it_is(_door: Door, whole: bytes) -> Behaviour:
    return answer(whole, Content_Length=str(len(whole) // 2))


def _chunk_cut(_door: Door, whole: bytes) -> Behaviour:
    return raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(whole) + whole)


def _bomb(_door: Door, whole: bytes) -> Behaviour:
    return packed(whole + b" " * LARGEST_BYTES)


def _not_packed(_door: Door, whole: bytes) -> Behaviour:
    return answer(whole, Content_Encoding="gzip")


def _packed_and_cut(_door: Door, whole: bytes) -> Behaviour:
    return answer(gzip.compress(whole)[:-40], Content_Encoding="gzip")


def _large(_door: Door, whole: bytes) -> Behaviour:
    return answer(whole + b" " * LARGEST_BYTES)


def _with_headers(lines: bytes) -> At:
    """A good answer with these lines among its headers."""
    return lambda _door, whole: raw(message(whole).replace(b"\r\n", b"\r\n" + lines, 1))


def _another_charset(_door: Door, whole: bytes) -> Behaviour:
    return answer(whole.decode().encode("utf-16"))


def _dripping(start: int) -> At:
    return lambda _door, whole: drip(whole, start)


SLOW: dict[str, At] = {
    "no answer": always(hang),
    "dripping from the status on": _dripping(0),
    "dripping within the status": _dripping(9),
    "dripping within a header": _dripping(30),
    "dripping within the body": _dripping(-MOST_DRIPS),
}
BROKEN: dict[str, At] = {
    "dropped": always(drop),
    "reset": always(lambda line, _seen: line.reset()),
    "no word": always(raw()),
    "not HTTP": always(raw(b"HTTP/9 what\r\n\r\n")),
    "bytes": always(raw(b"\x00\xff" * 99)),
    "longer announced than sent": _more_than_it_is,
    "shorter announced than sent": _less_than_it_is,
    "no last chunk": _chunk_cut,
    "larger than any answer": _large,
    "larger than any answer, packed": _bomb,
    "without end": always(endless),
    "packed, it says": _not_packed,
    "packed and cut": _packed_and_cut,
    "a header of 70,000 letters": _with_headers(b"X-Long: " + b"x" * 70_000 + b"\r\n"),
    "a thousand headers": _with_headers(b"X-More: x\r\n" * 1000),
    "in UTF-16": _another_charset,
    "nothing, 204": always(answer(b"", 204)),
    **{f"{status} {body[:20]!r}": always(answer(body, status)) for status in (200, 400) for body in NO_ANSWERS},
}


@pytest.mark.parametrize("how", SLOW)
def test_c24_whoever_is_slow_is_given_up_in_time(tmp_path: Path, how: str) -> None:
    """A byte now and then begins a socket's time-out anew; the whole call, with all its attempts, has one end."""
    every = at_path(tmp_path, SLOW[how], limit=2)
    assert of(every) == doubt()
    assert in_time(every, 2, slack=1.9)  # less than one more time-out
    assert {asked.door.name for asked in every if "in time" not in str(asked.error)} == set()


def test_c24_an_address_and_its_token_share_one_time(tmp_path: Path) -> None:
    """What Intuit took to say where tokens are is not there for the token."""

    def slowly_good(line: Line, seen: Seen) -> None:
        line.wait(1.4)
        answer(named["Intuit, discovery"].good(server.url))(line, seen)

    named = {door.name: door for door in DOORS}
    with Misbehaving() as server:
        prepare(server)
        server.on(named["Intuit, discovery"].path, slowly_good)
        server.on(named["Intuit, first token"].path, hang)
        asked = ask(named["Intuit, first token"], tmp_path, server.url, limit=2)
    assert type(asked.error) is Unavailable
    assert in_time([asked], 2)


def test_c24_what_is_given_up_does_not_go_on() -> None:
    """Its connection, new or kept, is shut down at once: who drips for ever does not hold it for ever."""
    with Misbehaving() as server:
        server.on("/kept", answer({}), drip(b"{}", 0))
        server.on("/new", drip(b"{}", 0))
        session = Session(bare(mode="test", timeout_seconds=0.2), SetClock())
        session.get(f"{server.url}/kept")
        for path in ("/kept", "/new"):
            with pytest.raises(NoAnswer):
                session.get(server.url + path)
            _until_no_exchange_goes_on()
        assert [seen.connection for seen in server.seen] == [1, 1, 2]


@pytest.mark.parametrize("how", BROKEN)
def test_c2_no_whole_answer_is_no_answer(tmp_path: Path, how: str) -> None:
    """It proves neither success nor failure."""
    every = at_path(tmp_path, BROKEN[how])
    assert of(every) == doubt()
    assert sum(asked.server.bytes_sent for asked in every if asked.server) < len(DOORS) * 12 * LARGEST_BYTES


def test_c2_a_reset_in_the_middle_of_a_request_is_doubt(tmp_path: Path) -> None:
    """How much of it was read is not known. A token comes before a change, so then the change did not happen."""
    with _at(lambda connection: (connection.recv(1), reset(connection)), "http") as url:
        assert of(at_address(tmp_path, url)) == doubt() | {"PayPal, change": Unavailable}


def test_c24_all_attempts_share_one_time(tmp_path: Path) -> None:
    """What the first attempt took is not there for the second."""

    def slowly_bad(line: Line, seen: Seen) -> None:
        line.wait(1.4)
        answer(b"<html>", 503)(line, seen)

    every = at_path(tmp_path, always(hang), first=slowly_bad, limit=2)
    assert of(every) == doubt()
    assert in_time(every, 2)


@pytest.mark.parametrize(
    ("status", "to"),
    [
        *((status, "{elsewhere}/there") for status in (301, 302, 303, 307, 308)),
        *((307, to) for to in ("/there", "http://[", "//", "")),
    ],
)
def test_a5_a_redirect_is_no_answer_and_goes_nowhere(tmp_path: Path, status: int, to: str) -> None:
    """Our keys and our customers' names go to the vendor's address only; where else it points is not even read."""
    with Misbehaving() as elsewhere:
        location = to.format(elsewhere=elsewhere.url)
        every = at_path(tmp_path, always(answer(b"moved", status, Location=location)))
        assert of(every) == doubt()
        assert elsewhere.connections == 0
    assert [seen for asked in every if asked.server for seen in asked.server.seen if seen.path == "/there"] == []


# -- the environment ---------------------------------------------------------------------------------------


def _own_credentials(every: list[Asked]) -> dict[str, set[str]]:
    """The kinds of credentials that each door's server was shown."""
    return {
        asked.door.name: {seen.headers.get("authorization", "none").partition(" ")[0] for seen in asked.server.seen}
        for asked in every
        if asked.server
    }


def test_e13_netrc_is_never_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A forgotten file in the user's folder neither replaces our credentials nor adds any."""
    before = _own_credentials(at_path(tmp_path / "before", good))
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    every = at_path(tmp_path / "after", good)
    assert _own_credentials(every) == before
    assert before["PayPal, certificate"] == {"none"}
    shown = [seen.headers.get("authorization", "") for asked in every if asked.server for seen in asked.server.seen]
    assert not [one for one in shown if "c29tZWJvZHk6ZWxzZQ" in one]  # somebody:else


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Name a proxy in the environment, for every address."""

    def set_proxy(url: str) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, url)
            monkeypatch.setenv(name.upper(), url)

    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return set_proxy


def test_a_proxy_is_asked_outside_simulator_mode_only(proxied: Callable[[str], None], tmp_path: Path) -> None:
    """Nothing leaves the machine in simulator mode; elsewhere a proxy is the owner's wish."""
    with Misbehaving() as proxy:
        proxied(proxy.url)
        assert of(at_path(tmp_path, good, mode="simulator")) == all_of(None)
        assert proxy.connections == 0
        assert None not in of(at_path(tmp_path, good)).values()
        assert proxy.connections >= len(DOORS)


PROXIES: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "nobody listens": lambda: nullcontext(f"http://127.0.0.1:{free_port()}"),
    "it refuses": lambda: _at(lambda one: (one.recv(999), one.send(b"HTTP/1.1 407 No\r\n\r\n"), one.close()), "http"),
    "it says nothing": lambda: _at(silent, "http"),
    "it drips": lambda: _at(_drip_headers, "http"),
    "SOCKS": lambda: nullcontext("socks5://127.0.0.1:9"),
}


def _drip_headers(connection: socket.socket) -> None:
    def go_on() -> None:
        try:
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * MOST_DRIPS:
                connection.send(bytes([byte]))
                time.sleep(0.02)
        except OSError:
            return

    threading.Thread(target=go_on, daemon=True).start()


@pytest.mark.parametrize("how", PROXIES)
def test_c16_a_proxy_that_lets_nothing_through_means_that_nothing_left(
    proxied: Callable[[str], None], tmp_path: Path, how: str
) -> None:
    """The vendor was never reached: what the proxy was told is no request."""
    with PROXIES[how]() as proxy:
        proxied(proxy)
        every = at_address(tmp_path, "https://vendor.example", limit=SECONDS)
        _until_no_exchange_goes_on()
    assert of(every) == all_of(Unavailable)
    assert in_time(every)


def test_c2_a_proxy_that_takes_a_request_and_breaks_off_is_doubt(
    proxied: Callable[[str], None], tmp_path: Path
) -> None:
    """What the proxy did with it is not known. A token comes before a change, so then the change did not happen."""
    with _at(lambda connection: (connection.recv(9999), connection.close()), "http") as proxy:
        proxied(proxy)
        every = at_address(tmp_path, "http://vendor.example")
    assert of(every) == doubt() | {"PayPal, change": Unavailable}


def test_simulator_mode_asks_no_other_machine(tmp_path: Path) -> None:
    """Not even by mistake of a setting."""
    every = at_address(tmp_path, "http://vendor.example", mode="simulator")
    assert of(every) == all_of(Refused)
    assert {asked.door.name for asked in every if "not on this machine" not in str(asked.error)} == set()


def test_g2_nothing_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Requests and answers hold keys and customers, and their addresses do; others may log what they like."""
    odd = _with_headers(b"grace@example.com\r\n")  # a line that no header is: urllib3 would quote it
    with caplog.at_level(logging.DEBUG), Misbehaving() as other:
        for how in (good, odd, always(hang), always(answer(b"<html>", 500))):
            at_path(tmp_path, how, limit=SECONDS)
        assert caplog.records == []
        requests.get(f"{other.url}/somebody-else", timeout=5).close()
    assert "somebody-else" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_the_environment_is_left_alone(tmp_path: Path) -> None:
    """Other clients of this process go on as they were."""
    before = dict(os.environ)
    at_path(tmp_path, good)
    assert dict(os.environ) == before
