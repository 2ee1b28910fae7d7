"""The simulated PayPal's tokens, orders and captures, asked by plain HTTP and judged by PayPal's own schemas."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from helpers.vendors.simulated_paypal import TIMEOUT, Seller, control, issue, judged, order_body, requests_of, state
from simulator.server import Simulator

Json = dict[str, Any]

HOUR = 3600
ORDERS = "/v2/checkout/orders"
ID = re.compile(r"[A-Z0-9]{17}")


def later(simulator: Simulator, seconds: int) -> None:
    """Move the simulated clock."""
    control(simulator, "clock", {"advance_seconds": seconds})


def captures_of(order: Json) -> list[Json]:
    """The captures that an order lists."""
    found: list[Json] = order["purchase_units"][0].get("payments", {}).get("captures", [])
    return found


def rels(thing: Json) -> list[str]:
    return [link["rel"] for link in thing["links"]]


# -- tokens ----------------------------------------------------------------------------------------


def sign_in(simulator: Simulator, client: str, secret: str, grant: str = "client_credentials") -> requests.Response:
    return requests.post(
        f"{simulator.url}/paypal/v1/oauth2/token", auth=(client, secret), data={"grant_type": grant}, timeout=TIMEOUT
    )


def test_a_token_is_valid_for_nine_hours_of_simulated_time(simulator: Simulator, seller: Seller) -> None:
    """It opens every call. One second after its end it is refused as PayPal words it, and a new one works."""
    accounts = simulator.world.accounts
    given = sign_in(simulator, accounts["paypal_client_id"], accounts["paypal_client_secret"]).json()
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 32_400)
    order = seller.ordered()
    later(simulator, 2 * HOUR)
    assert seller.order(order["id"])["status"] == "PAYER_ACTION_REQUIRED"
    later(simulator, 7 * HOUR)
    late = seller.call("GET", f"{ORDERS}/{order['id']}")
    assert (late.status_code, late.json()["error"]) == (401, "invalid_token")
    seller.sign_in()
    assert seller.call("GET", f"{ORDERS}/{order['id']}").status_code == 404


def test_wrong_credentials_get_no_token(simulator: Simulator, seller: Seller) -> None:
    """A wrong secret is 401 invalid_client, another grant 400, a made-up or missing token 401 invalid_token."""
    accounts = simulator.world.accounts
    wrong = sign_in(simulator, accounts["paypal_client_id"], "wrong")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    other = sign_in(simulator, accounts["paypal_client_id"], accounts["paypal_client_secret"], "password")
    assert (other.status_code, other.json()["error"]) == (400, "unsupported_grant_type")
    seller.token = "made up"
    assert seller.call("GET", f"{ORDERS}/X").json()["error"] == "invalid_token"
    bare = requests.get(f"{seller.base}{ORDERS}/X", timeout=TIMEOUT)
    assert (bare.status_code, bare.json()["error"]) == (401, "invalid_token")


def test_no_secret_is_in_the_log(simulator: Simulator, seller: Seller) -> None:
    """The log of requests shows that a token was given, and not which."""
    token = seller.sign_in()
    logged = requests.get(f"{simulator.url}/_control/requests", timeout=TIMEOUT).text
    assert token not in logged
    assert simulator.world.accounts["paypal_client_secret"] not in logged
    assert "access_token" in logged


# -- orders ----------------------------------------------------------------------------------------


def test_an_order_goes_from_created_to_completed(seller: Seller) -> None:
    """The payer's link, the approval, the capture with its fee, and the ids that lead from one to the other."""
    order = seller.ordered("60.00")
    assert ID.fullmatch(order["id"])
    assert (order["status"], rels(order)) == ("PAYER_ACTION_REQUIRED", ["self", "payer-action"])
    assert order["purchase_units"][0]["amount"] == {"currency_code": "USD", "value": "60.00"}
    assert seller.approve(order["id"])["status"] == "approved"
    assert seller.order(order["id"])["status"] == "APPROVED"
    answer = seller.capture(order["id"])
    assert (answer.status_code, answer.json()["status"]) == (201, "COMPLETED")
    listed = captures_of(answer.json())[0]
    capture = seller.get(f"/v2/payments/captures/{listed['id']}")
    assert capture["seller_receivable_breakdown"]["paypal_fee"]["value"] == "2.58"
    assert capture["supplementary_data"]["related_ids"]["order_id"] == order["id"]
    assert capture["payee"]["merchant_id"] == seller.simulator.world.accounts["paypal_account_id"]
    assert {name: capture[name] for name in listed} == listed
    assert capture["invoice_id"] == order["purchase_units"][0]["invoice_id"]
    assert rels(capture) == ["self", "refund", "up"]
    assert seller.events() == ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED", "CHECKOUT.ORDER.COMPLETED"]


