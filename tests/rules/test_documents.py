"""Documents and parameters for QuickBooks: exactly what was asked, nothing left out in silence."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.rules.documents import (
    clearing_account,
    customer_params,
    display_name,
    documents_for,
    invoice_params,
    payment_params,
    stock_problems,
)
from tillbook.rules.facts import InvoiceIssued, PaymentSucceeded, ProcessorFee
from tillbook.rules.orders import Order, read_order
from tillbook.vendors.books import Item

SAMPLES = Path(__file__).parents[1] / "samples" / "orders"
TODAY = date(2026, 11, 23)
PAID = PaymentSucceeded(
    provider="stripe", key="ch_1", occurred_at=99, payment="pi_1", charge="ch_1", amount=Money(6000, "USD")
)
FEE = ProcessorFee(provider="stripe", key="txn_1:fee", occurred_at=99, payment="pi_1", amount=Money(204, "USD"))
ISSUED = InvoiceIssued(
    provider="quickbooks",
    key="invoice:7",
    occurred_at=1,
    invoice="INV-1",
    total=Money(6000, "USD"),
    tax=Money(0, "USD"),
)


def sample(name: str) -> Order:
    return read_order((SAMPLES / name).read_bytes())


def test_a_payment_with_an_invoice_calls_for_one_document() -> None:
    """Gross, keyed by the vendor's own id; invoices and fees call for none here."""
    (document,) = documents_for([ISSUED, PAID, FEE], "INV-1", {})
    assert document.key == "payment:stripe:ch_1"
    assert (document.kind, document.provider, document.invoice) == ("Payment", "stripe", "INV-1")
    assert (document.payment, document.amount, document.occurred_at) == ("pi_1", Money(6000, "USD"), 99)
    assert document.facts == ("ch_1",)


def test_b15_a_payment_without_an_invoice_waits() -> None:
    """No document is made for a customer that would have to be guessed."""
    assert documents_for([PAID, FEE], "", {}) == []


@pytest.mark.parametrize(
    ("open_minor", "applied"), [(6000, "60.00"), (2500, "25.00"), (9000, "60.00"), (0, ""), (-1, "")]
)
def test_d10_a_payment_is_applied_up_to_the_open_balance(open_minor: int, applied: str) -> None:
    """What is over stays unapplied in QuickBooks as the customer's credit."""
    params = payment_params(
        PAID.amount,
        customer_id="58",
        invoice_id="7",
        open_balance=Money(open_minor, "USD"),
        deposit_account_id="33",
        txn_date=TODAY,
        note="pi_1 ch_1" * 1000,
    )
    assert params.pop("note") == ("pi_1 ch_1" * 1000)[:4000]
    assert params == {
        "customer_id": "58",
        "currency": "USD",
        "amount": "60.00",
        "date": "2026-11-23",
        "deposit_account_id": "33",
        "applied": [{"invoice_id": "7", "amount": applied}] if applied else [],
    }


def test_c21_a_payment_is_never_applied_to_a_balance_in_another_currency() -> None:
    """Refused before anything is sent."""
    with pytest.raises(Refused):
        payment_params(
            PAID.amount,
            customer_id="58",
            invoice_id="7",
            open_balance=Money(6000, "EUR"),
            deposit_account_id="33",
            txn_date=TODAY,
            note="",
        )


def test_invoice_parameters_are_the_order_in_exact_text() -> None:
    """Every line, the discount and the address as QuickBooks will be told them."""
    order = sample("discount-and-tax.json")
    ids = {"MUG": "11", "POSTER": "12", "SUPPORT": "3"}
    params = invoice_params(order, customer_id="58", item_ids=ids, date=TODAY)
    assert json.loads(json.dumps(params)) == {
        "number": "INV-2016",
        "customer_id": "58",
        "currency": "USD",
        "date": "2026-11-23",
        "due": "2027-01-31",
        "memo": "Thank you",
        "email": "shop@galleryverde.example",
        "address": {
            "line1": "88 Rainey St",
            "line2": "",
            "city": "Austin",
            "state": "TX",
            "postal_code": "78701",
            "country": "US",
        },
        "lines": [
            line("Mug", "11", "4", "12.50", "50.00", True),
            line("Poster", "12", "2", "25.00", "50.00", True),
            line("Set-up help", "3", "1", "100.00", "100.00", False),
        ],
        "discount": {"percent": "10", "amount": "20.00"},
    }


