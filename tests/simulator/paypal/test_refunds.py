"""The simulated PayPal's refunds and disputes, what `/_control` does to them, and what the statement says then."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from helpers.vendors.simulated_paypal import TIMEOUT, Seller, control, issue, refund_body, requests_of, state
from helpers.vendors.simulated_stripe import wait_until
from helpers.vendors.stand_in import StandIn
from simulator.server import Simulator

Json = dict[str, Any]

DAY = 86_400
DISPUTES = "/v1/customer/disputes"


@pytest.fixture
def capture(seller: Seller) -> str:
    """The id of a payment of 60.00 dollars."""
    return str(seller.paid("60.00")["id"])


def status_of(seller: Seller, capture: str) -> str:
    return str(seller.get(f"/v2/payments/captures/{capture}")["status"])


def order_of(seller: Seller, capture: str) -> Json:
    return seller.order(seller.get(f"/v2/payments/captures/{capture}")["supplementary_data"]["related_ids"]["order_id"])


def moved(simulator: Simulator) -> tuple[int, int, int]:
    """What was captured, what went back, and the sum of the statement, in cents."""
    found = state(simulator)
    captured, refunded, statement = (
        sum(found[name]["paypal"].values()) for name in ("captured", "refunded", "statement")
    )
    return captured, refunded, statement


def test_refunds_of_a_part_and_of_the_rest(simulator: Simulator, seller: Seller, capture: str) -> None:
    """What was sent comes back, the totals add up, the capture's status follows, and the order lists both."""
    note = {"custom_id": "op_5", "invoice_id": "INV-1/r1", "note_to_payer": "Sorry"}
    answer = seller.refund(capture, refund_body("15.50", **note))
    part = answer.json()
    assert (answer.status_code, part["status"], part["amount"]["value"]) == (201, "COMPLETED", "15.50")
    assert {name: part[name] for name in note} == note
    assert part["seller_payable_breakdown"]["paypal_fee"]["value"] == "0.00"
    assert status_of(seller, capture) == "PARTIALLY_REFUNDED"
    rest = seller.refund(capture).json()
    assert rest["seller_payable_breakdown"]["total_refunded_amount"]["value"] == "60.00"
    assert (rest["amount"]["value"], status_of(seller, capture)) == ("44.50", "REFUNDED")
    assert order_of(seller, capture)["purchase_units"][0]["payments"]["refunds"] == [part, rest]
    assert seller.get(f"/v2/payments/refunds/{part['id']}") == part
    assert part["links"][1]["href"].endswith(f"/v2/payments/captures/{capture}")
    assert seller.events()[-2:] == ["PAYMENT.CAPTURE.REFUNDED"] * 2
    assert moved(simulator) == (6_000, 6_000, -258)


def test_refusals_of_refunds(simulator: Simulator, seller: Seller, capture: str) -> None:
    """Too much, another currency, bad amounts, an unknown field, an unknown capture, nothing left."""
    assert issue(seller.refund(capture, refund_body("60.01"))) == (422, "REFUND_AMOUNT_EXCEEDED")
    assert issue(seller.refund(capture, refund_body("5.00", "EUR"))) == (422, "REFUND_CAPTURE_CURRENCY_MISMATCH")
    assert issue(seller.refund(capture, refund_body("0.00"))) == (422, "CANNOT_BE_ZERO_OR_NEGATIVE")
    assert issue(seller.refund(capture, refund_body("5.001"))) == (422, "DECIMAL_PRECISION")
    assert issue(seller.refund(capture, {"sum": "5.00"})) == (400, "INVALID_PARAMETER_SYNTAX")
    assert issue(seller.refund(capture, {"custom_id": "x" * 128})) == (400, "INVALID_STRING_LENGTH")
    assert issue(seller.refund("X" * 17)) == (404, "INVALID_RESOURCE_ID")
    assert moved(simulator)[1] == 0
    seller.refund(capture)
    assert issue(seller.refund(capture)) == (422, "CAPTURE_FULLY_REFUNDED")


