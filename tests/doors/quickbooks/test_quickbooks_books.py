"""The QuickBooks door against the simulated company, over real HTTP: reads, and operations that make documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from helpers.vendors.books_stage import (
    Stage,
    new_account,
    new_customer,
    new_invoice,
    new_payment,
    open_stage,
    operation,
)
from helpers.vendors.stand_in import StandIn
from simulator.quickbooks.limits import set_limits
from simulator.server import Simulator
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.rules.events import BookedInvoice
from tillbook.vendors.quickbooks import query
from tillbook.vendors.quickbooks.books import QuickBooksOnline
from tillbook.vendors.quickbooks.write import to_bytes

NAMES = (
    "O'Brien",
    'Sons & "Daughters"',
    "back\\slash\\",
    "quote\\'",
    "' OR DisplayName LIKE '%",
    "100% wool_",
    "Chloé Ångström",
    "Kimberly O\u2019Neil \u2013 \u201ccurly\u201d",
    "李小龍",
    "Party 🎈",
    "Юлия Соколова",
)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("TILLBOOK_HOME", str(tmp_path))
    set_limits(simulator.world, per_minute=0)
    opened = open_stage(simulator, tmp_path)
    yield opened
    simulator.world.delete("quickbooks.limits", "limits")


@pytest.fixture
def books(stage: Stage) -> QuickBooksOnline:
    return stage.books()


@pytest.fixture
def customer(books: QuickBooksOnline) -> str:
    return str(books.send(new_customer())["id"])


# -- reads ---------------------------------------------------------------------------------------------


def test_company_tells_what_steps_check_before_they_write(books: QuickBooksOnline, stage: Stage) -> None:
    """Currency, numbering, closing date and zone come from CompanyInfo and Preferences."""
    company = books.company()
    assert (company.realm, company.name) == (stage.settings.quickbooks_realm_id, "Harbor Lane Studio LLC")
    assert (company.country, company.home_currency, company.zone) == ("US", "USD", "America/Chicago")
    assert (company.multi_currency, company.custom_numbers, company.closed_until) == (True, True, "")


def test_e14_every_request_pins_the_minor_version(books: QuickBooksOnline, stage: Stage) -> None:
    """Reads, queries and changes all say minorversion 75."""
    mark = stage.mark()
    customer = books.send(new_customer())["id"]
    books.customer(customer)
    books.items_by_sku({"MUG"})
    asked = [one for one in stage.requests(mark) if one["path"].startswith("/v3/")]
    assert len(asked) == 3
    assert all("minorversion=75" in one["query"] for one in asked)


def test_items_by_sku_answers_exactly_what_was_asked(books: QuickBooksOnline) -> None:
    """Stock is given where it is kept; an unknown SKU and one in other capitals have no key."""
    items = books.items_by_sku({"CONSULT", "MUG", "mug", "NOPE", "ÅNG"})
    assert set(items) == {"CONSULT", "MUG"}
    assert items["CONSULT"].on_hand is None
    assert isinstance(items["MUG"].on_hand, Decimal)


def test_items_by_sku_asks_for_hundreds_in_pieces(books: QuickBooksOnline, stage: Stage) -> None:
    """Many SKUs become several queries of moderate length, and nothing is lost between them."""
    mark = stage.mark()
    wanted = {f"SKU-{number}" for number in range(150)} | {"POSTER", "HOSTING"}
    assert set(books.items_by_sku(wanted)) == {"POSTER", "HOSTING"}
    assert len(stage.requests(mark, "/query")) == 4


def test_a_sku_on_two_items_is_refused(books: QuickBooksOnline, simulator: Simulator) -> None:
    """Guessing which of two items was meant would bill the wrong one."""
    mug = next(one for one in simulator.world.all("quickbooks.Item") if one.get("Sku") == "MUG")
    simulator.world.save("quickbooks.Item", "9001", {**mug, "Id": "9001", "Name": "Other mug"})
    try:
        with pytest.raises(Refused, match="two active QuickBooks items have the SKU 'MUG'"):
            books.items_by_sku({"MUG"})
    finally:
        simulator.world.delete("quickbooks.Item", "9001")


def test_customers_by_email_compares_the_whole_address(books: QuickBooksOnline) -> None:
    """Capitals aside, only the very same address is a match."""
    found = books.customers_by_email("Ada@example.com")
    assert [one.name for one in found] == ["Ada Ltd"]
    assert books.customers_by_email("da@example.com") == []
    assert books.customers_by_email("%@example.com") == []


def test_e1_a_name_may_belong_to_a_vendor(books: QuickBooksOnline) -> None:
    """Customers, vendors and employees share their names, whatever the capitals."""
    assert books.names_taken("Blue heron") == {"blue heron supplies"}
    assert books.names_taken("Ada Ltd") == {"ada ltd"}
    assert books.names_taken("Nobody of that name") == set()


def test_e1_a_taken_name_is_refused_with_quickbooks_code(books: QuickBooksOnline) -> None:
    """Another record's name is never adopted: the customer there is somebody else."""
    with pytest.raises(Refused) as refused:
        books.send(new_customer("Blue Heron Supplies"))
    assert refused.value.code == "6240"
    with pytest.raises(Refused) as refused:
        books.send(new_customer("Ada Ltd"))
    assert refused.value.code == "6240"


