"""One record that cannot be understood stops no other: the proof names it, and everything else is proven."""

from __future__ import annotations

import pytest

from helpers.reconciling import create, looked, plant, row_of, two_sales
from helpers.running.referee import spoilt
from helpers.sale import Json, Shop


def odd_ones(found: Json) -> list[Json]:
    """The records that a proof could not understand."""
    return [one for one in found["discrepancies"] if one["type"] == "unreadable_record"]


def invoice_of(shop: Shop, number: str) -> Json:
    """An invoice as QuickBooks holds it."""
    return next(one for one in shop.books("Invoice") if one["DocNumber"] == number)


def check(shop: Shop, name: str) -> Json:
    """One of the checks of check_setup.py."""
    return next(one for one in shop.run("check_setup").json["checks"] if one["name"] == name)


def test_a_fee_of_a_fraction_of_a_krona(shop: Shop) -> None:
    """3.87 ISK: named with vendor, id, field, reason and its own currency; the rest is proven; a person accepts it."""
    payment, _ = two_sales(shop)
    row = row_of(shop, payment)
    plant(shop, "stripe", "balance_transaction", row["id"], fee=387, currency="isk", amount=6000, net=5613)
    ran = looked(shop)
    assert ran.code == 7
    odd, balance = odd_ones(ran.json)
    assert (balance["id"], balance["currency"]) == ("balance ISK", "ISK")
    named = {name: odd[name] for name in ("vendor", "id", "field", "currency", "amount", "repair", "needs_person")}
    assert named == {
        "vendor": "stripe",
        "id": row["id"],
        "field": "fee",
        "currency": "ISK",
        "amount": None,
        "repair": "",
        "needs_person": True,
    }
    assert "387" in odd["reason"]
    names = {proof["name"] for proof in ran.json["proofs"]}
    assert {"Receivables USD", "PayPal balance USD", "Stripe balance USD"} <= names
    assert ran.json["trouble"] == []
    for subject in (row["id"], "balance ISK"):
        shop.run("reconcile_payments", "--accept", subject, "--because", "Stripe support, case 9")
    assert odd_ones(looked(shop).json) == []


def test_a_charge_in_a_currency_that_nobody_knows(shop: Shop) -> None:
    """The sales around it are matched, its payment is no claim of a loss, and the same night ends with its name."""
    payment, _ = two_sales(shop)
    matched = looked(shop).json["matched"]
    row = row_of(shop, payment)
    plant(shop, "stripe", "balance_transaction", row["id"], currency="xyz")
    found = looked(shop).json
    assert [(one["id"], one["currency"]) for one in odd_ones(found)] == [(row["id"], "XYZ"), ("balance XYZ", "XYZ")]
    assert found["matched"] == matched - 2
    assert {one["type"] for one in found["discrepancies"]} <= {"unreadable_record", "proof_failed"}


def test_an_odd_fee_is_kept_until_it_is_read_well(shop: Shop) -> None:
    """The customer's payment is a fact and posted; the odd part stands in every list until it is mended."""
    page = shop.opened_page("INV-1")
    payment = shop.pay(page["checkout_id"])["payment_intent"]
    shop.later(60)
    row = row_of(shop, payment)
    plant(shop, "stripe", "balance_transaction", spoilt(row["id"]), fee="much")
    ran = shop.run("run_pending")
    assert (ran.code, row["id"] in str(ran.json["trouble"])) == (7, True)
    assert len(shop.books("Payment")) == 1
    assert row["id"] in check(shop, "odd records")["hint"]
    assert shop.run("run_pending").code == 0
    refused = shop.run("refund_payment", payment, "--amount", "10.00")
    assert (refused.code, row["id"] in refused.out + refused.err) == (3, True)
    plant(shop, "stripe", "balance_transaction", row["id"], fee=row["fee"])
    assert shop.run("refund_payment", payment, "--amount", "10.00").code == 0
    assert check(shop, "odd records")["ok"]


def test_an_odd_event_does_not_end_polling(shop: Shop) -> None:
    """It is told once, kept for a person, and the cursor moves on."""
    page = shop.opened_page("INV-1")
    payment = shop.pay(page["checkout_id"])["payment_intent"]
    shop.later(60)
    event = next(one for one in shop.simulator.world.all("stripe.event") if one["type"] == "charge.succeeded")
    plant(shop, "stripe", "event", spoilt(event["id"]), livemode="perhaps")
    ran = shop.run("poll_events")
    assert (ran.code, ran.json["unreadable"], ran.json["new"]) == (7, 1, 3)
    assert shop.run("process_inbox").code == 0
    assert shop.till.ledger.facts.of_payment("stripe", payment)
    shop.later(3600)
    assert shop.run("poll_events").code == 0
    assert event["id"] in check(shop, "odd records")["hint"]
    shop.run("reconcile_payments", "--accept", event["id"], "--because", "Stripe says that it was a test")
    assert check(shop, "odd records")["ok"]