def test_a_capture_is_refundable_for_180_days(simulator: Simulator, seller: Seller, capture: str) -> None:
    """One day later PayPal refuses."""
    control(simulator, "clock", {"advance_seconds": 179 * DAY})
    seller.sign_in()
    assert seller.refund(capture, refund_body("1.00")).status_code == 201
    control(simulator, "clock", {"advance_seconds": 2 * DAY})
    seller.sign_in()
    assert issue(seller.refund(capture)) == (422, "REFUND_TIME_LIMIT_EXCEEDED")


def test_c3_the_request_id_of_a_refund_is_known_for_45_days(simulator: Simulator, seller: Seller, capture: str) -> None:
    """The same id is the same refund, another amount under it is refused, and after 45 days it is new."""
    body = refund_body("10.00", custom_id="op_1")
    first = seller.refund(capture, body, key="op_1")
    assert issue(seller.refund(capture, refund_body("11.00"), key="op_1")) == (422, "DUPLICATE_REQUEST_ID")
    control(simulator, "clock", {"advance_seconds": 45 * DAY - 60})
    seller.sign_in()
    again = seller.refund(capture, body, key="op_1")
    assert (again.status_code, again.json()) == (201, first.json())
    control(simulator, "clock", {"advance_seconds": 60})
    assert seller.refund(capture, body, key="op_1").json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    ("outcome", "status", "event", "went_back"),
    [
        ("completed", "COMPLETED", "PAYMENT.CAPTURE.REFUNDED", 2_000),
        ("failed", "FAILED", "PAYMENT.REFUND.FAILED", 0),
        ("CANCELLED", "CANCELLED", "PAYMENT.REFUND.CANCELLED", 0),
    ],
)
def test_c14_a_pending_refund_moves_money_only_when_it_completes(
    simulator: Simulator, seller: Seller, capture: str, outcome: str, status: str, event: str, went_back: int
) -> None:
    """Until it ends it holds its amount. When it fails or is cancelled the amount can be refunded again."""
    assert control(simulator, "refunds", {"vendor": "paypal", "status": "PENDING"}) == {"status": "PENDING"}
    made = seller.refund(capture, refund_body("20.00")).json()
    assert (made["status"], seller.events()[-1]) == ("PENDING", "PAYMENT.REFUND.PENDING")
    assert issue(seller.refund(capture, refund_body("40.01"))) == (422, "REFUND_AMOUNT_EXCEEDED")
    assert moved(simulator) == (6_000, 0, 5_742)
    ended = control(simulator, "refund_outcome", {"refund": made["id"], "outcome": outcome})
    assert (ended["status"], ended) == (status, seller.get(f"/v2/payments/refunds/{made['id']}"))
    assert seller.events()[-1] == event
    assert moved(simulator) == (6_000, went_back, 5_742 - went_back)
    assert status_of(seller, capture) == ("PARTIALLY_REFUNDED" if went_back else "COMPLETED")
    assert seller.refund(capture, refund_body("40.00" if went_back else "60.00")).status_code == 201
    control(simulator, "refund_outcome", {"refund": made["id"], "outcome": "cancelled"}, status=409)


def test_c14_a_completed_refund_can_still_fail(simulator: Simulator, seller: Seller, capture: str) -> None:
    """Its money comes back by a row of its own, and the capture is whole again."""
    made = seller.refund(capture).json()
    assert status_of(seller, capture) == "REFUNDED"
    control(simulator, "refund_outcome", {"refund": made["id"], "outcome": "failed"})
    assert (status_of(seller, capture), moved(simulator)) == ("COMPLETED", (6_000, 0, 5_742))
    rows = [(row["code"], row["amount_minor"], row["status"]) for row in simulator.world.all("paypal.transaction")]
    assert rows == [("T0006", 6_000, "S"), ("T1107", -6_000, "S"), ("T1106", 6_000, "S")]