def test_without_a_payment_source_an_order_is_created(seller: Seller) -> None:
    """Then its status is CREATED, its link `approve`, and no PayPal-Request-Id is needed."""
    body = order_body()
    del body["payment_source"]
    answer = seller.call("POST", ORDERS, body)
    assert (answer.status_code, answer.json()["status"]) == (201, "CREATED")
    assert "approve" in rels(answer.json())
    named = seller.call("POST", ORDERS, order_body())
    assert issue(named) == (400, "PAYPAL_REQUEST_ID_REQUIRED")


def test_c20_minimal_answers_have_no_amount(seller: Seller) -> None:
    """Without `Prefer: return=representation` there are ids, statuses and links only."""
    made = seller.create(minimal=True).json()
    assert set(made) == {"id", "status", "links", "payment_source"}
    seller.approve(made["id"])
    answer = seller.capture(made["id"], minimal=True)
    assert '"amount"' not in answer.text
    capture = captures_of(answer.json())[0]
    assert set(capture) == {"id", "status", "links"}
    assert '"amount"' not in seller.refund(capture["id"], minimal=True).text


@pytest.mark.parametrize(
    ("value", "currency", "refusal"),
    [
        ("10.001", "USD", "DECIMAL_PRECISION"),
        ("500.50", "JPY", "DECIMALS_NOT_SUPPORTED"),
        ("500.00", "HUF", "DECIMALS_NOT_SUPPORTED"),
        ("0.00", "USD", "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("-5.00", "USD", "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("5.00", "KWD", "CURRENCY_NOT_SUPPORTED"),
        ("9999999999999999.00", "USD", "MAX_VALUE_EXCEEDED"),
    ],
)
def test_d5_amounts_that_paypal_does_not_take(seller: Seller, value: str, currency: str, refusal: str) -> None:
    """Decimals, signs and currencies are refused with 422 and the issue that says why."""
    assert issue(seller.create(order_body(value, currency))) == (422, refusal)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"intent": None}, "MISSING_REQUIRED_PARAMETER"),
        ({"intent": "GIFT"}, "INVALID_PARAMETER_SYNTAX"),
        ({"purchase_units": None}, "MISSING_REQUIRED_PARAMETER"),
        ({"purchase_units": []}, "INVALID_ARRAY_MIN_ITEMS"),
        ({"purchase_units": [{}]}, "MISSING_REQUIRED_PARAMETER"),
        ({"purchase_units": [{"amount": {"currency_code": "USD"}}]}, "MISSING_REQUIRED_PARAMETER"),
        ({"purchase_units": [{"amount": {"currency_code": "USD", "value": 5}}]}, "INVALID_PARAMETER_SYNTAX"),
        ({"purchase_units": [{"amount": {"currency_code": "USD", "value": "5,00"}}]}, "INVALID_PARAMETER_SYNTAX"),
        ({"payment_source": {"card": {}}}, "NOT_SUPPORTED"),
        ({"typo": 1}, "NOT_SUPPORTED"),
    ],
)
def test_orders_of_the_wrong_form_are_refused(seller: Seller, change: Json, refusal: str) -> None:
    """400 INVALID_REQUEST with the issue. Nothing was made."""
    body = {name: value for name, value in (order_body() | change).items() if value is not None}
    answer = seller.create(body)
    assert issue(answer) == (400, refusal)
    assert answer.json()["name"] == "INVALID_REQUEST"
    assert seller.simulator.world.count("paypal.order") == 0


