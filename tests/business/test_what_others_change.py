"""What the other side can change is never remembered as true: settings, numbers, names, accounts, customers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from create_invoice import create_invoice, read_file
from helpers.dry_runs import operations
from helpers.reconciling import clean, create, ended, looked, the_one, two_sales, usd
from helpers.refunding import ended as refund_ended
from helpers.refunding import paid_twice, settled
from helpers.sale import Json, Shop
from tillbook.kit.errors import Uncertain
from tillbook.operations.kinds.quickbooks import InQuickBooks
from tillbook.operations.kinds.registry import KINDS
from tillbook.rules.orders import order_json
from tillbook.till import Till, open_till

NUMBERED = ("Invoice", "Payment", "RefundReceipt", "SalesReceipt", "Purchase", "Deposit")


def owner_sets(shop: Shop, section: str, **changed: Any) -> None:
    """The company's owner changes a preference in QuickBooks."""
    world = shop.simulator.world
    found = world.get("quickbooks.Preferences", "1")
    assert found is not None
    world.save("quickbooks.Preferences", "1", {**found, section: {**found[section], **changed}})


def changed_by_hand(shop: Shop, kind: str, key: str, **changed: Any) -> None:
    """Somebody changes a record in QuickBooks, whatever the simulator's own rules say of it."""
    world = shop.simulator.world
    found = world.get(f"quickbooks.{kind}", key)
    assert found is not None
    version = str(int(found["SyncToken"]) + 1)
    world.save(f"quickbooks.{kind}", key, {**found, **changed, "SyncToken": version})


def another_run(shop: Shop) -> Till:
    """A till of a run of its own: what an earlier one has read is not known to it."""
    till = open_till()
    assert till.settings.home == shop.home
    return till


# -- settings --------------------------------------------------------------------------------------


def test_custom_numbers_that_are_turned_off_later(shop: Shop) -> None:
    """Exit 3 says why, whatever is run how often; not one invoice is made. Turned on again, the order is billed."""
    shop.run("connect_quickbooks")
    owner_sets(shop, "SalesFormsPrefs", CustomTxnNumbers=False)
    order = shop.order("FLD-1")
    for _ in range(3):
        ran = shop.run("create_invoice", order)
        assert (ran.code, ran.out) == (3, "")
        assert "Custom transaction numbers" in ran.err
        shop.later(61)
        assert shop.run("run_pending").code == 0
    assert shop.books("Invoice") == []
    owner_sets(shop, "SalesFormsPrefs", CustomTxnNumbers=True)
    assert shop.run("create_invoice", order).code == 0
    assert len(shop.books("Invoice")) == 1


def test_custom_numbers_that_are_turned_off_while_an_answer_is_lost(shop: Shop) -> None:
    """QuickBooks made the invoice under its own number and we heard nothing: it is found by our mark, and is FLD-1."""
    shop.run("connect_quickbooks")
    order = shop.order("FLD-1")
    till = another_run(shop)
    assert till.company.custom_numbers
    owner_sets(shop, "SalesFormsPrefs", CustomTxnNumbers=False)
    shop.fail("quickbooks", "/v3/company/*/invoice", "drop_after", method="POST", times=3)
    with pytest.raises(Uncertain):
        create_invoice(read_file(order), till=till)
    till.close()
    for _ in range(3):
        shop.later(61)
        assert shop.run("run_pending").code == 0
    (invoice,) = shop.books("Invoice")
    assert invoice["DocNumber"] != "FLD-1"
    again = shop.run("create_invoice", order)
    assert again.json["quickbooks_id"] == invoice["Id"]
    assert again.json["invoice"] == "FLD-1"
    shop.pay(shop.run("create_checkout", "FLD-1").json["checkout_id"])
    settled(shop)
    assert [row["Balance"] for row in shop.books("Invoice")] == ["0.00"]


