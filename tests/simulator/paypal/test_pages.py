"""The page where a payer agrees to an order, used by form as a browser without scripts would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from helpers.vendors.simulated_paypal import TIMEOUT, Seller, control, order_body, requests_of
from helpers.web.browser import NARROW, WIDE, Customer, opened_browser
from simulator.server import Simulator

Json = dict[str, Any]

HOUR = 3600
APPROVE = {"email": "ada@example.com", "outcome": "approve"}


@pytest.fixture
def order(seller: Seller) -> Json:
    """An order of 60.00 dollars that waits for its payer."""
    return seller.ordered("60.00", description="Invoice INV-1001", invoice_id="INV-1001/1")


def page_of(order: Json) -> str:
    """The link that the seller sends the payer to."""
    return next(str(link["href"]) for link in order["links"] if link["rel"] in ("payer-action", "approve"))


def get(order: Json) -> requests.Response:
    return requests.get(page_of(order), timeout=TIMEOUT, allow_redirects=False)


def post(order: Json, form: dict[str, str]) -> requests.Response:
    return requests.post(page_of(order), data=form, timeout=TIMEOUT, allow_redirects=False)


def test_the_page_shows_what_is_paid(order: Json) -> None:
    """Seller, amount, description, a label for the one field, no password, no script, nothing from elsewhere."""
    page = get(order)
    assert page.status_code == 200
    for text in ("$60.00", "Harbor Lane Studio", "Invoice INV-1001", "Approve and pay", "Cancel"):
        assert text in page.text
    assert re.findall(r'<input id="(\w+)"', page.text) == re.findall(r'<label for="(\w+)"', page.text) == ["email"]
    assert 'autocomplete="email"' in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text
    assert 'type="password"' not in page.text


def test_approving_leads_back_to_the_seller(seller: Seller, order: Json) -> None:
    """303 to the return address with the order and the payer. The order knows them and can be captured."""
    answer = post(order, APPROVE)
    assert answer.status_code == 303
    approved = seller.order(order["id"])
    payer = approved["payer"]["payer_id"]
    assert answer.headers["Location"] == f"https://shop.example/thanks?from=paypal&token={order['id']}&PayerID={payer}"
    assert (approved["status"], approved["payer"]["email_address"]) == ("APPROVED", "ada@example.com")
    assert re.fullmatch("[2-9A-HJ-NP-Z]{13}", payer)
    assert seller.events() == ["CHECKOUT.ORDER.APPROVED"]
    assert seller.capture(order["id"]).status_code == 201


def test_cancelling_leads_back_to_the_seller(seller: Seller, order: Json) -> None:
    """303 to the cancel address with the order, whatever was typed. The order stays open."""
    answer = post(order, {"email": "", "outcome": "cancel"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"https://shop.example/cart?token={order['id']}")
    assert seller.order(order["id"])["status"] == "PAYER_ACTION_REQUIRED"
    assert get(order).status_code == 200
    assert seller.events() == []


@pytest.mark.parametrize("email", ["", "nobody", "@", "a b@example.com"])
def test_an_address_that_is_none_is_pointed_out(seller: Seller, order: Json, email: str) -> None:
    """400 with the sentence in an alert that has the focus and at the field. Nothing was approved."""
    page = post(order, {**APPROVE, "email": email})
    assert page.status_code == 400
    assert 'role="alert" tabindex="-1" autofocus' in page.text
    assert page.text.count("Enter the email address") == 2
    assert 'aria-invalid="true" aria-describedby="email-problem email-hint"' in page.text
    assert "<title>Problem: " in page.text
    assert seller.order(order["id"])["status"] == "PAYER_ACTION_REQUIRED"


def test_what_was_typed_is_shown_as_text(order: Json) -> None:
    """Markup in the address or in the description is no markup of the page."""
    page = post(order, {**APPROVE, "email": '"><script>alert(1)</script>'})
    assert "<script" not in page.text


def test_a_description_is_shown_as_text(seller: Seller) -> None:
    """What the seller wrote cannot become part of the page."""
    made = seller.ordered(description="<script>alert(1)</script>")
    assert "&lt;script&gt;" in get(made).text


def test_approved_and_paid_orders_have_their_pages(seller: Seller, order: Json) -> None:
    """Each says how things are, leads back to the seller, and approving again changes nothing."""
    post(order, APPROVE)
    approved = get(order)
    assert (approved.status_code, "You have approved" in approved.text) == (200, True)
    assert f"token={order['id']}" in approved.text
    assert post(order, APPROVE).status_code == 200
    seller.capture(order["id"])
    paid = post(order, APPROVE)
    assert (paid.status_code, "has been paid" in paid.text) == (200, True)
    assert seller.events().count("CHECKOUT.ORDER.APPROVED") == 1


def test_an_expired_order_and_an_unknown_one_have_their_pages(simulator: Simulator, order: Json) -> None:
    """410 and 404, with what to do next. Nothing was charged."""
    control(simulator, "clock", {"advance_seconds": 3 * HOUR})
    for answer in (get(order), post(order, APPROVE)):
        assert (answer.status_code, "has expired" in answer.text) == (410, True)
    assert "https://shop.example/cart" in get(order).text
    unknown = requests.get(f"{simulator.url}/paypal/approve/XXXX", timeout=TIMEOUT)
    assert (unknown.status_code, "does not exist" in unknown.text) == (404, True)


def test_the_payers_look_gives_three_more_hours(simulator: Simulator, seller: Seller, order: Json) -> None:
    """Only the first look counts. A mail scanner's GET approves nothing."""
    control(simulator, "clock", {"advance_seconds": 3 * HOUR - 5})
    assert get(order).status_code == 200
    control(simulator, "clock", {"advance_seconds": 2 * HOUR})
    assert get(order).status_code == 200
    assert seller.order(order["id"])["status"] == "PAYER_ACTION_REQUIRED"
    control(simulator, "clock", {"advance_seconds": HOUR + 5})
    assert get(order).status_code == 410


