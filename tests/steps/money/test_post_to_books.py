"""post_to_books.py: what the facts call for stands in QuickBooks, once, gross, and applied to the right invoice."""

from __future__ import annotations

import pytest

from helpers.dry_runs import dry_run, operations
from helpers.sale import Shop
from post_to_books import post_to_books


def read(shop: Shop, number: str = "INV-1001") -> str:
    """A payment that was read: its document waits."""
    payment = shop.paid(number)
    shop.run("process_inbox")
    return payment


def test_a_gross_payment_to_clearing_linked_to_the_invoice(shop: Shop) -> None:
    """60.00 (not 57.96), to Stripe Clearing (USD), on the day of the charge, with our mark and Stripe's id."""
    payment = read(shop)
    assert shop.run("post_to_books").json == {"posted": 1, "waiting": 0, "failed": 0}
    (posted,) = shop.books("Payment")
    (invoice,) = shop.books("Invoice")
    account = {row["Id"]: row for row in shop.books("Account")}[posted["DepositToAccountRef"]["value"]]
    operation = shop.till.ledger.operations.get(posted["PaymentRefNum"])
    assert posted["TotalAmt"] == "60.00"
    assert posted["UnappliedAmt"] == "0.00"
    assert [line["LinkedTxn"] for line in posted["Line"]] == [[{"TxnId": invoice["Id"], "TxnType": "Invoice"}]]
    assert (account["Name"], account["AccountType"]) == ("Stripe Clearing (USD)", "Bank")
    assert operation is not None
    assert len(operation.id) <= 21
    assert payment in posted["PrivateNote"]
    assert (invoice["Balance"], invoice["TotalAmt"]) == ("0.00", "60.00")


def test_one_clearing_account_for_all(shop: Shop) -> None:
    """Found by name and type, made once, used by every payment of the currency."""
    for number in ("INV-1", "INV-2"):
        read(shop, number)
        shop.run("post_to_books")
    made = [row for row in shop.books("Account") if row["Name"].startswith("Stripe Clearing")]
    assert len(made) == 1
    assert {row["DepositToAccountRef"]["value"] for row in shop.books("Payment")} == {made[0]["Id"]}


def test_a_second_run_posts_nothing(shop: Shop) -> None:
    """Posted is posted."""
    read(shop)
    shop.run("post_to_books")
    assert shop.run("post_to_books").json == {"posted": 0, "waiting": 0, "failed": 0}
    assert len(shop.books("Payment")) == 1


def test_d10_an_overpayment_is_applied_up_to_what_is_open(shop: Shop) -> None:
    """20.00 were taken in cash after the page was opened: 40.00 applied, 20.00 stay as credit; nothing is refused."""
    page = shop.opened_page()
    shop.paid_at_the_counter("INV-1001", "20.00")
    shop.pay(page["checkout_id"])
    shop.later(60)
    shop.run("poll_events")
    shop.run("process_inbox")
    assert shop.run("post_to_books").json["posted"] == 1
    ours = next(row for row in shop.books("Payment") if row["TotalAmt"] == "60.00")
    assert ours["UnappliedAmt"] == "20.00"
    assert [line["Amount"] for line in ours["Line"]] == ["40.00"]


@pytest.mark.parametrize("kind", ["500", "429", "html_502", "drop_before"])
def test_books_that_are_down_leave_the_document_waiting(shop: Shop, kind: str) -> None:
    """Exit 4 or 5, one waits; after a pause it is posted once."""
    read(shop)
    shop.fail("quickbooks", "*/payment", kind, method="POST", times=3)
    ran = shop.run("post_to_books")
    assert ran.code in (4, 5)
    assert (ran.json["posted"], ran.json["waiting"], ran.json["failed"]) == (0, 1, 0)
    for _ in range(3):
        shop.later(400)
        shop.run("run_pending")
    assert len(shop.books("Payment")) == 1
    assert shop.till.ledger.documents.count_waiting() == 0


def test_what_the_books_refuse_is_failed_and_can_be_tried_again(shop: Shop) -> None:
    """The invoice was deleted by hand: exit 3, failed with its reason; --again after it was mended posts it."""
    read(shop)
    (invoice,) = shop.books("Invoice")
    gone = {**invoice, "Balance": "0.00", "TotalAmt": "0.00", "PrivateNote": "Voided", "Line": [], "SyncToken": "7"}
    shop.simulator.world.save("quickbooks.Invoice", invoice["Id"], gone)
    ran = shop.run("post_to_books")
    assert (ran.code, ran.json) == (3, {"posted": 0, "waiting": 0, "failed": 1})
    (failed,) = shop.till.ledger.documents.failed()
    assert "voided" in failed.reason
    shop.simulator.world.save("quickbooks.Invoice", invoice["Id"], {**invoice, "SyncToken": "8"})
    assert shop.run("post_to_books").json["posted"] == 0
    assert shop.run("post_to_books", "--again", failed.key).json == {"posted": 1, "waiting": 0, "failed": 0}
    assert len(shop.books("Payment")) == 1


def test_again_of_what_did_not_fail(shop: Shop) -> None:
    """A key that nobody knows, or of a posted document: exit 3 with the failed ones."""
    read(shop)
    shop.run("post_to_books")
    (document,) = shop.till.ledger.documents.of_invoice("INV-1001")
    for key in ("payment:stripe:ch_0", document.key):
        ran = shop.run("post_to_books", "--again", key)
        assert (ran.code, ran.out) == (3, "")
        assert "Failed documents: none" in ran.err
    assert len(shop.books("Payment")) == 1


def test_no_more_than_the_limit(shop: Shop) -> None:
    """--limit bounds a round."""
    read(shop, "INV-1")
    read(shop, "INV-2")
    assert shop.run("post_to_books", "--limit", "1").json == {"posted": 1, "waiting": 1, "failed": 0}


def test_the_plain_function_does_the_same(shop: Shop) -> None:
    """Other scripts import the function."""
    read(shop)
    assert post_to_books(till=shop.till).posted == 1


def test_g20_a_dry_run_plans_what_the_real_run_does(shop: Shop) -> None:
    """With the clearing account known, the parameters of the Payment are the stored ones, to the byte."""
    shop.run("connect_quickbooks")
    read(shop)
    done = len(operations(shop))
    plan = dry_run(shop, "post_to_books")
    assert shop.run("post_to_books").code == 0
    assert [step["kind"] for step in plan["plan"]] == ["post_payment"]
    assert plan["plan"] == operations(shop)[done:]
    assert plan["posted"] == 1


def test_g20_a_dry_run_says_that_an_account_would_be_made(shop: Shop) -> None:
    """The first payment ever also makes its clearing account; only its id is not known yet."""
    read(shop)
    done = len(operations(shop))
    plan = dry_run(shop, "post_to_books")["plan"]
    shop.run("post_to_books")
    real = operations(shop)[done:]
    assert [step["kind"] for step in real] == ["create_account", "post_payment"]
    assert plan[1]["params"].pop("deposit_account_id") == "(new) Stripe Clearing (USD)"
    real[1]["params"].pop("deposit_account_id")
    assert plan == real
