"""Mail over a real SMTP server: what arrives, and which class every failure becomes."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from tillbook.kit.addresses import ascii_address
from tillbook.kit.clock import Clock
from tillbook.kit.errors import Refused, TillbookError, Unavailable, Uncertain
from tillbook.kit.settings import Settings
from tillbook.vendors.smtp import Letter, Mailer, message_id

LETTER = Letter("Invoice INV-1001", "Hello,\n.\n..dots\nGrüße 日本語\n", "<p>Gr\u00fc\u00dfe</p>\n")
ID = "<abc@harborlane.example>"
PASSWORD = "s3cret/word"
QUOTED = "s3cret%2Fword"
LONGEST_LINE = 998  # RFC 5322


class FixedClock(Clock):
    """2026-11-23 20:59:37 UTC, always."""

    def now(self) -> int:
        return 1795467577


def settings(**changed: object) -> Settings:
    values: dict[str, Any] = {field.name: "" for field in fields(Settings)}
    usual = {"mode": "live", "home": Path("home"), "mail_from": "billing@harborlane.example", "timeout_seconds": 5.0}
    return Settings(**{**values, **usual, **changed})


def send(smtp_url: str, to: str = "ada@example.com", letter: Letter = LETTER, **changed: object) -> str:
    mailer = Mailer(settings(smtp_url=smtp_url, **changed), FixedClock())
    return mailer.send(to=to, letter=letter, message_id=ID)


class Mailbox:
    """A real SMTP server on a free port, in its own thread; keeps the envelopes that arrive."""

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None, **options: Any) -> None:
        self.envelopes: list[Envelope] = []
        self.encrypted: list[bool] = []
        self._options = options
        self._ssl = ssl_context
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        self.encrypted.append(session.ssl is not None)
        return "250 taken"

    def message(self) -> EmailMessage:
        """The one message that arrived."""
        (envelope,) = self.envelopes
        assert isinstance(envelope.content, bytes)
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    def __enter__(self) -> Mailbox:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(
            lambda: SMTP(self, loop=self._loop, hostname="mailbox", **self._options), "127.0.0.1", 0, ssl=self._ssl
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server without TLS and without log-in."""
    with Mailbox() as running:
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mailbox")])
    today = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "mailbox.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@contextlib.contextmanager
def scripted(**replies: str | None) -> Iterator[str]:
    """A server that answers as told, by verb (`END` after the letter); None drops the connection. Gives its URL."""
    script: Mapping[str, str | None] = {
        "HELLO": "220 hi",
        "EHLO": "250-hi\r\n250 AUTH PLAIN LOGIN",
        "MAIL": "250 ok",
        "RCPT": "250 ok",
        "DATA": "354 go on",
        "END": "250 taken",
        "QUIT": "221 bye",
        **replies,
    }

    def serve() -> None:
        with contextlib.suppress(OSError, LookupError), listener.accept()[0] as peer, peer.makefile("rb") as lines:
            verb = "HELLO"
            while (reply := script[verb]) is not None:
                peer.sendall(reply.encode() + b"\r\n")
                if reply.startswith("354"):
                    while lines.readline() not in (b".\r\n", b""):
                        pass
                    verb = "END"
                elif not (line := lines.readline()):
                    return
                else:
                    verb = line.split()[0].decode("latin-1").upper()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)  # a client that never comes must not hold the tests
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join(10)


def failure(call: Callable[[], object]) -> TillbookError:
    with pytest.raises(TillbookError) as caught:
        call()
    return caught.value


# -- what arrives --------------------------------------------------------------------------------------


def test_a_letter_arrives_with_both_parts(mailbox: Mailbox) -> None:
    """Text and HTML arrive to the letter, also lines of dots and other scripts, with our date and id."""
    assert send(f"smtp://127.0.0.1:{mailbox.port}") == "ada@example.com"
    message = mailbox.message()
    assert message["Subject"] == LETTER.subject
    assert message["From"] == "billing@harborlane.example"
    assert message["To"] == "ada@example.com"
    assert message["Date"].datetime == datetime(2026, 11, 23, 20, 59, 37, tzinfo=UTC)
    assert message["Message-ID"] == ID
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert (text.get_content_type(), text.get_content().replace("\r\n", "\n")) == ("text/plain", LETTER.text)
    assert (html.get_content_type(), html.get_content().replace("\r\n", "\n")) == ("text/html", LETTER.html)
    assert mailbox.envelopes[0].mail_from == "billing@harborlane.example"
    assert mailbox.envelopes[0].rcpt_tos == ["ada@example.com"]


