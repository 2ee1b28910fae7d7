"""reconcile_payments.py against QuickBooks: what people change there by hand is found and repaired."""

from __future__ import annotations

import json

from helpers.reconciling import clean, create, delete, ended, looked, plant, refunded, the_one, two_sales, usd
from helpers.refunding import paid_twice
from helpers.sale import Json, Shop


def test_a_payment_that_somebody_deleted_in_quickbooks(shop: Shop) -> None:
    """Deleted by hand: posted again as another generation, with the reason written down."""
    two_sales(shop)
    key = shop.books("Payment")[0]["Id"]
    delete(shop, "Payment", key)
    found = the_one(shop)
    assert (found["type"], found["amount"]) == ("missing_in_books", usd(6000))
    ended(shop, found)
    last = shop.till.ledger.operations.last("post_payment", found["subject"])
    assert last is not None
    assert (last.generation, last.state) == (2, "done")
    assert {row["Balance"] for row in shop.books("Invoice")} == {"0.00"}


def test_a_payment_that_was_voided_in_quickbooks(shop: Shop) -> None:
    """A void leaves a record of zero: that is not what the facts call for."""
    two_sales(shop)
    row = shop.books("Payment")[0]
    body = json.dumps({"Id": row["Id"], "SyncToken": row["SyncToken"], "sparse": True}).encode()
    void = {"operation": "update", "include": "void"}
    shop.till.books.connection.call(lambda client: client.update_object("Payment", body, params=dict(void)))
    found = the_one(shop)
    assert (found["type"], found["amount"]) == ("missing_in_books", usd(6000))
    ended(shop, found)


def test_a_document_that_waits(shop: Shop) -> None:
    """Nobody ran post_to_books.py: the document is found after the lag, and posted."""
    shop.finished("INV-1")
    shop.paid("INV-2")
    shop.run("process_inbox")
    found = the_one(shop)
    assert (found["type"], found["amount"]) == ("missing_in_books", usd(6000))
    ended(shop, found)


def test_a_document_that_failed(shop: Shop) -> None:
    """What QuickBooks refused is tried again by the quoted command, after somebody changed what it said."""
    shop.finished("INV-1")
    shop.paid("INV-2")
    shop.run("process_inbox")
    (document,) = shop.till.ledger.documents.of_invoice("INV-2")
    with shop.till.ledger.transaction():
        shop.till.ledger.documents.mark_failed(document.key, "the books were closed")
    found = the_one(shop)
    assert found["repair"] == f"python execution/post_to_books.py --again {document.key}"
    ended(shop, found)


def test_a_second_payment_with_our_mark(shop: Shop) -> None:
    """Somebody copied our Payment: the later one is voided, the first stays."""
    two_sales(shop)
    first = shop.books("Payment")[0]
    names = ("TotalAmt", "CustomerRef", "TxnDate", "DepositToAccountRef", "PaymentRefNum", "PrivateNote")
    copy = create(shop, "Payment", {name: first[name] for name in names} | {"TotalAmt": 60})
    found = the_one(shop)
    assert (found["type"], found["amount"], found["subject"]) == (
        "duplicate_in_books",
        usd(6000),
        f"Payment {copy}",
    )
    ended(shop, found)
    amounts = {row["Id"]: row["TotalAmt"] for row in shop.books("Payment")}
    assert (amounts[first["Id"]], amounts[copy]) == ("60.00", "0")


def test_a_second_refund_receipt_with_our_note(shop: Shop) -> None:
    """It cannot be voided, so it is deleted."""
    first, _ = two_sales(shop)
    refunded(shop, first, "--amount", "10.00")
    (receipt,) = shop.books("RefundReceipt")
    (line,) = (one for one in receipt["Line"] if one["DetailType"] == "SalesItemLineDetail")
    detail = {"ItemRef": line["SalesItemLineDetail"]["ItemRef"]}
    body: Json = {name: receipt[name] for name in ("CustomerRef", "TxnDate", "DepositToAccountRef", "PrivateNote")}
    body["Line"] = [{"DetailType": "SalesItemLineDetail", "Amount": 10, "SalesItemLineDetail": detail}]
    create(shop, "RefundReceipt", body)
    found = the_one(shop)
    assert (found["type"], found["amount"]) == ("duplicate_in_books", usd(1000))
    ended(shop, found)
    assert [row["Id"] for row in shop.books("RefundReceipt")] == [receipt["Id"]]


def test_a_payment_whose_amount_somebody_changed(shop: Shop) -> None:
    """QuickBooks says 50.00 where the facts say 60.00: withdrawn and posted again."""
    two_sales(shop)
    row = shop.books("Payment")[0]
    line = {**row["Line"][0], "Amount": 50}
    body = {name: row[name] for name in ("Id", "SyncToken", "CustomerRef")}
    body |= {"TotalAmt": 50, "Line": [line], "sparse": True}
    data = json.dumps(body).encode()
    shop.till.books.connection.call(lambda client: client.update_object("Payment", data))
    found = the_one(shop)
    assert (found["type"], found["amount"]) == ("amount_differs", usd(-1000))
    ended(shop, found)
    assert sorted(one["TotalAmt"] for one in shop.books("Payment")) == ["0", "60.00", "60.00"]


