"""PayPal's own matters: orders, captures, odd answers. What every provider does is in `doors/providers/`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from helpers.providers import set_stage
from helpers.providers.paypal.stage import PayPalStage
from helpers.providers.words import TWENTY, asked, operation_of, raised, request_of, returns
from helpers.vendors.paypal_answers import (
    AT,
    CAPTURE,
    CAPTURES,
    ORDER,
    ORDERS,
    OURS,
    REFUND,
    capture,
    capturing,
    order,
    refund,
    refusal,
)
from helpers.vendors.stand_in import StandIn
from tillbook.kit.clock import rfc3339
from tillbook.kit.errors import NotAllowed, Refused, Unavailable, Uncertain
from tillbook.kit.money import Money
from tillbook.rules.facts import ProcessorFee
from tillbook.rules.operations import Plan
from tillbook.vendors.protocols import Provider

Json = dict[str, Any]


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PayPalStage]:
    """One simulator for this file."""
    with set_stage("paypal", tmp_path_factory.mktemp("home")) as stage:
        yield stage


@pytest.fixture
def stage(theatre: PayPalStage) -> PayPalStage:
    """The stage without the faults of the test before."""
    theatre.calm()
    return theatre


@pytest.fixture
def vendor() -> Iterator[StandIn]:
    """A server that answers as a test tells it to, and gives a token to everybody."""
    with StandIn() as server:
        server.answer("/v1/oauth2/token", {"access_token": "t", "token_type": "Bearer", "expires_in": 32400})
        yield server


@pytest.fixture
def provider(stage: PayPalStage, vendor: StandIn) -> Provider:
    """PayPal, where the stand-in answers."""
    return stage.provider(paypal_api_base=vendor.url)


def sent(stage: PayPalStage, path: str) -> list[Json]:
    """Every request that changes something below a path."""
    return [one for one in stage.requests() if one["method"] == "POST" and one["path"].endswith(path)]


# -- what is sent ----------------------------------------------------------------------------------


def test_an_order_is_asked_for_word_by_word(stage: PayPalStage) -> None:
    """The whole body: unique number, our mark, the amount as text, and a page that takes the payment at once."""
    plan = stage.usual.plan_checkout(request_of(invoice="INV-WORDS"))
    operation = stage.sent(plan, generation=2)
    stage.usual.send(operation)
    assert json.loads(stage.requests()[-1]["body"]) == {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "invoice_id": "INV-WORDS/2",
                "custom_id": operation.id,
                "description": "Invoice INV-WORDS",
                "amount": {"currency_code": "USD", "value": "60.00"},
            }
        ],
        "payment_source": {
            "paypal": {
                "experience_context": {
                    "return_url": "https://till.example/paid",
                    "cancel_url": "https://till.example/",
                    "user_action": "PAY_NOW",
                    "shipping_preference": "NO_SHIPPING",
                }
            }
        },
    }


@pytest.mark.parametrize(
    ("amount", "value"),
    [
        (Money(1234, "USD"), "12.34"),
        (Money(5000, "JPY"), "5000"),
        (Money(9900, "HUF"), "99"),
        (Money(1, "EUR"), "0.01"),
    ],
    ids=str,
)
def test_d1_d5_amounts_are_written_as_paypal_documents_them(stage: PayPalStage, amount: Money, value: str) -> None:
    """D1, D2, D5: hand-written literals, so that a wrong factor cannot hide in a round trip."""
    stage.opened(amount)
    unit = json.loads(stage.requests()[-1]["body"])["purchase_units"][0]
    assert unit["amount"] == {"currency_code": amount.currency, "value": value}


@pytest.mark.parametrize("amount", [Money(9990, "HUF"), Money(1000, "KWD"), Money(100, "ISK")], ids=str)
def test_d5_an_amount_that_paypal_cannot_take_is_refused(stage: PayPalStage, amount: Money) -> None:
    """D5: cents of a forint, and currencies that PayPal does not know, never leave us; for a refund as for a page."""
    raised(Refused, stage.usual.plan_checkout, request_of(amount))
    raised(Refused, stage.usual.plan_refund, asked(ORDER, amount))


def test_c3_every_change_bears_the_operations_id_each_time(stage: PayPalStage) -> None:
    """C3: three attempts of a creation, a capture and a refund each: one id, stored before, and one effect."""
    opening = stage.opening()
    stage.fail("create", "drop_after", times=2)
    checkout_id = stage.usual.send(opening)["checkout_id"]
    stage.pay(checkout_id)
    taking = capturing(checkout_id, stage.clock.now())
    stage.fail("capture", "drop_after", times=2)
    made = stage.usual.send(taking)
    returning = stage.refunding(asked(checkout_id))
    stage.fail("refund", "drop_after", times=2)
    stage.usual.send(returning)
    paths = (ORDERS, f"/{checkout_id}/capture", f"/{made['capture']}/refund")
    for operation, path in zip((opening, taking, returning), paths, strict=True):
        ours = [one for one in sent(stage, path) if one["idempotency_key"] == operation.id]
        assert len(ours) == 3
        assert len({one["body"] for one in ours}) == 1
    assert all(one["idempotency_key"] for one in sent(stage, "") if "oauth2" not in one["path"])
    assert len(returns(stage.usual.read(checkout_id))) == 1


def test_c4_every_attempt_sends_the_same_bytes(stage: PayPalStage) -> None:
    """C4: an attempt an hour later differs in nothing, so PayPal takes it for the same request."""
    operation = stage.opening()
    stage.usual.send(operation)
    first = stage.requests()[-1]["body"]
    stage.later(3600)
    stage.provider().send(operation)
    assert stage.requests()[-1]["body"] == first


def test_c20_the_whole_answer_is_asked_for(provider: Provider, stage: PayPalStage, vendor: StandIn) -> None:
    """C20: without `Prefer` PayPal answers without any amount."""
    vendor.answer(ORDERS, order())
    vendor.answer(f"{ORDERS}/{ORDER}/capture", order(capture()))
    vendor.answer(f"{ORDERS}/{ORDER}", order(capture()))
    vendor.answer(f"{CAPTURES}/{CAPTURE}/refund", refund())
    for operation in (stage.opening(), capturing(), stage.refunding(asked(ORDER))):
        provider.send(operation)
        assert vendor.asked[-1].headers["prefer"] == "return=representation"
        assert vendor.asked[-1].headers["paypal-request-id"] == operation.id


def test_a_refund_is_asked_for_word_by_word(provider: Provider, stage: PayPalStage, vendor: StandIn) -> None:
    """C13: an explicit amount and our mark; our reason is not for the customer."""
    vendor.answer(f"{ORDERS}/{ORDER}", order(capture("PENDING", id="3PENDING"), capture()))
    vendor.answer(f"{CAPTURES}/{CAPTURE}/refund", refund())
    operation = stage.refunding(asked(ORDER))
    assert provider.send(operation) == {"refund": REFUND, "status": "succeeded"}
    amount = {"currency_code": "USD", "value": "20.00"}
    assert json.loads(vendor.asked[-1].body) == {"amount": amount, "custom_id": operation.id}


def test_a_long_description_is_cut_to_what_paypal_takes(stage: PayPalStage) -> None:
    """127 characters as PayPal counts them: letters beyond ASCII count for more, and none is cut in half."""
    for words, kept in (("x" * 500, "x" * 127), ("é" * 200, "é" * 63), ("发票" * 80, "发票" * 21)):
        plan = stage.usual.plan_checkout(request_of())
        operation = stage.sent(Plan(plan.kind, plan.subject, plan.door, {**plan.params, "description": words}))
        stage.usual.send(operation)
        assert json.loads(stage.requests()[-1]["body"])["purchase_units"][0]["description"] == kept


# -- orders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        order(purchase_units=[]),
        order(purchase_units=[{"reference_id": "default"}]),
        order(purchase_units=[{"amount": {"currency_code": "USD", "value": "6.00"}}]),
        order(purchase_units=[{"amount": {"currency_code": "USD", "value": 60}}]),
        order(links=[]),
        order(create_time="soon"),
        {"id": ORDER, "status": "CREATED", "links": []},
    ],
    ids=lambda answer: str(answer)[:60],
)
def test_c20_an_order_without_its_figures_is_known_and_nobody_is_sent_there(
    provider: Provider, stage: PayPalStage, vendor: StandIn, answer: Json
) -> None:
    """C20: an answer that lacks the amount, or has another, is no page, and its order is there all the same."""
    vendor.answer(ORDERS, answer)
    made = provider.send(stage.opening())
    assert (made["checkout_id"], made["url"], bool(made["problem"])) == (ORDER, "", True)
    vendor.replace(ORDERS, order(id=None))
    raised(Uncertain, provider.send, stage.opening())


def test_an_order_without_its_time_lives_from_when_it_was_asked_for(
    provider: Provider, stage: PayPalStage, vendor: StandIn
) -> None:
    """PayPal's documents allow an order without a time: three hours from when we asked, and open while it is there."""
    untimed = {name: value for name, value in order().items() if name != "create_time"}
    vendor.answer(ORDERS, untimed)
    vendor.answer(f"{ORDERS}/{ORDER}", untimed)
    operation = stage.opening()
    assert provider.send(operation)["expires_at"] == operation.prepared_at + 3 * 3600
    assert provider.checkout(ORDER).status == "open"