def test_only_seven_bit_lines_of_legal_length_are_sent(mailbox: Mailbox) -> None:
    """No server has to understand 8BITMIME or long lines."""
    long = "ä" * 3000
    send(f"smtp://127.0.0.1:{mailbox.port}", letter=Letter(long, long, "x" * 5000))
    content = mailbox.envelopes[0].content
    assert isinstance(content, bytes)
    assert content.isascii()
    assert max(map(len, content.splitlines())) <= LONGEST_LINE
    assert mailbox.message()["Subject"] == long


def test_names_and_domains_of_other_scripts_arrive(mailbox: Mailbox) -> None:
    """A sender's name is encoded, a domain goes as xn--, a subject comes back as it was."""
    sender = '"Bücher & Söhne, 日本" <kasse@bücher.example>'
    letter = Letter("Quittung für Ünï 日本語 🎉", "a\n", "b\n")
    to = send(f"smtp://127.0.0.1:{mailbox.port}", "ada@münchen.example", letter, mail_from=sender)
    assert to == "ada@xn--mnchen-3ya.example"
    assert mailbox.envelopes[0].rcpt_tos == [to]
    assert mailbox.envelopes[0].mail_from == "kasse@xn--bcher-kva.example"
    (address,) = mailbox.message()["From"].addresses
    assert (address.display_name, address.domain) == ("Bücher & Söhne, 日本", "xn--bcher-kva.example")
    assert mailbox.message()["Subject"] == letter.subject


def test_test_mode_sends_to_nobody_else(mailbox: Mailbox) -> None:
    """In test mode the letter goes to MAIL_TEST_RECIPIENT, and a header names whom it was for."""
    to = send(f"smtp://127.0.0.1:{mailbox.port}", mode="test", mail_test_recipient="me@example.org")
    assert to == "me@example.org"
    assert mailbox.envelopes[0].rcpt_tos == ["me@example.org"]
    assert mailbox.message()["To"] == "me@example.org"
    assert mailbox.message()["X-Tillbook-Original-To"] == "ada@example.com"


def test_starttls_is_used_when_it_is_offered(server_tls: ssl.SSLContext, trusted: None, certificate: Path) -> None:
    """The letter travels encrypted as soon as the server can."""
    with Mailbox(tls_context=server_tls) as mailbox:
        send(f"smtp://127.0.0.1:{mailbox.port}")
        assert mailbox.encrypted == [True]


def test_smtps_with_a_password(server_tls: ssl.SSLContext, trusted: None) -> None:
    """The user and the percent-encoded password of SMTP_URL are used."""
    seen: list[tuple[bytes, bytes]] = []

    def check(_server: object, _session: object, _envelope: object, _kind: str, data: LoginPassword) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=True)

    options = {"authenticator": check, "auth_require_tls": False}
    with Mailbox(ssl_context=server_tls, **options) as mailbox:
        send(f"smtps://till:{QUOTED}@127.0.0.1:{mailbox.port}")
        assert len(mailbox.envelopes) == 1
    assert seen == [(b"till", PASSWORD.encode())]


def test_a_certificate_that_nobody_trusts_is_refused(server_tls: ssl.SSLContext) -> None:
    """Encryption to an unknown server is no protection: nothing is sent, by STARTTLS or by smtps."""
    with Mailbox(tls_context=server_tls) as mailbox:
        error = failure(lambda: send(f"smtp://127.0.0.1:{mailbox.port}"))
        assert mailbox.envelopes == []
    assert isinstance(error, Refused)
    assert "certificate" in error.message


# -- what goes wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["HELLO", "MAIL", "RCPT", "DATA", "END"])
@pytest.mark.parametrize(("reply", "kind"), [("451 later", Unavailable), ("550 5.1.1 never", Refused)])
def test_a_reply_becomes_its_class(verb: str, reply: str, kind: type[TillbookError]) -> None:
    """4xx at any step: nothing was sent, again later. 5xx: change something; the code is the server's."""
    with scripted(**{verb: reply}) as server:
        error = failure(lambda: send(f"smtp://{server}"))
    assert type(error) is kind
    assert reply in error.message
    assert getattr(error, "code", "550") == "550"


