"""Refunds all the way: ledger, Stripe and QuickBooks agree to the cent, by figures that a person worked out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from helpers.refunding import (
    TAXED,
    at_stripe,
    book_balances,
    documents,
    ended,
    in_dashboard,
    in_ledger,
    paid_twice,
    receivable,
    refunds_start_as,
    settled,
    state,
)
from helpers.sale import Json, Shop, control

YEN = [{"description": "Logo", "sku": "DESIGN", "quantity": "1", "unit_price": "5000"}]


@dataclass(frozen=True)
class Case:
    """What happens, and what three parties say of it in the end; minor units in the ledger and at Stripe.

    `clearing` and `receivable` are QuickBooks' own balances. QuickBooks has no document of fees yet: its clearing
    account is what came in less what went back, the ledger's is less the fees, too.
    """

    name: str
    happens: Callable[[Shop], object]
    ledger: dict[str, int]
    stripe: tuple[int, int]
    documents: tuple[str, ...]
    clearing: str
    receivable: str = "0.00"
    account: str = "Stripe Clearing (USD)"


def _refund(shop: Shop, *arguments: str) -> Json:
    found = shop.run("refund_payment", *arguments)
    assert found.code == 0, found.err
    return found.json


def _full(shop: Shop) -> None:
    _refund(shop, shop.finished())


def _part(shop: Shop) -> None:
    _refund(shop, shop.finished(), "--amount", "20.00")


def _three_parts(shop: Shop) -> None:
    payment = shop.finished(lines=TAXED)
    for reference in ("first", "second", "third"):
        _refund(shop, payment, "--amount", "3.35", "--reference", reference)
        settled(shop)


def _taxed(shop: Shop) -> None:
    _refund(shop, shop.finished(lines=TAXED))


def _failed_later(shop: Shop) -> None:
    refund = _refund(shop, shop.finished())["refund"]
    settled(shop)
    ended(shop, refund, "failed")


def _failed_unposted(shop: Shop) -> None:
    ended(shop, _refund(shop, shop.finished())["refund"], "failed")


def _cancelled_before_any_row(shop: Shop) -> None:
    payment = shop.finished()
    refunds_start_as(shop, "held")
    ended(shop, _refund(shop, payment)["refund"], "canceled")


def _dashboard(shop: Shop) -> None:
    in_dashboard(shop, shop.finished(), 2500)


def _dashboard_and_ours(shop: Shop) -> None:
    payment = shop.finished()
    in_dashboard(shop, payment, 2500)
    _refund(shop, payment)


def _dashboard_of_an_overpayment(shop: Shop) -> None:
    """100.00 cannot be charged for 60.00, so the second payment is all credit."""
    _, second = paid_twice(shop)
    in_dashboard(shop, second, 1000)


def _overpayment(shop: Shop) -> None:
    _, second = paid_twice(shop)
    _refund(shop, second)


def _overpayment_failed(shop: Shop) -> None:
    _, second = paid_twice(shop)
    refund = _refund(shop, second)["refund"]
    settled(shop)
    ended(shop, refund, "failed")


def _payment_while_the_sale_stands(shop: Shop) -> None:
    _refund(shop, shop.finished(), "--of", "payment")


def _yen(shop: Shop) -> None:
    _refund(shop, shop.finished(currency="JPY", lines=YEN), "--amount", "1234")


# The fee of 60.00 is 2.04 (2.9 % = 1.74, and 0.30); of 10.05 it is 0.59 (0.29145 and 0.30); of 5000 yen 175 (145, 30).
CASES = (
    Case(
        "full",
        _full,
        {"Processing Fees": 204, "Stripe Clearing": -204},
        (6000, -204),
        ("Payment 60.00", "RefundReceipt 60.00"),
        "0.00",
    ),
    Case(
        "part",
        _part,
        {"Processing Fees": 204, "Revenue": -4000, "Stripe Clearing": 3796},
        (2000, 3796),
        ("Payment 60.00", "RefundReceipt 20.00"),
        "40.00",
    ),
    Case(
        "three parts with tax",
        _three_parts,
        {"Processing Fees": 59, "Stripe Clearing": -59},
        (1005, -59),
        ("Payment 10.05", "RefundReceipt 3.35", "RefundReceipt 3.35", "RefundReceipt 3.35"),
        "0.00",
    ),
    Case(
        "full with tax",
        _taxed,
        {"Processing Fees": 59, "Stripe Clearing": -59},
        (1005, -59),
        ("Payment 10.05", "RefundReceipt 10.05"),
        "0.00",
    ),
    Case(
        "failed after it was posted",
        _failed_later,
        {"Processing Fees": 204, "Revenue": -6000, "Stripe Clearing": 5796},
        (0, 5796),
        ("Payment 60.00", "RefundReceipt 60.00", "SalesReceipt 60.00"),
        "60.00",
    ),
    Case(
        "failed before it was posted",
        _failed_unposted,
        {"Processing Fees": 204, "Revenue": -6000, "Stripe Clearing": 5796},
        (0, 5796),
        ("Payment 60.00", "RefundReceipt 60.00", "SalesReceipt 60.00"),
        "60.00",
    ),
    Case(
        "cancelled before any row",
        _cancelled_before_any_row,
        {"Processing Fees": 204, "Revenue": -6000, "Stripe Clearing": 5796},
        (0, 5796),
        ("Payment 60.00",),
        "60.00",
    ),
    Case(
        "dashboard",
        _dashboard,
        {"Processing Fees": 204, "Revenue": -3500, "Stripe Clearing": 3296},
        (2500, 3296),
        ("Payment 60.00", "RefundReceipt 25.00"),
        "35.00",
    ),
    Case(
        "dashboard, then the rest by us",
        _dashboard_and_ours,
        {"Processing Fees": 204, "Stripe Clearing": -204},
        (6000, -204),
        ("Payment 60.00", "RefundReceipt 25.00", "RefundReceipt 35.00"),
        "0.00",
    ),
    Case(
        "dashboard, of an overpayment",
        _dashboard_of_an_overpayment,
        {"Customer Credit": -5000, "Processing Fees": 408, "Revenue": -6000, "Stripe Clearing": 10592},
        (1000, 10592),
        ("Payment 60.00", "Payment 60.00", "Purchase 10.00"),
        "110.00",
        "-50.00",
    ),
    Case(
        "overpayment",
        _overpayment,
        {"Processing Fees": 408, "Revenue": -6000, "Stripe Clearing": 5592},
        (6000, 5592),
        ("Payment 60.00", "Payment 60.00", "Purchase 60.00"),
        "60.00",
    ),
    Case(
        "overpayment, failed",
        _overpayment_failed,
        {"Customer Credit": -6000, "Processing Fees": 408, "Revenue": -6000, "Stripe Clearing": 11592},
        (0, 11592),
        ("Deposit 60.00", "Payment 60.00", "Payment 60.00", "Purchase 60.00"),
        "120.00",
        "-60.00",
    ),
    Case(
        "payment while the sale stands",
        _payment_while_the_sale_stands,
        {"Processing Fees": 204, "Receivable": 6000, "Revenue": -6000, "Stripe Clearing": -204},
        (6000, -204),
        ("Payment 60.00", "Purchase 60.00"),
        "0.00",
        "60.00",
    ),
    Case(
        "yen",
        _yen,
        {"Processing Fees": 175, "Revenue": -3766, "Stripe Clearing": 3591},
        (1234, 3591),
        ("Payment 5000", "RefundReceipt 1234"),
        "3766",
        account="Stripe Clearing (JPY)",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_ledger_stripe_and_quickbooks_agree(shop: Shop, case: Case) -> None:
    """The end of each case, by figures written by hand; the invoice stays paid, and a second round changes nothing."""
    case.happens(shop)
    for _ in range(2):
        settled(shop)
        assert in_ledger(shop) == case.ledger
        assert at_stripe(shop) == case.stripe
        assert documents(shop) == list(case.documents)
        assert book_balances(shop, case.account) == {case.account: case.clearing}
    if case.account.endswith("(USD)"):
        assert receivable(shop) == case.receivable
    assert {invoice["Balance"] for invoice in shop.books("Invoice")} <= {"0.00", "0"}


# -- the documents ---------------------------------------------------------------------------------


def test_c22_the_last_cent_of_tax_is_a_line_of_its_own(shop: Shop) -> None:
    """3.35 of 10.05: 0.20 of it carry tax, 0.02 by QuickBooks' rate; the second part should have 0.01."""
    _three_parts(shop)
    settled(shop)
    receipts = shop.books("RefundReceipt")
    rounded = [
        [line["Amount"] for line in one["Line"] if "rounding" in line.get("Description", "")] for one in receipts
    ]
    assert sorted(rounded) == [[], [], ["-0.01"]]
    assert {one["TxnTaxDetail"]["TotalTax"] for one in receipts} == {"0.02"}
    assert len(shop.requests("quickbooks", "POST", "/refundreceipt")) == 5  # one deleted, one anew


