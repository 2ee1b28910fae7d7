"""send_messages.py: every mail that is owed leaves once, true at that moment; old ones are listed, not sent."""

from __future__ import annotations

import pytest

from helpers.dry_runs import dry_run
from helpers.sale import Shop
from simulator.mailbox import fail_next

WEEK = 7 * 24 * 3600


def owed(shop: Shop) -> None:
    """A payment that was read: its confirmation waits."""
    shop.paid()
    shop.run("process_inbox")


def test_a_confirmation_with_its_receipt(shop: Shop) -> None:
    """Amount, invoice, day and payment id, in text and HTML, to the customer."""
    owed(shop)
    result = shop.run("send_messages").json
    assert (result["sent"], result["waiting"], result["failed"], result["stale"]) == (1, 0, 0, [])
    (mail,) = shop.mails()
    (intent,) = shop.simulator.world.all("stripe.payment_intent")
    assert mail["to"] == ["grace@example.com"]
    for form in (mail["text"], mail["html"]):
        for word in ("60.00 USD", "INV-1001", intent["id"], "paid in full"):
            assert word in form


def test_a_second_run_sends_nothing(shop: Shop) -> None:
    """What was sent is sent."""
    owed(shop)
    shop.run("send_messages")
    assert shop.run("send_messages").json["sent"] == 0
    assert len(shop.mails()) == 1


def test_the_owner_hears_of_it_when_they_want_to(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """MAIL_OWNER set: one 'you were paid' mail to the owner besides the customer's."""
    monkeypatch.setenv("MAIL_OWNER", "owner@studio.example")
    owed(shop)
    assert shop.run("send_messages").json["sent"] == 2
    subjects = {mail["to"][0]: mail["subject"] for mail in shop.mails()}
    assert subjects == {
        "grace@example.com": "Receipt for INV-1001: 60.00 USD paid",
        "owner@studio.example": "You were paid 60.00 USD (INV-1001)",
    }


def test_without_an_owners_address_none_is_owed(shop: Shop) -> None:
    """No MAIL_OWNER: the owner's mail is withdrawn with its reason, and nothing waits or failed."""
    owed(shop)
    shop.run("send_messages")
    rows = {row["kind"]: (row["state"], row["reason"]) for row in shop.till.ledger.messages.of_invoice("INV-1001")}
    assert rows == {"confirmation": ("sent", ""), "owner": ("withdrawn", "MAIL_OWNER is not set")}


def test_a_part_payment_says_what_is_open(shop: Shop) -> None:
    """Each confirmation says what is open at the moment it leaves."""
    page = shop.opened_page()
    shop.pay(page["checkout_id"])
    shop.later(60)
    shop.run("poll_events")
    raised = shop.simulator.world.get("quickbooks.Invoice", "1")
    assert raised is not None
    figures = {"TotalAmt": "70.00", "HomeTotalAmt": "70.00", "Balance": "70.00", "SyncToken": "9"}
    shop.simulator.world.save("quickbooks.Invoice", "1", {**raised, **figures})
    shop.run("create_checkout", "INV-1001")  # reads the invoice again: it is 70.00 now
    shop.run("process_inbox")
    shop.run("send_messages")
    (mail,) = shop.mails()
    assert "Amount paid: 60.00 USD" in mail["text"]
    assert "10.00 USD of this invoice is still open." in mail["text"]


def test_a_server_that_says_later_gets_it_later(shop: Shop) -> None:
    """451: exit 4 and waiting; when its time has come, one mail with one Message-ID."""
    owed(shop)
    fail_next(shop.simulator.world, 451, times=9)
    ran = shop.run("send_messages")
    assert (ran.code, ran.json["sent"], ran.json["waiting"]) == (4, 0, 1)
    fail_next(shop.simulator.world, 451, times=0)
    assert shop.run("send_messages").json["sent"] == 0  # not yet: it pauses
    shop.later(61)
    ended = shop.run("send_messages")
    assert (ended.code, ended.json["sent"]) == (0, 1)
    assert len(shop.mails()) == 1


def test_a_server_that_says_no_is_told(shop: Shop) -> None:
    """550: exit 3; the mail is failed with the server's words, counted, and not tried for ever."""
    owed(shop)
    fail_next(shop.simulator.world, 550, at="rcpt")
    ran = shop.run("send_messages")
    assert (ran.code, ran.json["sent"], ran.json["failed"]) == (3, 0, 1)
    assert shop.run("send_messages").json["sent"] == 0
    assert shop.mails() == []
    (confirmation,) = [row for row in shop.till.ledger.messages.of_invoice("INV-1001") if row["kind"] == "confirmation"]
    assert confirmation["state"] == "failed"
    assert "550" in confirmation["reason"]


def test_older_than_seven_days_is_listed_and_not_sent(shop: Shop) -> None:
    """Nobody gets last week's receipt from a cron that was dead for a week."""
    owed(shop)
    shop.later(WEEK + 60)
    result = shop.run("send_messages").json
    assert result["sent"] == 0
    assert len(result["stale"]) >= 1
    assert shop.mails() == []


def test_no_more_than_the_limit(shop: Shop) -> None:
    """--limit 1 of two confirmations sends one; the rest waits."""
    shop.paid("INV-1")
    shop.paid("INV-2")
    shop.run("process_inbox")
    for _ in range(4):
        shop.run("send_messages", "--limit", "1")
    assert len(shop.mails()) == 2


def test_g20_a_dry_run_lists_the_mails(shop: Shop) -> None:
    """The mails of the real run, and none is sent."""
    owed(shop)
    planned = dry_run(shop, "send_messages")["mails"]
    shop.run("send_messages")
    assert planned == [
        {"to": mail["to"][0], "subject": mail["subject"], "message_id": mail["message_id"]} for mail in shop.mails()
    ]
