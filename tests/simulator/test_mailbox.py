"""The simulator's mailbox: what comes in by SMTP can be looked at, and failures can be asked for."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from simulator import mailbox
from simulator.server import Simulator
from simulator.world import World


@pytest.fixture
def world(simulator: Simulator) -> World:
    """An empty world."""
    simulator.world.reset()
    return simulator.world


@pytest.fixture
def smtp(simulator: Simulator, world: World) -> Iterator[smtplib.SMTP]:
    """A connection to the mailbox of an empty world."""
    address = urlsplit(simulator.smtp_url)
    with smtplib.SMTP(str(address.hostname), int(address.port or 0), timeout=5) as connection:
        yield connection


class Pages:
    """The mailbox's pages over HTTP."""

    def __init__(self, base: str) -> None:
        self.base = base

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.base + path, headers=headers, timeout=5)


@pytest.fixture
def pages(simulator: Simulator) -> Pages:
    return Pages(simulator.url)


def letter(subject: str = "Invoice INV-1", text: str = "Please pay.") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "books@harborlane.example"
    message["To"] = "ada@example.com"
    message["Subject"] = subject
    message["Message-ID"] = "<invoice-1@tillbook.example>"
    message.set_content(text)
    return message


def test_message_arrives_with_its_parts(smtp: smtplib.SMTP, pages: Pages) -> None:
    """A message with text and HTML is listed, and read back in every form."""
    message = letter("Rechnung Søn 山田 🦉", "Grüße, 100 €")
    message.add_alternative("<p>Grüße</p><script>alert(1)</script>", subtype="html")
    smtp.send_message(message)
    listed = pages.get("/mailbox/", Accept="application/json").json()["messages"]
    assert [(one["to"], one["subject"], one["message_id"]) for one in listed] == [
        (["ada@example.com"], "Rechnung Søn 山田 🦉", "<invoice-1@tillbook.example>")
    ]
    read = pages.get(f"/mailbox/{listed[0]['id']}?format=json").json()
    assert (read["from"], read["text"]) == ("books@harborlane.example", "Grüße, 100 €\n")
    assert "<p>Grüße</p>" in read["html"]
    assert "Message-ID: <invoice-1" in read["raw"]


def test_pages_never_run_what_a_message_says(smtp: smtplib.SMTP, pages: Pages) -> None:
    """Subject and text are escaped. The HTML part is shown in a sandboxed frame."""
    message = letter("<script>alert(1)</script>", "<b>not bold</b>")
    message.add_alternative('<a href="x" title=\'"\'>link</a><script>alert(2)</script>', subtype="html")
    smtp.send_message(message)
    for page in (pages.get("/mailbox/").text, pages.get("/mailbox/1").text):
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
    assert '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox"' in pages.get("/mailbox/1").text


def test_eight_bit_and_utf8_addresses_are_accepted(smtp: smtplib.SMTP, world: World) -> None:
    """8BITMIME and SMTPUTF8 are spoken. Broken bytes and unknown charsets are kept, not refused."""
    smtp.send_message(letter(), to_addrs=["søn@example.com"])
    head = b"Subject: x\r\nContent-Type: text/plain; charset="
    for charset, body in ((b"nonsense", b"caf\xc3\xa9"), (b"utf-8", b"caf\xe9")):
        content = head + charset + b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body
        smtp.sendmail("a@example.com", ["b@example.com"], content, mail_options=["BODY=8BITMIME"])
    kept = list(world.all("mail"))
    assert kept[0]["to"] == ["søn@example.com"]
    assert [one["text"][:3] for one in kept[1:]] == ["caf", "caf"]


@pytest.mark.parametrize(("code", "at"), [(451, "data"), (550, "rcpt")])
def test_failures_can_be_asked_for(smtp: smtplib.SMTP, world: World, code: int, at: str) -> None:
    """The next messages fail as often as asked, then mail goes through again."""
    mailbox.fail_next(world, code, times=2, at=at)
    for _ in range(2):
        with pytest.raises((smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused), match=str(code)):
            smtp.send_message(letter())
    smtp.send_message(letter())
    assert world.count("mail") == 1
    with pytest.raises(ValueError, match="at is one of"):
        mailbox.fail_next(world, code, at="greeting")


def test_absurd_size_is_refused(smtp: smtplib.SMTP, world: World) -> None:
    """A message above ten MiB is refused."""
    with pytest.raises((smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected)):
        smtp.send_message(letter(text="x" * (mailbox.SIZE_LIMIT_BYTES + 1)))
    assert world.count("mail") == 0


def test_reset_empties_the_mailbox_and_unknown_mail_is_404(smtp: smtplib.SMTP, world: World, pages: Pages) -> None:
    """Messages and failures asked for live in the world, so a reset forgets them."""
    smtp.send_message(letter())
    mailbox.fail_next(world, 451)
    world.reset()
    assert pages.get("/mailbox/?format=json").json() == {"messages": []}
    assert pages.get("/mailbox/1").status_code == 404
    smtp.send_message(letter())
    assert world.count("mail") == 1


def test_mailbox_stops_with_open_connections(tmp_path: Path) -> None:
    """With the simulator ends what is connected to its mailbox, and the port is free."""
    with Simulator(tmp_path) as running:
        address = urlsplit(running.smtp_url)
        connection = smtplib.SMTP(str(address.hostname), int(address.port or 0), timeout=5)
        connection.ehlo()
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        _say_something(connection)
    connection.close()
    with pytest.raises(ConnectionError):
        smtplib.SMTP(str(address.hostname), int(address.port or 0), timeout=5)


def _say_something(connection: smtplib.SMTP) -> None:
    for _ in range(2):  # the first word after the end may still be swallowed by the socket
        connection.noop()
