"""The simulator's QuickBooks, driven by the vendor's own clients: connection, company, names, queries, bulk."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.batch import batch_create
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import AuthorizationException, ObjectNotFoundException
from quickbooks.objects import Customer, Invoice, Item, Preferences, Vendor
from quickbooks.objects.exchangerate import ExchangeRate

from helpers.vendors.quickbooks_company import (
    ADA,
    DAY_SECONDS,
    account,
    everything,
    get,
    invoice,
    line,
    new_customer,
    owner,
    payment,
    post,
    refused,
    set_preferences,
    trial_balance,
)
from simulator.quickbooks.limits import set_limits
from simulator.server import Simulator


@pytest.fixture
def auth(simulator: Simulator) -> Iterator[AuthClient]:
    """The OAuth client of a fresh company."""
    with owner(simulator) as client:
        yield client


# -- the connection --------------------------------------------------------------------------------


def test_owner_connects_the_company(simulator: Simulator, auth: AuthClient) -> None:
    """The Connect page sends the owner back with a code that is good for exactly one exchange."""
    address = auth.get_authorization_url([Scopes.ACCOUNTING], state_token="s p&ce")
    page = requests.get(address, timeout=5)
    assert "Connect" in page.text
    assert "Harbor Lane Studio LLC" in page.text
    sent_back = requests.post(address, timeout=5, allow_redirects=False).headers["location"]
    answer = {name: values[0] for name, values in parse_qs(urlsplit(sent_back).query).items()}
    assert answer["state"] == "s p&ce"
    assert answer["realmId"] == simulator.world.accounts["quickbooks_realm"]
    auth.get_bearer_token(answer["code"], realm_id=answer["realmId"])
    assert (auth.expires_in, auth.x_refresh_token_expires_in) == (3600, 100 * DAY_SECONDS)
    with pytest.raises(AuthClientError, match="invalid_grant"):
        auth.get_bearer_token(answer["code"])


def test_e8_refresh_token_rotates_after_a_day_and_the_old_one_dies(simulator: Simulator, auth: AuthClient) -> None:
    """Within a day the refresh token stays. Later it is replaced, and a day after that the old one is refused."""
    first = auth.refresh_token
    auth.refresh()
    assert auth.refresh_token == first
    simulator.world.advance(DAY_SECONDS + 1)
    auth.refresh()
    second = auth.refresh_token
    assert second != first
    auth.refresh(refresh_token=first)
    simulator.world.advance(DAY_SECONDS + 1)
    with pytest.raises(AuthClientError, match="invalid_grant"):
        auth.refresh(refresh_token=first)
    auth.refresh(refresh_token=second)


def test_e11_refresh_token_dies_after_a_hundred_idle_days(simulator: Simulator, auth: AuthClient) -> None:
    """A connection that nobody used for 100 days is over."""
    auth.refresh()
    simulator.world.advance(101 * DAY_SECONDS)
    with pytest.raises(AuthClientError, match="invalid_grant"):
        auth.refresh()


def test_reset_keeps_the_connection(simulator: Simulator, auth: AuthClient) -> None:
    """After a reset both the first refresh token and a rotated one work."""
    first = auth.refresh_token
    simulator.world.advance(DAY_SECONDS + 1)
    auth.refresh()
    simulator.world.reset()
    auth.refresh()
    auth.refresh(refresh_token=first)


def test_wrong_client_secret_and_revoked_token_are_refused(simulator: Simulator, auth: AuthClient) -> None:
    """The token endpoint knows its client, and a revoked refresh token is dead."""
    auth.refresh()
    auth.revoke(auth.refresh_token)
    with pytest.raises(AuthClientError, match="invalid_grant"):
        auth.refresh()
    auth.client_secret = "wrong"
    with pytest.raises(AuthClientError, match="invalid_client"):
        auth.refresh()
    simulator.world.reset()


def test_expired_token_and_foreign_company_are_refused(simulator: Simulator, books: QuickBooks) -> None:
    """An access token lives an hour. Another company's number is answered 403."""
    books.company_id = "1"
    with refused(3100):
        Customer.all(qb=books)
    simulator.world.advance(3601)
    with pytest.raises(AuthorizationException) as caught:
        Customer.all(qb=books)
    assert caught.value.error_code == 401


