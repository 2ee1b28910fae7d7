"""reconcile_payments.py: each discrepancy is planted, found with its amount and command, and ended by that command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import requests

from helpers.dry_runs import changes
from helpers.ledgers import raw
from helpers.reconciling import clean, delete, ended, looked, plant, refunded, row_of, the_one, two_sales, usd
from helpers.sale import Shop, control
from reconcile_payments import reconcile_payments
from tillbook.kit.clock import Clock, business_date
from tillbook.kit.errors import Unavailable
from tillbook.proof.repairs import REPAIRS
from tillbook.rules.matching import DISCREPANCIES
from tillbook.sales import company

DAY = 86_400


# -- all is well -------------------------------------------------------------------------------------


def test_two_finished_sales_agree(shop: Shop) -> None:
    """Exit 0; 60.00 twice less 2.04 twice at Stripe, nothing owed; every proof is exact."""
    two_sales(shop)
    found = clean(shop)
    assert (found["matched"], found["repaired"], found["trouble"]) == (4, [], [])
    proofs = {proof["name"]: (proof["left"]["minor"], proof["right"]["minor"]) for proof in found["proofs"]}
    assert proofs == {"PayPal balance USD": (0, 0), "Stripe balance USD": (11592, 11592), "Receivables USD": (0, 0)}


def test_a_new_ledger_is_clean(shop: Shop) -> None:
    """Nothing was sold, and every processor that is set up was asked: it holds nothing either."""
    found = clean(shop)
    assert found["matched"] == 0
    assert {proof["name"]: proof["right"]["minor"] for proof in found["proofs"]} == {
        "PayPal balance USD": 0,
        "Stripe balance USD": 0,
    }


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
def test_money_that_an_empty_ledger_does_not_know_is_a_discrepancy(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, provider: str
) -> None:
    """A lost ledger, another user's home: the processor is asked all the same, and says what it holds."""
    shop.pay(shop.opened_page("INV-1", provider=provider)["checkout_id"])
    shop.later(60)
    shop.run("run_pending")
    shop.later(4 * 3600)
    other = tmp_path / "another"
    other.mkdir(mode=0o700)
    shutil.copy(shop.home / "simulator.json", other)
    monkeypatch.setenv("TILLBOOK_HOME", str(other))
    ran = looked(shop)
    assert ran.code == 7
    assert f"A new ledger was made: {other}/ledger.db" in ran.err
    assert "A new ledger was made" not in looked(shop).err
    assert {one["type"] for one in ran.json["discrepancies"]} >= {"missing_in_ledger"}
    monkeypatch.setenv("TILLBOOK_HOME", str(shop.home))


@pytest.mark.parametrize(
    ("vendor", "path", "name", "left"),
    [
        ("stripe", "*", "Stripe", {"PayPal balance USD", "Receivables USD"}),
        ("paypal", "*", "PayPal", {"Stripe balance USD", "Receivables USD"}),
        ("quickbooks", "*/query", "QuickBooks", {"Stripe balance USD", "PayPal balance USD"}),
    ],
)
def test_a_vendor_that_cannot_be_asked_is_never_well(
    shop: Shop, vendor: str, path: str, name: str, left: set[str]
) -> None:
    """Down for a night: exit 4 by name, whether or not the ledger has anything there, and the others are proven."""
    two_sales(shop)
    shop.fail(vendor, path, "500", times=200)
    ran = looked(shop, "--quiet")
    assert ran.code == 4
    assert {words.partition(":")[0] for words in ran.json["trouble"]} >= {name}
    assert (vendor == "quickbooks") <= (len(ran.json["trouble"]) == 1), "books that are silent are not asked again"
    assert f"not looked at: {name}" in ran.json["verdict"]
    assert {proof["name"] for proof in ran.json["proofs"]} == left


