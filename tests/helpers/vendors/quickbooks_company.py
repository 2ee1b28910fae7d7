"""A fresh company file in the simulator, and short words to fill it: for the tests of its QuickBooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
import requests
from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from quickbooks.exceptions import QuickbooksException

from simulator.quickbooks.exact import dumps
from simulator.quickbooks.limits import set_limits
from simulator.server import Simulator

Json = dict[str, Any]
DAY_SECONDS = 24 * 3600
CONSULTING, MUG = "3", "7"
ADA = "1"


class Session(requests.Session):
    """What python-quickbooks needs of a session: an access token."""

    access_token = ""


@contextmanager
def owner(simulator: Simulator) -> Iterator[AuthClient]:
    """Intuit's OAuth client on a fresh company."""
    simulator.world.reset()
    with _owner(simulator) as client:
        yield client


@contextmanager
def _owner(simulator: Simulator) -> Iterator[AuthClient]:
    set_limits(simulator.world, per_minute=0)
    accounts = simulator.world.accounts
    discovery = f"{simulator.url}/quickbooks/.well-known/openid_sandbox_configuration"
    with AuthClient(
        accounts["quickbooks_client_id"],
        accounts["quickbooks_client_secret"],
        "http://127.0.0.1:9/oauth/quickbooks",
        discovery,
        refresh_token=accounts["quickbooks_refresh_token"],
        realm_id=accounts["quickbooks_realm"],
    ) as client:
        yield client


@contextmanager
def fresh_books(simulator: Simulator) -> Iterator[QuickBooks]:
    """A connected python-quickbooks client on a fresh company file."""
    simulator.world.reset()
    with present_books(simulator) as books:
        yield books


@contextmanager
def present_books(simulator: Simulator) -> Iterator[QuickBooks]:
    """A connected python-quickbooks client on the company file as it is."""
    with _owner(simulator) as auth, Session() as session:
        auth.refresh()
        session.access_token = auth.access_token
        yield connected(simulator, session)


def connected(simulator: Simulator, session: Session) -> QuickBooks:
    base = f"{simulator.url}/quickbooks/v3"
    client_class = type("Local", (QuickBooks,), {"api_url_v3": base, "sandbox_api_url_v3": base})
    client = client_class(company_id=simulator.world.accounts["quickbooks_realm"], minorversion=75, use_decimal=True)
    client.session = session
    return client


def post(books: QuickBooks, path: str, body: Json, request_id: str = "", **params: str) -> Json:
    url = f"{books.api_url}/company/{books.company_id}/{path}"
    return books.post(url, dumps(body), params=dict(params), request_id=request_id)  # type: ignore[no-any-return]  # the SDK is not typed


def get(books: QuickBooks, path: str) -> Json:
    return books.get(f"{books.api_url}/company/{books.company_id}/{path}")  # type: ignore[no-any-return]  # the SDK is not typed


def line(amount: str, quantity: str, price: str, tax: str = "NON", item: str = CONSULTING) -> Json:
    detail = {"ItemRef": {"value": item}, "Qty": quantity, "UnitPrice": price, "TaxCodeRef": {"value": tax}}
    return {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}


def invoice(books: QuickBooks, *lines: Json, customer: str = ADA, **fields: Any) -> Json:
    body = {"CustomerRef": {"value": customer}, "Line": list(lines) or [line("60.00", "0.5", "120.00")], **fields}
    return post(books, "invoice", body)["Invoice"]  # type: ignore[no-any-return]  # JSON


def payment(books: QuickBooks, total: str, *links: tuple[str, str], customer: str = ADA, **fields: Any) -> Json:
    lines = [{"Amount": amount, "LinkedTxn": [{"TxnId": key, "TxnType": "Invoice"}]} for key, amount in links]
    body = {"CustomerRef": {"value": customer}, "TotalAmt": total, "Line": lines, **fields}
    return post(books, "payment", body)["Payment"]  # type: ignore[no-any-return]  # JSON


def new_customer(books: QuickBooks, name: str, currency: str = "USD") -> str:
    body = {"DisplayName": name, "CurrencyRef": {"value": currency}}
    return str(post(books, "customer", body)["Customer"]["Id"])


def refused(code: int) -> Any:
    """Expect a Fault with a code; python-quickbooks keeps it in `error_code`."""
    return pytest.raises(QuickbooksException, check=lambda error: error.error_code == code)


def everything(books: QuickBooks, kind: str) -> list[Json]:
    """The first thousand entities of a kind."""
    answer = books.query("select * from " + kind + " maxresults 1000")["QueryResponse"]  # noqa: S608  # the language has no parameters
    return list(answer.get(kind, []))


def account(books: QuickBooks, name: str) -> Json:
    return next(one for one in everything(books, "Account") if one["Name"] == name)


def trial_balance(books: QuickBooks) -> dict[str, Decimal]:
    """Debits minus credits by account name, after proving that both columns are equal."""
    *rows, total = books.get_report("TrialBalance")["Rows"]["Row"]
    assert total["Summary"]["ColData"][1] == total["Summary"]["ColData"][2]
    cells = [row["ColData"] for row in rows]
    return {one[0]["value"]: Decimal(one[1]["value"] or "0") - Decimal(one[2]["value"] or "0") for one in cells}


def set_preferences(books: QuickBooks, group: str, **values: Any) -> None:
    token = get(books, "preferences")["Preferences"]["SyncToken"]
    post(books, "preferences", {"sparse": True, "Id": "1", "SyncToken": token, group: values})