def test_a_number_that_was_paid_elsewhere_takes_the_next_generation(stage: PayPalStage) -> None:
    """Another installation used the number: refused under PayPal's word, said what to do; the next one goes through."""
    plan = stage.usual.plan_checkout(request_of(invoice="INV-TWICE"))
    first = stage.sent(plan)
    stage.pay(stage.usual.send(first)["checkout_id"])
    stage.settled(stage.usual.send(first)["checkout_id"])
    stage.later(6 * 3600 + 1)  # PayPal forgot the request id
    error = raised(Refused, stage.usual.send, first)
    assert error.code == "DUPLICATE_INVOICE_ID"
    assert "INV-TWICE/1" in error.hint
    assert stage.usual.send(stage.sent(plan, generation=2))["checkout_id"]


@pytest.mark.parametrize(
    ("captures", "status", "expected"),
    [
        ([], "CREATED", "open"),
        ([], "SAVED", "open"),
        ([], "PAYER_ACTION_REQUIRED", "open"),
        ([], "APPROVED", "approved"),
        ([], "COMPLETED", "approved"),
        ([], "VOIDED", "expired"),
        (["PENDING"], "COMPLETED", "processing"),
        (["COMPLETED"], "COMPLETED", "paid"),
        (["REFUNDED"], "COMPLETED", "paid"),
        (["PARTIALLY_REFUNDED"], "COMPLETED", "paid"),
        (["DECLINED"], "APPROVED", "expired"),
        (["FAILED"], "COMPLETED", "expired"),
        (["DECLINED", "COMPLETED"], "COMPLETED", "paid"),
        (["DECLINED", "PENDING"], "COMPLETED", "processing"),
    ],
)
def test_c18_only_a_completed_capture_is_paid(
    provider: Provider, vendor: StandIn, captures: list[str], status: str, expected: str
) -> None:
    """C18: what the captures say goes before what the order says; only money makes a payment."""
    vendor.answer(
        f"{ORDERS}/{ORDER}", order(*map(capture, captures), status=status, create_time="2999-01-01T00:00:00Z")
    )
    state = provider.checkout(ORDER)
    assert state.status == expected
    assert state.payment == (ORDER if expected == "paid" else "")
    assert (provider.settle(state) is not None) is (expected == "approved")


