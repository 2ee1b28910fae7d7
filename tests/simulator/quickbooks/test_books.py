"""The simulator's QuickBooks: what invoices, payments and the other transactions do to the books."""

from __future__ import annotations

import contextlib
import json
import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from quickbooks import QuickBooks
from quickbooks.exceptions import ObjectNotFoundException, QuickbooksException
from quickbooks.objects import Customer, Invoice, Item, Payment

from helpers.vendors.quickbooks_company import (
    ADA,
    MUG,
    Json,
    account,
    everything,
    get,
    invoice,
    line,
    new_customer,
    payment,
    post,
    refused,
    set_preferences,
    trial_balance,
)
from helpers.vendors.simulated_stripe import contract, control
from simulator.server import Simulator

# -- invoices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after_discount", "tax", "total"), [(True, "8.91", "143.91"), (False, "9.90", "144.90")], ids=["before", "after"]
)
def test_invoice_with_discount_and_tax(books: QuickBooks, after_discount: bool, tax: str, total: str) -> None:
    """QuickBooks computes subtotal, discount, sales tax and total, and adds the subtotal line."""
    discount = {"DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10}}
    lines = [line("120.00", "1", "120.00", "TAX"), line("30.00", "2", "15.00"), discount]
    made = invoice(books, *lines, ApplyTaxAfterDiscount=after_discount)
    assert [one["DetailType"] for one in made["Line"]][-2:] == ["SubTotalLineDetail", "DiscountLineDetail"]
    assert made["TxnTaxDetail"]["TotalTax"] == Decimal(tax)
    assert made["TotalAmt"] == made["Balance"] == Decimal(total)
    sheet = trial_balance(books)
    assert sheet["Accounts Receivable (A/R)"] == Decimal(total)
    assert (sheet["Discounts given"], sheet["Sales Tax Payable"]) == (Decimal("15.00"), -Decimal(tax))


def test_untaxed_customer_pays_no_tax(books: QuickBooks) -> None:
    """A customer who is not taxable gets no tax on a taxable line. A client's own tax holds when it may."""
    body = {"DisplayName": "School", "Taxable": False}
    school = post(books, "customer", body)["Customer"]["Id"]
    assert invoice(books, line("10", "1", "10", "TAX"), customer=school)["TotalAmt"] == Decimal("10.00")
    own = {"TotalTax": "0.50", "UseAutomatedSalesTax": False}
    assert invoice(books, line("10", "1", "10", "TAX"), TxnTaxDetail=own)["TotalAmt"] == Decimal("10.50")


def test_d1_yen_have_no_decimals(books: QuickBooks) -> None:
    """A yen invoice is rounded to whole yen, and shows its value at home."""
    yen = new_customer(books, "Sato", "JPY")
    made = invoice(books, line("1999", "1", "1999", "TAX"), customer=yen)
    assert (made["CurrencyRef"]["value"], made["TotalAmt"], made["HomeTotalAmt"]) == ("JPY", 2164, Decimal("14.50"))
    with refused(6000):
        invoice(books, customer=yen, CurrencyRef={"value": "USD"})


def test_b16_invoice_with_250_lines(books: QuickBooks) -> None:
    """All of 250 lines are kept and counted."""
    made = invoice(books, *[line("0.10", "1", "0.10") for _ in range(250)])
    assert len(made["Line"]) == 251
    assert made["TotalAmt"] == Decimal("25.00")


def test_amounts_are_exact(books: QuickBooks) -> None:
    """d7: a sum that a binary float cannot hold comes back digit for digit. A wrong line is refused."""
    made = invoice(books, line("9007199254.01", "1", "9007199254.01"), line("0.10", "3", "0.033"))
    assert made["TotalAmt"] == Decimal("9007199254.11")
    with refused(6070):
        invoice(books, line("60.01", "0.5", "120.00"))


def test_goods_leave_the_stock(books: QuickBooks) -> None:
    """Invoicing goods lowers the quantity, below zero too, and deleting the invoice puts them back."""
    made = invoice(books, line("420.00", "30", "14.00", item=MUG))
    assert Item.get(MUG, qb=books).QtyOnHand == -5
    assert trial_balance(books)["Cost of Goods Sold"] == Decimal("150.00")
    post(books, "invoice", {"Id": made["Id"], "SyncToken": made["SyncToken"]}, operation="delete")
    assert Item.get(MUG, qb=books).QtyOnHand == 25


def test_c27_duplicate_and_long_numbers_are_refused(books: QuickBooks) -> None:
    """The client's number is kept, refused the second time (6140), and refused when it is too long."""
    assert invoice(books, DocNumber="INV-1")["DocNumber"] == "INV-1"
    with refused(6140):
        invoice(books, DocNumber="INV-1")
    with refused(2050):
        invoice(books, DocNumber="1" * 22)
    assert "DocNumber" not in invoice(books)


def test_c28_quickbooks_numbers_by_itself(books: QuickBooks) -> None:
    """With custom transaction numbers off, QuickBooks counts."""
    set_preferences(books, "SalesFormsPrefs", CustomTxnNumbers=False)
    assert [invoice(books)["DocNumber"] for _ in range(2)] == ["1001", "1002"]


def test_c31_closed_books_refuse_changes(books: QuickBooks) -> None:
    """Nothing can be dated, changed or deleted up to the closing date."""
    made = invoice(books, TxnDate="2020-06-01")
    set_preferences(books, "AccountingInfoPrefs", BookCloseDate="2020-12-31")
    with refused(6210):
        invoice(books, TxnDate="2020-12-31")
    with refused(6210):
        post(books, "invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="delete")
    assert invoice(books, TxnDate="2021-01-01")["TxnDate"] == "2021-01-01"


def test_c29_c30_updates(books: QuickBooks) -> None:
    """A sparse update keeps what is not sent, a full one clears it, and an old SyncToken is refused."""
    made = invoice(books, PrivateNote="note", CustomerMemo={"value": "Thank you"})
    head = {"Id": made["Id"], "SyncToken": "0", "CustomerRef": {"value": ADA}}
    sparse = post(books, "invoice", {**head, "sparse": True, "PrivateNote": "new"})["Invoice"]
    assert (sparse["PrivateNote"], sparse["CustomerMemo"]["value"]) == ("new", "Thank you")
    with refused(5010):
        post(books, "invoice", {**head, "sparse": True, "PrivateNote": "late"})
    full = post(books, "invoice", {**head, "SyncToken": "1", "Line": [line("9", "1", "9")]})["Invoice"]
    assert "PrivateNote" not in full
    assert full["Balance"] == Decimal("9.00")
    assert account(books, "Accounts Receivable (A/R)")["CurrentBalance"] == Decimal("9.00")


def test_unknown_fields_and_references_are_refused(books: QuickBooks) -> None:
    """A misspelt field, an unknown item or customer and an inactive one are typed refusals."""
    with refused(2010):
        invoice(books, PrivateNotes="misspelt")
    with refused(2500):
        invoice(books, line("1", "1", "1", item="999"))
    with refused(2020):
        post(books, "invoice", {"Line": [line("1", "1", "1")]})
    for malformed in ({"CurrencyRef": "USD"}, {"Line": {"Amount": 1}}, {"Line": [1]}, {"DocNumber": {"a": 1}}):
        with refused(2010):
            post(books, "invoice", {"CustomerRef": {"value": ADA}, **malformed})
    gone = new_customer(books, "Gone")
    post(books, "customer", {"Id": gone, "SyncToken": "0", "sparse": True, "Active": False})
    with pytest.raises(ObjectNotFoundException):
        invoice(books, customer=gone)
    assert new_customer(books, "Gone") != gone


# -- requestid -------------------------------------------------------------------------------------


def test_c26_requestid_replays_the_first_answer(books: QuickBooks) -> None:
    """The same requestid never makes a second invoice: also not with another body, or after a deletion."""
    body = {"CustomerRef": {"value": ADA}, "Line": [line("1", "1", "1")]}
    first = post(books, "invoice", body, request_id="op-1")
    assert post(books, "invoice", {**body, "PrivateNote": "other"}, request_id="op-1") == first
    post(books, "invoice", {"Id": first["Invoice"]["Id"], "SyncToken": "0"}, operation="delete")
    assert post(books, "payment", {"TotalAmt": 1}, request_id="op-1") == first
    assert Invoice.count(qb=books) == 0
    with refused(2050):
        post(books, "invoice", body, request_id="x" * 51)


def test_requestid_replays_under_concurrency(books: QuickBooks) -> None:
    """Eight requests at once with one requestid make one invoice."""
    body = {"CustomerRef": {"value": ADA}, "Line": [line("1", "1", "1")]}
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: post(books, "invoice", body, request_id="op-2")["Invoice"]["Id"], range(8)))
    assert len(set(made)) == 1
    assert Invoice.count(qb=books) == 1