@pytest.mark.parametrize("name", ["Colon: Ltd", "Tab\tLtd", "x" * 501])
def test_e3_a_name_that_quickbooks_cannot_hold_is_refused(books: QuickBooksOnline, name: str) -> None:
    """The door changes no name: what is illegal or too long comes back as a refusal."""
    with pytest.raises(Refused, match="QuickBooks refused"):
        books.send(new_customer(name))


def test_e3_the_full_name_is_kept_where_it_fits(books: QuickBooksOnline, simulator: Simulator) -> None:
    """A name that CompanyName cannot hold stands in the notes, beside our mark."""
    long = "Very " * 30 + "Long: Ltd"
    made = operation("create_customer", {**new_customer("Short").params, "full_name": long})
    raw = simulator.world.get("quickbooks.Customer", books.send(made)["id"])
    assert raw is not None
    assert raw["Notes"] == f"Tillbook {made.id}\n{long}"
    assert "CompanyName" not in raw


@pytest.mark.parametrize("name", NAMES)
def test_e4_e5_odd_names_go_in_and_are_found_again(books: QuickBooksOnline, stage: Stage, name: str) -> None:
    """Quotes, backslashes, percent signs and any script: found by plain ASCII queries, and nobody else with them."""
    created = new_customer(name)
    mark = stage.mark()
    result = books.send(created)
    assert books.find(created) == result
    assert name.casefold() in books.names_taken(name)
    found = books.customer(result["id"])
    assert found is not None
    assert found.name == name
    assert all(one["body"].isascii() for one in stage.requests(mark, "/query"))


@pytest.mark.parametrize("text", ["'", "\\", "\\'", "a\\\\'b", "' OR Id > '0", "x'; select * from Customer"])
def test_e4_a_literal_cannot_leave_its_quotes(books: QuickBooksOnline, text: str) -> None:
    """What an attacker types as a number, mail or SKU finds nothing and breaks nothing."""
    assert books.invoice_by_number(text) is None
    assert books.customers_by_email(text) == []
    assert books.items_by_sku({text}) == {}
    assert books.account_named(text, "Bank") is None


def test_e6_a_query_that_finds_too_much_is_compared_again(books: QuickBooksOnline, customer: str) -> None:
    """A number whose odd characters are wildcards in the query still names one invoice only."""
    first = books.send(new_invoice(customer, "Nº-1"))
    books.send(new_invoice(customer, "N?-1"))
    found = books.invoice_by_number("Nº-1")
    assert found is not None
    assert found.id == first["id"]
    assert books.invoice_by_number("Nª-1") is None


@pytest.mark.parametrize("count", [999, 1000, 1001])
def test_e7_pages_are_read_to_the_end(stage: Stage, simulator: Simulator, count: int) -> None:
    """A thousand rows is a page, not the end."""
    ada = simulator.world.get("quickbooks.Customer", "1")
    assert ada is not None
    email = f"page{count}@example.com"
    ids = [str(100_000 + number) for number in range(count)]
    for key in ids:
        row = {**ada, "Id": key, "DisplayName": f"Page {key}", "PrimaryEmailAddr": {"Address": email}}
        simulator.world.save("quickbooks.Customer", key, row)
    try:
        found = stage.books().customers_by_email(email)
    finally:
        for key in ids:
            simulator.world.delete("quickbooks.Customer", key)
    assert sorted(one.id for one in found) == ids


def test_an_id_that_is_none_is_simply_not_there(books: QuickBooksOnline) -> None:
    """An unknown id, and text that could change the address, are None without a guess."""
    assert books.invoice("999999") is None
    assert books.customer("../preferences") is None
    assert books.payment("") is None


def test_two_invoices_of_one_number_are_refused(books: QuickBooksOnline, customer: str, simulator: Simulator) -> None:
    """A company that allows duplicate numbers must say which one is meant."""
    made = books.send(new_invoice(customer, "TWICE"))
    raw = simulator.world.get("quickbooks.Invoice", made["id"])
    assert raw is not None
    simulator.world.save("quickbooks.Invoice", "9002", {**raw, "Id": "9002"})
    try:
        with pytest.raises(Refused, match="2 records for invoice TWICE"):
            books.invoice_by_number("TWICE")
    finally:
        simulator.world.delete("quickbooks.Invoice", "9002")