def test_an_old_open_order_is_expired_whatever_paypal_says(
    provider: Provider, stage: PayPalStage, vendor: StandIn
) -> None:
    """Three hours after it was made; one that was approved meanwhile still waits for us."""
    made = stage.clock.now() - 3 * 3600
    vendor.answer(f"{ORDERS}/{ORDER}", order(create_time=rfc3339(made)))
    vendor.answer(f"{ORDERS}/{ORDER}", order(status="APPROVED", create_time=rfc3339(made)))
    state = provider.checkout(ORDER)
    assert (state.status, state.expires_at) == ("expired", made + 3 * 3600)
    assert provider.checkout(ORDER).status == "approved"


@pytest.mark.parametrize("answer", [order(status="PAUSED"), order(capture("HELD")), order(status=None)], ids=str)
def test_b19_a_new_state_of_an_order_is_not_guessed(provider: Provider, vendor: StandIn, answer: Json) -> None:
    """B19: PayPal adds values; one that is not known here stops that page and nothing else."""
    vendor.answer(f"{ORDERS}/{ORDER}", answer)
    raised(Unavailable, provider.checkout, ORDER)


# -- captures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "issue",
    [
        "ORDER_NOT_APPROVED",
        "INSTRUMENT_DECLINED",
        "ORDER_EXPIRED",
        "PAYER_CANNOT_PAY",
        "DUPLICATE_INVOICE_ID",
        "TRANSACTION_REFUSED",
    ],
)
def test_a_refused_capture_says_that_nothing_was_captured(provider: Provider, vendor: StandIn, issue: str) -> None:
    """The page ends with PayPal's own word for it."""
    vendor.answer(f"{ORDERS}/{ORDER}/capture", refusal(issue), 422)
    error = raised(Refused, provider.send, capturing())
    assert (error.message[:14], error.code) == ("not captured: ", issue)