def test_c32_throttle_answers_429_until_the_minute_is_over(simulator: Simulator, books: QuickBooks) -> None:
    """Over the limit a request is refused with 3001, and accepted again a minute later."""
    set_limits(simulator.world, per_minute=2)
    Vendor.all(qb=books)
    Vendor.all(qb=books)
    with refused(3001):
        Vendor.all(qb=books)
    simulator.world.advance(60)
    Vendor.all(qb=books)
    set_limits(simulator.world, per_minute=0, per_second=1)
    simulator.world.advance(2)
    Vendor.all(qb=books)
    with refused(3001):
        Vendor.all(qb=books)


# -- the company -----------------------------------------------------------------------------------


def test_company_file_is_there_from_the_start(books: QuickBooks) -> None:
    """A fresh company has its name, settings, products, a customer and balanced books."""
    info = get(books, f"companyinfo/{books.company_id}")["CompanyInfo"]
    assert (info["CompanyName"], info["Country"]) == ("Harbor Lane Studio LLC", "US")
    settings = Preferences.get(qb=books)
    assert settings.CurrencyPrefs.HomeCurrency.value == "USD"
    stock = {one.Sku: one.QtyOnHand for one in Item.all(qb=books) if one.Type == "Inventory"}
    assert stock == {"MUG": 25, "POSTER": 2}
    assert Customer.filter(DisplayName="Ada Ltd", qb=books)[0].PrimaryEmailAddr.Address == "ada@example.com"
    assert ExchangeRate.filter(SourceCurrencyCode="JPY", qb=books)[0].Rate == Decimal("0.0067")
    assert trial_balance(books)["Checking"] == Decimal("10000.00")


def test_sdk_objects_are_accepted_as_they_are(books: QuickBooks) -> None:
    """python-quickbooks sends empty texts and zeros for what it does not know. A save of a read object works too."""
    customer = Customer()
    customer.DisplayName = "Grace Ltd"
    saved = customer.save(qb=books)
    saved.Notes = "calls on Mondays"
    assert saved.save(qb=books).SyncToken == "1"
    form = Invoice.from_json({"CustomerRef": {"value": saved.Id}, "Line": [line("120", "1", "120")]})
    form = form.save(qb=books, request_id="one")
    assert Invoice.get(form.Id, qb=books).TotalAmt == Decimal("120.00")
    assert form.void(qb=books)["Invoice"]["TotalAmt"] == 0
    form = Invoice.get(form.Id, qb=books)
    assert form.delete(qb=books)["Invoice"]["status"] == "Deleted"
    with pytest.raises(ObjectNotFoundException):
        Invoice.get(form.Id, qb=books)


def test_preferences_can_be_changed(books: QuickBooks) -> None:
    """A setting is changed by itself, and cleared by an empty text."""
    set_preferences(books, "AccountingInfoPrefs", BookCloseDate="2020-12-31")
    assert get(books, "preferences")["Preferences"]["AccountingInfoPrefs"]["BookCloseDate"] == "2020-12-31"
    set_preferences(books, "AccountingInfoPrefs", BookCloseDate="")
    settings = get(books, "preferences")["Preferences"]
    assert "BookCloseDate" not in settings["AccountingInfoPrefs"]
    assert settings["AccountingInfoPrefs"]["CustomerTerminology"] == "Customers"


# -- names and queries -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "O'Brien",
        "back\\slash",
        "\\'",
        "\u201ccurly\u201d \u2013 \u2019",
        "🦉 Owl & Søn",
        "山田太郎",
        "100% sure",
        "a_b",
        "x' or 'x'='x",
    ],
)
def test_e4_e5_names_survive_create_and_query(books: QuickBooks, name: str) -> None:
    """A name with quotes, backslashes, emoji or Chinese is found by an escaped query, and nothing else is."""
    made = new_customer(books, name)
    new_customer(books, "decoy")
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    found = books.query("select * from Customer where DisplayName = '" + escaped + "'")["QueryResponse"]["Customer"]  # noqa: S608  # the language has no parameters
    assert [(one["Id"], one["DisplayName"]) for one in found] == [(made, name)]


@pytest.mark.parametrize("name", ["a:b", "a\tb", "a\nb"])
def test_e3_forbidden_characters_are_refused(books: QuickBooks, name: str) -> None:
    """A colon, tab or new line cannot stand in a name."""
    with refused(6000):
        new_customer(books, name)