def line(*values: object) -> dict[str, object]:
    """A line of the parameters, in the order of its fields."""
    return dict(zip(("description", "item_id", "quantity", "unit_price", "amount", "taxable"), values, strict=True))


def test_an_amount_discount_has_no_percentage() -> None:
    """An order in euros with 42.50 off, and one without discount or address."""
    ids = {"DESIGN": "2", "CONSULT": "1"}
    euros = invoice_params(sample("euros.json"), customer_id="1", item_ids=ids, date=TODAY)
    assert euros["discount"] == {"percent": None, "amount": "42.50"}
    half = invoice_params(sample("half-hour.json"), customer_id="1", item_ids=ids, date=TODAY)
    assert (half["discount"], half["address"], half["lines"][0]["quantity"]) == (None, None, "0.5")


def test_an_unknown_sku_is_refused_and_never_left_out() -> None:
    """All missing SKUs are named; an empty id is as good as none."""
    with pytest.raises(Refused, match="POSTER, SUPPORT"):
        invoice_params(
            sample("discount-and-tax.json"), customer_id="1", item_ids={"MUG": "1", "SUPPORT": ""}, date=TODAY
        )


def test_customer_parameters_keep_the_full_name() -> None:
    """QuickBooks' display name may differ; the customer's own name is not lost."""
    order = sample("colon.json")
    assert customer_params(order, display_name(order.customer.name)) == {
        "name": display_name("Studio: North : West"),
        "full_name": "Studio: North : West",
        "email": "north@studio.example",
        "currency": "USD",
        "address": None,
    }


@pytest.mark.parametrize(
    ("provider", "currency", "name"),
    [("stripe", "USD", "Stripe Clearing (USD)"), ("paypal", "EUR", "PayPal (EUR)")],
)
def test_d12_there_is_one_clearing_account_per_processor_and_currency(provider: str, currency: str, name: str) -> None:
    """A bank account, for Purchases need one; the currency is never guessed."""
    expected = {"name": name, "type": "Bank", "subtype": "CashOnHand", "currency": currency}
    assert clearing_account(provider, currency) == expected


def test_stock_is_compared_with_all_lines_of_an_item_together() -> None:
    """Two lines of four mugs are eight mugs; services have no stock; what is enough is no problem."""
    order = sample("discount-and-tax.json")
    twice = Order(**{name: getattr(order, name) for name in Order.__slots__} | {"lines": order.lines * 2})
    items = {
        "MUG": Item("1", "MUG", "Mug", Decimal("8.00")),
        "POSTER": Item("2", "POSTER", "Poster", Decimal("2.00")),
        "SUPPORT": Item("3", "SUPPORT", "Support", None),
    }
    assert stock_problems(order, items) == []
    assert stock_problems(twice, items) == ["POSTER: 4 asked for, 2 in stock"]


def test_e1_e3_display_names_are_legal_and_stay_readable() -> None:
    """Ordinary names are unchanged; a taken one says what it is; a changed one carries a hash."""
    assert display_name('O\'Brien & "Sons"') == 'O\'Brien & "Sons"'
    assert display_name("Blue Heron Supplies", 1) == "Blue Heron Supplies (customer)"
    assert display_name("Blue Heron Supplies", 2) == "Blue Heron Supplies (customer 2)"
    assert display_name("👩‍🍳 Bakery") == "👩‍🍳 Bakery"
    assert display_name("Studio: North").startswith("Studio - North ~")
    assert display_name("x" * 100) == "x" * 100
    assert display_name("Blue Heron Supplies (customer)") != display_name("Blue Heron Supplies", 1)


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=130) | st.text("ab:- \t\n", min_size=1, max_size=8)


@given(NAMES, st.integers(0, 3))
def test_e3_display_names_are_always_legal(name: str, attempt: int) -> None:
    """1 to 100 characters, without colon, tab, line end or spaces around."""
    shown = display_name(name, attempt)
    assert 1 <= len(shown) <= 100
    assert not set(shown) & set(":\t\n\r")
    assert shown == shown.strip()


@given(NAMES, NAMES, st.integers(0, 3), st.integers(0, 3))
def test_e3_e6_two_names_never_become_one(first: str, second: str, attempt: int, other: int) -> None:
    """Not even when one name looks like the other's second attempt."""
    if (first, attempt) != (second, other):
        assert display_name(first, attempt) != display_name(second, other)
    if attempt:
        assert display_name(display_name(first, attempt)) != display_name(first, attempt)
