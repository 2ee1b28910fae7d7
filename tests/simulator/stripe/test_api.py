"""The simulated Stripe, driven by the unmodified SDK: sessions, payments, fees, lists and idempotency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import requests
import stripe

from helpers.vendors.simulated_stripe import (
    DECLINED,
    GOOD,
    NO_FUNDS,
    SECURE,
    contract,
    control,
    header,
    order,
    plain,
    requests_of,
)
from simulator.server import Simulator


def pay(simulator: Simulator, session: stripe.checkout.Session, card: str = GOOD, status: int = 200) -> Any:
    """Pay a session through the control."""
    return control(simulator, "pay", {"checkout_id": session.id, "card": card}, status=status)


def event_types(api: stripe.StripeClient) -> Sequence[str]:
    """The types of all events, oldest first."""
    return [event.type for event in api.v1.events.list({"limit": 100}).data][::-1]


def refused(call: Any) -> stripe.StripeError:
    """The error that a call raises."""
    with pytest.raises(stripe.StripeError) as caught:
        call()
    return caught.value


def test_a_new_session_is_open_and_has_no_intent(api: stripe.StripeClient, simulator: Simulator) -> None:
    """As at Stripe the payment intent begins only when the customer pays."""
    session = api.v1.checkout.sessions.create(order(lines=3, client_reference_id="INV-1001", metadata={"a": "b"}))
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.amount_total, session.currency) == (37_035, "usd")
    assert session.url == f"{simulator.url}/checkout/{session.id}"
    assert plain(session)["metadata"] == {"a": "b"}
    assert session.expires_at == session.created + 86_400


def test_a_paid_session_tells_its_whole_story(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Paying makes intent and charge with the metadata of the session's payment_intent_data, and their events."""
    data = {"metadata": {"operation": "op-1"}, "description": "INV-1001", "receipt_email": "ada@example.com"}
    session = api.v1.checkout.sessions.create(order(payment_intent_data=data))
    paid = pay(simulator, session)
    found = plain(
        api.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge", "line_items"]})
    )
    assert (found["status"], found["payment_status"], found["url"]) == ("complete", "paid", None)
    intent = found["payment_intent"]
    assert (intent["id"], intent["status"], intent["amount_received"]) == (paid["payment_intent"], "succeeded", 12_345)
    assert intent["metadata"] == intent["latest_charge"]["metadata"] == {"operation": "op-1"}
    assert intent["latest_charge"]["payment_method_details"]["card"]["last4"] == "4242"
    assert [line["amount_total"] for line in found["line_items"]["data"]] == [12_345]
    assert event_types(api) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_the_fee_comes_later_with_charge_updated(api: stripe.StripeClient, simulator: Simulator) -> None:
    """The balance transaction is not there at success. It brings fee and net, and becomes available in two days."""
    session = api.v1.checkout.sessions.create(order(10_000))
    intent = pay(simulator, session)["payment_intent"]
    charge = api.v1.charges.list({"payment_intent": intent}).data[0]
    assert charge.balance_transaction is None
    assert api.v1.balance_transactions.list().data == []
    control(simulator, "clock", {"advance_seconds": 2})
    booked = plain(api.v1.charges.retrieve(charge.id, {"expand": ["balance_transaction"]}))["balance_transaction"]
    assert (booked["amount"], booked["fee"], booked["net"]) == (10_000, 320, 9_680)
    assert (booked["type"], booked["reporting_category"], booked["source"]) == ("charge", "charge", charge.id)
    assert event_types(api)[-1] == "charge.updated"
    assert plain(api.v1.balance.retrieve())["pending"][0]["amount"] == 9_680
    control(simulator, "clock", {"advance_seconds": 2 * 86_400})
    assert plain(api.v1.balance.retrieve())["available"][0]["amount"] == 9_680


