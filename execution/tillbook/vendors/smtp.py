"""Mail: the one place that speaks SMTP.

A letter is sent at least once. Its Message-ID is derived from the message's own key, so a second copy is the same
message to every mail program.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import unquote, urlsplit

from tillbook.kit.addresses import ascii_address
from tillbook.kit.clock import Clock
from tillbook.kit.errors import Refused, Unavailable, Uncertain
from tillbook.kit.settings import LOOPBACK, Settings
from tillbook.kit.text import refuse_unprintable
from tillbook.vendors.errors import vendor_text

_PORTS = {"smtp": 25, "smtps": 465}
_SUBMISSION_PORT = 587  # RFC 6409: where a server expects people who log in
_NAMED = re.compile(r'\s*"?(?P<name>[^"<>]*?)"?\s*<(?P<address>[^<>]+)>\s*')
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")  # printable ASCII without < > and with one @


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person reads: one subject line, plain text, and the same as a complete HTML page."""

    subject: str
    text: str
    html: str


# -- addresses and ids ---------------------------------------------------------------------------------


def message_id(key: str, sender: str) -> str:
    """The Message-ID of the message with this key: the same key and sender's domain always give the same id.

    `sender` is MAIL_FROM. Raises Refused when that is not an address.
    """
    domain = _sender(sender)[1].rpartition("@")[2].lower()
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def _address(text: str, whose: str) -> str:
    """The address as SMTP needs it (a domain in letters of any script becomes xn--...), or Refused."""
    local = text.rpartition("@")[0]
    if local and not local.isascii():
        raise Refused(
            f"{whose} is {text[:100]!r}: the part before the @ has letters that many mail servers do not accept",
            hint="Use an address whose part before the @ has only ASCII letters and digits.",
        )
    address = ascii_address(text)
    if not address:
        raise Refused(f"{whose} is {text[:100]!r}; expected one mail address like ada@example.com")
    return address


def _sender(mail_from: str) -> tuple[str, str]:
    """(display name, address) of MAIL_FROM, which may be 'Name <address>'."""
    if not mail_from:
        raise Refused("MAIL_FROM is empty", hint="Set MAIL_FROM to the address that your mail comes from.")
    refuse_unprintable("MAIL_FROM", mail_from)
    named = _NAMED.fullmatch(mail_from)
    return (named["name"], _address(named["address"], "MAIL_FROM")) if named else ("", _address(mail_from, "MAIL_FROM"))


# -- sending -------------------------------------------------------------------------------------------


class Mailer:
    """Sends letters by the SMTP server of SMTP_URL."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def send(self, *, to: str, letter: Letter, message_id: str) -> str:
        """Hand the letter to the mail server. Returns the address that it really went to (ASCII).

        In test mode that is MAIL_TEST_RECIPIENT, whoever `to` is. In simulator mode the server must be on this machine.
        Raises Refused (settings, address, a 5xx: `code` is its number), Unavailable (not reached, a 4xx: nothing
        was sent) and Uncertain (the connection was lost while the letter was being handed over).
        """
        server = _server(self._settings)
        name, sender = _sender(self._settings.mail_from)
        asked_for = _address(to, "the recipient")
        recipient = self._recipient(asked_for)
        message = _message(letter, message_id, self._clock.now())
        message["From"] = _header_address(name, sender)
        message["To"] = _header_address("", recipient)
        if self._settings.mode == "test":
            message["X-Tillbook-Original-To"] = asked_for
        _deliver(server, sender, recipient, message.as_bytes(), self._settings.timeout_seconds)
        return recipient

    def _recipient(self, asked_for: str) -> str:
        if self._settings.mode != "test":
            return asked_for
        if not self._settings.mail_test_recipient:
            raise Refused(
                "MAIL_TEST_RECIPIENT is empty: in test mode mail goes only there",
                hint="Set MAIL_TEST_RECIPIENT to your own address.",
            )
        return _address(self._settings.mail_test_recipient, "MAIL_TEST_RECIPIENT")


def _message(letter: Letter, message_id: str, now: int) -> EmailMessage:
    """The message without its addresses, in 7 bits, so that every server carries it unchanged."""
    refuse_unprintable("the subject", letter.subject)
    for what, part in (("the text", letter.text), ("the HTML", letter.html)):
        refuse_unprintable(what, part, allowed="\r\n\t")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise Refused(f"the Message-ID is {message_id[:100]!r}; expected <something@domain>")
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["Subject"] = letter.subject
    message["Date"] = datetime.fromtimestamp(now, UTC)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, charset="utf-8")
    message.add_alternative(letter.html, subtype="html", charset="utf-8")
    return message


def _header_address(name: str, address: str) -> object:
    return Address(display_name=name, addr_spec=address)


@dataclass(frozen=True, slots=True)
class _Server:
    """What SMTP_URL says. `tls` from the first byte (smtps)."""

    host: str
    port: int
    tls: bool
    user: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        return self.host in LOOPBACK

    def words(self, reply: bytes | str) -> str:
        """A server's reply, safe to show, and without our password."""
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
        return vendor_text(text, [self.password])


def _server(settings: Settings) -> _Server:
    if not settings.smtp_url:
        if settings.mode == "simulator":
            hint = "Start the simulator, python execution/run_simulator.py: its mailbox replaces SMTP_URL in this mode."
        else:
            hint = "Set SMTP_URL, for example smtps://user:password@mail.example.com"
        raise Refused("there is no mail server: SMTP_URL is empty", hint=hint)
    server = _read_url(settings.smtp_url)
    if server is None:  # said without the address: it may hold a password
        raise Refused(
            "SMTP_URL cannot be read; expected smtp://user:password@host:port, or smtps://...",
            hint="Write special characters of the password as %40 (@), %2F (/), %23 (#), %3F (?), %25 (%); ASCII only.",
        )
    if settings.mode == "simulator" and not server.loopback:
        raise Refused(
            f"the mail server {server.name} is not on this machine, but TILLBOOK_MODE is simulator",
            hint="Use the simulator's own mailbox, or set TILLBOOK_MODE=test.",
        )
    return server