def test_b24_a_refund_made_in_the_dashboard(simulator: Simulator, seller: Seller, capture: str) -> None:
    """It has no custom_id and no request, names the order or the capture, and is bound by the same rules."""
    order = order_of(seller, capture)["id"]
    made = control(simulator, "refund", {"payment": order, "amount": 1_500})
    assert (made["amount"]["value"], made["status"], "custom_id" in made) == ("15.00", "COMPLETED", False)
    assert control(simulator, "refund", {"payment": capture, "status": "pending"})["amount"]["value"] == "45.00"
    assert "CAPTURE_FULLY_REFUNDED" in control(simulator, "refund", {"payment": capture}, status=409)["error"]
    assert requests_of(simulator, f"/v2/payments/captures/{capture}/refund") == []


def test_the_invoice_id_of_a_refund_is_used_once(seller: Seller, capture: str) -> None:
    """Where the account blocks duplicates, a second refund with it is refused."""
    assert seller.refund(capture, refund_body("1.00", invoice_id="R-1")).status_code == 201
    assert issue(seller.refund(capture, refund_body("1.00", invoice_id="R-1"))) == (422, "DUPLICATE_INVOICE_ID")


# -- disputes --------------------------------------------------------------------------------------


def test_c12_a_chargeback_blocks_refunds(simulator: Simulator, seller: Seller, capture: str) -> None:
    """Of a part and of all, each with the issue that PayPal's schema has for it. No money moves."""
    assert seller.get(DISPUTES, disputed_transaction_id=capture).get("items", []) == []
    made = control(simulator, "dispute", {"payment": capture, "kind": "dispute"})
    listed = seller.get(DISPUTES, disputed_transaction_id=capture)["items"]
    assert [(one["dispute_id"], one["dispute_life_cycle_stage"]) for one in listed] == [
        (made["dispute_id"], "CHARGEBACK")
    ]
    assert seller.get(f"{DISPUTES}/{made['dispute_id']}") == made
    assert made["disputed_transactions"][0]["seller_transaction_id"] == capture
    assert issue(seller.refund(capture, refund_body("1.00"))) == (422, "TRANSACTION_DISPUTED")
    assert issue(seller.refund(capture)) == (422, "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK")
    control(simulator, "dispute", {"payment": capture, "kind": "inquiry"}, status=409)
    assert (moved(simulator), seller.events()[-1]) == ((6_000, 0, 5_742), "CUSTOMER.DISPUTE.CREATED")


def test_an_inquiry_does_not_block_refunds(simulator: Simulator, seller: Seller, capture: str) -> None:
    """To give the money back is a normal way to end it."""
    seller.refund(capture, refund_body("10.00"))
    made = control(simulator, "dispute", {"payment": order_of(seller, capture)["id"], "kind": "inquiry"})
    assert (made["dispute_life_cycle_stage"], made["dispute_amount"]["value"]) == ("INQUIRY", "50.00")
    other = seller.paid()
    assert seller.get(DISPUTES, disputed_transaction_id=other["id"]).get("items", []) == []
    assert seller.refund(capture).status_code == 201


def test_an_unknown_dispute_is_not_found(seller: Seller) -> None:
    """404, as for every other resource. A filter that is not simulated is refused."""
    assert issue(seller.call("GET", f"{DISPUTES}/PP-D-1")) == (404, "INVALID_RESOURCE_ID")
    assert issue(seller.call("GET", DISPUTES, params={"dispute_state": "RESOLVED"})) == (400, "INVALID_PARAMETER_VALUE")


# -- control ---------------------------------------------------------------------------------------


def test_planted_faults_show_in_the_answers(simulator: Simulator, seller: Seller, capture: str) -> None:
    """A capture that was altered or forgotten behind everybody's back."""
    order = order_of(seller, capture)["id"]
    changes = {"amount": {"currency_code": "USD", "value": "61.00"}}
    control(simulator, "plant", {"vendor": "paypal", "kind": "capture", "id": capture, "set": changes})
    assert seller.order(order)["purchase_units"][0]["payments"]["captures"][0]["amount"]["value"] == "61.00"
    control(simulator, "plant", {"vendor": "paypal", "kind": "capture", "id": capture, "forget": True})
    assert issue(seller.call("GET", f"/v2/payments/captures/{capture}")) == (404, "INVALID_RESOURCE_ID")
    assert "payments" not in seller.order(order)["purchase_units"][0]
    for hidden in ("token", "order_due", "choice", "requestid"):
        control(simulator, "plant", {"vendor": "paypal", "kind": hidden, "id": "x", "forget": True}, status=400)