@pytest.mark.parametrize(
    ("card", "decline_code"), [(DECLINED, "generic_decline"), (NO_FUNDS, "insufficient_funds")], ids=["bank", "funds"]
)
def test_a_decline_leaves_the_session_open(
    api: stripe.StripeClient, simulator: Simulator, card: str, decline_code: str
) -> None:
    """A declined card is a failed charge. The same intent is paid with the next card."""
    session = api.v1.checkout.sessions.create(order())
    declined = pay(simulator, session, card, 402)
    assert declined["decline"]["decline_code"] == decline_code
    assert api.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert event_types(api) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert pay(simulator, session)["payment_intent"] == declined["payment_intent"]
    assert [charge.status for charge in api.v1.charges.list().data] == ["succeeded", "failed"]


def test_the_control_passes_or_fails_3d_secure(api: stripe.StripeClient, simulator: Simulator) -> None:
    """The secure card asks first. The control answers yes unless it is told to fail."""
    session = api.v1.checkout.sessions.create(order())
    body = {"checkout_id": session.id, "card": SECURE, "passed": False}
    failed = control(simulator, "pay", body, status=402)
    assert failed["decline"]["code"] == "payment_intent_authentication_failure"
    assert pay(simulator, session, SECURE)["status"] == "succeeded"
    assert event_types(api).count("payment_intent.requires_action") == 2


def test_only_an_open_session_is_paid(api: stripe.StripeClient, simulator: Simulator) -> None:
    """A second payment of one session is refused: money moves at most once."""
    session = api.v1.checkout.sessions.create(order())
    pay(simulator, session)
    assert "complete" in pay(simulator, session, status=409)["error"]
    assert len(api.v1.charges.list().data) == 1


def test_a_session_expires_by_call_and_by_time(api: stripe.StripeClient, simulator: Simulator) -> None:
    """An expired session loses its page, tells so in an event, and cannot be expired again."""
    first, second = (api.v1.checkout.sessions.create(order()) for _ in range(2))
    pay(simulator, second, DECLINED, 402)
    expired = api.v1.checkout.sessions.expire(first.id)
    assert (expired.status, expired.url) == ("expired", None)
    assert "status of expired" in str(refused(lambda: api.v1.checkout.sessions.expire(first.id)))
    control(simulator, "clock", {"advance_seconds": 86_401})
    assert api.v1.checkout.sessions.retrieve(second.id).status == "expired"
    assert api.v1.payment_intents.list().data[0].status == "canceled"
    assert event_types(api).count("checkout.session.expired") == 2


def test_a_paid_session_does_not_expire(api: stripe.StripeClient, simulator: Simulator) -> None:
    """The end of its life finds a complete session as it is."""
    session = api.v1.checkout.sessions.create(order(expires_at=api_now(simulator) + 1900))
    pay(simulator, session)
    control(simulator, "clock", {"advance_seconds": 2000})
    assert api.v1.checkout.sessions.retrieve(session.id).status == "complete"


def api_now(simulator: Simulator) -> int:
    """The simulated time."""
    return simulator.world.now()


def test_a_key_replays_its_answer(api: stripe.StripeClient) -> None:
    """The same key with the same parameters gives the first answer again, and says so."""
    first, again = (api.v1.checkout.sessions.create(order(), {"idempotency_key": "key-1"}) for _ in range(2))
    assert plain(first) == plain(again)
    assert header(again, "Idempotent-Replayed") == "true"
    assert header(again, "Original-Request") == header(first, "Request-Id")
    assert len(api.v1.checkout.sessions.list().data) == 1


def test_c4_a_key_with_other_parameters_is_refused(api: stripe.StripeClient) -> None:
    """A key belongs to its parameters and to its path."""
    api.v1.checkout.sessions.create(order(), {"idempotency_key": "key-1"})
    other = refused(lambda: api.v1.checkout.sessions.create(order(2), {"idempotency_key": "key-1"}))
    path = refused(lambda: api.v1.customers.create({}, {"idempotency_key": "key-1"}))
    assert isinstance(other, stripe.IdempotencyError)
    assert isinstance(path, stripe.IdempotencyError)
    assert "same endpoint" in str(path)