@pytest.mark.parametrize(("provider", "key"), [("stripe", "STRIPE_SECRET_KEY"), ("paypal", "PAYPAL_CLIENT_SECRET")])
def test_a_key_that_is_not_taken_proves_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, provider: str, key: str
) -> None:
    """Revoked in the dashboard: exit 4 by the provider's name, and the other one is proven."""
    two_sales(shop)
    monkeypatch.setenv(key, "sk_test_wrongwrongwrongwrong")
    ran = looked(shop)
    assert ran.code == 4
    named = {"stripe": "Stripe", "paypal": "PayPal"}[provider]
    assert any(words.startswith(f"{named}: ") for words in ran.json["trouble"])
    assert named not in {one["whom"] for one in ran.json["compared"]}
    assert len(ran.json["proofs"]) == 2


def test_the_verdict_says_what_was_compared(shop: Shop) -> None:
    """Two sales: four movements at Stripe, none at PayPal, two documents and each customer in QuickBooks."""
    two_sales(shop)
    found = clean(shop)
    *counted, customers = [(one["number"], one["what"], one["whom"]) for one in found["compared"]]
    assert counted == [(0, "movements", "PayPal"), (4, "movements", "Stripe"), (2, "documents", "QuickBooks")]
    assert customers == (len(shop.books("Customer")), "customers", "QuickBooks")
    assert found["verdict"].startswith("0 movements of PayPal until 20")
    assert found["verdict"].endswith("all agree")
    by_whom = {one["whom"]: one["until"] for one in found["compared"]}
    assert by_whom["PayPal"] < by_whom["Stripe"], "PayPal shows its rows hours later"