def test_a_form_waits_for_a_setting_and_is_not_refused(shop: Shop) -> None:
    """A setting of the company is no fault of the order: its form waits, says why, and is billed afterwards."""
    shop.run("connect_quickbooks")
    owner_sets(shop, "SalesFormsPrefs", CustomTxnNumbers=False)
    with shop.till.ledger.transaction():
        shop.till.ledger.forms.add("FLD-1", order_json(read_file(shop.order("FLD-1"))), shop.till.clock.now())
    ran = shop.run("run_pending")
    assert ran.code == 3
    assert "numbers invoices by itself" in str(ran.json["trouble"])
    owner_sets(shop, "SalesFormsPrefs", CustomTxnNumbers=True)
    assert shop.run("run_pending").code == 0
    assert [row["DocNumber"] for row in shop.books("Invoice")] == ["FLD-1"]


# -- our marks -------------------------------------------------------------------------------------


def test_every_record_of_ours_is_found_whatever_number_it_bears_now(shop: Shop) -> None:
    """Numbers and names of all records were replaced: every operation that made one finds it by its mark."""
    first, second = paid_twice(shop)
    for payment, of in ((second, "credit"), (first, "sale")):
        refund = shop.run("refund_payment", payment, "--of", of)
        assert refund.code == 0, refund.err
        settled(shop)
        refund_ended(shop, refund.json["refund"], "failed")
        settled(shop)
    before = found_again(shop)
    for kind in NUMBERED:
        for record in shop.books(kind):
            other = {"PaymentRefNum": "999"} if kind == "Payment" else {"DocNumber": f"{kind[:3]}-{record['Id']}"}
            changed_by_hand(shop, kind, record["Id"], **other)
    for record in shop.books("Customer"):
        changed_by_hand(shop, "Customer", record["Id"], DisplayName=f"Renamed {record['Id']}")
    assert found_again(shop) == before
    assert {kind for kind, _ in before} == {
        "create_customer",
        "create_invoice",
        "post_payment",
        "post_purchase",
        "post_deposit",
        "post_refund_receipt",
        "post_sales_receipt",
    }


def found_again(shop: Shop) -> list[tuple[str, str]]:
    """Every done operation whose record carries a mark in its note: its kind, and the id that QuickBooks answers."""
    ours = [kind for kind in KINDS.values() if issubclass(kind, InQuickBooks)]
    names = {kind.kind for kind in ours if "Note" in kind.evidence().carried_in}
    done = [shop.till.ledger.operations.last(one["kind"], one["subject"]) for one in operations(shop)]
    marked = [one for one in done if one is not None and one.kind in names]
    return [(one.kind, str((shop.till.books.find(one) or {}).get("id"))) for one in marked]


# -- accounts and items ----------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"Active": False}, {"AccountType": "Expense"}])
def test_documents_wait_while_their_account_cannot_be_posted_to(shop: Shop, change: Json) -> None:
    """Retired or made another type: nothing is posted elsewhere, the reason is told, and nothing has to be reopened."""
    shop.finished("INV-1")
    account = next(row for row in shop.books("Account") if row["Name"] == "Stripe Clearing (USD)")
    changed_by_hand(shop, "Account", account["Id"], **change)
    shop.paid("INV-2")
    ran = shop.run("run_pending")
    assert ran.code == 3
    assert "account Stripe Clearing (USD) in QuickBooks is" in str(ran.json["trouble"])
    changed_by_hand(shop, "Account", account["Id"], Active=True, AccountType="Bank")
    shop.later(3600)
    assert shop.run("run_pending").code == 0
    assert [row["DepositToAccountRef"]["value"] for row in shop.books("Payment")] == [account["Id"]] * 2


def test_a_refund_item_that_was_made_inactive_is_made_again(shop: Shop) -> None:
    """The second refund uses an item that is active, under the name that became free."""
    first, second = two_sales(shop)
    assert shop.run("refund_payment", first, "--amount", "10.00").code == 0
    settled(shop)
    (item,) = (row for row in shop.books("Item") if row["Name"] == "Refund")
    changed_by_hand(shop, "Item", item["Id"], Active=False, Name="Refund (deleted)")
    assert shop.run("refund_payment", second, "--amount", "10.00").code == 0
    settled(shop)
    details = [receipt["Line"][0]["SalesItemLineDetail"] for receipt in shop.books("RefundReceipt")]
    used = [detail["ItemRef"]["value"] for detail in details]
    assert used[0] == item["Id"] != used[1]