# -- payments --------------------------------------------------------------------------------------


def test_payment_lowers_the_balance_and_void_gives_it_back(books: QuickBooks) -> None:
    """Paying raises the invoice's SyncToken and links both. A void or a smaller update gives the balance back."""
    bill = invoice(books)
    paid = payment(books, "100.00", (bill["Id"], "60.00"), PaymentRefNum="op-9")
    assert paid["UnappliedAmt"] == Decimal("40.00")
    read = get(books, f"invoice/{bill['Id']}")["Invoice"]
    assert (read["Balance"], read["SyncToken"]) == (0, "1")
    assert read["LinkedTxn"] == [{"TxnId": paid["Id"], "TxnType": "Payment"}]
    assert account(books, "Undeposited Funds")["CurrentBalance"] == Decimal("100.00")
    assert Customer.get(ADA, qb=books).Balance == Decimal("-40.00")
    with refused(6000):
        post(books, "invoice", {"Id": bill["Id"], "SyncToken": "1"}, operation="void")
    less = {"Amount": "10", "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Invoice"}]}
    post(books, "payment", {"Id": paid["Id"], "SyncToken": "0", "sparse": True, "Line": [less]})
    assert get(books, f"invoice/{bill['Id']}")["Invoice"]["Balance"] == Decimal("50.00")
    found = Payment.filter(PaymentRefNum="op-9", qb=books)[0]
    assert found.void(qb=books)["Payment"]["TotalAmt"] == 0
    read = get(books, f"invoice/{bill['Id']}")["Invoice"]
    assert (read["Balance"], read["LinkedTxn"]) == (Decimal("60.00"), [])
    assert account(books, "Undeposited Funds")["CurrentBalance"] == 0