def test_credentials_that_are_refused_are_no_refused_capture(provider: Provider, vendor: StandIn) -> None:
    """Our trouble, not the customer's: the page stays as it is."""
    vendor.answer(f"{ORDERS}/{ORDER}/capture", refusal("PERMISSION_DENIED", "NOT_AUTHORIZED"), 403)
    assert "not captured" not in raised(NotAllowed, provider.send, capturing()).message


def test_c19_an_approval_whose_time_is_over_is_not_captured(stage: PayPalStage) -> None:
    """C19: PayPal forgets the order; asked again, or looked for, the answer stays the same."""
    checkout_id = stage.opened()
    stage.pay(checkout_id)
    stage.later(4 * 3600)
    operation = capturing(checkout_id, stage.clock.now())
    for _ in range(2):
        assert raised(Refused, stage.usual.send, operation).message.startswith("not captured: ")
    assert stage.usual.find(operation) is None
    assert stage.usual.find(stage.closing(checkout_id)) == {"checkout_id": checkout_id, "status": "expired"}


def test_c17_a_capture_of_another_program_is_adopted(stage: PayPalStage) -> None:
    """C17: captured already: its capture is our result, there is one, and it is the payment of our operation."""
    opening = stage.opening()
    checkout_id = stage.usual.send(opening)["checkout_id"]
    stage.pay(checkout_id)
    stage.capture_elsewhere(checkout_id)
    operation = capturing(checkout_id, stage.clock.now())
    made = stage.usual.send(operation)
    assert made == stage.usual.find(operation)
    reading = stage.usual.read(checkout_id)
    assert [fact.key for fact in reading.facts] == [made["capture"], f"{made['capture']}:fee"]
    assert (reading.operation, reading.invoice) == (opening.id, opening.params["invoice"])


def test_c17_of_several_captures_the_money_counts(provider: Provider, vendor: StandIn) -> None:
    """A capture that was declined before or after does not hide the one that is money."""
    captures = [capture("DECLINED", id="1DECLINED"), capture(), capture("FAILED", id="3FAILED")]
    vendor.answer(f"{ORDERS}/{ORDER}/capture", refusal("ORDER_ALREADY_CAPTURED"), 422)
    vendor.answer(f"{ORDERS}/{ORDER}", order(*captures))
    assert provider.send(capturing()) == {"checkout_id": ORDER, "capture": CAPTURE, "status": "completed"}


@pytest.mark.parametrize("answer", [order(status="COMPLETED"), order(capture("PENDING"), status="APPROVED")], ids=str)
def test_what_may_be_money_is_not_closed(provider: Provider, vendor: StandIn, answer: Json) -> None:
    """A completed order, or a capture that is still pending: closing it would be a promise too late."""
    vendor.answer(f"{ORDERS}/{ORDER}", answer)
    operation = operation_of(provider.plan_close(ORDER), AT)
    assert raised(Refused, provider.send, operation).code == "complete"
    assert provider.find(operation) is None


def test_c17_a_capture_that_is_not_shown_yet_is_waited_for(provider: Provider, vendor: StandIn) -> None:
    """Captured, says PayPal, and shows none: not adopted, not refused, tried again."""
    vendor.answer(f"{ORDERS}/{ORDER}/capture", refusal("ORDER_ALREADY_CAPTURED"), 422)
    vendor.answer(f"{ORDERS}/{ORDER}", order(status="COMPLETED"))
    raised(Unavailable, provider.send, capturing())


@pytest.mark.parametrize("status", ["DECLINED", "FAILED"])
def test_a_capture_that_is_declined_at_once_is_refused(provider: Provider, vendor: StandIn, status: str) -> None:
    """An answer with a capture need not be one with money."""
    vendor.answer(f"{ORDERS}/{ORDER}/capture", order(capture(status)), 201)
    error = raised(Refused, provider.send, capturing())
    assert (error.message[:14], error.code) == ("not captured: ", status)