def test_c7_a_key_is_forgotten_after_a_day(api: stripe.StripeClient, simulator: Simulator) -> None:
    """After 24 hours the same key acts again, which is why a client must look first."""
    first = api.v1.customers.create({"name": "Ada"}, {"idempotency_key": "key-1"})
    control(simulator, "clock", {"advance_seconds": 86_399})
    assert api.v1.customers.create({"name": "Ada"}, {"idempotency_key": "key-1"}).id == first.id
    control(simulator, "clock", {"advance_seconds": 2})
    assert api.v1.customers.create({"name": "Ada"}, {"idempotency_key": "key-1"}).id != first.id


def test_a_refused_request_does_not_use_up_its_key(api: stripe.StripeClient) -> None:
    """A key whose parameters were refused can be used for the corrected request."""
    refused(lambda: api.v1.checkout.sessions.create(order(expires_at=1), {"idempotency_key": "key-1"}))
    assert api.v1.checkout.sessions.create(order(), {"idempotency_key": "key-1"}).status == "open"


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"bogus": "1"}, "parameter_unknown", "bogus"),
        ({"mode": None}, "parameter_missing", "mode"),
        ({"success_url": "not a url"}, "url_invalid", "success_url"),
        ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at"),
        ({"client_reference_id": ""}, "parameter_invalid_empty", "client_reference_id"),
        ({"customer": "cus_nobody"}, "resource_missing", "customer"),
        ({"expand": ["nothing"]}, None, "expand"),
        ({"metadata": {"long": "x" * 501}}, None, "metadata[long]"),
    ],
    ids=["unknown", "missing", "address", "integer", "empty", "customer", "expand", "metadata"],
)
def test_a_wrong_parameter_is_refused_in_stripes_words(
    api: stripe.StripeClient, change: dict[str, Any], code: str | None, param: str
) -> None:
    """The error names the parameter and carries Stripe's code. Nothing is created."""
    error = refused(lambda: api.v1.checkout.sessions.create(order(**change)))
    assert isinstance(error, stripe.InvalidRequestError)
    assert (error.http_status, error.code, error.param) == (400, code, param)
    assert str(error.request_id).startswith("req_")
    assert api.v1.checkout.sessions.list().data == []


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (0, "usd", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (150, "isk", "invalid_charge_amount"),
        (1_234, "kwd", "invalid_charge_amount"),
        (100, "xyz", None),
    ],
)
def test_d1_an_amount_that_stripe_cannot_charge_is_refused(
    api: stripe.StripeClient, amount: int, currency: str, code: str | None
) -> None:
    """Zero, too much, finer than the currency's rule, and an unknown currency."""
    error = refused(lambda: api.v1.checkout.sessions.create(order(amount, currency)))
    assert (error.http_status, error.code) == (400, code)