def test_the_state_shows_nothing_secret(simulator: Simulator, seller: Seller, capture: str) -> None:
    """Objects and sums, but no token, no request id and none of the simulator's own notes."""
    control(simulator, "captures", {"status": "COMPLETED"})
    shown = {kind for kind in state(simulator)["counts"] if kind.startswith("paypal.")}
    assert shown == {"paypal.order", "paypal.capture", "paypal.event", "paypal.transaction"}
    assert state(simulator)["captured"]["paypal"] == {"USD": 6_000}
    assert seller.token not in requests.get(f"{simulator.url}/_control/state", timeout=TIMEOUT).text
    assert status_of(seller, capture) == "COMPLETED"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pay", {"checkout_id": "cs_unknown", "decline": True}),
        ("capture", {"checkout_id": "unknown"}),
        ("captures", {"status": "LATER"}),
        ("captures", {"status": "PENDING", "reason": "BORED"}),
        ("capture_outcome", {"capture": "unknown", "outcome": "completed"}),
        ("refunds", {"vendor": "paypal", "status": "held"}),
        ("refunds", {"vendor": "quickbooks", "status": "pending"}),
        ("invoices", {}),
        ("reporting", {"lag_seconds": -1}),
        ("deliveries", {"vendor": "quickbooks"}),
    ],
)
def test_bad_orders_are_refused_with_a_sentence(simulator: Simulator, path: str, body: Json) -> None:
    """400 and an error that says what is expected."""
    assert len(control(simulator, path, body, status=400)["error"].split()) > 3


def test_an_undecided_answer_needs_a_word_of_paypals(simulator: Simulator, seller: Seller, capture: str) -> None:
    """Outcomes and reasons that PayPal does not know are refused. The reason of a dispute is one of PayPal's."""
    made = seller.refund(capture, refund_body("1.00")).json()
    control(simulator, "refund_outcome", {"refund": made["id"], "outcome": "reversed"}, status=400)
    control(simulator, "dispute", {"payment": capture, "kind": "dispute", "reason": "fraudulent"}, status=400)


def test_the_lag_of_the_reports_can_be_set(simulator: Simulator, seller: Seller, capture: str) -> None:
    """The statement shows a payment at once when the reports are not behind."""
    balances = "/v1/reporting/balances"
    assert control(simulator, "reporting", {"lag_seconds": 0}) == {"lag_seconds": 0}
    shown = seller.get(balances)["balances"][0]
    assert shown["total_balance"] == {"currency_code": "USD", "value": "57.42"}
    assert status_of(seller, capture) == "COMPLETED"


def test_events_go_to_each_vendors_own_place(simulator: Simulator, seller: Seller) -> None:
    """A bare address gets PayPal's events under /webhooks/paypal. They can be held, lost and repeated."""
    with StandIn() as standing:
        standing.answer("/webhooks/paypal", {})
        control(simulator, "deliveries", {"to": standing.url})
        seller.approve(seller.ordered()["id"])
        wait_until(lambda: control(simulator, "deliveries", {"vendor": "paypal"})["delivered"] == 1)
        event = next(iter(simulator.world.all("paypal.event")))["id"]
        assert len(control(simulator, "deliver", {"event_id": event, "times": 2})["statuses"]) == 2
        assert {asked.path for asked in standing.asked} == {"/webhooks/paypal"}
        control(simulator, "deliveries", {"paused": True, "vendor": "paypal"})
        seller.approve(seller.ordered()["id"])
        assert control(simulator, "deliveries", {"discard": True})["discarded"] == 1
        to = control(simulator, "deliveries", {"to": f"{standing.url}/webhooks/stripe"})["to"]
        assert to.endswith("/webhooks/stripe")
        assert control(simulator, "deliveries", {"vendor": "paypal"})["to"] == ""
        control(simulator, "deliveries", {"to": ""})