def _read_url(url: str) -> _Server | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    whole = host and parts.scheme in _PORTS and parts.path in ("", "/") and not parts.query and not parts.fragment
    usable = bool(user) == bool(password) and (user + password).isascii() and (user + password + "x").isprintable()
    if not host or not whole or not usable:
        return None
    tls = parts.scheme == "smtps"
    usual = _SUBMISSION_PORT if user and not tls else _PORTS[parts.scheme]
    return _Server(host, port or usual, tls, user, password)


def _deliver(server: _Server, sender: str, recipient: str, body: bytes, timeout: float) -> None:
    """One SMTP conversation. What smtplib raises becomes the class that says what to do next."""
    with _named_refusals(server, recipient), contextlib.closing(_connected(server, sender, timeout)) as connection:
        _secure(connection, server)
        if server.user:
            _log_in(connection, server)
        for code, reply in (connection.mail(sender), connection.rcpt(recipient)):
            if code // 100 != 2:  # noqa: PLR2004
                raise smtplib.SMTPResponseException(code, reply)
        _hand_over(connection, server, body)
        with contextlib.suppress(OSError):
            connection.quit()  # the letter is accepted: how the goodbye goes changes nothing


@contextlib.contextmanager
def _named_refusals(server: _Server, recipient: str) -> Iterator[None]:
    """Before the letter itself left, every failure means that nothing was sent."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise _said_no(server, recipient, error.smtp_code, error.smtp_error) from None
    except ssl.SSLCertVerificationError as error:
        raise Refused(
            f"the certificate of the mail server {server.name} is not trusted: {error.verify_message}",
            hint="Use the host name that the certificate is for; SSL_CERT_FILE can name your own authority.",
        ) from None
    except UnicodeError:
        raise Refused(f"the host of SMTP_URL, {server.host!r}, is not a host name") from None
    except OSError as error:  # smtplib's own exceptions are OSErrors too
        raise Unavailable(
            f"the mail server {server.name} could not be used: {server.words(str(error))}",
            hint="Run the same command again later; if it stays so, check the host, port and scheme of SMTP_URL.",
        ) from None


def _connected(server: _Server, sender: str, timeout: float) -> smtplib.SMTP:
    # We greet as the sender's domain: smtplib would ask the DNS for our own name, which can take long.
    us = sender.rpartition("@")[2]
    if server.tls:
        return smtplib.SMTP_SSL(server.host, server.port, us, timeout=timeout, context=ssl.create_default_context())
    return smtplib.SMTP(server.host, server.port, us, timeout=timeout)


def _secure(connection: smtplib.SMTP, server: _Server) -> None:
    """STARTTLS when it is offered. A password never crosses a network in the clear."""
    connection.ehlo_or_helo_if_needed()
    if server.tls:
        return
    if connection.has_extn("starttls"):
        connection.starttls(context=ssl.create_default_context())
        connection.ehlo_or_helo_if_needed()
    elif server.user and not server.loopback:
        raise Refused(
            f"the mail server {server.name} offers no encryption, and SMTP_URL holds a password",
            hint="Use smtps://, or the port where the server offers STARTTLS (usually 587).",
        )


def _log_in(connection: smtplib.SMTP, server: _Server) -> None:
    """Replies to a log-in are told by number only: some servers repeat what they were sent."""
    try:
        connection.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as error:
        if error.smtp_code // 100 != 5:  # noqa: PLR2004
            raise smtplib.SMTPResponseException(error.smtp_code, "log-in is not possible now") from None
        raise Refused(
            f"the mail server {server.name} refused the user name or the password ({error.smtp_code})",
            hint="Correct SMTP_URL; some providers want a password made for one application.",
            code=str(error.smtp_code),
        ) from None
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException:
        raise Refused(
            f"the mail server {server.name} offers no way to log in that we know (PLAIN, LOGIN, CRAM-MD5)",
            hint="Remove the user and password from SMTP_URL, or use the port for submission (587, or smtps://).",
        ) from None


def _hand_over(connection: smtplib.SMTP, server: _Server, body: bytes) -> None:
    code: int
    reply: bytes | str
    try:
        code, reply = connection.data(body)
    except smtplib.SMTPDataError as error:  # said before the letter left
        code, reply = error.smtp_code, error.smtp_error
    except OSError:  # smtplib's own exceptions are OSErrors too
        code, reply = 0, "the connection was lost"
    if code // 100 == 2:  # noqa: PLR2004
        return
    if code // 100 in (4, 5):
        raise smtplib.SMTPResponseException(code, reply)
    raise Uncertain(
        f"the mail server {server.name} may have taken the letter: {server.words(reply)}",
        hint="Run execution/run_pending.py: it sends the letter again under the same Message-ID.",
    )


def _said_no(server: _Server, recipient: str, code: int, reply: bytes | str) -> Refused | Unavailable:
    said = f"{code} {server.words(reply)}"
    if code // 100 == 5:  # noqa: PLR2004
        return Refused(
            f"the mail server {server.name} refused mail to {recipient}: {said}",
            hint="Correct the address or what the server asks for, then send again.",
            code=str(code),
        )
    return Unavailable(
        f"the mail server {server.name} put off mail to {recipient}: {said}",
        hint="Run the same command again later.",
    )