def test_c18_a_pending_capture_is_done_and_no_money(provider: Provider, vendor: StandIn) -> None:
    """C18: an eCheck: the operation did what it could, and says so."""
    vendor.answer(f"{ORDERS}/{ORDER}/capture", order(capture("PENDING", fee=None)), 201)
    assert provider.send(capturing()) == {"checkout_id": ORDER, "capture": CAPTURE, "status": "pending"}


@pytest.mark.parametrize(
    "answer",
    [
        order(status="COMPLETED"),
        order(capture(id="")),
        {"id": ORDER, "status": "COMPLETED"},
    ],
    ids=["no capture", "no id", "minimal"],
)
def test_c20_an_answer_without_the_capture_is_uncertain(provider: Provider, vendor: StandIn, answer: Json) -> None:
    """C20: PayPal acted, and what it did is read later; nothing is recorded as 0."""
    vendor.answer(f"{ORDERS}/{ORDER}/capture", answer, 201)
    raised(Uncertain, provider.send, capturing())


def test_c20_a_capture_without_its_amount_is_done(provider: Provider, vendor: StandIn) -> None:
    """C20: its id is what counts: the amount comes with the facts, which are read later."""
    vendor.answer(f"{ORDERS}/{ORDER}/capture", order(capture(amount=None)), 201)
    assert provider.send(capturing())["capture"] == CAPTURE


# -- what is read ----------------------------------------------------------------------------------


def facts_of(provider: Provider, vendor: StandIn, answer: Json) -> list[tuple[str, str, str]]:
    """Kind, key and amount of what an order proves."""
    vendor.answer(f"{ORDERS}/{ORDER}", answer)
    return [(fact.kind, fact.key, str(fact.amount)) for fact in provider.read(ORDER).facts if not hasattr(fact, "tax")]


def test_a_payment_is_one_call(stage: PayPalStage) -> None:
    """Reading a payment with its fee and its refunds costs one request."""
    payment = stage.paid().payment
    stage.refund_in_dashboard(payment, 1000)
    before = len(stage.requests())
    assert len(stage.usual.read(payment).facts) == 3
    assert len(stage.requests()) == before + 1


@pytest.mark.parametrize("status", ["PENDING", "DECLINED", "FAILED"])
def test_c18_a_capture_that_is_no_money_is_no_fact(provider: Provider, vendor: StandIn, status: str) -> None:
    """C18: not while it is pending, not when it was declined."""
    assert facts_of(provider, vendor, order(capture(status))) == []


@pytest.mark.parametrize("fee", ["0.00", None])
def test_a_fee_of_nothing_is_no_fact(provider: Provider, vendor: StandIn, fee: str | None) -> None:
    """Where PayPal keeps nothing, or has not said it yet, there is nothing to book."""
    assert facts_of(provider, vendor, order(capture(fee=fee))) == [("PaymentSucceeded", CAPTURE, "60.00 USD")]


def test_a_fee_that_comes_back_is_a_fact_of_its_own(provider: Provider, vendor: StandIn) -> None:
    """D14: a refund brings 0.70 of the fee back: the refund stays gross, and the fee is negative."""
    breakdown = {"paypal_fee": {"currency_code": "USD", "value": "0.70"}}
    answer = order(capture("PARTIALLY_REFUNDED"), refunds=[refund(seller_payable_breakdown=breakdown)])
    assert facts_of(provider, vendor, answer) == [
        ("PaymentSucceeded", CAPTURE, "60.00 USD"),
        ("ProcessorFee", f"{CAPTURE}:fee", "2.58 USD"),
        ("PaymentRefunded", REFUND, "20.00 USD"),
        ("ProcessorFee", f"{REFUND}:fee", "-0.70 USD"),
    ]


@pytest.mark.parametrize(("status", "free"), [("PENDING", ()), ("FAILED", (OURS,)), ("CANCELLED", (OURS,))])
def test_c14_only_a_completed_refund_is_money(
    provider: Provider, vendor: StandIn, status: str, free: tuple[str, ...]
) -> None:
    """C14: pending is nothing yet; what failed sets our operation free, and a stranger's mark means nothing."""
    refunds = [refund(status), refund(status, id="2OTHER99", custom_id="RMA 7"), refund(status, custom_id=None)]
    vendor.answer(f"{ORDERS}/{ORDER}", order(capture(), refunds=refunds))
    reading = provider.read(ORDER)
    assert returns(reading) == []
    assert reading.released == free


