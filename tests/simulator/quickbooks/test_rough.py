"""The simulated QuickBooks with a habit of the real one: tax to the hundredth where a currency has no decimals,
and what people do that no call of the API does."""

from __future__ import annotations

from decimal import Decimal

from quickbooks import QuickBooks

from helpers.vendors.quickbooks_company import ADA, get, invoice, line, new_customer, payment, post, trial_balance
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


def test_two_customers_are_made_one(books: QuickBooks, simulator: Simulator) -> None:
    """The documents of the one become those of the other, with what is owed. Its record stays, inactive."""
    bob = new_customer(books, "Bob")
    bill = invoice(books, line("60", "1", "60"), customer=bob)
    payment(books, "20", (bill["Id"], "20"), customer=bob)
    assert control(simulator, "merge", {"kept": ADA, "gone": bob}) == {"kept": ADA, "gone": bob}
    moved = get(books, f"invoice/{bill['Id']}")["Invoice"]
    assert (moved["CustomerRef"]["value"], moved["Balance"]) == (ADA, 40)
    assert int(moved["SyncToken"]) > int(bill["SyncToken"])
    gone, kept = (get(books, f"customer/{key}")["Customer"] for key in (bob, ADA))
    assert (gone["DisplayName"], gone["Active"], gone["Balance"]) == ("Bob (deleted)", False, 0)
    assert (kept["Active"], kept["Balance"]) == (True, 40)
    assert sum(trial_balance(books).values()) == 0


def test_what_cannot_be_merged_is_refused(books: QuickBooks, simulator: Simulator) -> None:
    """A customer with itself, with nobody, or with one of another currency."""
    euro = new_customer(books, "Anna", "EUR")
    for pair in ({"kept": ADA, "gone": ADA}, {"kept": ADA}, {"kept": ADA, "gone": "999"}):
        assert "two active customers" in control(simulator, "merge", pair, status=400)["error"]
    assert "currencies" in control(simulator, "merge", {"kept": ADA, "gone": euro}, status=409)["error"]


def test_a_name_can_be_freed_twice(books: QuickBooks, simulator: Simulator) -> None:
    """The second Bob who is made inactive gets a number, and his own name when he comes back."""
    for name in ("Bob (deleted)", "Bob (deleted-1)"):
        bob = new_customer(books, "Bob")
        change = {"Id": bob, "SyncToken": "0", "sparse": True, "Active": False}
        assert post(books, "customer", change)["Customer"]["DisplayName"] == name
    back = {"Id": bob, "SyncToken": "1", "sparse": True, "Active": True}
    assert post(books, "customer", back)["Customer"]["DisplayName"] == "Bob"