def test_a_refund_receipt_uses_one_service_item_and_restocks_nothing(shop: Shop) -> None:
    """Two mugs of 25 are sold and refunded: 23 stay on hand, the item `Refund` is made once on the income account."""
    mugs = [{"description": "Mug", "sku": "MUG", "quantity": "2", "unit_price": "12.00", "taxable": True}]
    payment = shop.finished(lines=mugs)
    _refund(shop, payment, "--amount", "10.00")
    _refund(shop, payment)
    settled(shop)
    items = {item["Name"]: item for item in shop.books("Item")}
    assert items["Mug"]["QtyOnHand"] == "23"
    assert items["Refund"]["Type"] == "Service"
    used = {
        line["SalesItemLineDetail"]["ItemRef"]["value"]
        for one in shop.books("RefundReceipt")
        for line in one["Line"]
        if "SalesItemLineDetail" in line
    }
    assert used == {items["Refund"]["Id"]}


def test_the_documents_carry_our_mark_the_day_and_the_ids(shop: Shop) -> None:
    """DocNumber is the operation, the note names payment and document, TxnDate is the day of the movement in Austin."""
    payment = shop.finished()
    refund = _refund(shop, payment)["refund"]
    settled(shop)
    ended(shop, refund, "failed")
    settled(shop)
    (receipt,), (mirror,) = shop.books("RefundReceipt"), shop.books("SalesReceipt")
    for one, kind in ((receipt, "refundreceipt"), (mirror, "salesreceipt")):
        operation = shop.till.ledger.operations.get(one["DocNumber"])
        assert operation is not None
        assert payment in one["PrivateNote"]
        assert f"document {kind}:stripe:" in one["PrivateNote"]
    assert mirror["TxnDate"] > receipt["TxnDate"]