def test_payment_beyond_its_bounds_is_refused(books: QuickBooks) -> None:
    """More than the invoice's balance, more than the payment, another customer's invoice: refused, nothing moved."""
    bill = invoice(books)
    with refused(6000):
        payment(books, "100.00", (bill["Id"], "60.01"))
    with refused(6000):
        payment(books, "50.00", (bill["Id"], "60.00"))
    with refused(620):
        payment(books, "60.00", (bill["Id"], "60.00"), customer=new_customer(books, "Other"))
    with refused(2050):
        payment(books, "60.00", PaymentRefNum="1" * 22)
    assert get(books, f"invoice/{bill['Id']}")["Invoice"]["Balance"] == Decimal("60.00")
    assert Payment.count(qb=books) == 0


def test_payment_currency_rule_of_the_deposit_account(books: QuickBooks) -> None:
    """A euro payment goes to a home or euro account, never to a yen one. The rate's difference is gain or loss."""
    client = new_customer(books, "Anna", "EUR")
    bill = invoice(books, line("100", "1", "100"), customer=client, ExchangeRate="1.10")
    banks = {
        code: post(books, "account", {"Name": code, "AccountType": "Bank", "CurrencyRef": {"value": code}})["Account"]
        for code in ("EUR", "JPY")
    }
    with refused(6000):
        payment(books, "100", customer=client, DepositToAccountRef={"value": banks["JPY"]["Id"]})
    ref = {"value": banks["EUR"]["Id"]}
    payment(books, "100", (bill["Id"], "100"), customer=client, DepositToAccountRef=ref, ExchangeRate="1.05")
    assert account(books, "EUR")["CurrentBalance"] == Decimal("100.00")
    sheet = trial_balance(books)
    assert (sheet["EUR"], sheet["Exchange Gain or Loss"]) == (Decimal("105.00"), Decimal("5.00"))
    assert "Accounts Receivable (A/R) - EUR" not in sheet


