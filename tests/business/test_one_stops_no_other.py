"""One record that nobody foresaw stops no other: a customer without an address, one that was changed, a bug of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from helpers.reconciling import create
from helpers.sale import Shop
from tillbook.letters import sending
from tillbook.proof import invariants


def without_address(shop: Shop) -> None:
    """HAND-2: an invoice over 25.00 for a school that QuickBooks has no address of, with an open page that is paid."""
    shop.run("connect_quickbooks")
    school = create(shop, "Customer", {"DisplayName": "Hilltop School"})
    item = next(row for row in shop.books("Item") if row["Type"] == "Service")
    line = {
        "DetailType": "SalesItemLineDetail",
        "Amount": 25.00,
        "SalesItemLineDetail": {"ItemRef": {"value": item["Id"]}, "Qty": 1, "UnitPrice": 25.00},
    }
    create(shop, "Invoice", {"DocNumber": "HAND-2", "CustomerRef": {"value": school}, "Line": [line]})
    shop.pay(shop.run("create_checkout", "HAND-2").json["checkout_id"])
    shop.later(60)


def test_a_customer_without_an_address_keeps_nobody_waiting(shop: Shop) -> None:
    """His payment is posted, his confirmation is withdrawn with the reason, and the next customer's mail leaves."""
    without_address(shop)
    assert shop.run("run_pending").code == 0
    shop.paid("OK-1")
    assert shop.run("run_pending").code == 0
    mails = {row["kind"]: row for row in shop.till.ledger.messages.of_invoice("HAND-2")}
    assert (mails["confirmation"]["state"], mails["confirmation"]["reason"]) == ("withdrawn", sending.NO_ADDRESS)
    assert "grace@example.com" in str(shop.mails())
    assert len(shop.books("Payment")) == 2
    ran = shop.run("send_invoice", "HAND-2", "--again")
    assert ran.code == 3


def test_an_invoice_that_was_given_to_another_customer(shop: Shop) -> None:
    """What a merge of two customers does, too: every step goes on, and the payment goes to the customer of today."""
    page = shop.opened_page("FLD-1")
    holding = create(shop, "Customer", {"DisplayName": "Bramble Holding"})
    (invoice,) = shop.books("Invoice")
    change = {"Id": invoice["Id"], "SyncToken": invoice["SyncToken"], "sparse": True}
    shop.entered_by_hand("Invoice", {**change, "CustomerRef": {"value": holding}})
    shop.pay(page["checkout_id"])
    shop.later(60)
    assert [shop.run("run_pending").code for _ in range(2)] == [0, 0]
    (payment,) = shop.books("Payment")
    assert payment["CustomerRef"]["value"] == holding
    assert shop.books("Invoice")[0]["Balance"] == "0.00"
    for script in ("create_checkout", "send_invoice", "refund_payment"):
        assert shop.run(script, "FLD-1").code in (0, 3)
    shop.paid("FLD-2")
    assert shop.run("run_pending").code == 0
    assert list(invariants.broken(shop.till.ledger)) == []


@pytest.mark.parametrize("place", ["tillbook.books.posting.post", "tillbook.letters.sending.send"])
def test_a_bug_at_one_thing_is_written_down_and_the_others_go_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Exit 1 after everything else was done; the thing waits with the kind and the place of the bug."""
    import importlib

    module_name, _, name = place.rpartition(".")
    module = importlib.import_module(module_name)
    right = getattr(module, name)

    def fails_for_the_first(till: Any, thing: Any) -> Any:
        about = thing.invoice if hasattr(thing, "invoice") else thing["invoice"]
        if about == "INV-1":
            raise ZeroDivisionError
        return right(till, thing)

    for number in ("INV-1", "INV-2"):
        shop.paid(number)
    with monkeypatch.context() as broken:
        broken.setattr(module, name, fails_for_the_first)
        ran = shop.run("run_pending")
    assert ran.code == 1
    assert "ZeroDivisionError at test_one_stops_no_other.py" in str(json.loads(ran.out)["trouble"])
    assert len(shop.books("Payment")) == (1 if name == "post" else 2)
    shop.later(3600)
    assert shop.run("run_pending").code == 0
    assert len(shop.books("Payment")) == 2