def test_b24_what_other_software_marked_is_not_ours(provider: Provider, vendor: StandIn) -> None:
    """B24: its refund has no operation; its order has neither an operation nor an invoice of ours."""
    foreign = order(capture(), refunds=[refund(custom_id="RMA 7")])
    foreign["purchase_units"][0] |= {"custom_id": "cart-77", "invoice_id": "WOO-12"}
    vendor.answer(f"{ORDERS}/{ORDER}", foreign)
    reading = provider.read(ORDER)
    assert (reading.operation, reading.invoice) == ("", "")
    assert [(one.operation, one.amount) for one in returns(reading)] == [("", TWENTY)]


def test_b15_a_capture_without_an_order_is_its_own_payment(provider: Provider, vendor: StandIn) -> None:
    """B15: money without an order of anybody's is money; it is refunded where it was taken."""
    vendor.answer(f"{ORDERS}/{CAPTURE}", refusal("INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND"), 404)
    vendor.answer(f"{CAPTURES}/{CAPTURE}", capture())
    vendor.answer("/v1/customer/disputes", {"links": []})
    payment, fee = provider.read(CAPTURE).facts
    assert (payment.key, payment.payment) == (CAPTURE, CAPTURE)
    assert isinstance(fee, ProcessorFee)
    assert provider.dispute(CAPTURE) == ""
    operation = operation_of(provider.plan_refund(asked(CAPTURE)), AT)
    for call in (provider.send, provider.find):
        assert "dashboard" in raised(Refused, call, operation).hint
    assert not any(one.path.endswith("/refund") for one in vendor.asked)


@pytest.mark.parametrize("gone", [False, True])
def test_a_capture_leads_to_its_order(provider: Provider, vendor: StandIn, gone: bool) -> None:
    """An event of a refund names the capture: the facts are those of the order, and of the same payment without it."""
    missing = refusal("INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND")
    related = {"supplementary_data": {"related_ids": {"order_id": ORDER}}, "custom_id": OURS, "invoice_id": "INV-1/1"}
    vendor.answer(f"{ORDERS}/{CAPTURE}", missing, 404)
    vendor.answer(f"{CAPTURES}/{CAPTURE}", capture(**related))
    vendor.answer(f"{ORDERS}/{ORDER}", missing if gone else order(capture()), 404 if gone else 200)
    reading = provider.read(CAPTURE)
    assert (reading.object_id, reading.operation, reading.invoice) == (CAPTURE, OURS, "INV-1")
    assert [(fact.key, fact.payment) for fact in reading.facts] == [(CAPTURE, ORDER), (f"{CAPTURE}:fee", ORDER)]


@pytest.mark.parametrize(
    ("broken", "odd"),
    [
        (order(capture(amount=None)), (CAPTURE, "amount")),
        (order(capture(amount={"currency_code": "USD"})), (CAPTURE, "amount")),
        (order(capture(amount={"currency_code": "USD", "value": "6e1"})), (CAPTURE, "amount")),
        (order(capture(amount={"currency_code": "XYZ", "value": "60.00"})), (CAPTURE, "amount")),
        (order(capture(create_time=None)), (CAPTURE, "create_time")),
        (order(capture(id=None)), ("", "id")),
        (order(capture(), refunds=[refund(amount=None)]), (REFUND, "amount")),
        (order(capture(), refunds=[refund(status=None)]), (REFUND, "status")),
    ],
    ids=lambda broken: str(broken)[60:],
)
def test_c20_a_record_that_lacks_a_figure_proves_nothing(
    provider: Provider, vendor: StandIn, broken: Json, odd: tuple[str, str]
) -> None:
    """C20: a missing amount is never nothing, and never guessed. A refund that is odd leaves the payment."""
    vendor.answer(f"{ORDERS}/{ORDER}", broken)
    reading = provider.read(ORDER)
    assert bool(reading.facts) is (odd[0] == REFUND)
    assert [(one.vendor, one.payment, one.id, one.field) for one in reading.unreadable] == [("paypal", ORDER, *odd)]