def test_automatic_application_only_when_the_company_wants_it(books: QuickBooks) -> None:
    """AutoApplyPayments is off at first. Switched on, a payment settles the oldest invoice by itself."""
    bill = invoice(books)
    assert payment(books, "10")["UnappliedAmt"] == Decimal("10.00")
    set_preferences(books, "SalesFormsPrefs", AutoApplyPayments=True)
    body = {"CustomerRef": {"value": ADA}, "TotalAmt": "70"}
    assert post(books, "payment", body)["Payment"]["UnappliedAmt"] == Decimal("10.00")
    assert get(books, f"invoice/{bill['Id']}")["Invoice"]["Balance"] == 0


# -- other transactions ----------------------------------------------------------------------------


def test_every_other_transaction_keeps_the_books_balanced(books: QuickBooks) -> None:
    """Receipts, refunds, deposits, transfers, purchases and entries post to the accounts that they name."""
    checking, savings = ({"value": account(books, name)["Id"]} for name in ("Checking", "Savings"))
    charges = {"value": account(books, "Bank Charges")["Id"]}
    sale = {"CustomerRef": {"value": ADA}, "Line": [line("100", "1", "100", "TAX")], "DepositToAccountRef": savings}
    post(books, "salesreceipt", sale)
    post(books, "refundreceipt", {**sale, "Line": [line("40", "1", "40", "TAX")]})
    post(books, "transfer", {"FromAccountRef": savings, "ToAccountRef": checking, "Amount": "20"})
    cost = {"DetailType": "AccountBasedExpenseLineDetail", "Amount": "3.20"}
    cost["AccountBasedExpenseLineDetail"] = {"AccountRef": charges}  # type: ignore[assignment]  # a JSON object
    post(books, "purchase", {"PaymentType": "Cash", "AccountRef": savings, "Line": [cost]})
    gain = {"Amount": "1", "DetailType": "DepositLineDetail", "DepositLineDetail": {"AccountRef": charges}}
    post(books, "deposit", {"DepositToAccountRef": savings, "Line": [gain]})
    sides = [
        {"Amount": "5", "JournalEntryLineDetail": {"PostingType": side, "AccountRef": ref}}
        for side, ref in (("Debit", charges), ("Credit", savings))
    ]
    post(books, "journalentry", {"Line": sides})
    with refused(6000):
        post(books, "journalentry", {"Line": sides[:1]})
    sheet = trial_balance(books)
    assert (sheet["Savings"], sheet["Checking"]) == (Decimal("37.75"), Decimal("10020.00"))
    assert (sheet["Bank Charges"], sheet["Sales Tax Payable"]) == (Decimal("7.20"), Decimal("-4.95"))


def test_deposited_payment_and_applied_credit(books: QuickBooks) -> None:
    """A payment in a deposit is locked (6540). A credit memo is applied by a payment of zero."""
    paid = payment(books, "10")
    link = {"Amount": "10", "LinkedTxn": [{"TxnId": paid["Id"], "TxnType": "Payment", "TxnLineId": "0"}]}
    checking = {"value": account(books, "Checking")["Id"]}
    post(books, "deposit", {"DepositToAccountRef": checking, "Line": [link]})
    token = get(books, f"payment/{paid['Id']}")["Payment"]["SyncToken"]
    with refused(6540):
        post(books, "payment", {"Id": paid["Id"], "SyncToken": token}, operation="delete")
    bill = invoice(books)
    credit = post(books, "creditmemo", {"CustomerRef": {"value": ADA}, "Line": [line("60", "1", "60")]})["CreditMemo"]
    links = [("Invoice", bill["Id"]), ("CreditMemo", credit["Id"])]
    lines = [{"Amount": "60", "LinkedTxn": [{"TxnId": key, "TxnType": kind}]} for kind, key in links]
    post(books, "payment", {"CustomerRef": {"value": ADA}, "TotalAmt": 0, "Line": lines})
    assert get(books, f"invoice/{bill['Id']}")["Invoice"]["Balance"] == 0
    assert get(books, f"creditmemo/{credit['Id']}")["CreditMemo"]["Balance"] == 0


