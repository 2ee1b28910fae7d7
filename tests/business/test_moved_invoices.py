"""Invoices whose customer somebody changed in QuickBooks: nothing is owed twice, and nothing is told that is not so."""

from __future__ import annotations

import pytest

from helpers.reconciling import clean, looked, usd
from helpers.sale import Json, Shop, control

ADA: Json = {"name": "Ada Ltd", "email": "ada@example.com"}
BOB: Json = {"name": "Bob Ltd", "email": "bob@example.com"}


def bill(shop: Shop, number: str) -> Json:
    """An invoice as QuickBooks has it."""
    return next(one for one in shop.books("Invoice") if one["DocNumber"] == number)


def customer(shop: Shop, number: str) -> str:
    """The customer of an invoice in QuickBooks."""
    return str(bill(shop, number)["CustomerRef"]["value"])


@pytest.mark.parametrize(("kept", "gone"), [("INV-1", "INV-2"), ("INV-2", "INV-1")])
def test_two_customers_that_were_merged_owe_what_both_owed(shop: Shop, kept: str, gone: str) -> None:
    """One invoice is paid and one is open, and either customer may be the one that stays. What moved is named in the
    proof, and nothing else is told. Somebody takes the open invoice's money at the counter: that is named as well."""
    shop.finished("INV-1", customer=ADA)
    shop.invoiced("INV-2", customer=BOB)
    control(shop.simulator, "merge", {"kept": customer(shop, kept), "gone": customer(shop, gone)})
    assert customer(shop, "INV-1") == customer(shop, "INV-2")
    (proof,) = [one for one in clean(shop)["proofs"] if one["name"] == "Receivables USD"]
    assert (proof["left"], proof["right"]) == (usd(6000), usd(6000))
    words = [because.rpartition(" customer ")[0] for because in sorted(proof["because"])]
    assert words == (["invoice INV-2 came from", "invoice INV-2 went to"] if gone == "INV-2" else [])
    shop.paid_at_the_counter("INV-2", "60.00")
    told = clean(shop)
    assert [item["what"] for item in told["open_items"]] == ["Payment"]


def test_an_open_invoice_that_was_given_to_another_customer(shop: Shop) -> None:
    """By a change of that one invoice."""
    shop.finished("INV-1", customer=ADA)
    shop.invoiced("INV-2", customer=BOB)
    given = bill(shop, "INV-2")
    change = {name: given[name] for name in ("Id", "SyncToken")} | {"sparse": True}
    shop.entered_by_hand("Invoice", {**change, "CustomerRef": {"value": customer(shop, "INV-1")}})
    clean(shop)


def test_a_deleted_invoice_is_not_one_that_moved(shop: Shop) -> None:
    """Nobody owes it any more, and a person hears of it."""
    shop.finished("INV-1", customer=ADA)
    shop.invoiced("INV-2", customer=BOB)
    control(
        shop.simulator,
        "plant",
        {"vendor": "quickbooks", "kind": "Invoice", "id": bill(shop, "INV-2")["Id"], "forget": True},
    )
    (found,) = looked(shop).json["discrepancies"]
    assert (found["type"], found["subject"], found["amount"]) == ("amount_differs", "INV-2", usd(-6000))