def test_what_strangers_have_in_quickbooks_is_not_even_read(shop: Shop) -> None:
    """An invoice by hand in a currency of the past, and one in none: the feed and the proof go on, and say nothing."""
    shop.opened_page("INV-1")
    stranger = create(shop, "Customer", {"DisplayName": "Sofia Trading"})
    item = next(row for row in shop.books("Item") if row["Type"] == "Service")
    detail = {"ItemRef": {"value": item["Id"]}, "Qty": 1, "UnitPrice": 25.00}
    line = {"DetailType": "SalesItemLineDetail", "Amount": 25.00, "SalesItemLineDetail": detail}
    for number, currency in (("HAND-1", "BGN"), ("HAND-2", "XYZ")):
        made = create(shop, "Invoice", {"DocNumber": number, "CustomerRef": {"value": stranger}, "Line": [line]})
        plant(shop, "quickbooks", "Invoice", made, CurrencyRef={"value": currency}, TotalAmt="25.005")
    plant(shop, "quickbooks", "Customer", stranger, CurrencyRef={"value": "XYZ"}, Balance="50.005")
    assert shop.run("run_pending").code == 0
    ran = looked(shop)
    assert (ran.code, ran.json["discrepancies"], ran.json["trouble"]) == (0, [], [])


def test_an_invoice_of_ours_that_cannot_be_understood(shop: Shop) -> None:
    """The feed says it once and moves on; nothing is charged for it until it is mended; other invoices go on."""
    shop.opened_page("INV-1")
    shop.opened_page("INV-2")
    first, second = invoice_of(shop, "INV-1"), invoice_of(shop, "INV-2")
    shop.later(60)
    change = {"SyncToken": "0", "sparse": True}
    for one in (first, second):
        shop.entered_by_hand("Invoice", {**change, "Id": one["Id"], "CustomerMemo": {"value": "Thank you"}})
    plant(shop, "quickbooks", "Invoice", first["Id"], TotalAmt="60.005")
    ran = shop.run("run_pending")
    assert (ran.code, f"Invoice {first['Id']}" in str(ran.json["trouble"])) == (7, True)
    assert "60.005" in check(shop, "odd records")["hint"]
    assert shop.run("create_checkout", "INV-1").code == 3
    assert shop.run("create_checkout", "INV-2").code == 0
    plant(shop, "quickbooks", "Invoice", first["Id"], TotalAmt="60.00")
    assert shop.run("create_checkout", "INV-1").code == 0
    assert check(shop, "odd records")["ok"]
    assert shop.run("run_pending").code == 0


def test_a_posted_record_that_cannot_be_understood_is_not_posted_again(shop: Shop) -> None:
    """It is there: a repair leaves it alone, and the proof names it."""
    two_sales(shop)
    record = shop.books("Payment")[0]
    plant(shop, "quickbooks", "Payment", record["Id"], TotalAmt="60.005")
    ran = looked(shop, "--repair")
    assert (ran.code, [one["id"] for one in odd_ones(ran.json)]) == (7, [f"Payment {record['Id']}"])
    assert "missing_in_books" not in {one["type"] for one in ran.json["discrepancies"]}
    assert len(shop.books("Payment")) == 2


def test_a_balance_of_a_customer_of_ours_in_fractions(shop: Shop) -> None:
    """That customer is named and not compared; the others are."""
    two_sales(shop)
    shop.invoiced("INV-3", customer={"name": "Ada Ltd", "email": "ada@example.com"})
    customer = invoice_of(shop, "INV-3")["CustomerRef"]["value"]
    plant(shop, "quickbooks", "Customer", customer, Balance="60.005")
    found = looked(shop).json
    assert [(one["id"], one["field"]) for one in odd_ones(found)] == [(f"Customer {customer}", "Balance")]
    (proof,) = (one for one in found["proofs"] if one["name"] == "Receivables USD")
    assert proof["difference"]["minor"] == 0


def test_events_of_charges_without_a_payment_intent(shop: Shop) -> None:
    """Another program's charge: its event leads nowhere, its money is named by the proof, and our sale goes on."""
    payment, other = two_sales(shop)
    charge = next(one for one in shop.simulator.world.all("stripe.charge") if one["payment_intent"] == other)
    plant(shop, "stripe", "charge", charge["id"], payment_intent=None)
    for event in list(shop.simulator.world.all("stripe.event")):
        if event["type"] == "charge.succeeded":
            body = {**event["data"]["object"], "payment_intent": None}
            plant(shop, "stripe", "event", event["id"], data={"object": body})
    assert shop.run("run_pending").code == 0
    assert shop.till.ledger.facts.of_payment("stripe", payment)
    assert "unmapped_balance_transaction" in {one["type"] for one in looked(shop).json["discrepancies"]}


@pytest.mark.parametrize("again", ["run_pending", "create_invoice"])
def test_an_invoice_whose_answer_is_a_fraction_of_a_yen(shop: Shop, again: str) -> None:
    """It stands in QuickBooks, so its operation is done: exit 3 with the reason, never 5, and once in the books."""
    shop.habits("fractions")
    line = {"description": "Kit", "sku": "CONSULT", "quantity": "1", "unit_price": "1001", "taxable": True}
    order = shop.order("INV-9", currency="JPY", lines=[line])
    shop.run("connect_quickbooks")
    ran = shop.run("create_invoice", order)
    assert ran.code == 3, ran.out + ran.err
    assert "cannot" in ran.out + ran.err or "does not fit" in ran.out + ran.err
    assert shop.till.ledger.operations.unfinished() == []
    for _ in range(2):
        shop.later(60)
        assert shop.run(again, *([order] if again == "create_invoice" else [])).code in (0, 3)
    assert len([one for one in shop.books("Invoice") if one["DocNumber"] == "INV-9"]) == 1
    assert not check(shop, "odd records")["ok"]
    assert shop.run("create_checkout", "INV-9").code == 3