# -- operations ----------------------------------------------------------------------------------------


def test_an_account_is_made_once_and_found_by_name_type_and_currency(books: QuickBooksOnline) -> None:
    """The clearing account of a currency is recognised; the same name in another currency is not it."""
    made = books.send(new_account("PayPal (EUR)", "EUR"))
    assert books.find(new_account("PayPal (EUR)", "EUR")) == made
    assert books.find(new_account("PayPal (EUR)", "USD")) is None
    found = books.account_named("PayPal (EUR)", "Bank")
    expected = {"name": "PayPal (EUR)", "type": "Bank", "subtype": "CashOnHand", "currency": "EUR", "active": True}
    assert found == {"id": made["id"], **expected}
    assert books.account_named("PayPal (EUR)", "Expense") is None


def test_an_account_that_a_person_made_is_adopted(books: QuickBooksOnline) -> None:
    """A second operation for the same name (6240) takes the account that is there."""
    first = books.send(new_account("Adopted (USD)"))
    params = new_account("Adopted (USD)").params
    assert books.send(operation("create_account", params)) == first


def test_an_invoice_is_what_was_asked_and_reads_back_the_same(books: QuickBooksOnline, customer: str) -> None:
    """Percent discount before tax: 102.00 - 10.20 = 91.80, tax 8.25 % = 7.57, total 99.37."""
    lines = [
        {
            "description": "Consulting",
            "item_id": "3",
            "quantity": "0.5",
            "unit_price": "120.00",
            "amount": "60.00",
            "taxable": True,
        },
        {
            "description": "Mugs",
            "item_id": "7",
            "quantity": "3",
            "unit_price": "14.00",
            "amount": "42.00",
            "taxable": True,
        },
    ]
    created = new_invoice(customer, "INV-9", lines=lines, discount={"percent": "10", "amount": "10.20"})
    result = books.send(created)
    assert (result["total"], result["tax"]) == ({"minor": 9937, "currency": "USD"}, {"minor": 757, "currency": "USD"})
    money = {name: Money(**result[name]) for name in ("total", "tax", "balance")}
    assert books.invoice(result["id"]) == BookedInvoice(**{**result, **money})
    assert books.find(created) == result
    assert (result["number"], result["customer_id"], result["email"]) == ("INV-9", customer, "c@example.com")
    assert (result["date"], result["due"], result["voided"]) == ("2026-11-23", "2027-01-31", False)


def test_d7_amounts_are_written_digit_for_digit(books: QuickBooksOnline, customer: str, stage: Stage) -> None:
    """The request holds 0.10 as the number 0.10: no float ever touched it, and no text stands for it."""
    mark = stage.mark()
    books.send(new_invoice(customer, price="99999999.10"))
    body = stage.requests(mark, "/invoice")[0]["body"]
    assert '"Amount":99999999.10,' in body
    assert '"UnitPrice":99999999.10,' in body
    assert to_bytes({"a": Decimal("1E+3"), "b": Decimal("0.000001")}) == b'{"a":1000,"b":0.000001}'


def test_d7_amounts_beyond_a_float_are_read_exactly(stage: Stage) -> None:
    """9007199254740993.01 cannot be a float; it arrives to the cent all the same."""
    number = "9007199254740993.01"
    raw = {
        "Id": "1",
        "SyncToken": "0",
        "DocNumber": "BIG",
        "TxnDate": "2026-11-23",
        "TotalAmt": 0,
        "Balance": 0,
        "CustomerRef": {"value": "1"},
        "CurrencyRef": {"value": "USD"},
        "MetaData": {"CreateTime": "2026-11-23T04:05:06-08:00"},
    }
    text = json.dumps({"Invoice": raw}).replace(": 0,", f": {number},")
    with StandIn() as vendor:
        vendor.answer(stage.path("invoice/1"), text.encode())
        invoice = stage.connected(vendor.url).invoice("1")
    assert invoice is not None
    assert invoice.total == Money(900719925474099301, "USD")
    assert invoice.created_at == 1795435506


def test_empties_are_left_out_and_payment_buttons_are_off(
    books: QuickBooksOnline, customer: str, simulator: Simulator, stage: Stage
) -> None:
    """No empty text reaches QuickBooks, and its own payment buttons stay off, else an invoice is paid twice."""
    mark = stage.mark()
    made = books.send(new_invoice(customer, memo="", address=None))
    body = stage.requests(mark, "/invoice")[0]["body"]
    assert '""' not in body
    assert "null" not in body
    assert "BillAddr" not in body
    raw = simulator.world.get("quickbooks.Invoice", made["id"])
    assert raw is not None
    assert (raw["AllowOnlineCreditCardPayment"], raw["AllowOnlineACHPayment"]) == (False, False)