# -- one order twice -------------------------------------------------------------------------------


def test_a_second_invoice_for_an_order_is_named_every_night(shop: Shop) -> None:
    """A copy with our mark and one with our number: each is a discrepancy until it is voided or accepted."""
    two_sales(shop)
    clean(shop)
    first = shop.books("Invoice")[0]
    kept = {name: first[name] for name in ("CustomerRef", "TxnDate", "PrivateNote")}
    line = {name: first["Line"][0][name] for name in ("DetailType", "Amount", "SalesItemLineDetail")}
    copy = create(shop, "Invoice", {**kept, "Line": [line], "DocNumber": "1042"})
    found = the_one(shop)
    assert (found["type"], found["subject"], found["amount"]) == ("duplicate_invoice", f"Invoice {copy}", usd(6000))
    assert f"order {first['DocNumber']} is Invoice {first['Id']}" in found["because"]
    assert found["needs_person"]
    ended(shop, found)


def test_a_duplicate_that_was_voided_is_none(shop: Shop) -> None:
    """Voided by a person: it bills nothing any more."""
    two_sales(shop)
    first = shop.books("Invoice")[0]
    kept = {name: first[name] for name in ("CustomerRef", "TxnDate", "PrivateNote")}
    line = {name: first["Line"][0][name] for name in ("DetailType", "Amount", "SalesItemLineDetail")}
    copy = create(shop, "Invoice", {**kept, "Line": [line], "DocNumber": "1042"})
    assert looked(shop).code == 7
    row = next(one for one in shop.books("Invoice") if one["Id"] == copy)
    body = json.dumps({"Id": copy, "SyncToken": row["SyncToken"], "sparse": True}).encode()
    void = {"operation": "update", "include": "void"}
    shop.till.books.connection.call(lambda client: client.update_object("Invoice", body, params=dict(void)))
    clean(shop)


# -- customers -------------------------------------------------------------------------------------


def test_the_twenty_first_customer_of_a_name_is_billed_like_the_first(shop: Shop) -> None:
    """Twenty-one people of one name with addresses of their own: twenty-one customers, and no more requests for the
    last one than for the second."""
    asked = []
    for number in range(21):
        before = len(shop.requests("quickbooks"))
        customer = {"name": "Maria Garcia", "email": f"maria{number}@example.com"}
        assert shop.run("create_invoice", shop.order(f"FLD-{number}", customer=customer)).code == 0
        asked.append(len(shop.requests("quickbooks")) - before)
    assert len({row["CustomerRef"]["value"] for row in shop.books("Invoice")}) == 21
    assert asked[1] == asked[20]


@pytest.mark.parametrize("seen_before", [True, False])
def test_a_merged_customer_is_followed_to_the_one_that_remains(shop: Shop, seen_before: bool) -> None:
    """Two customers were merged in QuickBooks: the next order of the one that is gone is for the one that remains,
    whether the ledger has met its invoice there or not."""
    old = shop.invoiced("INV-1")
    holding = create(shop, "Customer", {"DisplayName": "Grace Holding"})
    (invoice,) = shop.books("Invoice")
    changed_by_hand(shop, "Invoice", invoice["Id"], CustomerRef={"value": holding, "name": "Grace Holding"})
    changed_by_hand(shop, "Customer", old["customer"], Active=False, DisplayName="Grace Ltd (deleted)")
    if seen_before:
        assert shop.run("create_checkout", "INV-1").code == 0
    for number in ("INV-2", "INV-3"):
        assert shop.invoiced(number)["customer"] == holding
    named = {"name": "Grace Ltd", "email": "grace@example.com", "id": old["customer"]}
    assert shop.invoiced("INV-4", customer=named)["customer"] == holding