def test_receivable_is_what_the_customers_owe(books: QuickBooks) -> None:
    """After 150 random changes, refused ones too, A/R equals open invoices less credits, and the books balance."""
    dice = random.Random(20261123)
    for _ in range(150):
        with contextlib.suppress(QuickbooksException):
            _change_something(books, dice)
    invoices = everything(books, "Invoice")
    payments = everything(books, "Payment")
    owed = sum((Decimal(one["Balance"]) for one in invoices), Decimal(0))
    credit = sum((Decimal(one["UnappliedAmt"]) for one in payments), Decimal(0))
    assert min(len(invoices), len(payments)) > 10
    assert account(books, "Accounts Receivable (A/R)")["CurrentBalance"] == owed - credit
    assert Customer.get(ADA, qb=books).Balance == owed - credit
    assert trial_balance(books).get("Accounts Receivable (A/R)", Decimal(0)) == owed - credit


def _change_something(books: QuickBooks, dice: random.Random) -> None:
    """Make, change, void or delete an invoice or payment. Many of these are refused."""
    amount = str(dice.randint(1, 40))
    known = everything(books, "Invoice")
    kind = dice.choice(["Invoice", "Payment"])
    rows = everything(books, kind)
    action = dice.choice(["create"] * 6 + ["update", "update", "void", "delete"])
    if action == "create" and kind == "Invoice":
        invoice(books, line(amount, "1", amount, dice.choice(["TAX", "NON"])))
    elif action == "create":
        payment(books, str(dice.randint(5, 60)), (dice.choice(known)["Id"] if known else "0", str(dice.randint(1, 12))))
    elif rows:
        one = dice.choice(rows)
        head = {"Id": one["Id"], "SyncToken": one["SyncToken"]}
        if action == "update" and kind == "Invoice":
            post(books, "invoice", {**head, "sparse": True, "Line": [line(amount, "1", amount)]})
        elif action == "update":
            post(books, "payment", {**head, "sparse": True, "TotalAmt": amount})
        else:
            post(books, kind.lower(), head, operation=action)


# -- money given back ------------------------------------------------------------------------------


def _ref(books: QuickBooks, name: str) -> dict[str, str]:
    return {"value": account(books, name)["Id"]}


def _clearing(books: QuickBooks, currency: str = "USD") -> dict[str, str]:
    body = {"Name": f"Stripe Clearing ({currency})", "AccountType": "Bank", "AccountSubType": "CashOnHand"}
    made = post(books, "account", {**body, "CurrencyRef": {"value": currency}})["Account"]
    return {"value": made["Id"]}


def _refund_item(books: QuickBooks) -> str:
    body = {"Name": "Refund", "Type": "Service", "IncomeAccountRef": _ref(books, "Services")}
    return str(post(books, "item", body)["Item"]["Id"])


def _receivable_line(books: QuickBooks, amount: str, name: str = "Accounts Receivable (A/R)") -> Json:
    detail = {"AccountRef": _ref(books, name)}
    return {
        "Amount": amount,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": detail,
    }


def _money_back(books: QuickBooks, clearing: Json, amount: str, customer: str = ADA, **fields: Any) -> Json:
    """A Purchase that gives a customer's credit back."""
    payee = {"value": customer, "type": "Customer"}
    body = {
        "PaymentType": "Cash",
        "AccountRef": clearing,
        "EntityRef": payee,
        "Line": [_receivable_line(books, amount)],
    }
    return post(books, "purchase", {**body, **fields})["Purchase"]  # type: ignore[no-any-return]  # JSON