def test_a_yen_invoice_has_whole_yen(books: QuickBooksOnline) -> None:
    """A currency without decimals is written and read without them."""
    tokyo = books.send(new_customer(currency="JPY"))["id"]
    made = books.send(new_invoice(tokyo, price="12000", currency="JPY"))
    assert made["total"] == {"minor": 12000, "currency": "JPY"}


def end_invoice(books: QuickBooksOnline, quickbooks_id: str, what: str) -> None:
    """What a person does in QuickBooks: void it, or delete it."""
    body = to_bytes({"Id": quickbooks_id, "SyncToken": "0"})
    url = "{0.api_url}/company/{0.company_id}/invoice"
    books.connection.call(lambda client: client.post(url.format(client), body, params={"operation": what}))


def test_a_voided_and_a_deleted_invoice_are_told_apart(books: QuickBooksOnline, customer: str, stage: Stage) -> None:
    """Voided stays, marked and without a balance; deleted is gone."""
    voided, deleted = (books.send(new_invoice(customer)) for _ in range(2))
    for made, what in ((voided, "void"), (deleted, "delete")):
        end_invoice(books, made["id"], what)
    found = books.invoice(voided["id"])
    assert found is not None
    assert (found.voided, found.balance.minor, found.version) == (True, 0, 1)
    assert books.invoice(deleted["id"]) is None


def test_a_payment_is_applied_and_the_rest_stays_credit(books: QuickBooksOnline, customer: str) -> None:
    """Gross into the clearing account; what is beyond the balance is unapplied."""
    account = books.send(new_account())["id"]
    invoice = books.send(new_invoice(customer))["id"]
    paid = new_payment(customer, account, "150.00", **{f"i{invoice}": "120.00"})
    result = books.send(paid)
    assert result == {"id": result["id"], "amount": "150.00", "unapplied": "30.00", "links_differ": False}
    assert books.find(paid) == result
    posted = {"id": result["id"], "amount_minor": 15000, "currency": "USD", "unapplied_minor": 3000}
    assert books.payment(result["id"]) == {**posted, "invoices": {invoice: 12000}}
    after = books.invoice(invoice)
    assert after is not None
    assert after.balance == Money(0, "USD")


def test_money_that_quickbooks_applied_elsewhere_is_reported(
    books: QuickBooksOnline, customer: str, simulator: Simulator
) -> None:
    """With automatic application on, an unapplied payment lands on an open invoice: the result says so."""
    account = books.send(new_account())["id"]
    books.send(new_invoice(customer))
    preferences = simulator.world.get("quickbooks.Preferences", "1")
    assert preferences is not None
    automatic = {**preferences, "SalesFormsPrefs": {**preferences["SalesFormsPrefs"], "AutoApplyPayments": True}}
    simulator.world.save("quickbooks.Preferences", "1", automatic)
    try:
        result = books.send(new_payment(customer, account, "50.00"))
    finally:
        simulator.world.save("quickbooks.Preferences", "1", preferences)
    assert (result["unapplied"], result["links_differ"]) == ("0.00", True)


def test_a_payment_beyond_the_balance_is_refused(books: QuickBooksOnline, customer: str) -> None:
    """QuickBooks' no is a refusal with its code, and no payment is left."""
    account = books.send(new_account())["id"]
    invoice = books.send(new_invoice(customer))["id"]
    paid = new_payment(customer, account, "500.00", **{f"i{invoice}": "500.00"})
    with pytest.raises(Refused) as refused:
        books.send(paid)
    assert refused.value.code
    assert books.find(paid) is None


def test_c31_closed_books_refuse_with_their_code(books: QuickBooksOnline, customer: str, simulator: Simulator) -> None:
    """6210 goes up as it is, with a hint, and company() shows the date."""
    preferences = simulator.world.get("quickbooks.Preferences", "1")
    assert preferences is not None
    closed = {**preferences, "AccountingInfoPrefs": {"BookCloseDate": "2026-11-30"}}
    simulator.world.save("quickbooks.Preferences", "1", closed)
    try:
        assert books.company().closed_until == "2026-11-30"
        with pytest.raises(Refused, match="QuickBooks refused") as refused:
            books.send(new_invoice(customer))
    finally:
        simulator.world.save("quickbooks.Preferences", "1", preferences)
    assert refused.value.code == "6210"
    assert "closing date" in refused.value.hint


def test_e4_the_encoder_escapes_backslash_and_quote() -> None:
    """Intuit's escape is the backslash, for itself too."""
    assert query.literal("O'Brien\\") == "'O\\'Brien\\\\'"
    assert query.matching("Name", "Ö'x\\") == "Name LIKE '%x%'"
