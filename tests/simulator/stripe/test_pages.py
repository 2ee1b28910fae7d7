"""The pages where a customer pays in the simulator, used by form as a browser without scripts would."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
import stripe

from helpers.vendors.simulated_stripe import (
    CANCEL_URL,
    DECLINED,
    GOOD,
    NO_FUNDS,
    SECURE,
    client,
    order,
    typed,
)
from simulator.server import Simulator


@pytest.fixture
def session(simulator: Simulator) -> stripe.checkout.Session:
    """An open session."""
    return client(simulator).v1.checkout.sessions.create(order())


def get(address: str | None) -> requests.Response:
    """GET without following redirects."""
    return requests.get(str(address), timeout=10, allow_redirects=False)


def post(address: str | None, form: dict[str, str]) -> requests.Response:
    """Send a form without following redirects."""
    return requests.post(str(address), data=form, timeout=10, allow_redirects=False)


def status_of(simulator: Simulator, session: stripe.checkout.Session) -> str | None:
    """The session's status now."""
    return client(simulator).v1.checkout.sessions.retrieve(session.id).status


def test_the_page_shows_what_is_paid(session: stripe.checkout.Session) -> None:
    """Amount, line, a way back, a label for each field and the tokens that let a browser fill them in."""
    page = get(session.url)
    assert page.status_code == 200
    assert "$123.45" in page.text
    assert "Invoice INV-1001" in page.text
    assert f'href="{CANCEL_URL}"' in page.text
    for token in ("cc-number", "cc-exp", "cc-csc", "cc-name", "email"):
        assert f'autocomplete="{token}"' in page.text
    fields = set(re.findall(r'<input id="(\w+)"', page.text))
    assert fields == set(re.findall(r'<label for="(\w+)"', page.text)) == set(typed())
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text


def test_a_paid_page_leads_to_the_success_address(simulator: Simulator, session: stripe.checkout.Session) -> None:
    """The session's id is filled into the address. Afterwards the page says that it is paid."""
    answer = post(session.url, typed("4242 4242 4242 4242"))
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"https://shop.example/thanks?session={session.id}"
    again = get(session.url)
    assert (again.status_code, "has been paid" in again.text) == (200, True)
    assert post(session.url, typed()).status_code == 200
    intent = client(simulator).v1.checkout.sessions.retrieve(session.id).payment_intent
    assert len(client(simulator).v1.charges.list({"payment_intent": str(intent)}).data) == 1


@pytest.mark.parametrize(
    ("card", "sentence"),
    [(DECLINED, "Your card was declined."), (NO_FUNDS, "Your card has insufficient funds.")],
    ids=["declined", "funds"],
)
def test_a_decline_says_so_and_leaves_the_page_open(
    simulator: Simulator, session: stripe.checkout.Session, card: str, sentence: str
) -> None:
    """Status 402 with the sentence in an alert that has the focus. Another card then succeeds."""
    page = post(session.url, typed(card))
    assert page.status_code == 402
    assert sentence in page.text
    assert 'role="alert"' in page.text
    assert "autofocus" in page.text
    assert status_of(simulator, session) == "open"
    assert post(session.url, typed(GOOD)).status_code == 303


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (typed(card_number=""), "card_number"),
        (typed(card_number="4242 4242 4242 4241"), "card_number"),
        (typed(card_number="5555555555554444"), "card_number"),
        (typed(card_expiry="12/20"), "card_expiry"),
        (typed(card_expiry="13/40"), "card_expiry"),
        (typed(card_cvc="12"), "card_cvc"),
        (typed(card_name=" "), "card_name"),
        (typed(email="nobody"), "email"),
    ],
    ids=["empty", "typing-error", "unknown", "past", "month", "code", "name", "address"],
)
def test_a_wrong_field_is_named(session: stripe.checkout.Session, form: dict[str, str], field: str) -> None:
    """The page comes again with a sentence tied to its field, and without the number that was typed."""
    page = post(session.url, form)
    assert page.status_code == 400
    assert re.findall(r'<input id="(\w+)"[^>]*aria-invalid="true"[^>]*aria-describedby="\1-problem', page.text) == [
        field
    ]
    number = form["card_number"]
    assert not number or f'value="{number}"' not in page.text


def test_a_secure_card_asks_first(simulator: Simulator, session: stripe.checkout.Session) -> None:
    """The 3-D Secure page completes or fails the payment. Failing leads back to the form."""
    asked = post(session.url, typed(SECURE))
    page = simulator.url + asked.headers["Location"]
    assert (asked.status_code, get(page).status_code) == (303, 200)
    failed = post(page, {"outcome": "fail"})
    assert (failed.status_code, "unable to authenticate" in failed.text) == (402, True)
    assert get(page).status_code == 303
    post(session.url, typed(SECURE))
    done = post(page, {"outcome": "complete"})
    assert done.headers["Location"] == f"https://shop.example/thanks?session={session.id}"
    assert status_of(simulator, session) == "complete"


def test_an_expired_page_says_so(simulator: Simulator, session: stripe.checkout.Session) -> None:
    """An expired page is gone, and an unknown one was never there. Neither takes a card."""
    client(simulator).v1.checkout.sessions.expire(session.id)
    assert get(session.url).status_code == 410
    assert post(session.url, typed()).status_code == 410
    assert get(f"{simulator.url}/checkout/cs_test_none").status_code == 404


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(1200, "jpy", "¥1,200"), (12_340, "kwd", "KWD 12.340"), (1_200, "isk", "ISK 12"), (800, "chf", "CHF 8.00")],
)
def test_d1_amounts_are_shown_in_their_currency(simulator: Simulator, amount: int, currency: str, shown: str) -> None:
    """Each currency with its own number of decimals."""
    session = client(simulator).v1.checkout.sessions.create(order(amount, currency))
    assert shown in get(session.url).text


def test_what_others_wrote_is_escaped(simulator: Simulator) -> None:
    """A line's name cannot put markup into the page."""
    wanted = order()
    wanted["line_items"][0]["price_data"]["product_data"]["name"] = "<img src=x onerror=alert(1)>"
    page = get(client(simulator).v1.checkout.sessions.create(wanted).url).text
    assert "<img" not in page
    assert "&lt;img" in page


def test_an_address_that_is_known_is_not_asked_for(simulator: Simulator) -> None:
    """A session with a customer's address shows it and asks only for the card."""
    session = client(simulator).v1.checkout.sessions.create(order(customer_email="ada@example.com"))
    assert "ada@example.com" in get(session.url).text
    assert 'name="email"' not in get(session.url).text
    assert post(session.url, typed(email="")).status_code == 303


def test_g8_no_card_number_is_kept(tmp_path: Path) -> None:
    """After a payment neither the state folder nor the request log holds the card's number."""
    record = tmp_path / "requests.jsonl"
    with Simulator(tmp_path / "state", record=record) as running:
        session = client(running).v1.checkout.sessions.create(order())
        post(session.url, typed(SECURE))
        post(f"{session.url}/authenticate", {"outcome": "complete"})
        client(running).v1.customers.create({"description": f"paid with {GOOD}"})
        client(running).v1.customers.create({"description": "paid with 4242 4242 4242 4242"})
    for file in (tmp_path / "state").iterdir():
        assert SECURE.encode() not in file.read_bytes()
    assert GOOD not in record.read_text()
    assert "************4242" in record.read_text()