@pytest.mark.parametrize("verb", ["HELLO", "EHLO", "MAIL", "RCPT"])
def test_a_connection_lost_before_the_letter_is_unavailable(verb: str) -> None:
    """Nothing of the letter had left."""
    with scripted(**{verb: None}) as server:
        assert type(failure(lambda: send(f"smtp://{server}"))) is Unavailable


@pytest.mark.parametrize(("verb", "reply"), [("DATA", None), ("END", None), ("END", "nonsense"), ("END", "354 what")])
def test_c2_a_connection_lost_during_the_letter_is_uncertain(verb: str, reply: str | None) -> None:
    """The server may have taken it: no answer, or none that we understand."""
    with scripted(**{verb: reply}) as server:
        error = failure(lambda: send(f"smtp://{server}"))
    assert type(error) is Uncertain
    assert "run_pending.py" in error.hint


def test_a_lost_goodbye_changes_nothing() -> None:
    """The server has taken the letter; what comes after is of no interest."""
    with scripted(QUIT=None) as server:
        assert send(f"smtp://{server}") == "ada@example.com"


def test_a_silent_server_is_unavailable() -> None:
    """The time-out of the settings ends the wait for a greeting."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"smtp://127.0.0.1:{listener.getsockname()[1]}"
        assert type(failure(lambda: send(url, timeout_seconds=0.05))) is Unavailable


def test_no_server_is_unavailable() -> None:
    """A refused connection and a plain server behind smtps:// are told with the server's name."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(lambda: send(f"smtp://127.0.0.1:{port}"))
    assert type(error) is Unavailable
    assert f"127.0.0.1:{port}" in error.message
    with scripted() as server:
        assert type(failure(lambda: send(f"smtps://{server}"))) is Unavailable


def test_g19_a_password_is_in_no_error() -> None:
    """Also a server that repeats the password cannot bring it into an error's text."""
    for reply in (f"535 {PASSWORD} is wrong", f"454 {PASSWORD} not now"):
        with scripted(AUTH=reply) as server:
            error = failure(partial(send, f"smtp://till:{QUOTED}@{server}"))
        assert type(error) is (Refused if reply.startswith("535") else Unavailable)
        assert PASSWORD not in f"{error.message} {error.hint} {error!r} {error.__cause__!r}"
    with scripted(AUTH="235 in", RCPT=f"550 {PASSWORD}\x1b[31m") as server:
        error = failure(lambda: send(f"smtp://till:{QUOTED}@{server}"))
    assert PASSWORD not in error.message
    assert "\x1b" not in error.message


def test_a_server_without_log_in_is_refused(mailbox: Mailbox) -> None:
    """A password in SMTP_URL that the server has no use for is a mistake to correct."""
    error = failure(lambda: send(f"smtp://till:{QUOTED}@127.0.0.1:{mailbox.port}"))
    assert type(error) is Refused
    assert mailbox.envelopes == []


@pytest.mark.parametrize(
    "url",
    [
        f"http://till:{PASSWORD}@mail.example.com",
        f"smtp://till:{PASSWORD}@mail.example.com",
        "smtp://till:s3cret@mail.example.com:port",
        "smtp://till:s3cret[@mail.example.com",
        "smtp://till:s3cret\u2100@mail.example.com",
        "smtp://till:s3cret%C3%A9@mail.example.com",
        "smtp://till:s3cret%0d%0a@mail.example.com",
        "smtp://till:s3cret@mail.example.com/box",
        "smtp://till:@mail.example.com",
        "smtp://",
        "smtps:mail.example.com",
    ],
)
def test_an_smtp_url_that_cannot_be_read_is_refused_without_showing_it(url: str) -> None:
    """What cannot be read may be a password in the wrong place: the message never repeats it."""
    error = failure(lambda: send(url))
    assert type(error) is Refused
    assert "SMTP_URL" in error.message
    assert "s3cret" not in f"{error.message} {error.hint} {error.__context__!r}"


def test_missing_settings_are_named() -> None:
    """Each empty setting is refused by its name, with what to do."""
    error = failure(lambda: send(""))
    assert type(error) is Refused
    assert "SMTP_URL" in error.hint
    assert "run_simulator.py" in failure(lambda: send("", mode="simulator")).hint
    error = failure(lambda: send("smtp://127.0.0.1:1", mail_from=""))
    assert type(error) is Refused
    assert "MAIL_FROM" in error.message
    assert "MAIL_TEST_RECIPIENT" in failure(lambda: send("smtp://127.0.0.1:1", mode="test")).message


