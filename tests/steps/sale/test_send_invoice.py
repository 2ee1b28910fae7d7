"""send_invoice.py: the customer gets the invoice with its pay link, once."""

from __future__ import annotations

import pytest

from helpers.dry_runs import dry_run
from helpers.sale import Shop
from send_invoice import send_invoice
from simulator.mailbox import fail_next


def test_the_mail_has_link_total_and_lines_in_text_and_html(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Number, amount, due date, what was ordered, and /pay/TOKEN: in both forms, to the customer's address."""
    monkeypatch.setenv("TILLBOOK_BASE_URL", "https://pay.example.com")
    shop.invoiced()
    result = shop.run("send_invoice", "INV-1001").json
    (mail,) = shop.mails()
    invoice = shop.till.ledger.sales.invoice("INV-1001")
    assert invoice is not None
    assert result == {
        "invoice": "INV-1001",
        "to": "grace@example.com",
        "message_id": mail["message_id"],
        "already_done": False,
    }
    assert mail["to"] == ["grace@example.com"]
    for form in (mail["text"], mail["html"]):
        for word in (
            "INV-1001",
            "60.00",
            "2027-01-31",
            "Consulting",
            f"https://pay.example.com/pay/{invoice.token}",
            "Grace Ltd",
        ):
            assert word in form
    assert "stripe" not in mail["text"].lower()


def test_a_second_run_sends_nothing(shop: Shop) -> None:
    """Sent once; the second run says so, with the same Message-ID."""
    shop.invoiced()
    first, second = shop.run("send_invoice", "INV-1001").json, shop.run("send_invoice", "INV-1001").json
    assert second == {**first, "already_done": True}
    assert len(shop.mails()) == 1


def test_again_sends_another_one(shop: Shop) -> None:
    """On a person's word: a second mail with a Message-ID of its own."""
    shop.invoiced()
    shop.run("send_invoice", "INV-1001")
    again = shop.run("send_invoice", "INV-1001", "--again").json
    assert again["already_done"] is False
    assert len({mail["message_id"] for mail in shop.mails()}) == 2


def test_a_paid_invoice_is_not_mailed(shop: Shop) -> None:
    """Nobody is asked to pay what is paid: exit 3."""
    shop.finished()
    before = len(shop.mails())
    ran = shop.run("send_invoice", "INV-1001")
    assert (ran.code, ran.out) == (3, "")
    assert "paid" in ran.err
    assert len(shop.mails()) == before


def test_a_mail_server_that_says_later(shop: Shop) -> None:
    """451 is exit 4: nothing was sent, and the next run sends it with the Message-ID that it was to have."""
    shop.invoiced()
    planned = dry_run(shop, "send_invoice", "INV-1001")["mails"][0]["message_id"]
    fail_next(shop.simulator.world, 451, times=5)
    ran = shop.run("send_invoice", "INV-1001")
    assert (ran.code, ran.out) == (4, "")
    fail_next(shop.simulator.world, 451, times=0)
    assert shop.run("send_invoice", "INV-1001").json["message_id"] == planned
    assert [mail["message_id"] for mail in shop.mails()] == [planned]


def test_a_mail_server_that_says_no(shop: Shop) -> None:
    """550 is exit 3 with the server's words; a later run may try again."""
    shop.invoiced()
    fail_next(shop.simulator.world, 550, at="rcpt")
    ran = shop.run("send_invoice", "INV-1001")
    assert (ran.code, ran.out) == (3, "")
    assert "550" in ran.err
    assert shop.run("send_invoice", "INV-1001").code == 0
    assert len(shop.mails()) == 1


def test_the_users_own_template_wins(shop: Shop) -> None:
    """A file of the same name in TILLBOOK_HOME/templates replaces ours; the other form stays."""
    folder = shop.home / "templates"
    folder.mkdir()
    (folder / "invoice.txt").write_text("Subject: Bill {{ number }}\nPlease pay {{ total }} here: {{ pay_url }}\n")
    shop.invoiced()
    shop.run("send_invoice", "INV-1001")
    (mail,) = shop.mails()
    assert mail["subject"] == "Bill INV-1001"
    assert mail["text"].startswith("Please pay 60.00 here: http")
    assert "<html" in mail["html"]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", 'Tom & Jerry\'s "Shop"', "{{ 7777 * 7777 }}"])
def test_g9_a_name_is_only_a_name(shop: Shop, name: str) -> None:
    """Markup and template marks in a name reach the customer as the text that they are."""
    shop.invoiced(customer={"name": name, "email": "grace@example.com"})
    assert shop.run("send_invoice", "INV-1001").code == 0
    (mail,) = shop.mails()
    assert f"Hello {name}," in mail["text"]
    assert "<script>" not in mail["html"]
    assert "60481729" not in mail["text"]


def test_the_plain_function_does_the_same(shop: Shop) -> None:
    """Other scripts import the function."""
    shop.invoiced()
    assert send_invoice("INV-1001", till=shop.till).to == "grace@example.com"


def test_g20_a_dry_run_names_the_mail_and_sends_none(shop: Shop) -> None:
    """To whom, about what, and with which Message-ID: the ones of the real run."""
    shop.invoiced()
    (planned,) = dry_run(shop, "send_invoice", "INV-1001")["mails"]
    shop.run("send_invoice", "INV-1001")
    (mail,) = shop.mails()
    assert planned == {"to": "grace@example.com", "subject": mail["subject"], "message_id": mail["message_id"]}
