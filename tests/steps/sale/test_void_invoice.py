"""void_invoice.py and corrected orders: what must not stand is ended, and its number is free for the right order."""

from __future__ import annotations

from typing import Any

import pytest

from create_invoice import read_file
from helpers.dry_runs import changes, dry_run
from helpers.reconciling import clean, create, looked
from helpers.refunding import settled
from helpers.sale import Json, Shop
from tillbook.proof import invariants
from tillbook.rules.orders import order_json

AUSTIN = {"line1": "1 Main St", "city": "Austin", "state": "TX", "postal_code": "78701", "country": "US"}
MUG = {"description": "Mug", "sku": "MUG", "quantity": "3", "unit_price": "12.50", "taxable": True}
STATED: Json = {
    "lines": [MUG],
    "customer": {"name": "Mug Club", "email": "m@example.com", "address": AUSTIN},
    "tax": {"amount": "3.00"},
}
"""The form showed 40.50; QuickBooks computes 40.59."""


def submitted(shop: Shop, number: str, **changed: Any) -> bool:
    """What the receiver does with a form: whether it was taken."""
    order = read_file(shop.order(number, **changed))
    with shop.till.ledger.transaction():
        return shop.till.ledger.forms.add(number, order_json(order), shop.till.clock.now())


def living(shop: Shop) -> list[str]:
    """Number and total of every invoice that bills something."""
    return [f"{row['DocNumber']} {row['TotalAmt']}" for row in shop.books("Invoice") if float(row["TotalAmt"])]


def receivable(shop: Shop, number: str) -> dict[str, int]:
    found = shop.till.ledger.facts.invoice_balances(number)
    return {account: money.minor for (account, _), money in found.items() if money}


# -- the end of an invoice -------------------------------------------------------------------------


def test_a_voided_invoice_is_owed_by_nobody_and_cannot_be_paid(shop: Shop) -> None:
    """Its pages are closed first, QuickBooks has it voided, the ledger owes nothing, and the proof is clean."""
    page = shop.opened_page("INV-1")
    shop.run("send_invoice", "INV-1")
    shop.finished("INV-2")
    ran = shop.run("void_invoice", "INV-1").json
    assert (ran["amount"]["minor"], ran["pages_closed"], ran["already_done"]) == (6000, 2, False)
    assert living(shop) == ["INV-2 60.00"]
    assert "error" in shop.pay(page["checkout_id"])
    assert receivable(shop, "INV-1") == {}
    assert list(invariants.broken(shop.till.ledger)) == []
    assert shop.run("void_invoice", "INV-1").json["already_done"] is True
    for script in ("create_checkout", "send_invoice"):
        refused = shop.run(script, "INV-1")
        assert (refused.code, "voided" in refused.err) == (3, True)
    clean(shop)


def test_what_is_paid_is_not_voided(shop: Shop) -> None:
    """By a page, by a cheque that was entered by hand, or by a payment that nobody posted yet: given back instead."""
    shop.finished("INV-1")
    shop.invoiced("INV-2")
    shop.paid_at_the_counter("INV-2", "25.00")
    shop.pay(shop.opened_page("INV-3")["checkout_id"])
    for number in ("INV-1", "INV-2", "INV-3"):
        ran = shop.run("void_invoice", number)
        assert (ran.code, ran.out) == (3, "")
        assert "not voided" in ran.err
    assert living(shop) == ["INV-1 60.00", "INV-2 60.00", "INV-3 60.00"]
    assert shop.run("void_invoice", "INV-9").code == 3


def test_a_dry_run_voids_nothing(shop: Shop) -> None:
    """What would be closed and voided is listed; pages and invoice stay."""
    shop.opened_page("INV-1")
    before = changes(shop)
    plan = dry_run(shop, "void_invoice", "INV-1")
    assert [step["kind"] for step in plan["plan"]] == ["close_checkout", "void_document"]
    assert changes(shop) == before
    assert living(shop) == ["INV-1 60.00"]


def test_one_that_a_person_voided_in_quickbooks_is_ended_too(shop: Shop) -> None:
    """The ledger still owes it, and says so every round; the command ends it without a word to QuickBooks."""
    shop.invoiced("INV-1")
    (row,) = shop.books("Invoice")
    voided = {"TotalAmt": "0", "Balance": "0", "HomeTotalAmt": "0", "PrivateNote": f"Voided - {row['PrivateNote']}"}
    shop.simulator.world.save("quickbooks.Invoice", row["Id"], {**row, **voided, "Line": [], "SyncToken": "1"})
    assert shop.run("void_invoice", "INV-1").code == 0
    assert receivable(shop, "INV-1") == {}
    assert shop.run("create_invoice", shop.order("INV-1", due="2027-02-28")).code == 0


# -- the corrected order ---------------------------------------------------------------------------


