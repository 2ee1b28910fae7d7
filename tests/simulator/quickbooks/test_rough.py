"""The simulated QuickBooks with a habit of the real one: tax to the hundredth where a currency has no decimals."""

from __future__ import annotations

from decimal import Decimal

from quickbooks import QuickBooks

from helpers.vendors.quickbooks_company import get, invoice, line, new_customer, trial_balance
from helpers.vendors.simulated_stripe import control
from simulator.server import Simulator


def test_a_yen_invoice_may_hold_a_fraction(books: QuickBooks, simulator: Simulator) -> None:
    """8.25 % of 1999 yen are 164.92, and the total says so. The books balance all the same."""
    control(simulator, "rough", {"habits": ["fractions"]})
    get(books, "companyinfo/1")
    yen = new_customer(books, "Sato", "JPY")
    made = invoice(books, line("1999", "1", "1999", "TAX"), customer=yen)
    assert (made["TotalAmt"], made["Balance"]) == (Decimal("2163.92"), Decimal("2163.92"))
    assert sum(trial_balance(books).values()) == 0
