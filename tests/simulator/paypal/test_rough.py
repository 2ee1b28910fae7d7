"""The simulated PayPal with the habits of the real one: conversion into dollars, and decimals where there are none."""

from __future__ import annotations

import pytest

from helpers.vendors.simulated_paypal import Json, Seller, control, refund_body
from simulator.paypal.statement import reports
from simulator.paypal.wire.times import stamp
from simulator.server import Simulator

HOUR = 3600


def rows(seller: Seller) -> list[Json]:
    """The statement, oldest first."""
    reports.set_lag(seller.simulator.world, 0)
    now = seller.simulator.world.now()
    dates = {"start_date": stamp(now - HOUR), "end_date": stamp(now + HOUR)}
    answer = seller.get("/v1/reporting/transactions", balance_affecting_records_only="Y", **dates)
    return [detail["transaction_info"] for detail in answer.get("transaction_details", [])]


def balances(seller: Seller) -> dict[str, str]:
    """What is held of each currency."""
    answer = seller.get("/v1/reporting/balances")
    return {one["currency"]: one["total_balance"]["value"] for one in answer["balances"]}


def test_another_currency_becomes_dollars(seller: Seller, simulator: Simulator) -> None:
    """100.00 EUR less 3.98 are converted: the capture shows what arrived, two rows show how, and no euro stays."""
    control(simulator, "rough", {"habits": ["conversion"]})
    breakdown = seller.paid("100.00", "EUR")["seller_receivable_breakdown"]
    assert breakdown["net_amount"] == {"currency_code": "EUR", "value": "96.02"}
    arrived, rate = breakdown["receivable_amount"], breakdown["exchange_rate"]
    assert (arrived["currency_code"], rate["source_currency"], rate["target_currency"]) == ("USD", "EUR", "USD")
    assert abs(float(arrived["value"]) - 96.02 * float(rate["value"])) < 0.01
    assert 1.02 < float(rate["value"]) < 1.07
    moved = [(row["transaction_event_code"], row["transaction_amount"]) for row in rows(seller)]
    assert ("T0200", {"currency_code": "EUR", "value": "-96.02"}) in moved
    assert ("T0200", arrived) in moved
    assert balances(seller) == {"EUR": "0.00", "USD": arrived["value"]}


def test_a_refund_is_paid_from_dollars_and_comes_back_as_dollars(seller: Seller, simulator: Simulator) -> None:
    """10.00 EUR that go back cost dollars. When the refund fails the dollars are there again."""
    control(simulator, "rough", {"habits": ["conversion"]})
    capture = seller.paid("100.00", "EUR")
    before = balances_now(seller)
    refund = seller.refund(capture["id"], refund_body("10.00", "EUR")).json()
    after = balances_now(seller)
    assert after["EUR"] == "0.00"
    assert 10.2 < float(before["USD"]) - float(after["USD"]) < 10.7
    control(simulator, "refund_outcome", {"refund": refund["id"], "outcome": "failed"})
    assert balances_now(seller) == before


def balances_now(seller: Seller) -> dict[str, str]:
    """The balances without the reports' lag."""
    reports.set_lag(seller.simulator.world, 0)
    return balances(seller)


def test_without_the_habit_a_currency_stays_what_it_is(seller: Seller) -> None:
    """A balance of its own, and no conversion shown."""
    assert "receivable_amount" not in seller.paid("100.00", "EUR")["seller_receivable_breakdown"]
    assert balances_now(seller) == {"EUR": "96.02", "USD": "0.00"}


@pytest.mark.parametrize(("habit", "written"), [([], "1200"), (["fractions"], "1200.00")])
def test_reports_may_write_yen_with_decimals(
    seller: Seller, simulator: Simulator, habit: list[str], written: str
) -> None:
    """In the rows and in the balances, with the habit only."""
    control(simulator, "rough", {"habits": habit})
    seller.paid("1200", "JPY")
    (row,) = rows(seller)
    assert row["transaction_amount"] == {"currency_code": "JPY", "value": written}
    assert ("." in balances(seller)["JPY"]) is bool(habit)


@pytest.mark.parametrize(("outcome", "code"), [("won", "RESOLVED_SELLER_FAVOUR"), ("lost", "RESOLVED_BUYER_FAVOUR")])
def test_a_chargeback_moves_money(seller: Seller, simulator: Simulator, outcome: str, code: str) -> None:
    """60.00 and a fee of 20.00 go at once. A win brings 60.00 back by a row of its own, and keeps the fee."""
    control(simulator, "rough", {"habits": ["disputed_money"]})
    capture = seller.paid("60.00")
    began = control(simulator, "dispute", {"payment": capture["id"], "kind": "dispute"})
    key = began["dispute_id"]
    assert balances_now(seller)["USD"] == "-22.58"
    control(simulator, "dispute_outcome", {"dispute": key, "outcome": outcome})
    assert balances_now(seller)["USD"] == ("37.42" if outcome == "won" else "-22.58")
    shown = seller.get(f"/v1/customer/disputes/{key}")
    assert (shown["status"], shown["dispute_outcome"]["outcome_code"]) == ("RESOLVED", code)
    moved = [one["type"] for one in shown["money_movements"]]
    assert moved == (["DEBIT", "CREDIT"] if outcome == "won" else ["DEBIT"])
    codes = [row["transaction_event_code"] for row in rows(seller)]
    assert codes == ["T0006", "T1201", "T0106", *(["T1202"] if outcome == "won" else [])]
    assert seller.events()[-1] == "CUSTOMER.DISPUTE.RESOLVED"
    refused = control(simulator, "dispute_outcome", {"dispute": key, "outcome": "won"}, status=409)
    assert "RESOLVED" in refused["error"]


def test_a_chargeback_in_euros_is_paid_in_dollars(seller: Seller, simulator: Simulator) -> None:
    """The account holds no euros: a conversion follows, and no euro is owed."""
    control(simulator, "rough", {"habits": ["conversion", "disputed_money"]})
    capture = seller.paid("60.00", "EUR")
    control(simulator, "dispute", {"payment": capture["id"], "kind": "dispute"})
    assert balances_now(seller)["EUR"] == "0.00"


def test_an_inquiry_moves_no_money(seller: Seller, simulator: Simulator) -> None:
    """It is a talk between payer and seller. Without the habit a chargeback moves none either."""
    control(simulator, "rough", {"habits": ["disputed_money"]})
    began = control(simulator, "dispute", {"payment": seller.paid("60.00")["id"], "kind": "inquiry"})
    ended = control(simulator, "dispute_outcome", {"dispute": began["dispute_id"], "outcome": "lost"})
    assert "money_movements" not in ended
    control(simulator, "rough", {"habits": []})
    control(simulator, "dispute", {"payment": seller.paid("60.00")["id"], "kind": "dispute"})
    assert {row["transaction_event_code"] for row in rows(seller)} == {"T0006"}