@pytest.mark.parametrize("name", ["Blue Heron Supplies", "ADA LTD", " Ada Ltd "])
def test_e1_names_are_shared_with_vendors(books: QuickBooks, name: str) -> None:
    """A display name is unique over customers and vendors, without regard to case or outer blanks."""
    with refused(6240):
        new_customer(books, name)
    with refused(2050):
        new_customer(books, "x" * 501)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select * from Invoice where PrivateNote = 'x'", 4001),
        ("select Nonsense from Invoice", 4001),
        ("select * from Nonsense", 4001),
        ("select * from Invoice maxresults 1001", 4001),
        ("select * from Customer where MetaData.LastUpdatedTime > 'yesterday'", 4001),
        ("select * from Customer where DisplayName = 'O'Brien'", 4000),
        ("select * from Customer where DisplayName = 'O''Brien'", 4000),
        ("select * from Customer where DisplayName = 'a' or Id = '1'", 4000),
        ("select * from Customer where Id != '1'", 4000),
        ("select * from Customer where", 4000),
        ("drop table Customer", 4000),
        ("", 4000),
    ],
)
def test_e4_broken_queries_are_refused(books: QuickBooks, query: str, code: int) -> None:
    """What the query language does not know is refused, never guessed."""
    with refused(code):
        books.query(query)


def test_queries_filter_sort_and_count(books: QuickBooks) -> None:
    """Comparisons, IN, LIKE, order, columns and count work. Inactive names show only when asked for."""
    for number, amount in (("A-1", "5"), ("A-2", "7"), ("B-1", "7")):
        invoice(books, line(amount, "1", amount), DocNumber=number, TxnDate="2026-01-02")

    def numbers(rest: str) -> list[str]:
        answer = books.query("select Id, DocNumber from Invoice " + rest)["QueryResponse"]  # noqa: S608  # the language has no parameters
        assert all("TotalAmt" not in one for one in answer.get("Invoice", []))
        return [one["DocNumber"] for one in answer.get("Invoice", [])]

    assert numbers("where DocNumber like 'A%'") == ["A-1", "A-2"]
    assert numbers("where TotalAmt > '5' and DocNumber in ('A-1', 'A-2')") == ["A-2"]
    assert numbers("where Balance >= 7 order by DocNumber desc maxresults 1") == ["B-1"]
    assert numbers("where TxnDate < '2026-01-02'") == []
    assert numbers("where CustomerRef = '1' orderby TotalAmt desc, DocNumber startposition 2") == ["B-1", "A-1"]
    assert numbers("where MetaData.LastUpdatedTime > '2020-01-01T00:00:00-08:00'") == ["A-1", "A-2", "B-1"]
    assert Invoice.count("DocNumber = 'A-1'", qb=books) == 1
    gone = new_customer(books, "Gone")
    post(books, "customer", {"Id": gone, "SyncToken": "0", "sparse": True, "Active": False})
    assert gone not in [one.Id for one in Customer.all(qb=books)]
    assert [one.Id for one in Customer.where("Active = false", qb=books)] == [gone]


@pytest.mark.parametrize("count", [999, 1000, 1001])
def test_e7_pages_of_a_thousand(simulator: Simulator, books: QuickBooks, count: int) -> None:
    """A page holds at most 1,000 entities. The next one starts where it ended."""
    entity = dict(simulator.world.get("quickbooks.Customer", ADA) or {})
    for number in range(2, count + 1):
        simulator.world.save("quickbooks.Customer", str(number), {**entity, "Id": str(number)})
    assert len(Customer.all(qb=books)) == 100
    pages = [Customer.all(start_position=start, max_results=1000, qb=books) for start in (1, 1001)]
    assert [len(page) for page in pages] == [min(count, 1000), max(count - 1000, 0)]


# -- several at once -------------------------------------------------------------------------------


def test_c39_batch_items_stand_by_themselves(books: QuickBooks) -> None:
    """A batch of 30 stores what is right and names what is not. 31 operations are refused."""
    customers = []
    for name in ["One", "Two", "Ada Ltd"]:
        customer = Customer()
        customer.DisplayName = name
        customers.append(customer)
    result = batch_create(customers, qb=books)
    assert [one.DisplayName for one in result.successes] == ["One", "Two"]
    assert [one.code for one in result.faults[0].Error] == ["6240"]
    with refused(1040):
        post(books, "batch", {"BatchItemRequest": [{"bId": str(one)} for one in range(31)]})
    paid = payment(books, "5")
    item = {"bId": "v", "operation": "update", "optionsData": "void"}
    body = {"Payment": {"Id": paid["Id"], "SyncToken": "0", "sparse": True}}
    answer = post(books, "batch", {"BatchItemRequest": [{**item, **body}]})
    assert answer["BatchItemResponse"][0]["Payment"]["PrivateNote"] == "Voided"