def test_a_purchase_of_credit_is_applied_to_its_payment_once(shop: Shop) -> None:
    """The second payment's rest is used by the Purchase; the payment of the invoice is untouched."""
    _overpayment(shop)
    settled(shop)
    (purchase,) = shop.books("Purchase")
    first, second = sorted(shop.books("Payment"), key=lambda one: int(one["Id"]))
    assert second["Line"] == [
        {"Amount": "60.00", "LinkedTxn": [{"TxnId": purchase["Id"], "TxnType": "Expense"}]},
    ]
    assert (first["SyncToken"], second["SyncToken"]) == ("0", "1")
    assert second["PaymentRefNum"]
    assert second["PrivateNote"]
    assert second["DepositToAccountRef"] == first["DepositToAccountRef"]


def test_a_purchase_is_left_alone_in_a_closed_period(shop: Shop) -> None:
    """The payment's month was closed: both stay as they are, the document is posted and says what is left to do."""
    _, second = paid_twice(shop)
    (payment, *_) = shop.books("Payment")
    preferences = shop.books("Preferences")[0]
    closed = {**preferences["AccountingInfoPrefs"], "BookCloseDate": payment["TxnDate"]}
    shop.later(3 * 86400)
    planted = {"vendor": "quickbooks", "kind": "Preferences", "id": "1", "set": {"AccountingInfoPrefs": closed}}
    control(shop.simulator, "plant", planted)
    _refund(shop, second)
    settled(shop)
    (document,) = [one for one in shop.till.ledger.documents.of_invoice("INV-1001") if one.kind == "Purchase"]
    assert document.state == "posted"
    assert "match the two in QuickBooks by hand" in document.reason
    assert [one["UnappliedAmt"] for one in shop.books("Payment") if one["SyncToken"] == "0"] == ["0.00", "60.00"]
    checks = {one["name"]: one for one in shop.run("check_setup").json["checks"]}
    assert checks["documents"]["ok"]
    assert document.key in checks["documents"]["hint"]
    assert any(document.reason in link["detail"] for link in shop.run("show_payment", "INV-1001").json["chain"])


