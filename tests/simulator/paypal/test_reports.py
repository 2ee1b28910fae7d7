"""The reports of the simulated PayPal: transactions in windows, hours behind, and the balances that they prove."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from helpers.vendors.asking_paypal import Json, ask, issue
from helpers.vendors.simulated_stripe import control
from simulator.paypal.account import Account
from simulator.paypal.statement import reports
from simulator.paypal.statement import rows as statement
from simulator.server import Simulator

TRANSACTIONS, BALANCES = "/v1/reporting/transactions", "/v1/reporting/balances"
HOUR, DAY = 3600, 86_400
CAPTURE, REFUND, ORDER = "8MC585209K746392H", "0K35355239430361V", "5O190127TN364715T"


def when(simulator: Simulator, seconds: int = 0) -> str:
    """A time as many seconds from now, as the API wants it."""
    return written(simulator.world.now() + seconds)


def written(at: int) -> str:
    """A time as PayPal writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def book(simulator: Simulator, transaction_id: str, code: str, ago: int, amount: int, **more: Any) -> Json:
    """A row that happened so many seconds ago."""
    at = simulator.world.now() - ago
    account = Account(simulator.world)
    return statement.add_row(account, transaction_id=transaction_id, code=code, at=at, amount_minor=amount, **more)


def search(simulator: Simulator, **params: str) -> tuple[int, Json]:
    """What a search of the last day answers, unless other dates are given."""
    dates = {"start_date": when(simulator, -DAY), "end_date": when(simulator)}
    return ask(simulator, "GET", TRANSACTIONS, **{**dates, **params})


def rows(simulator: Simulator, **params: str) -> list[Json]:
    """The details of a search that succeeds."""
    status, answer = search(simulator, **params)
    assert status == 200
    return [detail["transaction_info"] for detail in answer.get("transaction_details", [])]


def refused(simulator: Simulator, **params: str) -> tuple[str, str]:
    """The field and issue of a search that does not succeed."""
    status, answer = search(simulator, **params)
    assert (status, answer["name"]) == (400, "INVALID_REQUEST")
    return issue(answer)


def held(simulator: Simulator, **params: str) -> dict[str, str]:
    """The total balance of each currency."""
    status, answer = ask(simulator, "GET", BALANCES, **params)
    assert status == 200
    return {one["currency"]: one["total_balance"]["value"] for one in answer["balances"]}


def test_a_row_says_what_moved(simulator: Simulator) -> None:
    """Gross and fee are decimals with their signs, the reference names the order, the merchant's words come back."""
    more = {"fee_minor": -398, "reference_id": ORDER, "reference_type": "ODR", "invoice_id": "INV-1", "custom": "op_1"}
    booked = book(simulator, CAPTURE, "T0006", 4 * HOUR, 10_000, **more)
    (row,) = rows(simulator)
    assert row["transaction_amount"] == {"currency_code": "USD", "value": "100.00"}
    assert row["fee_amount"] == {"currency_code": "USD", "value": "-3.98"}
    assert (row["transaction_id"], row["transaction_event_code"], row["transaction_status"]) == (CAPTURE, "T0006", "S")
    assert (row["paypal_reference_id"], row["paypal_reference_id_type"]) == (ORDER, "ODR")
    assert (row["invoice_id"], row["custom_field"]) == ("INV-1", "op_1")
    assert row["transaction_initiation_date"] == written(booked["at"])


def test_d5_a_currency_without_decimals_has_none(simulator: Simulator) -> None:
    """Yen are whole, and a row without a fee has no fee amount. An id that the schema does not allow is left out."""
    book(simulator, CAPTURE, "T0006", 4 * HOUR, 1200, currency="JPY", invoice_id="INV-1/1")
    (row,) = rows(simulator)
    assert row["transaction_amount"]["value"] == "1200"
    assert "fee_amount" not in row
    assert "invoice_id" not in row
    assert held(simulator) == {"JPY": "1200", "USD": "0.00"}


def test_b26_a_row_appears_three_hours_late(simulator: Simulator) -> None:
    """What happened less than three hours ago is in no report yet. The reports say how fresh they are."""
    book(simulator, CAPTURE, "T0006", HOUR, 10_000, fee_minor=-398)
    assert rows(simulator) == []
    assert held(simulator) == {"USD": "0.00"}
    control(simulator, "clock", {"advance_seconds": 2 * HOUR})
    assert [row["transaction_id"] for row in rows(simulator)] == [CAPTURE]
    assert held(simulator) == {"USD": "96.02"}
    fresh = search(simulator)[1]["last_refreshed_datetime"]
    assert fresh in {when(simulator, -3 * HOUR), when(simulator, -3 * HOUR - 1)}