def test_a_document_under_another_date_is_still_found(shop: Shop) -> None:
    """Somebody moved it by half a year: it is read by its id, so nothing is posted twice."""
    two_sales(shop)
    row = shop.books("Payment")[0]
    plant(shop, "quickbooks", "Payment", row["Id"], TxnDate="2026-01-15")
    clean(shop)


def test_an_invoice_that_was_changed_in_quickbooks(shop: Shop) -> None:
    """Its total grew after the sale: the receivables say so, and reading it again makes the difference a fact."""
    two_sales(shop)
    invoice = shop.books("Invoice")[0]
    (line,) = (one for one in invoice["Line"] if one["DetailType"] == "SalesItemLineDetail")
    line["Amount"] = 75
    line["SalesItemLineDetail"] |= {"Qty": 1, "UnitPrice": 75}
    body = {name: invoice[name] for name in ("Id", "SyncToken", "CustomerRef")} | {"Line": [line], "sparse": True}
    data = json.dumps(body).encode()
    shop.till.books.connection.call(lambda client: client.update_object("Invoice", data))
    found = the_one(shop)
    assert (found["type"], found["amount"], found["subject"]) == ("amount_differs", usd(1500), invoice["DocNumber"])
    ended(shop, found)


def test_records_that_are_not_ours_are_named_and_no_discrepancy(shop: Shop) -> None:
    """Cash that somebody entered by hand explains what the customer owes, by its QuickBooks id."""
    shop.finished("INV-1")
    shop.invoiced("INV-2")
    shop.paid_at_the_counter("INV-2", "25.00")
    ran = clean(shop)
    assert [(one["what"], one["amount"]) for one in ran["open_items"]] == [("Payment", usd(2500))]
    proof = next(one for one in ran["proofs"] if one["name"] == "Receivables USD")
    assert (proof["left"], proof["right"], proof["explained"]) == (usd(3500), usd(6000), usd(-2500))


def test_a_refunded_credit_is_proven(shop: Shop) -> None:
    """An invoice was paid twice and the second payment went back: the Purchase counts in what is owed."""
    _, second = paid_twice(shop, "INV-1")
    refunded(shop, second)
    proofs = {proof["name"]: (proof["left"], proof["right"]) for proof in clean(shop)["proofs"]}
    assert proofs["Receivables USD"] == (usd(0), usd(0))


def test_a_purchase_that_somebody_deleted(shop: Shop) -> None:
    """Gone with the line that applied it: found, posted again, and what is owed agrees."""
    _, second = paid_twice(shop, "INV-1")
    refunded(shop, second)
    row = shop.books("Purchase")[0]
    plant(shop, "quickbooks", "Purchase", row["Id"])
    found = looked(shop).json["discrepancies"]
    (missing,) = (one for one in found if one["type"] == "missing_in_books")
    assert missing["amount"] == usd(6000)
    assert shop.run("reconcile_payments", "--repair").code in (0, 7)
    assert [one["type"] for one in looked(shop).json["discrepancies"]] == []


def test_a_customer_who_owes_by_hand_alone_is_an_open_item_in_his_currency(shop: Shop) -> None:
    """The ledger knows him and never had a receivable in EUR. It is proven all the same, by the record's id."""
    shop.finished("INV-1")
    euro = {"value": "EUR"}
    owner = create(shop, "Customer", {"DisplayName": "Atelier Nord", "CurrencyRef": euro})
    with shop.till.ledger.transaction():
        shop.till.ledger.sales.save_customer(
            quickbooks_id=owner, name="Atelier Nord", display_name="Atelier Nord", email="", currency="EUR"
        )
    item = next(row for row in shop.books("Item") if row["Type"] == "Service")
    detail = {"ItemRef": {"value": item["Id"]}, "Qty": 1, "UnitPrice": 25.00}
    line = {"DetailType": "SalesItemLineDetail", "Amount": 25.00, "SalesItemLineDetail": detail}
    create(shop, "Invoice", {"CustomerRef": {"value": owner}, "CurrencyRef": euro, "Line": [line]})
    ran = shop.run("reconcile_payments")
    assert ran.code == 0, ran.out + ran.err
    proofs = {proof["name"]: proof for proof in ran.json["proofs"]}
    assert proofs["Receivables EUR"]["explained"] == {"minor": 2500, "currency": "EUR"}
    assert [one["customer"] for one in ran.json["open_items"]] == [owner]


def test_a_payment_that_was_entered_by_hand_while_ours_waits_is_named(shop: Shop) -> None:
    """Both say that the customer owes nothing, by two different records: the bookkeeper's one is an open item."""
    shop.paid("INV-1")
    shop.run("process_inbox")
    shop.paid_at_the_counter("INV-1", "60.00")
    ran = shop.run("reconcile_payments")
    assert [(one["what"], one["amount"]) for one in ran.json["open_items"]] == [("Payment", usd(6000))]
