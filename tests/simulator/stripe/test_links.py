"""The simulated Payment Links, driven by the unmodified SDK and by a customer's browser."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import stripe

from helpers.vendors.simulated_stripe import contract, control, plain, typed
from simulator.server import Simulator

ONE = {"completed_sessions": {"limit": 1}}


def asked(amount: int = 12_345, **more: Any) -> Any:
    """Parameters of a link with one line."""
    price = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Invoice INV-1001"}}
    return {"line_items": [{"quantity": 1, "price_data": price}], **more}


def get(address: str) -> requests.Response:
    """GET without following redirects."""
    return requests.get(address, timeout=10, allow_redirects=False)


def test_a_new_link_is_active_and_whole(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Its address is the simulator's own, its lines can be expanded, and Stripe's schema knows every field."""
    link = api.v1.payment_links.create(asked(restrictions=ONE, metadata={"a": "b"}))
    found = plain(api.v1.payment_links.retrieve(link.id, {"expand": ["line_items"]}))
    assert (found["active"], found["url"]) == (True, f"{simulator.url}/link/{link.id}")
    assert found["restrictions"] == {"completed_sessions": {"count": 0, "limit": 1}}
    assert found["line_items"]["data"][0]["amount_total"] == 12_345
    assert api.v1.payment_links.line_items.list(link.id).data[0].amount_total == 12_345


def test_links_fit_stripes_schema(api: stripe.StripeClient) -> None:
    """A plain link and one with everything that we use."""
    data = {"metadata": {"operation": "op"}, "description": "INV-1001"}
    after = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "Thanks"}}
    full = asked(restrictions=ONE, metadata={"a": "b"}, payment_intent_data=data, after_completion=after)
    for params in (asked(), full):
        assert contract().check_object(plain(api.v1.payment_links.create(params))) == []


def test_each_customer_gets_a_session_of_his_own(api: stripe.StripeClient) -> None:
    """Opening the link twice makes two sessions with its lines, its metadata and its name."""
    link = api.v1.payment_links.create(asked(metadata={"a": "b"}, payment_intent_data={"metadata": {"c": "d"}}))
    pages = [get(link.url).headers["location"] for _ in range(2)]
    sessions = api.v1.checkout.sessions.list({"payment_link": link.id}).data
    assert sorted(page.rpartition("/")[2] for page in pages) == sorted(session.id for session in sessions)
    for session in sessions:
        assert (session.payment_link, session.amount_total, session.status) == (link.id, 12_345, "open")
        assert plain(session)["metadata"] == {"a": "b"}
    assert api.v1.checkout.sessions.list({"payment_link": "plink_other"}).data == []


def test_a_paid_link_thanks_and_counts(api: stripe.StripeClient, simulator: Simulator) -> None:
    """The intent carries the metadata for intents, the customer reads the link's own words, the limit ends the link."""
    after = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "Come back soon"}}
    data = {"metadata": {"c": "d"}}
    link = api.v1.payment_links.create(asked(restrictions=ONE, after_completion=after, payment_intent_data=data))
    page, other = (simulator.url + get(link.url).headers["location"] for _ in range(2))
    answer = requests.post(page, data=typed(), timeout=10)
    assert "Come back soon" in answer.text
    assert plain(api.v1.payment_intents.list().data[0])["metadata"] == {"c": "d"}
    found = plain(api.v1.payment_links.retrieve(link.id))
    assert (found["active"], found["restrictions"]["completed_sessions"]["count"]) == (False, 1)
    assert get(link.url).status_code == get(other).status_code == 410


def test_a_link_without_limit_goes_on(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Payments through the control, each by a session of its own."""
    link = api.v1.payment_links.create(asked())
    paid = [control(simulator, "pay", {"checkout_id": link.id})["payment_intent"] for _ in range(2)]
    assert len(set(paid)) == 2
    assert api.v1.payment_links.retrieve(link.id).active


def test_a_redirect_leads_to_the_seller(api: stripe.StripeClient, simulator: Simulator) -> None:
    """The other way to end: an address of the seller's."""
    after = {"type": "redirect", "redirect": {"url": "https://shop.example/thanks"}}
    link = api.v1.payment_links.create(asked(after_completion=after))
    answer = requests.post(
        simulator.url + get(link.url).headers["location"], data=typed(), timeout=10, allow_redirects=False
    )
    assert answer.headers["location"] == "https://shop.example/thanks"
    assert get(f"{link.url}/thanks").status_code == 404


def test_an_inactive_link_shows_its_message(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Deactivated, then active again. A session that is open already outlives it."""
    link = api.v1.payment_links.create(asked(inactive_message="Ask Ada."))
    session = get(link.url).headers["location"].rpartition("/")[2]
    assert not api.v1.payment_links.update(link.id, {"active": False}).active
    page = get(link.url)
    assert (page.status_code, "Ask Ada." in page.text) == (410, True)
    control(simulator, "pay", {"checkout_id": link.id}, status=409)
    assert api.v1.checkout.sessions.retrieve(session).status == "open"
    api.v1.payment_links.update(link.id, {"active": True})
    assert get(link.url).status_code == 303


def test_links_are_listed_and_tell_what_happens_to_them(api: stripe.StripeClient) -> None:
    """Newest first, page by page, by activity. Creation and change are events, an update without change is none."""
    first, second = (api.v1.payment_links.create(asked()) for _ in range(2))
    for _ in range(2):
        api.v1.payment_links.update(first.id, {"active": False, "metadata": {"a": "b"}})
    assert [link.id for link in api.v1.payment_links.list().data] == [second.id, first.id]
    assert [link.id for link in api.v1.payment_links.list({"starting_after": second.id}).data] == [first.id]
    assert [link.id for link in api.v1.payment_links.list({"active": True}).data] == [second.id]
    types = [event.type for event in api.v1.events.list().data]
    assert (types.count("payment_link.created"), types.count("payment_link.updated")) == (2, 1)


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"line_items": []}, "line_items"),
        (asked(success_url="https://shop.example/"), "success_url"),
        (asked(customer_email="ada@example.com"), "customer_email"),
        (asked(after_completion={"type": "redirect"}), "after_completion[redirect]"),
        (asked(restrictions={"completed_sessions": {"limit": 0}}), "restrictions[completed_sessions][limit]"),
        (asked(inactive_message="x" * 501), "inactive_message"),
    ],
)
def test_what_a_link_cannot_be_is_refused(api: stripe.StripeClient, params: Any, param: str) -> None:
    """In Stripe's words, naming the parameter. A link knows neither a way back nor the customer."""
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.v1.payment_links.create(params)
    assert refusal.value.param == param


def test_a_link_that_nobody_knows_is_a_page_of_its_own(api: stripe.StripeClient, simulator: Simulator) -> None:
    """At the API 404, in the browser a page that says so."""
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.v1.payment_links.retrieve("plink_none")
    assert refusal.value.http_status == 404
    assert get(f"{simulator.url}/link/plink_none").status_code == 404