def test_b25_change_data_shows_changes_and_deletions(simulator: Simulator, books: QuickBooks) -> None:
    """Change Data Capture lists what changed since a time, deletions included, 30 days back at most."""
    kept, gone = invoice(books), invoice(books)
    simulator.world.advance(100)
    since = get(books, "preferences")["time"]
    post(books, "invoice", {"Id": kept["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "new"})
    post(books, "invoice", {"Id": gone["Id"], "SyncToken": "0"}, operation="delete")
    answer = change_data_capture([Invoice, Customer], since, qb=books)
    assert [(one.Id, getattr(one, "status", None)) for one in answer.Invoice] == [
        (kept["Id"], None),
        (gone["Id"], "Deleted"),
    ]
    assert not hasattr(answer, "Customer")
    with refused(6000):
        change_data_capture([Invoice], "2020-01-01T00:00:00-08:00", qb=books)


# -- the vendor's own schema -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def contract() -> Any:
    """The validator over Intuit's schema, where the machine has it."""
    folder = os.environ.get("TILLBOOK_CONTRACTS", "")
    if not (Path(folder) / "quickbooks_contract.py").is_file():
        pytest.skip("vendor schemas not present")
    sys.path.insert(0, folder)
    return importlib.import_module("quickbooks_contract")


def test_answers_satisfy_intuits_schema(simulator: Simulator, books: QuickBooks, contract: Any) -> None:
    """Every entity that the simulator holds after a busy day is valid by Intuit's own schema."""
    bill, paid = invoice(books, DocNumber="1", PrivateNote="n"), payment(books, "9", customer=new_customer(books, "Al"))
    payment(books, "70.00", (bill["Id"], "60.00"), PaymentRefNum="1")
    checking, savings = ({"value": account(books, name)["Id"]} for name in ("Checking", "Savings"))
    sale = {"CustomerRef": {"value": ADA}, "Line": [line("9", "1", "9", "TAX")], "DepositToAccountRef": checking}
    for path in ("salesreceipt", "refundreceipt", "creditmemo"):
        post(books, path, sale)
    post(books, "transfer", {"FromAccountRef": checking, "ToAccountRef": savings, "Amount": "20"})
    cost = {"Amount": "3.20", "AccountBasedExpenseLineDetail": {"AccountRef": savings}}
    post(books, "purchase", {"PaymentType": "Cash", "AccountRef": checking, "Line": [cost]})
    link = {"Amount": "9", "LinkedTxn": [{"TxnId": paid["Id"], "TxnType": "Payment"}]}
    post(books, "deposit", {"DepositToAccountRef": checking, "Line": [link]})
    sides = [
        {"Amount": "5", "JournalEntryLineDetail": {"PostingType": side, "AccountRef": ref}}
        for side, ref in (("Debit", savings), ("Credit", checking))
    ]
    post(books, "journalentry", {"Line": sides})
    invoice(books, customer=new_customer(books, "Anna", "EUR"))
    voided = invoice(books, line("10", "1", "10", "TAX"), BillEmail={"Address": "a@example.com"})
    post(books, f"invoice/{voided['Id']}/send", {})
    post(books, "invoice", {"Id": voided["Id"], "SyncToken": "1"}, operation="void")
    kinds = "CompanyInfo Preferences Account Item Vendor Customer TaxCode TaxRate TaxAgency Term PaymentMethod"
    kinds += " CompanyCurrency ExchangeRate Invoice Payment SalesReceipt RefundReceipt CreditMemo Deposit Transfer"
    for kind in f"{kinds} Purchase JournalEntry".split():
        entities = everything(books, kind)
        assert [contract.check_entity(kind, one) for one in entities] == [[]] * len(entities)


def test_faults_carry_intuits_shape(simulator: Simulator, books: QuickBooks) -> None:
    """A refusal is JSON with Fault, Error, code and time, and every answer has an intuit_tid."""
    headers = {"Authorization": f"Bearer {books.session.access_token}"}
    url = f"{books.api_url}/company/{books.company_id}/invoice/404"
    answer = requests.get(url, headers=headers, timeout=5)
    assert answer.status_code == 400
    assert re.fullmatch(r"[\w-]+", answer.headers["intuit_tid"])
    fault = answer.json()["Fault"]
    assert (fault["type"], fault["Error"][0]["code"]) == ("ValidationFault", "610")
    assert requests.get(url, timeout=5).status_code == 401
    broken = requests.post(url.replace("/404", ""), b'{"TotalAmt": NaN}', headers=headers, timeout=5)
    assert broken.json()["Fault"]["Error"][0]["code"] == "2010"