def test_a_refund_receipt_takes_back_sale_and_tax(books: QuickBooks) -> None:
    """It debits the item's income and the tax that QuickBooks computes, and leaves the invoice and stock alone."""
    clearing, item = _clearing(books), _refund_item(books)
    bill = invoice(books, line("100", "1", "100", "TAX"))
    payment(books, "108.25", (bill["Id"], "108.25"), DepositToAccountRef=clearing)
    lines = [line("40", "1", "40", "TAX", item), line("10", "1", "10", "NON", item)]
    body = {"CustomerRef": {"value": ADA}, "Line": lines, "DepositToAccountRef": clearing, "DocNumber": "RF-1"}
    made = post(books, "refundreceipt", body)["RefundReceipt"]
    assert (made["TotalAmt"], made["TxnTaxDetail"]["TotalTax"], made["Balance"]) == (
        Decimal("53.30"),
        Decimal("3.30"),
        0,
    )
    sheet = trial_balance(books)
    assert (sheet["Stripe Clearing (USD)"], sheet["Services"]) == (Decimal("54.95"), Decimal("-50.00"))
    assert sheet["Sales Tax Payable"] == Decimal("-4.95")
    assert get(books, f"invoice/{bill['Id']}")["Invoice"]["Balance"] == 0
    assert Customer.get(ADA, qb=books).Balance == 0
    with refused(6140):
        post(books, "refundreceipt", body)
    with refused(2020):
        post(books, "refundreceipt", {"CustomerRef": {"value": ADA}, "Line": lines})
    with refused(6000):
        post(books, "refundreceipt", {**body, "DocNumber": "RF-2", "DepositToAccountRef": _ref(books, "Services")})


def test_a_deleted_refund_receipt_is_gone(books: QuickBooks) -> None:
    """Deleting gives the money back to the account and frees the number. Voiding is not possible."""
    clearing, item = _clearing(books), _refund_item(books)
    body = {"CustomerRef": {"value": ADA}, "Line": [line("40", "1", "40", "TAX", item)]}
    body |= {"DepositToAccountRef": clearing, "DocNumber": "RF-1"}
    made = post(books, "refundreceipt", body)["RefundReceipt"]
    head = {"Id": made["Id"], "SyncToken": made["SyncToken"]}
    with pytest.raises(QuickbooksException):
        post(books, "refundreceipt", head, operation="void")
    post(books, "refundreceipt", head, operation="delete")
    assert everything(books, "RefundReceipt") == []
    assert "Stripe Clearing (USD)" not in trial_balance(books)
    assert post(books, "refundreceipt", body)["RefundReceipt"]["TotalAmt"] == Decimal("43.30")


def test_a_sales_receipt_mirrors_a_refund_that_failed(books: QuickBooks) -> None:
    """The money comes back to the account, the sale and its tax stand again."""
    clearing, item = _clearing(books), _refund_item(books)
    body = {
        "CustomerRef": {"value": ADA},
        "Line": [line("40", "1", "40", "TAX", item)],
        "DepositToAccountRef": clearing,
    }
    post(books, "refundreceipt", body)
    post(books, "salesreceipt", body)
    assert {"Stripe Clearing (USD)", "Services", "Sales Tax Payable"}.isdisjoint(trial_balance(books))


