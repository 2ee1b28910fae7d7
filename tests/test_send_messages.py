"""send_messages.py: every mail that is owed leaves once, true at that moment; old ones are listed, not sent."""

from __future__ import annotations

import pytest

from rehearsed import rehearse
from sale import Till
from tillbook.simulator.mailbox import fail_next

WEEK = 7 * 24 * 3600


def owed(till: Till) -> None:
    """A payment that was read: its confirmation waits."""
    till.paid()
    till.run("process_inbox")


def test_a_confirmation_with_its_receipt(till: Till) -> None:
    """Amount, invoice, day and payment id, in text and HTML, to the customer."""
    owed(till)
    result = till.run("send_messages").json
    assert (result["sent"], result["waiting"], result["failed"], result["stale"]) == (1, 0, 0, [])
    (mail,) = till.mails()
    (intent,) = till.simulator.world.all("stripe.payment_intent")
    assert mail["to"] == ["grace@example.com"]
    for form in (mail["text"], mail["html"]):
        for word in ("60.00 USD", "INV-1001", intent["id"], "paid in full"):
            assert word in form


def test_a_second_run_sends_nothing(till: Till) -> None:
    """What was sent is sent."""
    owed(till)
    till.run("send_messages")
    assert till.run("send_messages").json["sent"] == 0
    assert len(till.mails()) == 1


def test_the_owner_hears_of_it_when_they_want_to(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """MAIL_OWNER set: one 'you were paid' mail to the owner besides the customer's."""
    monkeypatch.setenv("MAIL_OWNER", "owner@studio.example")
    owed(till)
    assert till.run("send_messages").json["sent"] == 2
    subjects = {mail["to"][0]: mail["subject"] for mail in till.mails()}
    assert subjects == {
        "grace@example.com": "Receipt for INV-1001: 60.00 USD paid",
        "owner@studio.example": "You were paid 60.00 USD (INV-1001)",
    }


def test_without_an_owners_address_none_is_owed(till: Till) -> None:
    """No MAIL_OWNER: the owner's mail is withdrawn with its reason, and nothing waits or failed."""
    owed(till)
    till.run("send_messages")
    rows = {row["kind"]: (row["state"], row["reason"]) for row in till.shop.ledger.messages.of_invoice("INV-1001")}
    assert rows == {"confirmation": ("sent", ""), "owner": ("withdrawn", "MAIL_OWNER is not set")}


def test_a_part_payment_says_what_is_open(till: Till) -> None:
    """Each confirmation says what is open at the moment it leaves."""
    page = till.opened_page()
    till.pay(page["checkout_id"])
    till.later(60)
    till.run("poll_events")
    raised = till.simulator.world.get("quickbooks.Invoice", "1")
    assert raised is not None
    figures = {"TotalAmt": "70.00", "HomeTotalAmt": "70.00", "Balance": "70.00", "SyncToken": "9"}
    till.simulator.world.save("quickbooks.Invoice", "1", {**raised, **figures})
    till.run("create_checkout", "INV-1001")  # reads the invoice again: it is 70.00 now
    till.run("process_inbox")
    till.run("send_messages")
    (mail,) = till.mails()
    assert "Amount paid: 60.00 USD" in mail["text"]
    assert "10.00 USD of this invoice is still open." in mail["text"]


def test_a_server_that_says_later_gets_it_later(till: Till) -> None:
    """451: exit 4 and waiting; when its time has come, one mail with one Message-ID."""
    owed(till)
    fail_next(till.simulator.world, 451, times=9)
    ran = till.run("send_messages")
    assert (ran.code, ran.json["sent"], ran.json["waiting"]) == (4, 0, 1)
    fail_next(till.simulator.world, 451, times=0)
    assert till.run("send_messages").json["sent"] == 0  # not yet: it pauses
    till.later(61)
    ended = till.run("send_messages")
    assert (ended.code, ended.json["sent"]) == (0, 1)
    assert len(till.mails()) == 1


def test_a_server_that_says_no_is_told(till: Till) -> None:
    """550: exit 3; the mail is failed with the server's words, counted, and not tried for ever."""
    owed(till)
    fail_next(till.simulator.world, 550, at="rcpt")
    ran = till.run("send_messages")
    assert (ran.code, ran.json["sent"], ran.json["failed"]) == (3, 0, 1)
    assert till.run("send_messages").json["sent"] == 0
    assert till.mails() == []
    (confirmation,) = [row for row in till.shop.ledger.messages.of_invoice("INV-1001") if row["kind"] == "confirmation"]
    assert confirmation["state"] == "failed"
    assert "550" in confirmation["reason"]


def test_older_than_seven_days_is_listed_and_not_sent(till: Till) -> None:
    """Nobody gets last week's receipt from a cron that was dead for a week."""
    owed(till)
    till.later(WEEK + 60)
    result = till.run("send_messages").json
    assert result["sent"] == 0
    assert len(result["stale"]) >= 1
    assert till.mails() == []


def test_no_more_than_the_limit(till: Till) -> None:
    """--limit 1 of two confirmations sends one; the rest waits."""
    till.paid("INV-1")
    till.paid("INV-2")
    till.run("process_inbox")
    for _ in range(4):
        till.run("send_messages", "--limit", "1")
    assert len(till.mails()) == 2


def test_g20_a_rehearsal_lists_the_mails(till: Till) -> None:
    """The mails of the real run, and none is sent."""
    owed(till)
    planned = rehearse(till, "send_messages")["mails"]
    till.run("send_messages")
    assert planned == [
        {"to": mail["to"][0], "subject": mail["subject"], "message_id": mail["message_id"]} for mail in till.mails()
    ]
