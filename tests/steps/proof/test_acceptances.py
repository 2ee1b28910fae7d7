"""What waits for a person is told, ended by a person with a reason, listed, and taken back."""

from __future__ import annotations

import apsw
import pytest
import requests

from helpers.ledgers import raw
from helpers.reconciling import clean, ended, looked, plant, row_of, the_one, two_sales, usd
from helpers.refunding import paid_twice
from helpers.sale import Json, Shop, control

DAY = 86_400


def charged_by_somebody(shop: Shop, minor: int) -> str:
    """A payment at our Stripe account that another program, or a person in the dashboard, asked for."""
    price = "line_items[0][price_data]"
    form: dict[str, str] = {
        "mode": "payment",
        "success_url": "https://shop.example/thanks",
        "line_items[0][quantity]": "1",
        f"{price}[currency]": "usd",
        f"{price}[unit_amount]": str(minor),
        f"{price}[product_data][name]": "Workshop",
    }
    key = str(shop.simulator.world.accounts["stripe_secret_key"])
    made = requests.post(f"{shop.simulator.url}/stripe/v1/checkout/sessions", data=form, auth=(key, ""), timeout=10)
    made.raise_for_status()
    return str(shop.pay(made.json()["id"])["payment_intent"])


def waiting(shop: Shop) -> list[tuple[str, str, Json]]:
    """What a look lists as waiting for a person."""
    return [(one["type"], one["subject"], one["amount"]) for one in looked(shop).json["waiting"]]


# -- what waits ----------------------------------------------------------------------------------------


def test_money_of_nobody_waits_in_the_list_and_is_a_discrepancy_after_a_day(shop: Shop) -> None:
    """A charge of 500.00 in the dashboard, without an invoice: listed at once, exit 7 from then on, until accepted."""
    shop.finished("INV-1")
    paid = charged_by_somebody(shop, 50_000)
    shop.later(600)
    shop.run("run_pending")
    shop.later(3600)
    assert waiting(shop) == [("money_of_nobody", paid, usd(50_000))]
    assert "money_of_nobody" not in {one["type"] for one in looked(shop).json["discrepancies"]}
    shop.later(DAY)
    found = the_one(shop)
    assert (found["type"], found["subject"], found["amount"]) == ("money_of_nobody", paid, usd(50_000))
    assert found["age_days"] >= 1
    ended(shop, found)
    assert waiting(shop) == []


def test_a_double_payment_waits_in_the_list_and_is_a_discrepancy_after_a_day(shop: Shop) -> None:
    """60.00 that a customer paid twice: given back or left by a person's word, never forgotten."""
    _, second = paid_twice(shop)
    assert shop.run("run_pending").code == 0
    assert waiting(shop) == [("credit_of_customer", "INV-1001", usd(6000))]
    shop.later(DAY)
    found = the_one(shop)
    assert (found["type"], found["subject"], found["amount"]) == ("credit_of_customer", "INV-1001", usd(6000))
    assert shop.run("refund_payment", second).code == 0
    assert shop.run("run_pending").code == 0
    clean(shop)
    assert waiting(shop) == []


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
def test_a_dispute_that_nobody_answers_is_told_with_its_last_day(shop: Shop, provider: str) -> None:
    """It waits in the list at once, and is a discrepancy after a day: unanswered it is lost."""
    page = shop.opened_page("INV-1", provider=provider)["checkout_id"]
    payment = shop.pay(page).get("payment_intent", page)
    shop.later(60)
    assert shop.run("run_pending").code == 0
    shop.later(4 * 3600)
    control(shop.simulator, "dispute", {"payment": payment, "kind": "dispute"})
    found = looked(shop).json
    (waits,) = found["waiting"]
    assert (waits["type"], waits["amount"]) == ("open_dispute", usd(6000))
    assert "answer until 20" in waits["because"]
    assert "open_dispute" not in {one["type"] for one in found["discrepancies"]}
    shop.later(DAY)
    told = next(one for one in looked(shop).json["discrepancies"] if one["type"] == "open_dispute")
    assert (told["subject"], told["needs_person"]) == (waits["subject"], True)


def test_a_credit_that_may_stay_is_accepted_and_another_amount_is_told_again(shop: Shop) -> None:
    """The acceptance holds for exactly this amount."""
    _, second = paid_twice(shop)
    shop.run("run_pending")
    shop.later(DAY + 400)
    ended(shop, the_one(shop))
    assert shop.run("refund_payment", second, "--amount", "10.00").code == 0
    assert shop.run("run_pending").code == 0
    assert waiting(shop) == [("credit_of_customer", "INV-1001", usd(5000))]


def test_an_event_that_never_can_be_read_is_dismissed(shop: Shop) -> None:
    """Its object is gone: after a person's word nothing tries it again or tells of it, until that is taken back."""
    shop.finished("INV-1")
    shop.paid("INV-2")
    shop.fail("stripe", "*/payment_intents/*", "500", times=99)
    shop.run("process_inbox")
    parked = [subject for kind, subject, _ in waiting(shop) if kind == "parked_event"]
    assert parked
    assert shop.run("check_setup").code == 3
    for event in parked:
        assert shop.run("reconcile_payments", "--accept", event, "--because", "of a test account").code == 7
    assert "parked_event" not in {kind for kind, _, _ in waiting(shop)}
    assert not [one for one in shop.run("check_setup").json["checks"] if one["name"] == "events" and not one["ok"]]
    requests.delete(f"{shop.simulator.url}/_control/faults", timeout=10)
    shop.later(DAY)
    asked = len(shop.requests("stripe", "GET", "/v1/payment_intents"))
    assert shop.run("process_inbox").json["applied"] == 0
    assert len(shop.requests("stripe", "GET", "/v1/payment_intents")) == asked
    for one in shop.run("reconcile_payments", "--acceptances").json["acceptances"]:
        assert shop.run("reconcile_payments", "--withdraw", str(one["id"]), "--because", "it can be read").code == 0
    assert shop.run("process_inbox").json["applied"] == len(parked)