def _rate(shop: Shop, value: str) -> None:
    """The company's tax rate was changed in QuickBooks."""
    control(
        shop.simulator,
        "plant",
        {"vendor": "quickbooks", "kind": "TaxRate", "id": "1", "set": {"RateValue": value}},
    )


@pytest.mark.parametrize(("rate", "tax", "line"), [("14.75", "0.09", "-0.04"), ("1.00", "0.01", "0.04")])
def test_a_tax_that_differs_by_cents_is_rounded(shop: Shop, rate: str, tax: str, line: str) -> None:
    """0.05 of tax went in; another rate makes 0.09 or 0.01 of it: a line up to 0.05 brings the total back to 10.05."""
    payment = shop.finished(lines=TAXED)
    _rate(shop, rate)
    _refund(shop, payment)
    settled(shop)
    (receipt,) = shop.books("RefundReceipt")
    assert (receipt["TotalAmt"], receipt["TxnTaxDetail"]["TotalTax"]) == ("10.05", tax)
    assert [one["Amount"] for one in receipt["Line"] if "rounding" in one.get("Description", "")] == [line]


def test_a_tax_that_differs_by_more_is_for_a_person(shop: Shop) -> None:
    """At 25 % the tax would be 0.15: nothing stays in the books, the document fails; mended, --again posts it."""
    payment = shop.finished(lines=TAXED)
    _rate(shop, "25.00")
    _refund(shop, payment)
    ran = shop.run("post_to_books")
    assert (ran.code, ran.json["failed"]) == (3, 1)
    assert shop.books("RefundReceipt") == []
    (failed,) = shop.till.ledger.documents.failed()
    assert "10.15" in failed.reason
    assert "10.05" in failed.reason
    again = shop.run("post_to_books", "--again", failed.key)
    assert (again.code, shop.books("RefundReceipt")) == (3, [])
    _rate(shop, "8.25")
    assert shop.run("post_to_books", "--again", failed.key).json == {"posted": 1, "waiting": 0, "failed": 0}
    assert documents(shop) == ["Payment 10.05", "RefundReceipt 10.05"]


# -- however it is heard of ------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["poll", "our next refund"])
def test_a_dashboard_refund_is_found_by_any_read(shop: Shop, way: str) -> None:
    """By its event, or because the payment is read again for another reason: one fact, one document, one mail."""
    payment = shop.finished()
    in_dashboard(shop, payment, 2500)
    if way == "our next refund":
        shop.run("refund_payment", payment, "--amount", "99.00")
        assert in_ledger(shop)["Revenue"] == -3500
    settled(shop)
    assert documents(shop) == ["Payment 60.00", "RefundReceipt 25.00"]
    assert [one["subject"] for one in shop.mails()][1:] == ["Refund for INV-1001: 25.00 USD"]


