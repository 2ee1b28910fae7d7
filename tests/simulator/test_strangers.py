"""Other people's business in the background: by a seed, as time and requests go on, as the vendors would show it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from helpers.vendors.quickbooks_company import everything, present_books, trial_balance
from helpers.vendors.simulated_paypal import Seller, judged
from helpers.vendors.simulated_stripe import client, control, plain
from simulator.paypal.statement import reports
from simulator.paypal.wire.times import stamp
from simulator.rough.strangers import owned
from simulator.server import Simulator

Json = dict[str, Any]
DAY = 86_400
LONG = 240 * DAY


@pytest.fixture(scope="module")
def busy_year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A rough world in which strangers were at work for eight months. The vendors' schemas judge what it answers."""
    with judged(tmp_path_factory.mktemp("busy") / "simulator", rough=11) as running:
        control(running, "clock", {"advance_seconds": 0})
        control(running, "clock", {"advance_seconds": LONG})
        yield running


def happened(simulator: Simulator) -> list[tuple[str, str]]:
    """Vendor and kind of everything that strangers made, in its order."""
    return [(vendor, kind) for vendor, kind, _ in owned(simulator.world)]


def amounts(simulator: Simulator) -> list[tuple[int, str]]:
    """What strangers paid at Stripe."""
    return [(one["amount"], one["currency"]) for one in simulator.world.all("stripe.charge")]