def test_the_lag_is_set_and_kept_in_photographs(simulator: Simulator) -> None:
    """Reports without a lag show everything. A photograph keeps the lag, and a reset ends it."""
    reports.set_lag(simulator.world, 0)
    book(simulator, CAPTURE, "T0006", 0, 10_000)
    assert held(simulator) == {"USD": "100.00"}
    shown = simulator.photograph()
    control(simulator, "reset", {})
    assert reports.lag_seconds(simulator.world) == 3 * HOUR
    simulator.restore(shown)
    assert reports.lag_seconds(simulator.world) == 0
    assert held(simulator) == {"USD": "100.00"}


def test_the_dates_are_required(simulator: Simulator) -> None:
    """A search without dates is none."""
    status, answer = ask(simulator, "GET", TRANSACTIONS)
    assert (status, *issue(answer)) == (400, "start_date", "MISSING_REQUIRED_PARAMETER")
    status, answer = ask(simulator, "GET", TRANSACTIONS, start_date=when(simulator, -DAY))
    assert (status, *issue(answer)) == (400, "end_date", "MISSING_REQUIRED_PARAMETER")


def test_an_offset_needs_its_colon(simulator: Simulator) -> None:
    """`-07:00` is a time zone, `-0700` is none. Nor is a date a time, or the 31st of February a date."""
    local = datetime.fromtimestamp(simulator.world.now() - DAY - 7 * HOUR, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    assert search(simulator, start_date=f"{local}-07:00")[0] == 200
    assert search(simulator, start_date=f"{local}.250-07:00")[0] == 200
    for wrong in (f"{local}-0700", local, local[:10], "2026-02-31T00:00:00Z", ""):
        assert refused(simulator, start_date=wrong)[0] == "start_date"


def test_b27_a_window_is_31_days_at_most(simulator: Simulator) -> None:
    """A second more than 31 days is refused, and so is an end before the start."""
    end = when(simulator)
    start = datetime.fromisoformat(end).timestamp() - 31 * DAY
    for seconds, status in ((0, 200), (-1, 400)):
        asked = datetime.fromtimestamp(start + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert search(simulator, start_date=asked, end_date=end)[0] == status
    assert refused(simulator, start_date=when(simulator, -40 * DAY)) == (
        "end_date",
        "Date range is greater than 31 days",
    )
    assert refused(simulator, end_date=when(simulator, -2 * DAY))[0] == "end_date"


def test_b26_nothing_begins_after_the_last_refresh(simulator: Simulator) -> None:
    """A window that begins where there are no data yet, or more than three years back, is refused in PayPal's words."""
    words = ("start_date", "Data for the given start date is not available.")
    assert refused(simulator, start_date=when(simulator, -2 * HOUR)) == words
    long_ago = {"start_date": when(simulator, -1200 * DAY), "end_date": when(simulator, -1199 * DAY)}
    assert refused(simulator, **long_ago) == words


def test_pages_lead_through_all_rows(simulator: Simulator) -> None:
    """Oldest first, as many a page as were asked for, with links to the others. Beyond the last there is nothing."""
    for number in range(7):
        book(simulator, f"{number}".ljust(17, "A"), "T0006", 10 * HOUR - number, 100 + number)
    seen = []
    for page, links in ((1, {"self", "next", "last"}), (2, {"self", "next", "last", "first", "prev"}), (3, None)):
        answer = search(simulator, page_size="3", page=str(page))[1]
        assert (answer["page"], answer["total_items"], answer["total_pages"]) == (page, 7, 3)
        assert links is None or {link["rel"] for link in answer["links"]} == links
        seen += [detail["transaction_info"]["transaction_id"][0] for detail in answer["transaction_details"]]
    assert seen == list("0123456")
    assert rows(simulator, page_size="3", page="4") == []
    for name, value in (("page_size", "501"), ("page_size", "0"), ("page", "0"), ("page", "x"), ("page_size", "²")):
        assert refused(simulator, **{name: value})[0] == name


def test_ids_are_not_unique(simulator: Simulator) -> None:
    """Two rows may have one id, told apart by their codes. Both count."""
    book(simulator, CAPTURE, "T0006", 5 * HOUR, 10_000)
    assert book(simulator, CAPTURE, "T0400", 4 * HOUR, -2500)["id"] == f"{CAPTURE}:2"
    assert [row["transaction_event_code"] for row in rows(simulator)] == ["T0006", "T0400"]
    assert [row["transaction_event_code"] for row in rows(simulator, transaction_type="T0400")] == ["T0400"]
    assert held(simulator) == {"USD": "75.00"}


def test_c18_a_pending_row_moves_no_balance(simulator: Simulator) -> None:
    """Pending and denied rows are listed only when all are asked for. A row that was reversed still counts."""
    account = Account(simulator.world)
    book(simulator, CAPTURE, "T0006", 5 * HOUR, 10_000, fee_minor=-398, status="P")
    assert rows(simulator) == []
    assert [row["transaction_status"] for row in rows(simulator, balance_affecting_records_only="N")] == ["P"]
    assert held(simulator) == {"USD": "0.00"}
    statement.set_status(account, CAPTURE, "T0006", "S")
    book(simulator, REFUND, "T1107", 4 * HOUR, -10_000, reference_id=CAPTURE, reference_type="TXN")
    statement.set_status(account, CAPTURE, "T0006", "V")
    assert [row["transaction_status"] for row in rows(simulator)] == ["V", "S"]
    assert [row["transaction_id"] for row in rows(simulator, transaction_status="S")] == [REFUND]
    assert held(simulator) == {"USD": "-3.98"}
    statement.set_status(account, CAPTURE, "T0006", "D")
    assert [row["transaction_id"] for row in rows(simulator)] == [REFUND]


def test_a_search_is_narrowed(simulator: Simulator) -> None:
    """By id and currency. Filters that the simulator does not know are refused instead of being passed over."""
    book(simulator, CAPTURE, "T0006", 5 * HOUR, 10_000)
    book(simulator, REFUND, "T0006", 5 * HOUR, 10_000, currency="EUR")
    assert [row["transaction_id"] for row in rows(simulator, transaction_id=REFUND)] == [REFUND]
    assert [row["transaction_id"] for row in rows(simulator, transaction_currency="USD")] == [CAPTURE]
    assert refused(simulator, transaction_id="TOO-SHORT")[0] == "transaction_id"
    assert refused(simulator, transaction_status="X")[0] == "transaction_status"
    assert refused(simulator, balance_affecting_records_only="yes")[0] == "balance_affecting_records_only"
    assert refused(simulator, store_id="1")[0] == "store_id"


def test_the_parts_of_a_row_are_chosen(simulator: Simulator) -> None:
    """`fields` names the parts. `all` are seven. What is no part is refused."""
    book(simulator, CAPTURE, "T0006", 5 * HOUR, 10_000)
    (two,) = search(simulator, fields="transaction_info,payer_info")[1]["transaction_details"]
    assert set(two) == {"transaction_info", "payer_info"}
    (everything,) = search(simulator, fields="all")[1]["transaction_details"]
    assert len(everything) == 7
    assert refused(simulator, fields="transaction_infos")[0] == "fields"


def test_b27_more_than_ten_thousand_rows_are_refused(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row too many, and no page of them is shown. Half the window shows its half."""
    monkeypatch.setattr(reports, "MOST_ROWS", 4)
    for number in range(5):
        book(simulator, f"{number}".ljust(17, "A"), "T0006", (5 + number) * HOUR, 100)
    status, answer = search(simulator, page_size="1")
    assert (status, issue(answer)) == (400, ("", "RESULTSET_TOO_LARGE"))
    assert answer["details"][0]["description"].startswith("Result set size is greater than the maximum limit.")
    assert len(rows(simulator, start_date=when(simulator, -7 * HOUR - 60))) == 3


def test_the_balance_of_a_time(simulator: Simulator) -> None:
    """A balance as of a time counts what had happened by then, and never more than the last refresh knows."""
    book(simulator, CAPTURE, "T0006", 10 * HOUR, 10_000, fee_minor=-398)
    book(simulator, REFUND, "T1107", 5 * HOUR, -2500)
    book(simulator, ORDER, "T0006", HOUR, 99_999)
    book(simulator, "9" * 17, "T0006", 5 * HOUR, 700, currency="EUR")
    assert held(simulator, as_of_time=when(simulator, -7 * HOUR)) == {"USD": "96.02"}
    assert held(simulator, as_of_time=when(simulator)) == {"EUR": "7.00", "USD": "71.02"}
    assert held(simulator, currency_code="EUR") == {"EUR": "7.00"}
    status, answer = ask(simulator, "GET", BALANCES)
    assert (status, answer["account_id"]) == (200, simulator.world.accounts["paypal_account_id"])
    (dollars,) = [one for one in answer["balances"] if one["primary"]]
    assert (dollars["available_balance"]["value"], dollars["withheld_balance"]["value"]) == ("71.02", "0.00")
    assert answer["as_of_time"] == answer["last_refresh_time"]
    for wrong in ("2026-11-26T00:00:00-0700", "yesterday", when(simulator, -1200 * DAY)):
        status, answer = ask(simulator, "GET", BALANCES, as_of_time=wrong)
        assert (status, issue(answer)[0]) == (400, "as_of_time")