def test_the_corrected_order_takes_the_number_of_the_voided_one(shop: Shop) -> None:
    """Billed, mailed, paid and proven under the same number; the first order is told apart from it for ever."""
    assert shop.run("create_invoice", shop.order("INV-1", **STATED)).code == 3
    shop.later(60)
    assert shop.run("void_invoice", "INV-1").code == 0
    right = {**STATED, "tax": {"amount": "3.09"}}
    made = shop.run("create_invoice", shop.order("INV-1", **right)).json
    assert (made["amount"]["minor"], made["already_done"]) == (4059, False)
    assert shop.run("create_invoice", shop.order("INV-1", **right)).json["already_done"] is True
    assert shop.run("create_invoice", shop.order("INV-1", **STATED)).code == 3
    shop.pay(shop.run("create_checkout", "INV-1").json["checkout_id"])
    settled(shop)
    assert living(shop) == ["INV-1 40.59"]
    assert receivable(shop, "INV-1") == {"Revenue": -3750, "Sales Tax": -309}
    shop.finished("INV-2")
    clean(shop)


def test_the_corrected_invoice_is_mailed_although_the_first_one_was(shop: Shop) -> None:
    """The mail of the voided invoice does not stand for that of the right one, by either way."""
    shop.invoiced("INV-1")
    assert shop.run("send_invoice", "INV-1").code == 0
    assert submitted(shop, "INV-2")
    assert shop.run("run_pending").code == 0
    for number in ("INV-1", "INV-2"):
        assert shop.run("void_invoice", number).code == 0
    shop.later(60)
    assert shop.run("create_invoice", shop.order("INV-1", due="2027-02-28")).code == 0
    assert shop.run("send_invoice", "INV-1").json["already_done"] is False
    assert submitted(shop, "INV-2", due="2027-02-28")
    assert shop.run("run_pending").code == 0
    assert [mail["subject"].count("INV-") for mail in shop.mails()] == [1, 1, 1, 1]
    assert living(shop) == ["INV-1 60.00", "INV-2 60.00"]


def test_a_difference_names_its_fields(shop: Shop) -> None:
    """The same number with another content: each field with both values, and what may be done."""
    shop.invoiced("INV-1")
    line = {"description": "Consulting", "sku": "CONSULT", "quantity": "0.75", "unit_price": "120.00"}
    ran = shop.run("create_invoice", shop.order("INV-1", due="2027-02-28", lines=[line], memo="Thanks"))
    assert (ran.code, ran.out) == (3, "")
    for words in (
        "due is '2027-02-28' and was '2027-01-31'",
        "lines[0].quantity is '0.75' and was '0.5'",
        "memo is 'Thanks' and was nothing",
        "void_invoice.py INV-1",
    ):
        assert words in ran.err


@pytest.mark.parametrize("why", ["an item without an account", "closed books"])
def test_what_quickbooks_refused_leaves_its_number_free(shop: Shop, why: str) -> None:
    """Nothing stands under the number, so the corrected order is billed under it, once."""
    shop.run("connect_quickbooks")
    hosting = next(row for row in shop.books("Item") if row.get("Sku") == "HOSTING")
    kit = {name: value for name, value in hosting.items() if name != "IncomeAccountRef"}
    sku = "KIT" if why.startswith("an item") else "SUPPORT"
    shop.simulator.world.save("quickbooks.Item", "9001", {**kit, "Id": "9001", "Name": "Kit", "Sku": "KIT"})
    closed_until(shop, "" if sku == "KIT" else "2099-12-31")
    line = {"description": "Kit", "sku": sku, "quantity": "1", "unit_price": "25.00"}
    for _ in range(2):
        assert shop.run("create_invoice", shop.order("FLD-1", lines=[line])).code == 3
    closed_until(shop, "")
    right = shop.order("FLD-1", lines=[{**line, "sku": "HOSTING"}])
    assert shop.run("create_invoice", right).json["already_done"] is False
    assert shop.run("create_invoice", right).json["already_done"] is True
    assert shop.run("create_invoice", shop.order("FLD-1", lines=[line])).code == 3
    assert living(shop) == ["FLD-1 25.00"]


def closed_until(shop: Shop, day: str) -> None:
    """The company's owner closes its books, or opens them again."""
    found = shop.simulator.world.get("quickbooks.Preferences", "1")
    assert found is not None
    info = {name: value for name, value in found["AccountingInfoPrefs"].items() if name != "BookCloseDate"}
    info |= {"BookCloseDate": day} if day else {}
    shop.simulator.world.save("quickbooks.Preferences", "1", {**found, "AccountingInfoPrefs": info})