def test_the_same_seed_lets_the_same_things_happen(simulator: Simulator) -> None:
    """Whether time passes at once or in steps. Another seed lets other things happen, and no seed nothing."""
    seen = []
    for seed, steps in ((7, 1), (7, 30), (8, 1)):
        control(simulator, "reset", {})
        control(simulator, "rough", {"habits": ["strangers"], "seed": seed})
        for _ in range(steps):
            control(simulator, "clock", {"advance_seconds": 30 * DAY // steps})
        seen.append((happened(simulator), amounts(simulator)))
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]
    control(simulator, "reset", {})
    control(simulator, "clock", {"advance_seconds": 30 * DAY})
    assert happened(simulator) == []


def test_another_seed_begins_anew(simulator: Simulator) -> None:
    """What was due by the old one is forgotten."""
    for seed in (7, 8):
        control(simulator, "rough", {"habits": ["strangers"], "seed": seed})
        following = simulator.world.get("simulator.background", "next")
        assert following is not None
        assert (following["seed"], following["number"]) == (seed, 1)


def test_requests_let_things_happen_before_their_time(simulator: Simulator, api: stripe.StripeClient) -> None:
    """No time passes, and after some hundred requests there is more in the world than before."""
    control(simulator, "rough", {"habits": ["strangers"], "seed": 3})
    for _ in range(200):
        api.v1.balance.retrieve()
    assert simulator.world.get("simulator.background", "next")["number"] == 6  # type: ignore[index]  # it is there


def test_a_restart_goes_on(tmp_path: Path) -> None:
    """What was due next is kept, and nothing happens twice."""
    seen = []
    for advance in (20 * DAY, 0):
        with Simulator(tmp_path / "simulator", rough=4) as running:
            control(running, "clock", {"advance_seconds": advance})
            seen.append(happened(running))
    assert seen[0] == seen[1] != []


def test_all_kinds_of_movements_happen(busy_year: Simulator) -> None:
    """Charges without an intent, refunds, disputes, payouts, fees and customers; captures without an order; documents
    and customers made, voided, merged and made inactive by hand."""
    world = busy_year.world
    assert set(happened(busy_year)) == {
        *(("stripe", kind) for kind in ("balance_transaction", "charge", "customer", "dispute", "payment_intent")),
        *(("stripe", kind) for kind in ("payout", "refund")),
        *(("paypal", kind) for kind in ("capture", "dispute", "order", "refund", "transaction")),
        *(("quickbooks", kind) for kind in ("Customer", "Invoice", "Payment", "Purchase", "SalesReceipt")),
    }
    assert any(charge["payment_intent"] is None for charge in world.all("stripe.charge"))
    assert any("supplementary_data" not in capture for capture in world.all("paypal.capture"))
    assert any(customer.get("deleted") for customer in world.all("stripe.customer"))
    assert not all(customer["Active"] for customer in world.all("quickbooks.Customer"))
    assert any(one["kind"] == "Invoice" for one in world.all("quickbooks.deleted"))
    rows = list(world.all("stripe.balance_transaction"))
    categories = {"charge", "refund", "refund_failure", "dispute", "payout", "payout_reversal", "fee"}
    assert categories <= {row["reporting_category"] for row in rows}
    assert all(row["currency"] == "usd" for row in rows)
    codes = {row["code"] for row in world.all("paypal.transaction")}
    assert {"T0000", "T0006", "T0011", "T0107", "T0200", "T0400", "T1107", "T1201"} <= codes


def test_stripes_answers_add_up(busy_year: Simulator) -> None:
    """Page by page, with every source expanded, the rows make the balance. Events come in the order of their time."""
    api = client(busy_year)
    expand: Any = {"limit": 100, "expand": ["data.source"]}
    net = sum(plain(row)["net"] for row in api.v1.balance_transactions.list(expand).auto_paging_iter())
    balance = plain(api.v1.balance.retrieve())
    assert net == sum(part["amount"] for name in ("available", "pending") for part in balance[name])
    for listing in (api.v1.charges, api.v1.refunds, api.v1.disputes, api.v1.payouts, api.v1.payment_intents):
        assert len(listing.list({"limit": 100}).data) > 0
    told = [plain(event)["created"] for event in api.v1.events.list({"limit": 100}).auto_paging_iter()]
    assert told == sorted(told, reverse=True)


def test_paypals_answers_add_up(busy_year: Simulator) -> None:
    """The rows of all months make the balances, which hold dollars only. Orders and disputes can be read."""
    reports.set_lag(busy_year.world, 0)
    seller, now = Seller(busy_year), busy_year.world.now()
    sums: dict[str, float] = {}
    for begin in range(now - LONG - DAY, now, 30 * DAY):
        dates = {"start_date": stamp(begin), "end_date": stamp(begin + 30 * DAY - 1), "page_size": "500"}
        for detail in seller.get("/v1/reporting/transactions", **dates).get("transaction_details", ()):
            for name in ("transaction_amount", "fee_amount"):
                if amount := detail["transaction_info"].get(name):
                    code = amount["currency_code"]
                    sums[code] = sums.get(code, 0) + float(amount["value"])
    held = {one["currency"]: one["total_balance"]["value"] for one in seller.get("/v1/reporting/balances")["balances"]}
    assert {code: f"{value:.2f}".replace("-0.00", "0.00") for code, value in sums.items()} == held
    assert {code for code, value in held.items() if float(value)} == {"USD"}
    for kind, path in (("order", "/v2/checkout/orders/"), ("capture", "/v2/payments/captures/")):
        for one in busy_year.world.all(f"paypal.{kind}"):
            assert seller.get(f"{path}{one['id']}")["id"] == one["id"]
    assert seller.get("/v1/customer/disputes")["items"]


def test_the_books_balance(busy_year: Simulator) -> None:
    """Whatever people do in them, also after they merged customers."""
    with present_books(busy_year) as books:
        assert sum(trial_balance(books).values()) == 0
        bills = everything(books, "Invoice")
        assert len({bill["CurrencyRef"]["value"] for bill in bills}) > 2
        assert any(bill["TotalAmt"] % 1 for bill in bills if bill["CurrencyRef"]["value"] == "JPY")
        for customer in everything(books, "Customer"):
            mine = [bill for bill in bills if bill["CustomerRef"]["value"] == customer["Id"]]
            assert customer.get("Balance", 0) == sum(bill["Balance"] for bill in mine)
        living = [customer for customer in everything(books, "Customer") if customer["Active"]]
        assert all(customer["DisplayName"] for customer in living)