def test_simulator_mode_never_leaves_the_machine() -> None:
    """A mail server elsewhere is refused before any name is looked up."""
    error = failure(lambda: send("smtp://mail.example.com", mode="simulator"))
    assert type(error) is Refused
    assert "not on this machine" in error.message


# -- addresses, headers, ids ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@example..com",
        "ada@-example.com",
        ".ada@example.com",
        "a da@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\n",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "<ada@example.com>",
        '"a b"@example.com',
        "ada@[127.0.0.1]",
        "ädä@example.com",
        "ada@example\u3002com",
        "ada@\uff45xample.com",
        "ada@xn--zz.com",
        f"{'a' * 65}@example.com",
        f"ada@{'a.' * 130}com",
    ],
)
def test_what_is_not_one_plain_address_is_refused(address: str) -> None:
    """A list, a name, a line break, or a domain that would be encoded as another one: refused before any connection."""
    assert ascii_address(address) == ""
    assert type(failure(partial(send, "smtp://127.0.0.1:1", address))) is Refused
    test_mode = partial(send, "smtp://127.0.0.1:1", mode="test", mail_test_recipient=address)
    assert type(failure(test_mode)) is Refused


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("Ada@Example.com", "Ada@Example.com"),
        ("a.d-a+x@mail.example.co.uk", "a.d-a+x@mail.example.co.uk"),
        ("o'brien@bücher.example", "o'brien@xn--bcher-kva.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("root@localhost", "root@localhost"),
        ("ada@mail.test", "ada@mail.test"),
    ],
)
def test_one_plain_address_is_accepted(address: str, sent: str) -> None:
    """Tags, apostrophes and hosts of one's own are fine. A domain of another script is encoded by the rules of 2008."""
    assert ascii_address(address) == sent


@pytest.mark.parametrize("bad", ["\r\nBcc: eve@example.com", "\n", "\r", "\x00", "\u2028", "\x85", "\ud800"])
def test_no_value_can_add_a_header(bad: str) -> None:
    """Line breaks of every kind in subject, sender or Message-ID are refused before any connection."""
    url = "smtp://127.0.0.1:1"
    assert type(failure(lambda: send(url, letter=Letter(f"a{bad}b", "a", "b")))) is Refused
    assert type(failure(lambda: send(url, mail_from=f"Ada{bad} <ada@example.com>"))) is Refused
    mailer = Mailer(settings(smtp_url=url), FixedClock())
    error = failure(lambda: mailer.send(to="ada@example.com", letter=LETTER, message_id=f"<a{bad}@example.com>"))
    assert type(error) is Refused


def test_a_letter_with_broken_characters_is_refused() -> None:
    """Half a character or a NUL cannot be sent: said in words, not by a codec."""
    for part in ("a\ud800", "a\x00"):
        error = failure(partial(send, "smtp://127.0.0.1:1", letter=Letter("a", part, "b")))
        assert type(error) is Refused


@given(key=st.text(st.characters(exclude_categories=["Cs"])))
def test_the_same_key_gives_the_same_message_id(key: str) -> None:
    """The id depends on the key and the sender's domain alone, and is one that we send."""
    first = message_id(key, "billing@harborlane.example")
    assert first == message_id(key, "Harbor Lane <other@HarborLane.example>")
    assert first != message_id(key + "x", "billing@harborlane.example")
    assert first.endswith("@harborlane.example>")


def test_a_long_message_id_arrives_unbroken(mailbox: Mailbox) -> None:
    """The longest sender's domain does not make the header encode or cut the id."""
    domain = ".".join(["a" * 60] * 3) + ".example"
    made = message_id("payment:1", f"b@{domain}")
    mailer = Mailer(settings(smtp_url=f"smtp://127.0.0.1:{mailbox.port}"), FixedClock())
    mailer.send(to=f"b@{domain}", letter=LETTER, message_id=made)
    assert mailbox.message()["Message-ID"] == made
    assert mailbox.message()["To"].addresses[0].addr_spec == f"b@{domain}"
    content = mailbox.envelopes[0].content
    assert isinstance(content, bytes)
    assert made.encode() in content
