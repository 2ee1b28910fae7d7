"""The customer's way through PayPal in a real browser: our page, PayPal's page, and ours again."""

from __future__ import annotations

import pytest

from helpers.sale import control
from helpers.web.browser import Customer
from helpers.web.front import Front

BY_PAYPAL = 'form[action$="provider=paypal"] button'


@pytest.fixture(autouse=True)
def _afresh(front: Front, customer: Customer) -> None:
    """Each test begins with a wide, light window and with vendors that work."""
    front.mend()
    customer.look_at()


def test_from_our_page_through_paypals_to_the_books(front: Front, customer: Customer) -> None:
    """Approve on PayPal's page, come back, be thanked: captured at once, and the sale is finished to the cent."""
    shop = front.shop
    shop.invoiced("INV-P1")
    customer.visit(front.link("INV-P1"))
    assert customer.one(BY_PAYPAL).text == "Pay 60.00 USD with PayPal"
    customer.leave_by(BY_PAYPAL)
    assert customer.address.startswith(f"{shop.simulator.url}/paypal/approve/")
    assert "$60.00" in customer.heading
    customer.one("#email").send_keys("grace@example.com")
    customer.leave_by('button[value="approve"]')
    assert customer.address.startswith(f"{front.link('INV-P1')}/paid?token=")
    assert customer.heading == "Thank you"
    (page,) = shop.till.ledger.sales.checkouts_of_invoice("INV-P1")
    assert page.status == "paid"
    front.finish()
    customer.visit(front.link("INV-P1"))
    assert "This invoice is paid. Thank you." in customer.text
    assert customer.complaints() == []


def test_leaving_paypals_page_and_coming_back_pays_on_the_same_page(front: Front, customer: Customer) -> None:
    """Cancelled: nothing was charged, our page says so, and its button leads to the same order."""
    front.shop.invoiced("INV-P2")
    customer.visit(front.link("INV-P2"))
    customer.leave_by(BY_PAYPAL)
    order = customer.address
    customer.leave_by('button[value="cancel"]')
    assert "You left the payment page." in customer.text
    customer.leave_by(BY_PAYPAL)
    assert customer.address == order


def test_a_payment_that_is_refused_is_told_as_such(front: Front, customer: Customer) -> None:
    """Approved, but the capture is declined: no thanks, and another page to pay on."""
    front.shop.invoiced("INV-P3")
    customer.visit(front.link("INV-P3"))
    customer.leave_by(BY_PAYPAL)
    (page,) = front.shop.till.ledger.sales.checkouts_of_invoice("INV-P3")
    control(front.shop.simulator, "pay", {"checkout_id": page.id, "decline": True})
    customer.visit(f"{front.link('INV-P3')}/paid?token={page.id}")
    assert "Your payment was not completed, and nothing was charged." in customer.text
    customer.leave_by(BY_PAYPAL)
    assert customer.address.startswith(f"{front.shop.simulator.url}/paypal/approve/")
    assert page.id not in customer.address
