"""The customer's way in a real browser: our page, the vendor's page, our page again; also by keyboard alone."""

from __future__ import annotations

import pytest
from selenium.webdriver import Keys

from helpers.web.browser import NARROW, WIDE, Customer
from helpers.web.front import Front
from tillbook.rules.facts import InvoiceFact

GOOD = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
SECURE = "4000 0025 0000 3155"
LOOKS = ((WIDE, False), (NARROW, True))


@pytest.fixture(autouse=True)
def _afresh(front: Front, customer: Customer) -> None:
    """Each test begins with a wide, light window and with vendors that work."""
    front.mend()
    customer.look_at()


def test_from_the_mail_to_the_books(front: Front, customer: Customer) -> None:
    """A person opens the mail, pays, is thanked; the webhook arrives and the sale is finished to the cent."""
    shop = front.shop
    shop.invoiced("INV-W1")
    assert shop.run("send_invoice", "INV-W1").code == 0
    customer.visit(f"{shop.simulator.url}/mailbox/{shop.mails()[-1]['id']}")
    customer.follow_into_new_tab("iframe", ".button a")
    assert (customer.address, customer.heading) == (front.link("INV-W1"), "Invoice INV-W1")
    assert "Consulting 60.00 Total 60.00 USD" in customer.text
    customer.leave_by("button")
    assert customer.address.startswith(f"{shop.simulator.url}/checkout/cs_")
    assert (customer.heading, "Receipt to grace@example.com" in customer.text) == ("$60.00", True)
    customer.pay_with(GOOD)
    assert (customer.address, customer.heading) == (f"{front.link('INV-W1')}/paid", "Thank you")
    shop.later(60)
    front.heard("INV-W1")
    before = len(shop.mails())
    front.finish()
    facts = shop.till.ledger.facts.of_invoice("INV-W1")
    # The fee of 60.00 is 2.9 % and 0.30: 1.74 + 0.30 = 2.04.
    assert [(fact.kind, str(fact.amount)) for fact in facts if not isinstance(fact, InvoiceFact)] == [
        ("PaymentSucceeded", "60.00 USD"),
        ("ProcessorFee", "2.04 USD"),
    ]
    invoice = next(row for row in shop.books("Invoice") if row["DocNumber"] == "INV-W1")
    # Other tests share this world.
    paid = [row for row in shop.books("Payment") if f"'TxnId': '{invoice['Id']}'" in str(row["Line"])]
    assert [(row["TotalAmt"], row["CurrencyRef"]["value"]) for row in paid] == [("60.00", "USD")]
    assert (invoice["TotalAmt"], invoice["Balance"]) == ("60.00", "0.00")
    told = [mail["to"][0] for mail in shop.mails()[before:] if "INV-W1" in mail["subject"]]
    assert sorted(told) == ["grace@example.com", "owner@harborlane.example"]


def test_a_declined_card_leaves_the_page_open(front: Front, customer: Customer) -> None:
    """The summary of what went wrong has the focus, nothing was taken, and another card pays the same page."""
    front.shop.invoiced("INV-W2")
    customer.visit(front.link("INV-W2"))
    customer.leave_by("button")
    page = customer.address
    customer.pay_with(DECLINED)
    assert customer.focused.startswith("The payment was not made")
    assert customer.focus_width >= 2
    assert "Your card was declined." in customer.text
    assert (customer.one("#card_number").get_attribute("value"), customer.address) == ("", page)
    assert front.session("INV-W2")["status"] == "open"
    customer.pay_with(GOOD)
    assert customer.heading == "Thank you"
    session = front.session("INV-W2")
    assert (session["status"], session["payment_status"], session["amount_total"]) == ("complete", "paid", 6000)


def test_by_keyboard_alone(front: Front, customer: Customer) -> None:
    """Tab, Enter and typing are enough; the focus goes through the page as it is read, and is always seen."""
    front.shop.invoiced("INV-W3")
    customer.visit(front.link("INV-W3"))
    assert (customer.tab(), customer.focus_width >= 2) == ("Pay 60.00 USD with Stripe", True)
    with customer.next_page():
        customer.press(Keys.ENTER)
    typed = {"Card number": DECLINED, "Expires": "12 / 40", "Security code": "123", "Name on card": "Grace Hopper"}
    for label, value in typed.items():
        assert (customer.tab(), customer.focus_width >= 2) == (label, True)
        customer.press(value)
    assert [customer.tab(), customer.tab()] == ["Pay $60.00", "Cancel"]
    assert (customer.tab_back(), customer.focus_width >= 2) == ("Pay $60.00", True)
    with customer.next_page():
        customer.press(Keys.ENTER)
    assert (customer.tab(), customer.focus_width >= 2) == ("Your card was declined.", True)
    customer.press(Keys.ENTER)
    assert customer.focused == "Card number"
    customer.press(GOOD, Keys.TAB, "12 / 40", Keys.TAB, "123")
    with customer.next_page():
        customer.press(Keys.ENTER)
    assert customer.heading == "Thank you"


def test_a_card_that_asks_the_bank(front: Front, customer: Customer) -> None:
    """3-D Secure: saying no takes nothing and leaves the page open, saying yes pays."""
    front.shop.invoiced("INV-W4")
    customer.visit(front.link("INV-W4"))
    customer.leave_by("button")
    customer.pay_with(SECURE)
    assert customer.heading == "Is this you?"
    customer.leave_by("button[value=fail]")
    assert customer.focused.startswith("The payment was not made")
    assert front.session("INV-W4")["payment_status"] == "unpaid"
    customer.pay_with(SECURE)
    customer.leave_by("button[value=complete]")
    assert (customer.address, customer.heading) == (f"{front.link('INV-W4')}/paid", "Thank you")
    assert front.session("INV-W4")["payment_status"] == "paid"


