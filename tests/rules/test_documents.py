"""Documents for QuickBooks, and names that it can hold."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.operations.kinds.books.create_account import CreateAccount
from tillbook.rules.accounts import ClearingAccount
from tillbook.rules.bookkeeping import documents_for
from tillbook.rules.facts import InvoiceIssued, PaymentSucceeded, ProcessorFee
from tillbook.rules.orders import Order, read_order
from tillbook.sales.names import display_name
from tillbook.sales.stock import stock_problems
from tillbook.vendors.books import Item

SAMPLES = Path(__file__).parents[1] / "samples" / "orders"
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
    return read_order(next(SAMPLES.rglob(name)).read_bytes())


def test_a_payment_with_an_invoice_calls_for_one_document() -> None:
    """Gross, keyed by the vendor's own id; invoices and fees call for none here."""
    (document,) = [one for fact in (ISSUED, PAID, FEE) for one in documents_for(fact, "INV-1", None)]
    assert document.key == "payment:stripe:ch_1"
    assert (document.kind, document.provider, document.invoice) == ("Payment", "stripe", "INV-1")
    assert (document.payment, document.amount, document.occurred_at) == ("pi_1", Money(6000, "USD"), 99)
    assert document.facts == ("ch_1",)


def test_d12_there_is_one_clearing_account_per_currency() -> None:
    """Its name holds the currency, which is never guessed."""
    account = ClearingAccount(ledger="PayPal Clearing", books="PayPal")
    assert [CreateAccount.clearing(account, currency).name for currency in ("EUR", "USD")] == [
        "PayPal (EUR)",
        "PayPal (USD)",
    ]
    with pytest.raises(Refused, match="not a currency"):
        CreateAccount.clearing(account, "eur")


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