def test_an_order_in_doubt_keeps_its_number(shop: Shop) -> None:
    """Nobody knows yet whether the first one stands: the corrected order waits, and is refused once it does."""
    shop.run("connect_quickbooks")
    shop.fail("quickbooks", "/v3/company/*/invoice", "drop_after", method="POST", times=9)
    first = shop.order("FLD-1")
    assert shop.run("create_invoice", first).code == 5
    other = shop.order("FLD-1", due="2027-02-28")
    ran = shop.run("create_invoice", other)
    assert (ran.code, living(shop)) == (3, ["FLD-1 60.00"])
    assert "due is '2027-02-28' and was '2027-01-31'" in ran.err


# -- what stands until it is ended -----------------------------------------------------------------


def test_an_invoice_with_a_problem_is_told_everywhere_until_it_is_ended(shop: Shop) -> None:
    """check_setup.py, run_pending.py and the proof name it; once it is voided, none does."""
    shop.finished("INV-2")
    shop.run("create_invoice", shop.order("INV-1", **STATED))
    told = {
        "run_pending": (3, "trouble"),
        "reconcile_payments": (7, "discrepancies"),
    }
    for script, (code, where) in told.items():
        shop.later(400)
        ran = shop.run(script)
        assert ran.code == code
        assert "QuickBooks booked 40.59" in str(ran.json[where])
    setup = shop.run("check_setup")
    assert "QuickBooks booked 40.59" in setup.out
    assert shop.run("void_invoice", "INV-1").code == 0
    assert shop.run("run_pending").code == 0
    clean(shop)
    assert "40.59" not in shop.run("check_setup").out


def test_a_problem_that_is_mended_in_quickbooks_ends_by_itself(shop: Shop) -> None:
    """The next round reads the invoice again, although no page of it is open."""
    shop.run("create_invoice", shop.order("INV-1", **STATED))
    assert shop.run("run_pending").code == 3
    (row,) = shop.books("Invoice")
    mended = {"TotalAmt": "40.50", "Balance": "40.50", "HomeTotalAmt": "40.50", "TxnTaxDetail": {"TotalTax": "3.00"}}
    shop.simulator.world.save("quickbooks.Invoice", row["Id"], {**row, **mended, "SyncToken": "1"})
    assert shop.run("run_pending").code == 0
    assert shop.till.ledger.sales.unsound() == []


def test_a_form_that_is_refused_later(shop: Shop) -> None:
    """Taken, then refused: told in every round and by show_payment.py; the corrected form takes the number."""
    line = {"description": "Hosting", "sku": "HOSTNG", "quantity": "1", "unit_price": "25.00"}
    assert submitted(shop, "FLD-2", lines=[line])
    for _ in range(2):
        ran = shop.run("run_pending")
        assert ran.code == 3
        assert "form FLD-2 was refused: lines: no active QuickBooks item has the SKU 'HOSTNG'" in ran.json["trouble"]
    (link,) = shop.run("show_payment", "FLD-2").json["chain"]
    assert (link["what"], link["status"], "HOSTNG" in link["detail"]) == ("form", "refused", True)
    assert submitted(shop, "FLD-2", lines=[{**line, "sku": "HOSTING"}])
    assert shop.run("run_pending").code == 0
    assert living(shop) == ["FLD-2 25.00"]
    assert not submitted(shop, "FLD-2", lines=[line])


def test_a_refused_form_is_dismissed_or_tried_again(shop: Shop) -> None:
    """With a reason, for good; or, once its item is there, as it was. Neither without a refused form of that number."""
    line = {"description": "Hosting", "sku": "HOSTNG", "quantity": "1", "unit_price": "25.00"}
    for number in ("FLD-2", "FLD-3"):
        submitted(shop, number, lines=[line])
    assert shop.run("issue_forms").code == 0
    assert shop.run("issue_forms", "--dismiss", "FLD-2").code == 3
    assert shop.run("issue_forms", "--dismiss", "FLD-9", "--because", "the customer called").code == 3
    assert shop.run("issue_forms", "--again", "FLD-9").code == 3
    assert shop.run("issue_forms", "--dismiss", "FLD-2", "--because", "the customer called").code == 0
    hosting = next(row for row in shop.books("Item") if row.get("Sku") == "HOSTING")
    create(shop, "Item", {"Name": "New", "Sku": "HOSTNG", "IncomeAccountRef": hosting["IncomeAccountRef"]})
    assert shop.run("issue_forms", "--again", "FLD-3").json["invoiced"] == 1
    assert shop.run("run_pending").code == 0
    (link,) = shop.run("show_payment", "FLD-2").json["chain"]
    assert (link["status"], link["detail"]) == ("dismissed", "the customer called")
    assert submitted(shop, "FLD-2", lines=[line])  # the form product sends the same once more: it stays dismissed
    assert shop.run("issue_forms").json == {"invoiced": 0, "waiting": 0, "refused": 0}
    assert looked(shop).code == 0