# -- acceptances ---------------------------------------------------------------------------------------


def test_an_acceptance_is_listed_shown_and_taken_back(shop: Shop) -> None:
    """Who, when and why: by --acceptances and show_payment.py; --withdraw makes it a discrepancy again."""
    first, _ = two_sales(shop)
    plant(shop, "stripe", "balance_transaction", row_of(shop, first)["id"])
    found = next(one for one in looked(shop).json["discrepancies"] if one["amount"] == usd(6000))
    subject = found["subject"]
    assert shop.run("reconcile_payments", "--accept", subject, "--because", "Stripe support, case 7").code == 7
    (one,) = shop.run("reconcile_payments", "--acceptances").json["acceptances"]
    assert (one["type"], one["subject"], one["amount"]) == ("missing_at_processor", subject, usd(6000))
    assert one["because"] == "Stripe support, case 7"
    assert one["accepted_by"]
    proof = next(proof for proof in looked(shop).json["proofs"] if proof["name"] == "Stripe balance USD")
    assert any(subject in because for because in proof["because"])
    assert [link["status"] for link in acceptances(shop, "INV-1")] == ["accepted"]
    ran = shop.run("reconcile_payments", "--withdraw", str(one["id"]), "--because", "They found it.")
    assert (ran.code, ran.json["withdrawn"]["subject"]) == (0, subject)
    assert shop.run("reconcile_payments", "--acceptances").json["acceptances"] == []
    (link,) = acceptances(shop, "INV-1")
    assert (link["status"], "They found it." in link["detail"]) == ("withdrawn", True)
    assert subject in {one["subject"] for one in looked(shop).json["discrepancies"]}


def acceptances(shop: Shop, number: str) -> list[Json]:
    """The links of a sale's chain that say what a person accepted."""
    return [link for link in shop.run("show_payment", number).json["chain"] if link["what"] == "acceptance"]


def test_what_explains_a_figure_is_named(shop: Shop) -> None:
    """A row that the ledger has not heard of, a record of somebody else: each figure says what it is made of."""
    first, _ = two_sales(shop)
    control(shop.simulator, "refund", {"payment": first, "amount": 2500})
    customer = shop.books("Invoice")[0]["CustomerRef"]
    line = {"Amount": 9.0, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}}}
    shop.entered_by_hand("Invoice", {"CustomerRef": customer, "Line": [line]})
    proofs = {proof["name"]: proof["because"] for proof in looked(shop).json["proofs"]}
    assert proofs["PayPal balance USD"] == []
    assert [words.split()[0] for words in proofs["Stripe balance USD"]] == ["missing_in_ledger"]
    assert [words.split()[0] for words in proofs["Receivables USD"]] == ["Invoice"]


def test_only_what_stands_is_taken_back_and_only_with_a_reason(shop: Shop) -> None:
    """Unknown, taken back already, or without a word why: exit 3, and the hint says where they are listed."""
    first, _ = two_sales(shop)
    plant(shop, "stripe", "balance_transaction", row_of(shop, first)["id"], amount=6100, net=5896)
    ended(shop, the_one(shop))
    (one,) = shop.run("reconcile_payments", "--acceptances").json["acceptances"]
    key = str(one["id"])
    assert "--because" in shop.run("reconcile_payments", "--withdraw", key).err
    assert shop.run("reconcile_payments", "--withdraw", key, "--because", "a mistake").code == 0
    for wrong in (key, "99"):
        ran = shop.run("reconcile_payments", "--withdraw", wrong, "--because", "a mistake")
        assert ran.code == 3
        assert "--acceptances" in ran.err


def test_what_was_accepted_stays_written_down(shop: Shop) -> None:
    """The database refuses to change or remove an acceptance."""
    first, _ = two_sales(shop)
    plant(shop, "stripe", "balance_transaction", row_of(shop, first)["id"], amount=6100, net=5896)
    assert shop.run("reconcile_payments", "--accept", the_one(shop)["subject"], "--because", "case 7").code == 0
    connection = raw(shop.home / "ledger.db")
    for change in ("update acceptance set reason = 'x'", "delete from acceptance"):
        with pytest.raises(apsw.ConstraintError):
            connection.execute(change)
    connection.close()


def test_nobody_accepts_without_a_reason(shop: Shop) -> None:
    """Neither without one, nor with nothing but spaces, nor a reason for nothing: exit 3, and nothing is written."""
    first, _ = two_sales(shop)
    plant(shop, "stripe", "balance_transaction", row_of(shop, first)["id"], amount=6100, net=5896)
    subject = the_one(shop)["subject"]
    for options in (["--accept", subject], ["--accept", subject, "--because", "  "], ["--because", "case 7"]):
        ran = shop.run("reconcile_payments", *options)
        assert (ran.code, ran.out) == (3, "")
        assert "go together" in ran.err
    assert the_one(shop)["subject"] == subject