def test_a_refund_of_an_unmatched_payment_waits_in_suspense(shop: Shop) -> None:
    """Money of nobody we know came and went back: it stays in Suspense until it is matched."""
    page = shop.opened_page()
    payment = shop.pay(page["checkout_id"])["payment_intent"]
    (intent,) = state(shop)["objects"]["stripe.payment_intent"]
    _metadata(shop, payment, {})
    shop.later(60)
    shop.run("poll_events")
    shop.run("process_inbox")
    _refund(shop, payment, "--amount", "20.00")
    assert in_ledger(shop) == {
        "Processing Fees": 204,
        "Receivable": 6000,
        "Revenue": -6000,
        "Stripe Clearing": 3796,
        "Suspense": -4000,
    }
    assert shop.run("post_to_books").json["posted"] == 0
    _metadata(shop, payment, intent["metadata"])
    settled(shop)  # the refund's event leads to the payment, which is read once more
    assert in_ledger(shop) == {"Processing Fees": 204, "Revenue": -4000, "Stripe Clearing": 3796}
    assert documents(shop) == ["Payment 60.00", "RefundReceipt 20.00"]


def _metadata(shop: Shop, payment: str, metadata: Json) -> None:
    """Somebody edited the metadata of a payment intent by hand."""
    planted = {"vendor": "stripe", "kind": "payment_intent", "id": payment, "set": {"metadata": metadata}}
    control(shop.simulator, "plant", planted)


def test_what_the_books_were_told_of_a_dashboard_refund_stays(shop: Shop) -> None:
    """60.00 went back in the dashboard as the sale and is posted; then the invoice is lowered to 40.00: the 20.00 that
    are credit now were not what went back, so nothing is posted twice."""
    payment = shop.finished()
    in_dashboard(shop, payment, 6000)
    settled(shop)
    (invoice,) = shop.books("Invoice")
    lowered = {"TotalAmt": "40.00", "SyncToken": "9", "MetaData": invoice["MetaData"]}
    control(shop.simulator, "plant", {"vendor": "quickbooks", "kind": "Invoice", "id": invoice["Id"], "set": lowered})
    shop.run("create_checkout", "INV-1001")  # reads the invoice again
    settled(shop)
    assert in_ledger(shop) == {
        "Customer Credit": -2000,
        "Processing Fees": 204,
        "Revenue": 2000,
        "Stripe Clearing": -204,
    }
    assert documents(shop) == ["Payment 60.00", "RefundReceipt 60.00"]


# -- mails -----------------------------------------------------------------------------------------


def test_a_refund_is_confirmed_by_one_mail(shop: Shop) -> None:
    """Amount, invoice and no other figure than these; however often the round runs."""
    _refund(shop, shop.finished(), "--amount", "20.00")
    settled(shop)
    settled(shop)
    (mail,) = [one for one in shop.mails() if one["subject"].startswith("Refund")]
    assert mail["subject"] == "Refund for INV-1001: 20.00 USD"
    assert mail["to"] == ["grace@example.com"]
    assert "20.00" in mail["text"]
    assert "20.00" in mail["html"]


def test_c14_a_refund_that_failed_first_is_not_confirmed(shop: Shop) -> None:
    """It came back before the mail left: the mail is withdrawn, and says why."""
    _refund(shop, shop.finished())
    (refund,) = state(shop)["objects"]["stripe.refund"]
    ended(shop, refund["id"], "failed")
    settled(shop)
    assert not [one for one in shop.mails() if one["subject"].startswith("Refund")]
    (message,) = [one for one in shop.till.ledger.messages.of_invoice("INV-1001") if one["kind"] == "refund"]
    assert (message["state"], message["reason"]) == ("withdrawn", "the refund failed")