def test_an_order_without_addresses_ends_on_a_page_of_paypals(seller: Seller) -> None:
    """Where the seller named no way back, the page says what happened."""
    body = order_body()
    del body["payment_source"]
    made = seller.create(body).json()
    assert "You cancelled" in post(made, {"outcome": "cancel"}).text
    page = post(made, APPROVE)
    assert (page.status_code, "You have approved" in page.text) == (200, True)


def test_pages_are_no_calls_of_the_api(simulator: Simulator, order: Json) -> None:
    """They need no token, are in no log of vendor requests, and are hit by no fault."""
    control(simulator, "faults", {"vendor": "paypal", "path": "*", "kind": "500"})
    assert get(order).status_code == 200
    assert requests_of(simulator, f"/approve/{order['id']}") == []


@pytest.fixture(scope="module")
def payer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    """One browser for this file. Skipped where there is none."""
    with opened_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True)], ids=["wide", "narrow"])
def test_the_pages_are_sound_in_a_browser(payer: Customer, seller: Seller, order: Json, width: int, dark: bool) -> None:
    """Contrast, labels, one heading, nothing cut off. The whole page works by keyboard, and says what is wrong."""
    payer.look_at(width=width, dark=dark)
    payer.visit(page_of(order))
    assert_sound(payer)
    assert [payer.tab() for _ in range(3)] == ["Email", "Approve and pay $60.00", "Cancel"]
    payer.leave_by("button[value=approve]")
    assert "The payment was not approved" in payer.focused
    assert_sound(payer)
    seller.approve(order["id"])
    payer.visit(page_of(order))
    assert payer.heading == "You have approved this payment"
    assert_sound(payer)


def assert_sound(payer: Customer) -> None:
    """What a person would notice about the page in front."""
    assert (payer.faint_texts(), payer.hidden_pixels(), payer.complaints()) == ([], 0, [])
    found = payer.soundness()
    assert (found["lang"], found["headings"], found["unlabelled"], found["foreign"]) == ("en", 1, [], [])
