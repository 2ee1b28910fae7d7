"""A payout goes the whole way of a fact that is about an account alone: read, booked, proven, shown and told."""

from __future__ import annotations

import pytest

from helpers.refunding import in_ledger, settled
from helpers.sale import Shop, control
from tillbook.proof import invariants
from tillbook.rules.facts import AboutAccount, PayoutPaid

DAYS = 86_400


def paid_out(shop: Shop, **more: object) -> str:
    """A sale whose money became available and was paid out; the payout's id."""
    shop.finished()
    shop.later(3 * DAYS)
    return str(control(shop.simulator, "payout", {"vendor": "stripe", **more})["id"])


def test_a_payout_is_a_fact_about_the_account(shop: Shop) -> None:
    """60.00 less the fee of 2.04 leave the clearing account, once, however often the payout is told of."""
    payout = paid_out(shop)
    settled(shop)
    assert in_ledger(shop) == {"Payouts in Transit": 5796, "Processing Fees": 204, "Revenue": -6000}
    shop.later(3 * DAYS)  # it arrives, which is told by another event
    settled(shop)
    assert in_ledger(shop)["Payouts in Transit"] == 5796
    (fact,) = [fact for fact in shop.till.ledger.facts.of_nobody() if isinstance(fact, PayoutPaid)]
    assert (fact.payout, fact.about) == (payout, AboutAccount("stripe"))
    assert [document.kind for document in shop.till.ledger.documents.due(2**40, 10)] == []


def test_the_nightly_proof_needs_no_word_of_a_person(shop: Shop) -> None:
    """Statement, balance and ledger agree with a payout between them, in part and in full."""
    paid_out(shop, amount=2000)
    settled(shop)
    ran = shop.run("reconcile_payments")
    assert (ran.code, ran.json["discrepancies"]) == (0, [])
    control(shop.simulator, "payout", {"vendor": "stripe"})
    settled(shop)
    assert shop.run("reconcile_payments").json["discrepancies"] == []
    assert in_ledger(shop)["Payouts in Transit"] == 5796


def test_a_payout_that_nobody_told_of_is_found_and_read(shop: Shop) -> None:
    """The proof names it as missing in the ledger; its own command brings it in."""
    paid_out(shop)
    shop.later(600)  # the statement may lag behind so long
    ran = shop.run("reconcile_payments")
    assert ran.code == 7
    assert [one["type"] for one in ran.json["discrepancies"]] == ["missing_in_ledger"]
    repaired = shop.run("reconcile_payments", "--repair")
    assert (repaired.code, repaired.json["discrepancies"]) == (0, [])
    assert in_ledger(shop)["Payouts in Transit"] == 5796


def test_show_payment_finds_it_by_its_id(shop: Shop) -> None:
    """The fact with its entry, the events and the mail, from `po_...` alone."""
    payout = paid_out(shop)
    settled(shop)
    chain = shop.run("show_payment", payout).json["chain"]
    assert [link["what"] for link in chain] == ["event", "fact PayoutPaid", "entry", "entry", "mail payout"]
    assert {link["detail"] for link in chain if link["what"] == "entry"} == {
        "Dr Payouts in Transit",
        "Cr Stripe Clearing",
    }


@pytest.mark.parametrize(("setting", "sent"), [("yes", 1), ("no", 0), ("", 0)])
def test_the_owner_hears_of_it_by_setting(shop: Shop, monkeypatch: pytest.MonkeyPatch, setting: str, sent: int) -> None:
    """One mail with the amount when MAIL_OWNER_PAYOUTS says so; else it is withdrawn, and the reason is kept."""
    monkeypatch.setenv("MAIL_OWNER", "owner@harborlane.example")
    monkeypatch.setenv("MAIL_OWNER_PAYOUTS", setting)
    payout = paid_out(shop)
    settled(shop)
    settled(shop)
    subjects = [mail["subject"] for mail in shop.mails()]
    assert subjects.count("Stripe pays out 57.96 USD") == sent
    (told,) = [link for link in shop.run("show_payment", payout).json["chain"] if link["what"] == "mail payout"]
    assert told["status"] == ("sent" if sent else "withdrawn")


def test_an_unreadable_setting_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only yes and no are taken, so that a slip is told."""
    monkeypatch.setenv("MAIL_OWNER_PAYOUTS", "weekly")
    ran = shop.run("run_pending")
    assert ran.code == 3
    assert "MAIL_OWNER_PAYOUTS is 'weekly'; expected yes or no" in ran.err


def test_a_payout_whose_entry_is_lost_is_told(shop: Shop) -> None:
    """The invariants look at facts about accounts too."""
    paid_out(shop)
    settled(shop)
    (fact,) = list(shop.till.ledger.facts.of_nobody())
    with shop.till.ledger.transaction():
        back = [type(line)(line.account, -line.amount) for line in shop.till.ledger.facts.posted(fact)]
        shop.till.ledger.facts.add_entry(fact, back, "lost", shop.till.clock.now())
    assert list(invariants.broken(shop.till.ledger)) == [f"the entries of fact {fact.key} are not what the rules say"]