def test_an_overpayment_is_given_back_and_applied(books: QuickBooks) -> None:
    """A Purchase on Receivable opens the credit, a full update of the Payment closes it. Then neither can go alone."""
    clearing = _clearing(books)
    bill = invoice(books)
    paid = payment(books, "100.00", (bill["Id"], "60.00"), DepositToAccountRef=clearing)
    back = _money_back(books, clearing, "40.00", DocNumber="MB-1")
    assert (back["TotalAmt"], back["EntityRef"]["type"]) == (Decimal("40.00"), "Customer")
    assert Customer.get(ADA, qb=books).Balance == 0
    read = get(books, f"payment/{paid['Id']}")["Payment"]
    links = [
        {"Amount": "60.00", "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Invoice"}]},
        {"Amount": "40.00", "LinkedTxn": [{"TxnId": back["Id"], "TxnType": "Expense"}]},
    ]
    full = {name: read[name] for name in ("Id", "SyncToken", "CustomerRef", "DepositToAccountRef")}
    full["TotalAmt"] = "100.00"
    with refused(6000):
        too_much = [links[0], {**links[1], "Amount": "40.01"}]
        post(books, "payment", {**full, "Line": too_much})
    done = post(books, "payment", {**full, "Line": links})["Payment"]
    assert (done["UnappliedAmt"], len(done["Line"])) == (0, 2)
    linked = get(books, f"purchase/{back['Id']}")["Purchase"]
    assert linked["LinkedTxn"] == [{"TxnId": paid["Id"], "TxnType": "Payment"}]
    head = {"Id": back["Id"], "SyncToken": linked["SyncToken"]}
    with refused(6000):
        post(books, "purchase", head, operation="delete")
    with refused(6000):
        post(books, "purchase", {**head, "sparse": True, "Line": [_receivable_line(books, "39.00")]})
    assert get(books, f"invoice/{bill['Id']}")["Invoice"]["Balance"] == 0
    assert trial_balance(books)["Stripe Clearing (USD)"] == Decimal("60.00")