def test_bodies_that_are_no_json_are_refused(seller: Seller) -> None:
    """A GET with the body `null` and a POST of another kind are 415, broken JSON is 400."""
    headers = {"Authorization": f"Bearer {seller.sign_in()}"}
    kind = {"Content-Type": "application/json"}
    url = f"{seller.base}{ORDERS}"
    asked = requests.get(f"{url}/X", data="null", headers=headers | kind, timeout=TIMEOUT)
    assert (asked.status_code, asked.json()["name"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert requests.post(url, data="a=1", headers=headers, timeout=TIMEOUT).status_code == 415
    assert issue(requests.post(url, data="{", headers=headers | kind, timeout=TIMEOUT)) == (
        400,
        "MALFORMED_REQUEST_JSON",
    )


def test_an_invoice_is_paid_once(simulator: Simulator, seller: Seller) -> None:
    """A second order is refused once the first was captured, one made before is not captured. A setting allows it."""
    first, second = (seller.ordered(invoice_id="INV-7/1") for _ in range(2))
    for order in (first, second):
        seller.approve(order["id"])
    assert seller.capture(first["id"]).status_code == 201
    assert issue(seller.capture(second["id"])) == (422, "DUPLICATE_INVOICE_ID")
    assert issue(seller.create(order_body(invoice_id="INV-7/1"))) == (422, "DUPLICATE_INVOICE_ID")
    assert seller.create(order_body(invoice_id="INV-7/2")).status_code == 201
    assert control(simulator, "invoices", {"unique": False}) == {"unique": False}
    assert seller.create(order_body(invoice_id="INV-7/1")).status_code == 201
    assert seller.capture(second["id"]).status_code == 201


def test_an_order_that_nobody_opens_is_gone_after_three_hours(simulator: Simulator, seller: Seller) -> None:
    """Until then it can be approved. After that it is not found, for reading, paying and capturing alike."""
    order = seller.ordered()
    later(simulator, 3 * HOUR - 5)
    assert seller.order(order["id"])["status"] == "PAYER_ACTION_REQUIRED"
    later(simulator, 6)
    for answer in (seller.call("GET", f"{ORDERS}/{order['id']}"), seller.capture(order["id"])):
        assert issue(answer) == (404, "INVALID_RESOURCE_ID")
        assert answer.json()["name"] == "RESOURCE_NOT_FOUND"
    control(simulator, "pay", {"checkout_id": order["id"]}, status=409)


def test_an_approved_order_is_gone_three_hours_after_it_was_opened(simulator: Simulator, seller: Seller) -> None:
    """The payer's look begins another three hours. What was captured in them stays for good."""
    lost, kept = seller.ordered(), seller.ordered()
    later(simulator, 2 * HOUR)
    for order in (lost, kept):
        seller.approve(order["id"])
    later(simulator, 3 * HOUR - 5)
    assert seller.capture(kept["id"]).status_code == 201
    later(simulator, 6)
    assert issue(seller.capture(lost["id"])) == (404, "INVALID_RESOURCE_ID")
    later(simulator, 3 * HOUR)
    assert seller.order(kept["id"])["status"] == "COMPLETED"


# -- PayPal-Request-Id -----------------------------------------------------------------------------


def test_c3_a_request_id_replays_the_first_answer_for_six_hours(simulator: Simulator, seller: Seller) -> None:
    """The same id makes one order. After six hours it is as good as new."""
    body = order_body()
    first, again = seller.create(body, key="op_1"), seller.create(body, key="op_1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    later(simulator, 6 * HOUR)
    assert seller.create(body, key="op_1").json()["id"] != first.json()["id"]
    assert [row["idempotency_key"] for row in requests_of(simulator, ORDERS)] == ["op_1"] * 3


def test_a_request_id_with_other_content_is_refused(seller: Seller) -> None:
    """422, and nothing happens. In another kind of call the same id is free."""
    body = order_body()
    order = seller.create(body, key="op_1").json()
    assert issue(seller.create(order_body(), key="op_1")) == (422, "DUPLICATE_REQUEST_ID")
    assert seller.simulator.world.count("paypal.order") == 1
    seller.approve(order["id"])
    assert seller.capture(order["id"], key="op_1").status_code == 201


def test_c2_a_capture_whose_answer_was_lost_is_not_made_twice(simulator: Simulator, seller: Seller) -> None:
    """The retry under the same id gets the capture. Under another id PayPal says that it was captured."""
    order = seller.ordered()
    seller.approve(order["id"])
    control(simulator, "faults", {"vendor": "paypal", "path": "*/capture", "kind": "drop_after"})
    with pytest.raises(requests.ConnectionError):
        seller.capture(order["id"], key="op_2")
    again = seller.capture(order["id"], key="op_2")
    assert (again.status_code, len(captures_of(again.json()))) == (200, 1)
    assert issue(seller.capture(order["id"], key="op_3")) == (422, "ORDER_ALREADY_CAPTURED")
    assert state(simulator)["captured"]["paypal"] == {"USD": 6_000}


# -- captures --------------------------------------------------------------------------------------


def test_c19_only_an_approved_order_can_be_captured(seller: Seller) -> None:
    """An order that the payer did not approve is refused, and no money moves."""
    order = seller.ordered()
    assert issue(seller.capture(order["id"])) == (422, "ORDER_NOT_APPROVED")
    assert issue(seller.capture("X" * 17)) == (404, "INVALID_RESOURCE_ID")
    assert state(seller.simulator)["captured"]["paypal"] == {}


@pytest.mark.parametrize("how", [{"decline": True}, {"card": "4000000000000002"}], ids=["field", "card"])
def test_a_declined_capture_is_refused_once(seller: Seller, how: Json) -> None:
    """The payer's bank says no to the first capture. The order stays approved and the next one succeeds."""
    order = seller.ordered()
    seller.approve(order["id"], **how)
    assert issue(seller.capture(order["id"], key="op_1")) == (422, "INSTRUMENT_DECLINED")
    assert seller.order(order["id"])["status"] == "APPROVED"
    assert seller.capture(order["id"], key="op_1").status_code == 201


@pytest.mark.parametrize(
    ("outcome", "status", "event", "money"),
    [("completed", "COMPLETED", "COMPLETED", {"USD": 6_000}), ("declined", "DECLINED", "DENIED", {})],
)
def test_c18_a_pending_capture_is_money_only_when_it_completes(
    simulator: Simulator, seller: Seller, outcome: str, status: str, event: str, money: Json
) -> None:
    """It has a reason and no fee. Later it becomes money or nothing, and an event says which."""
    control(simulator, "captures", {"status": "PENDING", "reason": "ECHECK"})
    capture = seller.paid()
    assert (capture["status"], capture["status_details"]) == ("PENDING", {"reason": "ECHECK"})
    assert "seller_receivable_breakdown" not in capture
    assert state(simulator)["captured"]["paypal"] == state(simulator)["statement"]["paypal"] == {}
    assert issue(seller.refund(capture["id"])) == (422, "PENDING_CAPTURE")
    ended = control(simulator, "capture_outcome", {"capture": capture["id"], "outcome": outcome})
    assert ended == seller.get(f"/v2/payments/captures/{capture['id']}")
    assert (ended["status"], "status_details" in ended) == (status, False)
    assert seller.events()[-1] == f"PAYMENT.CAPTURE.{event}"
    assert state(simulator)["captured"]["paypal"] == money
    assert sum(state(simulator)["statement"]["paypal"].values()) == (5_742 if money else 0)
    control(simulator, "capture_outcome", {"capture": capture["id"], "outcome": outcome}, status=409)


def test_c17_another_program_captures_first(simulator: Simulator, seller: Seller) -> None:
    """The control captures as other software of the seller. Ours finds the capture in the order."""
    order = seller.ordered()
    control(simulator, "capture", {"checkout_id": order["id"]}, status=409)
    seller.approve(order["id"])
    made = control(simulator, "capture", {"checkout_id": order["id"]})
    assert issue(seller.capture(order["id"])) == (422, "ORDER_ALREADY_CAPTURED")
    assert [one["id"] for one in captures_of(seller.order(order["id"]))] == [made["id"]]
    assert len(requests_of(simulator, f"{ORDERS}/{order['id']}/capture")) == 1


@pytest.mark.parametrize(
    ("value", "currency", "fee"), [("10000", "JPY", "398"), ("0.01", "USD", "0.49"), ("100.00", "EUR", "3.98")]
)
def test_the_fee_is_rounded_half_up(seller: Seller, value: str, currency: str, fee: str) -> None:
    """3.49 % and 49 minor units, in the currency of the payment. Gross less fee is net."""
    parts = seller.paid(value, currency)["seller_receivable_breakdown"]
    assert (parts["gross_amount"]["value"], parts["paypal_fee"]["value"]) == (value, fee)
    assert parts["paypal_fee"]["currency_code"] == currency


# -- faults, restarts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [("500", 500, "INTERNAL_SERVER_ERROR"), ("429", 429, "RATE_LIMIT_REACHED"), ("html_502", 502, "Bad Gateway")],
)
def test_ordered_answers(simulator: Simulator, seller: Seller, kind: str, status: int, said: str) -> None:
    """Nothing happened, 429 says when to come back, and the same request then succeeds."""
    control(simulator, "faults", {"vendor": "paypal", "path": ORDERS, "kind": kind})
    body = order_body()
    failed = seller.create(body, key="op_1")
    assert (failed.status_code, said in failed.text) == (status, True)
    assert failed.headers.get("Retry-After") == ("1" if kind == "429" else None)
    assert simulator.world.count("paypal.order") == 0
    assert seller.create(body, key="op_1").status_code == 201


@pytest.mark.parametrize(
    ("kind", "orders"), [("drop_before", 0), ("timeout", 0), ("drop_after", 1), ("timeout_after", 1)]
)
def test_answers_that_never_come(simulator: Simulator, seller: Seller, kind: str, orders: int) -> None:
    """The client sees nothing. Whether there is an order depends on where the line broke."""
    seller.sign_in()
    control(simulator, "faults", {"vendor": "paypal", "method": "POST", "path": "*", "kind": kind, "seconds": 0.05})
    with pytest.raises(requests.ConnectionError):
        seller.create()
    assert simulator.world.count("paypal.order") == orders


def test_paypal_has_no_409(simulator: Simulator) -> None:
    """An id that is still in use is Stripe's answer. The order for it is refused."""
    control(simulator, "faults", {"vendor": "paypal", "kind": "409"}, status=400)


def test_a_photograph_holds_paypal_too(simulator: Simulator, seller: Seller) -> None:
    """Orders, tokens, choices and request ids are as they were."""
    control(simulator, "captures", {"status": "PENDING"})
    order = seller.ordered()
    seller.approve(order["id"])
    shown = simulator.photograph()
    first = seller.capture(order["id"], key="op_1").json()
    control(simulator, "captures", {"status": "COMPLETED"})
    simulator.restore(shown)
    assert seller.order(order["id"])["status"] == "APPROVED"
    again = seller.capture(order["id"], key="op_1")
    assert (again.status_code, captures_of(again.json())[0]["status"]) == (201, "PENDING")
    assert captures_of(again.json())[0]["id"] != captures_of(first)[0]["id"]


def test_a_restart_goes_on_where_it_stopped(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A new simulator of the same folder knows the order, its time and the token."""
    folder = tmp_path_factory.mktemp("kept")
    with judged(folder) as first:
        seller = Seller(first)
        order = seller.ordered()
        seller.approve(order["id"])
    with judged(folder) as second:
        again = Seller(second)
        again.token = seller.token
        assert again.capture(order["id"]).status_code == 201