def test_one_cent_can_be_paid(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Stripe's minimum amounts are not enforced, so that the smallest sum can be followed through."""
    session = api.v1.checkout.sessions.create(order(1))
    pay(simulator, session)
    control(simulator, "clock", {"advance_seconds": 2})
    booked = api.v1.balance_transactions.list().data[0]
    assert (booked.amount, booked.fee, booked.net) == (1, 30, -29)


def test_an_unknown_id_is_a_404(api: stripe.StripeClient) -> None:
    """Every kind of object answers resource_missing for an id that it does not know."""
    calls = [api.v1.checkout.sessions, api.v1.payment_intents, api.v1.charges, api.v1.events, api.v1.customers]
    for calling in [*calls, api.v1.balance_transactions]:
        error = refused(lambda calling=calling: calling.retrieve("x_1"))
        assert (error.http_status, error.code) == (404, "resource_missing")


def test_a_wrong_key_is_a_401(simulator: Simulator) -> None:
    """A missing or wrong secret key is refused before anything else, and never shown in full."""
    secret = "sk_test_" + "wrong" * 8
    stranger = stripe.StripeClient(secret, base_addresses={"api": simulator.url + "/stripe"}, max_network_retries=0)
    error = refused(stranger.v1.balance.retrieve)
    assert isinstance(error, stripe.AuthenticationError)
    assert secret not in str(error)
    assert requests.get(simulator.url + "/stripe/v1/balance", timeout=10).status_code == 401


def test_customers_live_and_die(api: stripe.StripeClient) -> None:
    """Create, find by address, update with merged metadata, delete. Each tells its event."""
    ada = api.v1.customers.create({"email": "ada@example.com", "name": "Ada", "metadata": {"a": "1", "b": "2"}})
    api.v1.customers.create({"email": "bob@example.com"})
    assert [found.id for found in api.v1.customers.list({"email": "ada@example.com"}).data] == [ada.id]
    changed = api.v1.customers.update(ada.id, {"name": "Ada Ltd", "metadata": {"a": "", "c": "3"}})
    assert (changed.name, plain(changed)["metadata"]) == ("Ada Ltd", {"b": "2", "c": "3"})
    assert api.v1.customers.delete(ada.id).deleted
    assert plain(api.v1.customers.retrieve(ada.id))["deleted"] is True
    assert [found.email for found in api.v1.customers.list().data] == ["bob@example.com"]
    assert event_types(api) == ["customer.created", "customer.created", "customer.updated", "customer.deleted"]


def test_an_event_names_the_request_that_caused_it(api: stripe.StripeClient) -> None:
    """`event.request.idempotency_key` ties an event to our operation."""
    made = api.v1.customers.create({}, {"idempotency_key": "operation-7"})
    request = plain(api.v1.events.list().data[0])["request"]
    assert request == {"id": header(made, "Request-Id"), "idempotency_key": "operation-7"}


def test_events_page_through_in_order(api: stripe.StripeClient) -> None:
    """Paging forwards and backwards meets every event once, newest first."""
    names = [api.v1.customers.create({"name": f"Customer {number}"}).name for number in range(25)]
    met = [event.data.object["name"] for event in api.v1.events.list({"limit": 10}).auto_paging_iter()]
    assert met == names[::-1]
    newest = api.v1.events.list({"limit": 3}).data
    assert [event.id for event in api.v1.events.list({"ending_before": newest[2].id}).data] == [
        event.id for event in newest[:2]
    ]
    assert refused(lambda: api.v1.events.list({"starting_after": "evt_none"})).http_status == 400
    assert refused(lambda: api.v1.events.list({"limit": 101})).http_status == 400


def test_events_are_found_by_type_and_time(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Filters by one type, several, a group, and by time. After 30 days an event is gone."""
    session = api.v1.checkout.sessions.create(order())
    pay(simulator, session)
    after = api_now(simulator)
    assert len(api.v1.events.list({"type": "charge.succeeded"}).data) == 1
    assert len(api.v1.events.list({"types": ["charge.succeeded", "payment_intent.created"]}).data) == 2
    assert len(api.v1.events.list({"type": "payment_intent.*"}).data) == 2
    assert len(api.v1.events.list({"created": {"gt": after}}).data) == 0
    assert len(api.v1.events.list({"created": {"lte": after}}).data) == 4
    control(simulator, "clock", {"advance_seconds": 31 * 86_400})
    assert "charge.succeeded" not in event_types(api)


def test_b16_line_items_page_to_the_end(api: stripe.StripeClient) -> None:
    """A session shows ten lines in its object and all of them in their own list."""
    session = api.v1.checkout.sessions.create(order(100, lines=23))
    found = plain(api.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]}))
    assert (len(found["line_items"]["data"]), found["line_items"]["has_more"]) == (10, True)
    assert len(list(api.v1.checkout.sessions.line_items.list(session.id).auto_paging_iter())) == 23


def test_sessions_are_listed_by_status_and_intent(api: stripe.StripeClient, simulator: Simulator) -> None:
    """The filters that find a session again after a crash."""
    first, second = (api.v1.checkout.sessions.create(order()) for _ in range(2))
    intent = pay(simulator, second)["payment_intent"]
    assert [found.id for found in api.v1.checkout.sessions.list({"status": "open"}).data] == [first.id]
    assert [found.id for found in api.v1.checkout.sessions.list({"payment_intent": intent}).data] == [second.id]
    assert len(api.v1.checkout.sessions.list({"created": {"gte": first.created}}).data) == 2


def test_every_object_satisfies_stripes_schema(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Session, intent, charge, card, balance transaction, customer, account, balance, lines and all events."""
    check = contract().check_object
    customer = api.v1.customers.create({"email": "ada@example.com", "address": {"line1": "1 Main St"}})
    session = api.v1.checkout.sessions.create(order(customer=customer.id))
    pay(simulator, session, SECURE)
    declined = api.v1.checkout.sessions.create(order(1200, "jpy", customer_creation="always"))
    intent = pay(simulator, declined, NO_FUNDS, 402)["payment_intent"]
    seen = [plain(api.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge"]}))]
    pay(simulator, declined)
    api.v1.checkout.sessions.expire(api.v1.checkout.sessions.create(order(customer_email="a@example.com")).id)
    control(simulator, "clock", {"advance_seconds": 2})
    deep = ["data.payment_intent.latest_charge.balance_transaction", "data.line_items"]
    seen += [plain(found) for found in api.v1.checkout.sessions.list({"expand": deep}).data]
    for calling in (api.v1.payment_intents, api.v1.charges, api.v1.balance_transactions, api.v1.customers):
        seen += [plain(found) for found in calling.list().data]
    seen += [plain(found) for found in api.v1.events.list({"limit": 100}).data]
    seen += [found["data"]["object"] for found in seen if found["object"] == "event"]
    seen += list(simulator.world.all("stripe.payment_method"))
    seen += [plain(api.v1.balance.retrieve()), plain(api.v1.accounts.retrieve_current())]
    seen += [plain(line) for line in api.v1.checkout.sessions.line_items.list(session.id).data]
    problems = [(found["object"], check(found)) for found in seen if check(found)]
    assert problems == []
    assert {found["object"] for found in seen} >= {"item", "account", "payment_method", "balance_transaction", "event"}


def test_every_request_that_is_taken_satisfies_stripes_schema(api: stripe.StripeClient, simulator: Simulator) -> None:
    """What the simulator accepts, Stripe's own schema accepts too."""
    check = contract().check_request
    data = {
        "metadata": {"a": "b"},
        "description": "INV-1",
        "receipt_email": "a@example.com",
        "statement_descriptor": "X",
    }
    more: Any = {"client_reference_id": "1", "customer_email": "a@example.com", "locale": "en", "submit_type": "pay"}
    session = api.v1.checkout.sessions.create(
        order(payment_intent_data=data, automatic_tax={"enabled": False}, payment_method_types=["card"], **more)
    )
    api.v1.checkout.sessions.update(session.id, {"metadata": {"a": "1"}})
    api.v1.checkout.sessions.list({"status": "open", "created": {"gte": 1}, "limit": 3, "expand": ["data.customer"]})
    api.v1.events.list({"types": ["charge.succeeded"], "delivery_success": False})
    for entry in requests.get(f"{simulator.url}/_control/requests", timeout=10).json()["requests"]:
        assert entry["status"] == 200
        form = entry["body"] if entry["method"] == "POST" else entry["query"]
        assert check(entry["method"], entry["path"], form) == []
    assert requests_of(simulator, "/v1/checkout/sessions")