def test_a_deposit_to_receivable_needs_its_customer(books: QuickBooks) -> None:
    """A refund of credit that failed is owed to the customer again: a Deposit line with the customer and A/R."""
    clearing = _clearing(books)
    detail = {"AccountRef": _ref(books, "Accounts Receivable (A/R)")}
    row = {"Amount": "40.00", "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
    body = {"DepositToAccountRef": clearing, "DocNumber": "MB-2", "Line": [row]}
    with refused(6000):
        post(books, "deposit", body)
    detail["Entity"] = {"value": ADA, "type": "CUSTOMER"}
    assert post(books, "deposit", body)["Deposit"]["TotalAmt"] == Decimal("40.00")
    assert Customer.get(ADA, qb=books).Balance == Decimal("-40.00")
    assert account(books, "Accounts Receivable (A/R)")["CurrentBalance"] == Decimal("-40.00")


def test_d11_receivable_has_an_account_for_each_currency(books: QuickBooks) -> None:
    """A euro customer's credit goes back through the euro Receivable, never through that of another currency."""
    clearing, anna = _clearing(books, "EUR"), new_customer(books, "Anna", "EUR")
    payment(books, "50.00", customer=anna, DepositToAccountRef=clearing)
    euros = _receivable_line(books, "50.00", "Accounts Receivable (A/R) - EUR")
    with refused(6000):
        _money_back(books, clearing, "50.00", anna)
    with refused(6000):
        _money_back(books, clearing, "50.00", Line=[euros])
    _money_back(books, clearing, "50.00", anna, Line=[euros])
    assert Customer.get(anna, qb=books).Balance == 0
    assert account(books, "Accounts Receivable (A/R) - EUR")["CurrentBalance"] == 0
    item = _refund_item(books)
    body = {"CustomerRef": {"value": anna}, "Line": [line("5", "1", "5", item=item)]}
    with refused(6000):
        yen = _clearing(books, "JPY")
        post(books, "refundreceipt", {**body, "DepositToAccountRef": yen})
    made = post(books, "refundreceipt", {**body, "DepositToAccountRef": clearing})["RefundReceipt"]
    assert (made["CurrencyRef"]["value"], made["HomeTotalAmt"]) == ("EUR", Decimal("5.40"))


@pytest.mark.parametrize("kind", ["RefundReceipt", "SalesReceipt", "Purchase", "Deposit"])
def test_documents_are_found_by_number_and_date(books: QuickBooks, kind: str) -> None:
    """DocNumber and ranges of TxnDate can be asked, whichever document money back became."""
    clearing = _clearing(books)
    sale = {"CustomerRef": {"value": ADA}, "Line": [line("40", "1", "40")], "DepositToAccountRef": clearing}
    entity = {"value": ADA, "type": "CUSTOMER"}
    detail = {"AccountRef": _ref(books, "Accounts Receivable (A/R)"), "Entity": entity}
    row = {"Amount": "40.00", "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
    bodies = {
        "RefundReceipt": sale,
        "SalesReceipt": sale,
        "Purchase": {
            "PaymentType": "Cash",
            "AccountRef": clearing,
            "EntityRef": {"value": ADA, "type": "Customer"},
            "Line": [_receivable_line(books, "40.00")],
        },
        "Deposit": {"DepositToAccountRef": clearing, "Line": [row]},
    }
    for day in ("01", "02", "03"):
        post(books, kind.lower(), {**bodies[kind], "DocNumber": f"O'N-{day}", "TxnDate": f"2026-11-{day}"})
    for where, days in (
        ("DocNumber = 'O\\'N-02'", ["2026-11-02"]),
        ("TxnDate >= '2026-11-02' and TxnDate < '2026-11-03'", ["2026-11-02"]),
        ("TxnDate > '2026-11-01' orderby TxnDate desc", ["2026-11-03", "2026-11-02"]),
        ("TotalAmt = '41.00'", []),
    ):
        found = books.query(f"select * from {kind} where {where}")["QueryResponse"].get(kind, [])  # noqa: S608  # the language has no parameters
        assert [one["TxnDate"] for one in found] == days


def test_customers_are_found_by_balance(books: QuickBooks) -> None:
    """Who owes and who is owed can be asked."""
    payment(books, "10", customer=new_customer(books, "Owed"))
    invoice(books)
    for where, names in (
        ("Balance > '0'", ["Ada Ltd"]),
        ("Balance < '0'", ["Owed"]),
        ("Balance = '60.00'", ["Ada Ltd"]),
    ):
        found = books.query(f"select DisplayName, Balance from Customer where {where}")["QueryResponse"]  # noqa: S608  # the language has no parameters
        assert [one["DisplayName"] for one in found["Customer"]] == names


def test_documents_of_money_back_fit_intuits_own_schema(books: QuickBooks) -> None:
    """Each of the documents, as it was stored, is what Intuit's schema describes."""
    check = contract("quickbooks_contract")
    clearing, item = _clearing(books), _refund_item(books)
    sale = {
        "CustomerRef": {"value": ADA},
        "Line": [line("40", "1", "40", "TAX", item)],
        "DepositToAccountRef": clearing,
    }
    post(books, "refundreceipt", sale)
    post(books, "salesreceipt", sale)
    _money_back(books, clearing, "40.00")
    entity = {"value": ADA, "type": "CUSTOMER"}
    detail = {"AccountRef": _ref(books, "Accounts Receivable (A/R)"), "Entity": entity}
    row = {"Amount": "40.00", "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
    post(books, "deposit", {"DepositToAccountRef": clearing, "Line": [row]})
    for kind in ("RefundReceipt", "SalesReceipt", "Purchase", "Deposit", "Item"):
        for one in everything(books, kind):
            plain = json.loads(json.dumps(one, default=float))
            assert check.check_entity(kind, plain) == [], kind


def test_a_planted_deletion_takes_its_effects_along(books: QuickBooks, simulator: Simulator) -> None:
    """A payment that somebody lost behind everybody's back: the invoice is open again, the change feed is silent."""
    bill = invoice(books)
    paid = payment(books, "60.00", (bill["Id"], "60.00"))
    control(simulator, "plant", {"vendor": "quickbooks", "kind": "Payment", "id": paid["Id"], "forget": True})
    assert everything(books, "Payment") == []
    assert get(books, f"invoice/{bill['Id']}")["Invoice"]["Balance"] == Decimal("60.00")
    assert Customer.get(ADA, qb=books).Balance == Decimal("60.00")
    order = {"vendor": "quickbooks", "kind": "Invoice", "id": bill["Id"], "set": {"TotalAmt": "61.00"}}
    control(simulator, "plant", order)
    assert get(books, f"invoice/{bill['Id']}")["Invoice"]["TotalAmt"] == Decimal("61.00")
    trial_balance(books)