# -- refunds and disputes --------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [order(), order(capture("PENDING")), order(capture("DECLINED"))], ids=str)
def test_what_was_not_paid_is_not_refunded(
    provider: Provider, stage: PayPalStage, vendor: StandIn, answer: Json
) -> None:
    """Nothing is asked of PayPal where there is no money to give back."""
    vendor.answer(f"{ORDERS}/{ORDER}", answer)
    raised(Refused, provider.send, stage.refunding(asked(ORDER)))
    assert [one.method for one in vendor.asked if "oauth2" not in one.path] == ["GET"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [(refund(amount=None), "succeeded"), (refund("REVERSED"), "pending"), ({"id": REFUND}, "pending")],
    ids=str,
)
def test_c20_a_refund_without_its_figures_is_done(
    provider: Provider, stage: PayPalStage, vendor: StandIn, answer: Json, status: str
) -> None:
    """C20: PayPal acted, and says which refund it is; how much it gave back is read later. An unknown state is told."""
    vendor.answer(f"{ORDERS}/{ORDER}", order(capture()))
    vendor.answer(f"{CAPTURES}/{CAPTURE}/refund", answer, 201)
    made = provider.send(stage.refunding(asked(ORDER)))
    assert (made["refund"], made["status"], "problem" in made) == (REFUND, status, status == "pending")


@pytest.mark.parametrize("issue", ["CAPTURE_FULLY_REFUNDED", "REFUND_TIME_LIMIT_EXCEEDED", "REFUND_NOT_ALLOWED"])
def test_a_refused_refund_has_paypals_word(provider: Provider, stage: PayPalStage, vendor: StandIn, issue: str) -> None:
    """What PayPal refuses is refused, by its own word."""
    vendor.answer(f"{ORDERS}/{ORDER}", order(capture()))
    vendor.answer(f"{CAPTURES}/{CAPTURE}/refund", refusal(issue), 422)
    assert raised(Refused, provider.send, stage.refunding(asked(ORDER))).code == issue


@pytest.mark.parametrize(
    ("stage_of_it", "status", "said"),
    [
        ("INQUIRY", "OPEN", ""),
        ("INQUIRY", "WAITING_FOR_SELLER_RESPONSE", ""),
        ("CHARGEBACK", "RESOLVED", ""),
        ("CHARGEBACK", "UNDER_REVIEW", "under_review"),
        ("PRE_ARBITRATION", "OPEN", "open"),
        ("ARBITRATION", "WAITING_FOR_SELLER_RESPONSE", "waiting_for_seller_response"),
        (None, "OPEN", "open"),
    ],
)
def test_c12_a_dispute_is_an_obstacle_by_its_stage(
    provider: Provider, vendor: StandIn, stage_of_it: str | None, status: str, said: str
) -> None:
    """C12: what is only asked, or over, is none; an unknown stage is one; the last of two pages counts, too."""
    dispute = {"dispute_id": "PP-D-1", "status": status, "dispute_life_cycle_stage": stage_of_it}
    inquiry = {"dispute_id": "PP-D-2", "status": "OPEN", "dispute_life_cycle_stage": "INQUIRY"}
    following = f"{vendor.url}/v1/customer/disputes?disputed_transaction_id={CAPTURE}&next_page_token=abc"
    vendor.answer(f"{ORDERS}/{ORDER}", order(capture()))
    vendor.answer("/v1/customer/disputes", {"items": [inquiry], "links": [{"rel": "next", "href": following}]})
    vendor.answer("/v1/customer/disputes", {"items": [dispute], "links": []})
    assert provider.dispute(ORDER) == said
    assert f"disputed_transaction_id={CAPTURE}" in vendor.asked[-1].query
    assert "next_page_token=abc" in vendor.asked[-1].query


# -- the vendor's own schema -----------------------------------------------------------------------


def test_every_request_is_one_that_paypal_documents(stage: PayPalStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this file sent to the simulator, PayPal's published schema accepts too."""
    folder = os.environ.get("TILLBOOK_CONTRACTS")
    if not folder:
        pytest.skip("vendor schemas not present")
    monkeypatch.syspath_prepend(folder)
    check = import_module("paypal_contract").check_request
    payment = stage.paid(Money(5000, "JPY")).payment
    stage.usual.send(stage.refunding(asked(payment, Money(2000, "JPY"))))
    seen = {(one["method"], one["path"], one["body"]) for one in stage.requests() if "oauth2" not in one["path"]}
    problems = {one: found for one in seen if (found := check(one[0], one[1], json.loads(one[2] or "{}")))}
    assert len(seen) > 10
    assert problems == {}
