"""run_pending.py: one bounded round for cron does everything that the single steps do, and says what must wait."""

from __future__ import annotations

from helpers.dry_runs import dry_run
from helpers.running.processes import Processes
from helpers.sale import Shop
from run_pending import run_pending


def paid(shop: Shop) -> None:
    """A page that was paid a minute ago."""
    shop.pay(shop.opened_page()["checkout_id"])
    shop.later(60)


def test_one_round_finishes_a_paid_sale(shop: Shop) -> None:
    """Polled, processed, posted, mailed: the invoice is paid and the customer has the receipt."""
    paid(shop)
    ran = shop.run("run_pending")
    result = ran.json
    assert ran.code == 0
    assert result["poll_events"]["new"] == result["process_inbox"]["applied"] == 4
    assert result["post_to_books"] == {"posted": 1, "waiting": 0, "failed": 0}
    assert (result["send_messages"]["sent"], result["trouble"]) == (1, [])
    assert shop.books("Invoice")[0]["Balance"] == "0.00"
    assert [mail["to"] for mail in shop.mails()] == [["grace@example.com"]]


def test_a_second_round_does_nothing(shop: Shop) -> None:
    """Quiet is quiet: nothing applied, posted or sent again."""
    paid(shop)
    shop.run("run_pending")
    result = shop.run("run_pending").json
    assert result["settled"] == 0
    assert result["process_inbox"]["applied"] == 0
    assert result["post_to_books"]["posted"] == result["send_messages"]["sent"] == 0
    assert len(shop.books("Payment")) == len(shop.mails()) == 1


def test_inv11_it_settles_what_nobody_knows(shop: Shop) -> None:
    """A lost answer left an unknown operation: within two rounds it is done, by the vendor's evidence."""
    shop.fail("quickbooks", "*/invoice", "drop_after", method="POST", times=3)
    assert shop.run("create_invoice", shop.order()).code == 5
    for _ in range(2):
        shop.later(60)
        shop.run("run_pending")
    assert shop.till.ledger.operations.unfinished() == []
    assert len(shop.books("Invoice")) == 1
    assert shop.run("create_invoice", shop.order()).json["already_done"] is True


def test_trouble_in_one_part_does_not_stop_the_next(shop: Shop) -> None:
    """Stripe is away: its poll is told as trouble and exit 4, and the mail that waits goes out."""
    shop.paid()
    shop.run("process_inbox")
    shop.fail("stripe", "*", "500", times=99)
    ran = shop.run("run_pending")
    assert ran.code == 4
    assert any("polling" in sentence for sentence in ran.json["trouble"])
    assert ran.json["post_to_books"]["posted"] == 1
    assert len(shop.mails()) == 1


def test_f11_two_rounds_at_once(shop: Shop, processes: Processes) -> None:
    """Cron started another one: whoever comes second is told (exit 4) or finds nothing left; all is done once."""
    paid(shop)
    ended = processes.run(*[("run_pending",)] * 4)
    assert {run.code for run in ended} <= {0, 4}
    assert 0 in {run.code for run in ended}
    shop.run("run_pending")
    assert len(shop.books("Payment")) == len(shop.mails()) == 1


def test_f13_a_lock_that_is_held_is_told(shop: Shop) -> None:
    """While a round is at work another ends at once with exit 4 and says why."""
    with shop.till.ledger.lock("round"):
        ran = shop.run("run_pending")
    assert (ran.code, ran.out) == (4, "")
    assert "another process is at work" in ran.err


def test_the_plain_function_does_the_same(shop: Shop) -> None:
    """Other scripts import the function."""
    paid(shop)
    assert run_pending(till=shop.till).post_to_books.posted == 1


def test_g20_a_dry_run_sends_nothing(shop: Shop) -> None:
    """The plan names the payment that would be posted and the mail that would leave."""
    shop.run("connect_quickbooks")
    paid(shop)
    plan = dry_run(shop, "run_pending")
    assert [step["kind"] for step in plan["plan"]] == ["post_payment"]
    assert [mail["to"] for mail in plan["mails"]] == ["grace@example.com"]