def test_the_customer_changes_their_mind_and_comes_back(front: Front, customer: Customer) -> None:
    """The cancel link leads to our page, which promises nothing about money; its button opens the same page again."""
    front.shop.invoiced("INV-W5")
    customer.visit(front.link("INV-W5"))
    customer.leave_by("button")
    page = customer.address
    customer.leave_by(".after a")
    assert (customer.address, customer.heading) == (f"{front.link('INV-W5')}/cancelled", "Invoice INV-W5")
    assert "You left the payment page." in customer.text
    customer.leave_by("button")
    assert customer.address == page
    assert len(front.shop.till.ledger.sales.checkouts_of_invoice("INV-W5")) == 1


def test_paid_is_paid(front: Front, customer: Customer) -> None:
    """An old tab, the back button and the mail's link cannot pay again, before and after the webhook was read."""
    front.shop.invoiced("INV-W6")
    customer.visit(front.link("INV-W6"))
    customer.leave_by("button")
    page = customer.address
    customer.pay_with(GOOD)
    customer.visit(page)
    assert (customer.heading, customer.one(".button").text) == ("This has been paid", "Back to Harbor Lane Studio LLC")
    for _ in range(2):  # the page after paying read the payment by itself; the webhook changes nothing more
        customer.visit(front.link("INV-W6"))
        assert "This invoice is paid. Thank you." in customer.text
        assert not customer.has("button")
        front.heard("INV-W6")
        front.finish()
    assert "Paid \N{MINUS SIGN}60.00 Still open nothing" in customer.text
    paid = [
        row
        for row in front.shop.simulator.world.all("stripe.charge")
        if row["payment_intent"] == front.payment("INV-W6")
    ]
    assert [(row["amount_captured"], row["status"]) for row in paid] == [(6000, "succeeded")]


def test_trouble_at_the_vendor_is_said_in_words(front: Front, customer: Customer) -> None:
    """When the page cannot be opened the customer reads that nothing was charged, and the button works later."""
    front.shop.invoiced("INV-W7")
    customer.visit(front.link("INV-W7"))
    front.shop.fail("stripe", "*/checkout/sessions", "429", method="POST", times=99)
    customer.leave_by("button")
    assert "Nothing was charged; please try again in a minute." in customer.text
    front.mend()
    customer.leave_by("button")
    assert customer.heading == "$60.00"


def test_every_page_can_be_read_by_everybody(front: Front, customer: Customer) -> None:
    """Language, heading, labels, contrast in light and dark; nothing cut off on a telephone, nothing from elsewhere."""
    shop = front.shop
    words = "Repairs of the till in the shop at the harbour including donaudampfschifffahrtsgesellschaftskapitaen"
    shop.invoiced(
        "INV-W8",
        lines=[{"description": words, "sku": "CONSULT", "quantity": "3", "unit_price": "333333.00"}],
        discount={"percent": "10"},
    )
    shop.run("send_invoice", "INV-W8")
    customer.complaints()
    for address in ("/pay/nobody-has-this", "/pay/{}", "/pay/{}/cancelled"):
        customer.visit(front.url + address.format(front.link("INV-W8").rpartition("/")[2]))
        assert_readable(customer)
    customer.leave_by("button")
    assert_readable(customer)
    page = customer.address
    customer.pay_with("1234")
    assert_readable(customer)
    customer.pay_with(SECURE)
    assert_readable(customer)
    customer.leave_by("button[value=complete]")
    assert_readable(customer)
    for address in (page, page + "0", f"{shop.simulator.url}/mailbox/"):
        customer.visit(address)
        assert_readable(customer)
    assert customer.complaints() == []


def test_every_mail_can_be_read_by_everybody(front: Front, customer: Customer) -> None:
    """The three mails of a sale, as they arrived: the same demands as on a page, light and dark, wide and narrow."""
    shop = front.shop
    shop.invoiced("INV-W9", customer={"name": "Köhler & Söhne <Bäckerei>", "email": "backen@example.com"})
    shop.run("send_invoice", "INV-W9")
    customer.visit(front.link("INV-W9"))
    customer.leave_by("button")
    customer.pay_with(GOOD)
    front.heard("INV-W9")
    front.finish()
    mails = [mail for mail in shop.mails() if "INV-W9" in mail["text"]]
    assert len(mails) == 3
    for mail in mails:
        customer.visit(f"{shop.simulator.url}/mailbox/{mail['id']}")
        assert_readable(customer)
        customer.driver.switch_to.frame(customer.one("iframe"))
        assert "Köhler & Söhne <Bäckerei>" in customer.text
        assert_readable(customer)


def assert_readable(customer: Customer) -> None:
    """One page in every look."""
    page = customer.soundness()
    assert page["title"], customer.address
    assert (page["lang"], page["headings"], page["images"], page["unlabelled"]) == ("en", 1, 0, []), customer.address
    assert page["foreign"] == [], customer.address
    for width, dark in LOOKS:
        customer.look_at(width=width, dark=dark)
        assert customer.hidden_pixels() <= 0, f"{customer.address} at {width}"
        assert customer.faint_texts() == [], f"{customer.address} {'dark' if dark else 'light'}"
    customer.look_at()