def test_quiet_prints_nothing_when_all_is_well(shop: Shop) -> None:
    """For cron: silence is good news; a discrepancy is printed all the same."""
    first, _ = two_sales(shop)
    ran = looked(shop, "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    plant(shop, "stripe", "balance_transaction", row_of(shop, first)["id"])
    ran = looked(shop, "--quiet")
    assert ran.code == 7
    assert ran.json["discrepancies"]


def test_without_repair_nothing_changes(shop: Shop) -> None:
    """A look writes its row of activity and nothing else, here and at every vendor."""
    shop.opened_page()
    shop.pay(shop.run("create_checkout", "INV-1001").json["checkout_id"])
    shop.later(60)
    facts = shop.till.ledger.facts.count()
    before = changes(shop)
    assert looked(shop).code == 7
    assert changes(shop) == before
    assert shop.till.ledger.facts.count() == facts


def test_what_is_younger_than_the_lag_is_no_discrepancy(shop: Shop) -> None:
    """B26: a payment of this minute may still come by its event; the proofs hold all the same."""
    shop.finished("INV-1")
    shop.later(400)
    shop.pay(shop.opened_page("INV-2")["checkout_id"])
    shop.later(60)
    ran = shop.run("reconcile_payments")
    assert (ran.code, ran.json["discrepancies"]) == (0, [])
    assert [proof["difference"]["minor"] for proof in ran.json["proofs"]] == [0, 0, 0]


# -- the processor against the ledger ------------------------------------------------------------------


def test_b20_a_day_of_lost_webhooks_is_repaired_by_one_run(shop: Shop) -> None:
    """Three sales whose events nobody heard: found with their gross and fee, read, posted; the next run is clean."""
    for number in ("INV-1", "INV-2", "INV-3"):
        shop.pay(shop.opened_page(number)["checkout_id"])
    shop.later(DAY)
    ran = looked(shop)
    amounts = sorted(one["amount"]["minor"] for one in ran.json["discrepancies"])
    assert {one["type"] for one in ran.json["discrepancies"]} == {"missing_in_ledger"}
    assert amounts == [204, 204, 204, 6000, 6000, 6000]
    assert {one["age_days"] for one in ran.json["discrepancies"]} == {1}
    repaired = ended(shop, ran.json["discrepancies"][0]).json
    assert len(repaired["repaired"]) == 6
    assert len(shop.books("Payment")) == 3
    assert {row["Balance"] for row in shop.books("Invoice")} == {"0.00"}


def test_b24_a_refund_from_the_dashboard_is_found(shop: Shop) -> None:
    """Made by hand at Stripe, its event lost: it becomes a fact and a RefundReceipt."""
    first, _ = two_sales(shop)
    control(shop.simulator, "refund", {"payment": first, "amount": 2500})
    found = the_one(shop)
    assert (found["type"], found["amount"], found["payment"]) == ("missing_in_ledger", usd(2500), first)
    ended(shop, found)
    assert [row["TotalAmt"] for row in shop.books("RefundReceipt")] == ["25.00"]


def test_a_refund_that_failed_is_found(shop: Shop) -> None:
    """The refund came back days later: the money's return is found and booked."""
    first, _ = two_sales(shop)
    given = refunded(shop, first, "--amount", "10.00")
    control(shop.simulator, "refund_outcome", {"refund": given["refund"], "outcome": "failed"})
    found = the_one(shop)
    assert (found["type"], found["amount"]) == ("missing_in_ledger", usd(1000))
    ended(shop, found)
    assert [row["TotalAmt"] for row in shop.books("SalesReceipt")] == ["10.00"]


def test_what_the_processor_forgot_is_accepted_by_a_person(shop: Shop) -> None:
    """Facts stay; the command shows who took it as it is, and the balance is explained by it from then on."""
    first, _ = two_sales(shop)
    row = row_of(shop, first)
    plant(shop, "stripe", "balance_transaction", row["id"])
    found = looked(shop).json["discrepancies"]
    assert {(one["type"], one["amount"]["minor"]) for one in found} == {
        ("missing_at_processor", 6000),
        ("missing_at_processor", 204),
    }
    facts = shop.till.ledger.facts.count()
    for one in found:
        assert (one["repair"], one["needs_person"]) == ("", True)
        shop.run("reconcile_payments", "--accept", one["subject"], "--because", "Stripe support, case 7")
    result = clean(shop)
    assert result["accepted"] == 2
    assert shop.till.ledger.facts.count() == facts
    with raw(shop.home / "ledger.db") as connection:
        told = set(connection.execute("select reason, accepted_by from acceptance"))
    assert told == {("Stripe support, case 7", shop.till.asked_by)}
    shop.later(40 * DAY)
    assert clean(shop)["accepted"] == 0


def test_another_amount_on_the_statement(shop: Shop) -> None:
    """Stripe's row says 61.00: 1.00 more than the fact; a person may accept exactly that."""
    first, _ = two_sales(shop)
    row = row_of(shop, first)
    plant(shop, "stripe", "balance_transaction", row["id"], amount=6100, net=5896)
    found = the_one(shop)
    assert (found["type"], found["amount"]) == ("amount_differs", usd(100))
    ended(shop, found)
    plant(shop, "stripe", "balance_transaction", row["id"], amount=6300, net=6096)
    assert the_one(shop)["amount"] == usd(300)


def test_a_category_that_is_not_booked_yet(shop: Shop) -> None:
    """An adjustment of -5.00: a named item that explains the balance once a person accepted it."""
    first, _ = two_sales(shop)
    row = {**row_of(shop, first), "id": "txn_0123456789abcdef01234567", "amount": -500, "net": -500, "fee": 0}
    row |= {"fee_details": [], "reporting_category": "other_adjustment", "type": "adjustment", "source": None}
    shop.simulator.world.save("stripe.balance_transaction", row["id"], row)
    found = the_one(shop)
    assert (found["type"], found["amount"]) == ("unmapped_balance_transaction", usd(-500))
    assert "other_adjustment" in found["because"]
    ended(shop, found)


def test_an_empty_statement_is_not_believed(shop: Shop) -> None:
    """Stripe suddenly shows nothing: it is not believed, said so, and nothing is repaired on such a word."""
    two_sales(shop)
    for row in list(shop.simulator.world.all("stripe.balance_transaction")):
        plant(shop, "stripe", "balance_transaction", row["id"])
    for options in ((), ("--repair",)):
        ran = looked(shop, *options)
        assert (ran.code, ran.json["discrepancies"], ran.json["repaired"]) == (4, [], [])
        assert "Stripe: the statement of stripe is empty" in ran.json["trouble"][0]


def test_d14_the_balance_itself_is_proven(shop: Shop) -> None:
    """Money that moved before the first day looked at: the proof says how much, and names the way to find it."""
    first, _ = two_sales(shop)
    row = {**row_of(shop, first), "id": "txn_0123456789abcdef01234567", "amount": 700, "net": 700, "fee": 0}
    row |= {"created": row["created"] - 60 * DAY, "reporting_category": "topup", "type": "topup", "source": None}
    shop.simulator.world.save("stripe.balance_transaction", row["id"], row)
    found = the_one(shop)
    assert (found["type"], found["amount"], found["subject"]) == ("proof_failed", usd(-700), "balance:stripe:USD")
    ended(shop, found)


# -- what stands by itself -----------------------------------------------------------------------------


def test_an_operation_without_an_end(shop: Shop) -> None:
    """The answer to a refund was lost: the operation is named, and run_pending.py ends it."""
    first, _ = two_sales(shop)
    shop.fail("stripe", "*/refunds", "drop_after", method="POST", times=3)
    assert shop.run("refund_payment", first, "--amount", "10.00").code == 5
    found = [one for one in looked(shop).json["discrepancies"] if one["type"] == "uncertain_operation"]
    assert [(one["amount"], one["payment"]) for one in found] == [(usd(1000), first)]
    assert found[0]["repair"] == "python execution/run_pending.py"
    ended(shop, found[0])


def test_more_went_back_than_came_in(shop: Shop) -> None:
    """A vendor's word that breaks the bound is recorded and named; only a person ends it."""
    first, _ = two_sales(shop)
    control(shop.simulator, "refund", {"payment": first})
    shop.run("run_pending")
    refund = next(iter(shop.simulator.world.all("stripe.refund")))
    row = shop.simulator.world.get("stripe.balance_transaction", refund["balance_transaction"])
    assert row is not None
    again = {**refund, "id": "re_0123456789abcdef01234567", "balance_transaction": "txn_0123456789abcdef01234567"}
    again["amount"] = 500
    shop.simulator.world.save("stripe.refund", again["id"], again)
    more = {**row, "id": again["balance_transaction"], "source": again["id"], "amount": -500, "net": -500}
    shop.simulator.world.save("stripe.balance_transaction", more["id"], more)
    found = the_one(shop)
    assert (found["type"], found["amount"]) == ("missing_in_ledger", usd(500))
    ran = shop.run("reconcile_payments", "--repair")
    assert ran.code == 7
    over = next(one for one in ran.json["discrepancies"] if one["type"] == "over_returned")
    assert (over["amount"], over["subject"]) == (usd(500), first)
    ended(shop, over)


def test_an_event_that_could_not_be_read_for_a_day(shop: Shop) -> None:
    """Stripe was down while it came: the quoted command reads it."""
    shop.finished("INV-1")
    shop.paid("INV-2")
    shop.fail("stripe", "*/payment_intents/*", "500", times=99)
    shop.run("process_inbox")
    control(shop.simulator, "clock", {"advance_seconds": 25 * 3600})

    requests.delete(f"{shop.simulator.url}/_control/faults", timeout=10)
    kinds = [one["type"] for one in looked(shop).json["discrepancies"]]
    assert "parked_event" in kinds
    found = next(one for one in shop.run("reconcile_payments").json["discrepancies"] if one["type"] == "parked_event")
    assert (found["amount"], found["repair"]) == (None, "python execution/process_inbox.py")
    assert shop.run("process_inbox").code == 0
    assert shop.run("post_to_books").code == 0
    clean(shop)


# -- manners -------------------------------------------------------------------------------------------


def test_f11_two_at_once(shop: Shop) -> None:
    """One is at work: the other ends with exit 4 and has done nothing."""
    with shop.till.ledger.lock("reconciliation"):
        ran = shop.run("reconcile_payments", "--repair")
    assert (ran.code, ran.out) == (4, "")
    assert "another process is at work" in ran.err


def test_repair_twice(shop: Shop) -> None:
    """The second repair finds nothing to do."""
    shop.pay(shop.opened_page()["checkout_id"])
    shop.later(60)
    assert looked(shop, "--repair").code == 0
    sent = len(shop.requests("quickbooks", "POST", "/payment"))
    again = looked(shop, "--repair")
    assert (again.code, again.json["repaired"]) == (0, [])
    assert len(shop.requests("quickbooks", "POST", "/payment")) == sent


def test_a_dry_run_of_the_repair(shop: Shop) -> None:
    """--dry-run lists what would be posted, with debits and credits, and sends nothing."""
    shop.pay(shop.opened_page()["checkout_id"])
    shop.later(60)
    ran = looked(shop, "--repair", "--dry-run")
    assert [step["kind"] for step in ran.json["plan"]] == ["create_account", "post_payment"]
    assert {row["account"] for row in ran.json["entries"]} >= {"Stripe Clearing", "Receivable"}
    assert shop.books("Payment") == []
    assert shop.till.ledger.facts.count() == 1


@pytest.mark.parametrize("vendor", ["stripe", "quickbooks"])
def test_a_vendor_that_is_down(shop: Shop, vendor: str) -> None:
    """Exit 4: nothing happened, run again."""
    two_sales(shop)
    shop.fail(vendor, "*", "500", times=20)
    assert looked(shop).code == 4


def test_a_repair_that_is_uncertain(shop: Shop) -> None:
    """QuickBooks breaks off while it posts: exit 5 and what is left; the next repair ends it without a second one."""
    two_sales(shop)
    delete(shop, "Payment", shop.books("Payment")[0]["Id"])
    shop.fail("quickbooks", "*/payment", "drop_after", method="POST", times=3)
    ran = looked(shop, "--repair")
    assert ran.code == 5
    assert ran.json["trouble"]
    shop.later(3600)
    assert shop.run("reconcile_payments", "--repair").code == 0
    clean(shop)
    assert len(shop.books("Payment")) == 2


def test_dates(shop: Shop) -> None:
    """A past window has its own proof; the command repeats the window; a wrong date is exit 3."""
    first, _ = two_sales(shop)
    day = business_date(row_of(shop, first)["created"], company.zone(shop.till)).isoformat()
    shop.later(3 * DAY)
    past = shop.run("reconcile_payments", "--from", day, "--to", day)
    assert (past.code, past.json["matched"]) == (0, 4)
    assert {proof["name"] for proof in past.json["proofs"]} == {"Stripe statement USD", "Receivables USD"}
    delete(shop, "Payment", shop.books("Payment")[0]["Id"])
    (found,) = shop.run("reconcile_payments", "--from", day, "--to", day).json["discrepancies"]
    assert found["repair"] == f"python execution/reconcile_payments.py --repair --from {day} --to {day}"
    ended(shop, found)
    for wrong in ("yesterday", "2199-01-01", "0001-01-01", "9999-12-31"):
        assert shop.run("reconcile_payments", "--from", wrong).code == 3
    assert shop.run("reconcile_payments", "--to", "9999-12-31").code == 3
    assert shop.run("reconcile_payments", "--from", day, "--to", "2020-01-01").code == 3


def test_nothing_to_accept(shop: Shop) -> None:
    """What a machine repairs, or what is not there, cannot be accepted."""
    two_sales(shop)
    delete(shop, "Payment", shop.books("Payment")[0]["Id"])
    for subject in (the_one(shop)["subject"], "ch_0"):
        ran = shop.run("reconcile_payments", "--accept", subject, "--because", "case 7")
        assert ran.code == 3
        assert "Those that may be accepted: none" in ran.err


def test_the_page_for_people(shop: Shop, tmp_path: Path) -> None:
    """--report writes the proofs, the differences and their commands; markup in a name stays text."""
    first, _ = two_sales(shop)
    row = row_of(shop, first)
    plant(shop, "stripe", "balance_transaction", row["id"], reporting_category="<b>odd & new</b>")
    file = tmp_path / "report.html"
    assert looked(shop, "--report", str(file)).code == 7
    page = file.read_text(encoding="utf-8")
    assert "57.96 USD" in page
    assert row["id"] in page
    assert "a person decides" in page
    assert "&lt;b&gt;odd &amp; new&lt;/b&gt;" in page
    assert "<b>" not in page
    assert shop.run("reconcile_payments", "--report", str(tmp_path)).code == 3


def test_yen(shop: Shop) -> None:
    """A currency without decimals is proven on its own."""
    shop.finished("INV-1")
    lines = [{"description": "Consulting", "sku": "CONSULT", "quantity": "1", "unit_price": "6000"}]
    customer = {"name": "Kaito KK", "email": "kaito@example.com"}
    payment = shop.finished("INV-2", currency="JPY", lines=lines, customer=customer)
    refunded(shop, payment, "--amount", "1000")
    names = {proof["name"] for proof in clean(shop)["proofs"]}
    stripe = {"Stripe balance USD", "Stripe balance JPY", "Receivables USD", "Receivables JPY"}
    assert names == {"PayPal balance USD"} | stripe


def test_refunds_and_failed_refunds_are_proven(shop: Shop) -> None:
    """Part, rest and one that failed: nothing differs anywhere."""
    first, second = two_sales(shop)
    refunded(shop, first, "--amount", "10.00")
    refunded(shop, first, "--amount", "50.00")
    failed = refunded(shop, second, "--amount", "15.00")
    control(shop.simulator, "refund_outcome", {"refund": failed["refund"], "outcome": "failed"})
    assert shop.run("run_pending").code == 0
    proofs = {proof["name"]: proof["left"]["minor"] for proof in clean(shop)["proofs"]}
    assert proofs == {"PayPal balance USD": 0, "Stripe balance USD": 11592 - 6000, "Receivables USD": 0}


def test_the_plain_function_does_the_same(shop: Shop) -> None:
    """Other scripts import the function."""
    two_sales(shop)
    assert reconcile_payments(till=shop.till).exit_code == 0
    with shop.till.ledger.lock("reconciliation"), pytest.raises(Unavailable):
        reconcile_payments(till=shop.till)


def test_every_discrepancy_has_its_way_out() -> None:
    """What the table says a machine repairs has its function, and everything ends by machine or by a person."""
    assert {key for key, remedy in DISCREPANCIES.items() if remedy.by_machine} == set(REPAIRS)
    assert [key for key, remedy in DISCREPANCIES.items() if not (remedy.by_machine or remedy.by_person)] == []
    for remedy in DISCREPANCIES.values():
        assert (remedy.command == "") <= remedy.by_person
        assert "--accept" not in remedy.command, "whatever is printed as a command is run by somebody"


class TickingClock(Clock):
    """A second passes with every look at it, as it may between any two."""

    looks = 0

    def now(self) -> int:
        self.looks += 1
        return super().now() + self.looks


def test_no_proof_is_left_out_because_a_second_passed(shop: Shop) -> None:
    """One judgement reads the clock once: 74.47 that are missing at the processor are never silence."""
    two_sales(shop)
    shop.till.clock = TickingClock(shop.till.settings.clock_file)
    seen = reconcile_payments(till=shop.till)
    assert {proof.name for proof in seen.proofs} >= {"Stripe balance USD", "PayPal balance USD", "Receivables USD"}
    assert seen.exit_code == 0
