"""The simulated Stripe's refunds, disputes and payouts, driven by the unmodified SDK, and planted faults."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import stripe

from helpers.vendors.simulated_stripe import DECLINED, contract, control, order, plain, requests_of
from simulator.server import Simulator

Json = dict[str, Any]


@pytest.fixture
def payment(api: stripe.StripeClient, simulator: Simulator) -> str:
    """A settled payment of 100.00 dollars: the id of its intent."""
    return paid(api, simulator)


def paid(api: stripe.StripeClient, simulator: Simulator, amount: int = 10_000, currency: str = "usd") -> str:
    session = api.v1.checkout.sessions.create(order(amount, currency))
    intent: str = control(simulator, "pay", {"checkout_id": session.id})["payment_intent"]
    control(simulator, "clock", {"advance_seconds": 2})
    return intent


def charge_of(api: stripe.StripeClient, payment: str) -> Json:
    return plain(api.v1.payment_intents.retrieve(payment, {"expand": ["latest_charge"]}))["latest_charge"]  # type: ignore[no-any-return]  # JSON


def refund(api: stripe.StripeClient, payment: str, amount: int = 2_500, **more: Any) -> stripe.Refund:
    params: Any = {"payment_intent": payment, "amount": amount, **more}
    return api.v1.refunds.create(params)


def refused(call: Any) -> stripe.InvalidRequestError:
    """The error that a call raises."""
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call()
    return caught.value


def end(simulator: Simulator, refund: str, outcome: str, *, status: int = 200) -> Json:
    return control(simulator, "refund_outcome", {"refund": refund, "outcome": outcome}, status=status)


def rows(api: stripe.StripeClient) -> list[Json]:
    """The statement, oldest first, after proving that it adds up to the balance."""
    listed = [plain(row) for row in api.v1.balance_transactions.list({"limit": 2}).auto_paging_iter()]
    balance = plain(api.v1.balance.retrieve())
    parts = [part for name in ("available", "pending") for part in balance[name]]
    for currency in {row["currency"] for row in listed}:
        held = sum(part["amount"] for part in parts if part["currency"] == currency)
        assert sum(row["net"] for row in listed if row["currency"] == currency) == held
    return listed[::-1]


def events(api: stripe.StripeClient) -> list[Json]:
    """All events, oldest first."""
    return [plain(event) for event in api.v1.events.list({"limit": 100}).data][::-1]


def types(api: stripe.StripeClient, after: int = 0) -> list[str]:
    return [event["type"] for event in events(api)][after:]


# -- refunds ---------------------------------------------------------------------------------------


def test_a_partial_refund_moves_money_at_once(api: stripe.StripeClient, payment: str) -> None:
    """The refund, its row and its charge agree, no fee comes back, and two events tell of it."""
    before = len(types(api))
    made = refund(api, payment, reason="requested_by_customer", metadata={"operation": "op-1"})
    assert (made.status, made.amount, made.currency) == ("succeeded", 2_500, "usd")
    assert made.reason == "requested_by_customer"
    found = plain(api.v1.refunds.retrieve(made.id, {"expand": ["balance_transaction", "charge", "payment_intent"]}))
    row = found["balance_transaction"]
    assert (row["amount"], row["fee"], row["net"], row["source"]) == (-2_500, 0, -2_500, made.id)
    assert (row["type"], row["reporting_category"]) == ("refund", "refund")
    assert (found["charge"]["amount_refunded"], found["charge"]["refunded"]) == (2_500, False)
    assert (found["payment_intent"]["id"], found["metadata"]) == (payment, {"operation": "op-1"})
    assert [row["net"] for row in rows(api)] == [9_680, -2_500]
    created, refunded = events(api)[before:]
    assert (created["type"], created["data"]["object"]["id"]) == ("refund.created", made.id)
    assert (refunded["type"], refunded["data"]["object"]["object"]) == ("charge.refunded", "charge")
    assert refunded["data"]["previous_attributes"] == {"amount_refunded": 0}


def test_without_amount_all_that_is_left_goes_back(api: stripe.StripeClient, payment: str) -> None:
    """A refund by charge without an amount takes the rest. The charge is then refunded in full."""
    charge = charge_of(api, payment)["id"]
    refund(api, payment)
    assert api.v1.refunds.create({"charge": charge}).amount == 7_500
    assert charge_of(api, payment)["refunded"] is True
    error = refused(lambda: api.v1.refunds.create({"charge": charge}))
    assert (error.http_status, error.code) == (400, "charge_already_refunded")


def test_c10_no_refund_is_larger_than_what_is_left(api: stripe.StripeClient, payment: str) -> None:
    """The sentence names both amounts, and nothing moved."""
    error = refused(lambda: refund(api, payment, 10_001))
    assert (error.param, error.user_message) == (
        "amount",
        "Refund amount ($100.01) is greater than charge amount ($100.00)",
    )
    refund(api, payment, 9_000)
    error = refused(lambda: refund(api, payment, 1_001))
    assert error.user_message == "Refund amount ($10.01) is greater than unrefunded amount on charge ($10.00)"
    assert [row["net"] for row in rows(api)] == [9_680, -9_000]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"amount": 0}, "parameter_invalid_integer"),
        ({"amount": -5}, "parameter_invalid_integer"),
        ({"reason": "expired_uncaptured_charge"}, None),
        ({"charge": "ch_1"}, None),
        ({"payment_intent": "pi_unknown"}, "resource_missing"),
        ({"note": "x"}, "parameter_unknown"),
    ],
    ids=["zero", "negative", "reason", "both", "unknown", "misspelt"],
)
def test_c11_wrong_refunds_are_refused(api: stripe.StripeClient, payment: str, params: Json, code: str | None) -> None:
    """An amount of nothing, a foreign reason, two payments or an unknown one: refused, and nothing moved."""
    wrong: Any = {"payment_intent": payment, **params}
    assert refused(lambda: api.v1.refunds.create(wrong)).code == code
    assert api.v1.refunds.list().data == []


def test_a_refund_needs_a_successful_payment(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Neither nothing, nor an intent whose card was declined, nor its failed charge can be refunded."""
    session = api.v1.checkout.sessions.create(order())
    failed = control(simulator, "pay", {"checkout_id": session.id, "card": DECLINED}, status=402)["payment_intent"]
    charge = charge_of(api, failed)["id"]
    assert refused(lambda: api.v1.refunds.create({})).code == "parameter_missing"
    assert refused(lambda: api.v1.refunds.create({"payment_intent": failed})).code == "charge_not_refundable"
    assert refused(lambda: api.v1.refunds.create({"charge": charge})).code == "charge_not_refundable"


def test_d1_yen_and_dinars_go_back_in_their_own_units(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Yen have no decimals. Of three decimals the last stays zero."""
    yen = paid(api, simulator, 1_200, "jpy")
    error = refused(lambda: refund(api, yen, 1_201))
    assert error.user_message == "Refund amount (¥1,201) is greater than charge amount (¥1,200)"
    assert refund(api, yen, 1_200).amount == 1_200
    dinars = paid(api, simulator, 12_340, "kwd")
    assert refused(lambda: refund(api, dinars, 1_234)).code == "invalid_charge_amount"
    assert {row["currency"] for row in rows(api)} == {"jpy", "kwd"}


def test_c1_the_same_key_refunds_once(api: stripe.StripeClient, payment: str) -> None:
    """A repeated call answers with the first refund. The key with other parameters is refused."""
    params: Any = {"payment_intent": payment, "amount": 100}
    first, second = (api.v1.refunds.create(params, {"idempotency_key": "op-1"}) for _ in range(2))
    assert first.id == second.id
    assert charge_of(api, payment)["amount_refunded"] == 100
    with pytest.raises(stripe.IdempotencyError):
        api.v1.refunds.create(params | {"amount": 200}, {"idempotency_key": "op-1"})


def test_c1_a_lost_answer_is_found_again(api: stripe.StripeClient, simulator: Simulator, payment: str) -> None:
    """The connection drops after the refund was made: listing by payment and repeating the key both find it."""
    order_of = {"vendor": "stripe", "method": "POST", "path": "/v1/refunds", "kind": "drop_after"}
    control(simulator, "faults", order_of)
    params: Any = {"payment_intent": payment, "amount": 100, "metadata": {"operation": "op-1"}}
    with pytest.raises(stripe.APIConnectionError):
        api.v1.refunds.create(params, {"idempotency_key": "op-1"})
    (found,) = api.v1.refunds.list({"payment_intent": payment}).data
    assert plain(found)["metadata"] == {"operation": "op-1"}
    assert api.v1.refunds.create(params, {"idempotency_key": "op-1"}).id == found.id


def test_refunds_are_listed_by_payment_charge_and_time(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Newest first, in pages, and only those that were asked for."""
    one, other = paid(api, simulator), paid(api, simulator)
    made = [refund(api, one, 100).id for _ in range(3)]
    control(simulator, "clock", {"advance_seconds": 60})
    late = refund(api, other, 100)
    listed = api.v1.refunds.list({"payment_intent": one, "limit": 2})
    assert listed.has_more
    assert [found.id for found in listed.auto_paging_iter()] == made[::-1]
    assert [found.id for found in api.v1.refunds.list({"charge": str(late.charge)}).data] == [late.id]
    assert [found.id for found in api.v1.refunds.list({"created": {"gte": late.created}}).data] == [late.id]
    page = plain(api.v1.payment_intents.retrieve(one, {"expand": ["latest_charge.refunds.data.balance_transaction"]}))
    assert [found["balance_transaction"]["net"] for found in page["latest_charge"]["refunds"]["data"]] == [-100] * 3
    sources = api.v1.balance_transactions.list({"expand": ["data.source.charge"]}).data
    assert plain(sources[0])["source"]["charge"]["id"] == late.charge
    assert "refunds" not in charge_of(api, one)


def test_metadata_changes_and_tells_so(api: stripe.StripeClient, payment: str) -> None:
    """An update touches metadata only and is told once."""
    made = refund(api, payment, metadata={"a": "1", "b": "2"})
    before = len(types(api))
    changed = api.v1.refunds.update(made.id, {"metadata": {"a": "", "c": "3"}})
    assert plain(changed)["metadata"] == {"b": "2", "c": "3"}
    api.v1.refunds.update(made.id, {"metadata": {"c": "3"}})
    assert types(api, before) == ["refund.updated", "charge.refund.updated"]


# -- what becomes of a refund ----------------------------------------------------------------------


@pytest.mark.parametrize("start", ["pending", "succeeded"])
def test_c14_a_failed_refund_comes_back_by_its_own_row(
    api: stripe.StripeClient, simulator: Simulator, payment: str, start: str
) -> None:
    """Pending or succeeded, a refund can fail days later: the money returns and can be refunded again."""
    control(simulator, "refunds", {"status": start})
    made = refund(api, payment, 10_000)
    assert made.status == start
    control(simulator, "clock", {"advance_seconds": 5 * 86_400})
    before = len(types(api))
    end(simulator, made.id, "failed")
    found = plain(api.v1.refunds.retrieve(made.id, {"expand": ["failure_balance_transaction"]}))
    row = found["failure_balance_transaction"]
    assert (found["status"], found["failure_reason"]) == ("failed", "lost_or_stolen_card")
    assert (row["type"], row["reporting_category"], row["net"]) == ("refund_failure", "refund_failure", 10_000)
    assert [row["net"] for row in rows(api)] == [9_680, -10_000, 10_000]
    charge = charge_of(api, payment)
    assert (charge["amount_refunded"], charge["refunded"]) == (0, False)
    assert types(api, before) == ["refund.updated", "charge.refund.updated", "refund.failed"]
    assert refund(api, payment, 10_000).status == start


def test_a_pending_refund_succeeds(api: stripe.StripeClient, simulator: Simulator, payment: str) -> None:
    """The row is there from the start, so success changes the status only."""
    control(simulator, "refunds", {"status": "pending"})
    made = plain(refund(api, payment))
    assert (made["status"], made["pending_reason"]) == ("pending", "processing")
    done = end(simulator, made["id"], "succeeded")
    assert (done["status"], done["balance_transaction"]) == ("succeeded", made["balance_transaction"])
    assert "pending_reason" not in done
    assert events(api)[-1]["data"]["previous_attributes"] == {"status": "pending", "pending_reason": "processing"}
    assert len(rows(api)) == 2
    assert "cannot become canceled" in end(simulator, made["id"], "canceled", status=409)["error"]


def test_c14_a_cancelled_refund_returns_what_it_took(
    api: stripe.StripeClient, simulator: Simulator, payment: str
) -> None:
    """With a row, a second row gives the money back. A refund that waits for funds has no row at all."""
    control(simulator, "refunds", {"status": "pending"})
    booked = refund(api, payment, 1_000)
    control(simulator, "refunds", {"status": "held"})
    held = plain(refund(api, payment, 2_000))
    assert (held["status"], held["pending_reason"]) == ("pending", "insufficient_funds")
    assert held["balance_transaction"] is None
    assert charge_of(api, payment)["amount_refunded"] == 3_000
    first, second = (end(simulator, one, "canceled") for one in (booked.id, held["id"]))
    assert (first["status"], first["failure_reason"]) == ("canceled", "merchant_request")
    assert "failure_balance_transaction" not in second
    assert [row["net"] for row in rows(api)] == [9_680, -1_000, 1_000]
    assert charge_of(api, payment)["amount_refunded"] == 0


def test_a_held_refund_gets_its_row_with_its_success(
    api: stripe.StripeClient, simulator: Simulator, payment: str
) -> None:
    """Once there are funds, the row appears, dated then."""
    control(simulator, "refunds", {"status": "held"})
    made = refund(api, payment)
    control(simulator, "clock", {"advance_seconds": 86_400})
    row = api.v1.balance_transactions.retrieve(str(end(simulator, made.id, "succeeded")["balance_transaction"]))
    assert (row.net, row.created >= made.created + 86_400) == (-2_500, True)


def test_only_a_refund_that_waits_for_the_customer_is_cancelled_by_a_call(
    api: stripe.StripeClient, simulator: Simulator, payment: str
) -> None:
    """As the API's documents say: requires_action can be cancelled, every other status is refused."""
    for status in ("succeeded", "pending"):
        control(simulator, "refunds", {"status": status})
        made = refund(api, payment, 100)
        assert f"status of {status}" in str(refused(lambda made=made: api.v1.refunds.cancel(made.id)))
    control(simulator, "refunds", {"status": "requires_action"})
    made = refund(api, payment, 100)
    assert plain(made)["next_action"]["type"] == "display_details"
    assert api.v1.refunds.cancel(made.id).status == "canceled"


def test_b24_a_refund_made_in_the_dashboard(api: stripe.StripeClient, simulator: Simulator, payment: str) -> None:
    """It has no metadata and no key, its events name no request, and it is bound by the same rules."""
    made = control(simulator, "refund", {"payment": payment, "amount": 1_500, "reason": "duplicate"})
    assert (made["amount"], made["metadata"], made["status"]) == (1_500, {}, "succeeded")
    assert events(api)[-1]["request"] == {"id": None, "idempotency_key": None}
    charge = charge_of(api, payment)["id"]
    assert control(simulator, "refund", {"payment": charge, "status": "pending"})["amount"] == 8_500
    assert "already been refunded" in control(simulator, "refund", {"payment": charge}, status=409)["error"]
    assert requests_of(simulator, "/v1/refunds") == []


def test_the_state_shows_what_went_back(api: stripe.StripeClient, simulator: Simulator, payment: str) -> None:
    """Captured less refunded less fees is the sum of the statement and the balance."""
    refund(api, payment)
    end(simulator, refund(api, payment, 400).id, "failed")
    state = requests.get(f"{simulator.url}/_control/state", timeout=10).json()
    moved = {name: state[name]["stripe"] for name in ("captured", "refunded", "statement")}
    assert moved == {
        "captured": {"usd": 10_000},
        "refunded": {"usd": 2_500},
        "statement": {"usd": 10_000 - 320 - 2_500},
    }
    assert "stripe.refund_start" not in state["counts"]
    assert sum(row["net"] for row in rows(api)) == 7_180


# -- disputes and payouts --------------------------------------------------------------------------


def test_c12_a_disputed_charge_is_not_refunded(api: stripe.StripeClient, simulator: Simulator, payment: str) -> None:
    """The bank has taken the money's side: a refund on top would pay twice."""
    body = {"payment": payment, "kind": "dispute", "reason": "product_not_received"}
    opened = control(simulator, "dispute", body)
    error = refused(lambda: refund(api, payment))
    assert (error.http_status, error.code) == (400, "charge_disputed")
    (found,) = api.v1.disputes.list({"payment_intent": payment}).data
    assert (found.id, found.status, found.amount) == (opened["id"], "needs_response", 10_000)
    assert (found.reason, found.is_charge_refundable) == ("product_not_received", False)
    assert charge_of(api, payment)["disputed"] is True
    assert types(api)[-1] == "charge.dispute.created"
    assert "disputed already" in control(simulator, "dispute", body, status=409)["error"]
    assert len(rows(api)) == 1


def test_c12_an_inquiry_is_no_obstacle(api: stripe.StripeClient, simulator: Simulator, payment: str) -> None:
    """An inquiry moves no money, and a full refund is a normal way to answer it."""
    opened = control(simulator, "dispute", {"payment": payment, "kind": "inquiry"})
    found = api.v1.disputes.retrieve(opened["id"], {"expand": ["charge"]})
    assert (found.status, plain(found)["charge"]["disputed"]) == ("warning_needs_response", False)
    assert refund(api, payment, 10_000).status == "succeeded"
    assert api.v1.disputes.list({"charge": "ch_other"}).data == []
    assert "holds no money" in _refused_dispute(api, simulator)


def _refused_dispute(api: stripe.StripeClient, simulator: Simulator) -> str:
    """A dispute of a payment that was refunded in full."""
    other = paid(api, simulator)
    refund(api, other, 10_000)
    return str(control(simulator, "dispute", {"payment": other, "kind": "dispute"}, status=409)["error"])


def test_there_are_no_payouts_yet(api: stripe.StripeClient) -> None:
    """A reader of the statement can ask for them."""
    asked: Any = {"status": "paid", "arrival_date": {"gte": 1}, "created": {"gte": 1}}
    assert api.v1.payouts.list(asked).data == []
    assert refused(lambda: api.v1.payouts.retrieve("po_1")).code == "resource_missing"


# -- planted faults --------------------------------------------------------------------------------


def test_a_planted_change_is_told_by_nobody(api: stripe.StripeClient, simulator: Simulator, payment: str) -> None:
    """An altered amount and a forgotten row are found only by comparing."""
    row = charge_of(api, payment)["balance_transaction"]
    before = len(types(api))
    control(simulator, "plant", {"vendor": "stripe", "kind": "balance_transaction", "id": row, "set": {"net": 1}})
    assert api.v1.balance_transactions.retrieve(row).net == 1
    control(simulator, "plant", {"vendor": "stripe", "kind": "balance_transaction", "id": row, "forget": True})
    assert api.v1.balance_transactions.list().data == []
    assert types(api, before) == []


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("refund", {"payment": "pi_1"}, "no payment 'pi_1'"),
        ("refund", {"payment": "pi_1", "status": "odd"}, "status is one of succeeded, pending"),
        ("refund", {"payment": "pi_1", "amount": 0}, "1 or more"),
        ("refund", {"payment": "pi_1", "reason": "odd"}, "reason is one of duplicate"),
        ("refund_outcome", {"refund": "re_1", "outcome": "failed"}, "no refund 're_1'"),
        ("refund_outcome", {"refund": "re_1"}, "outcome is one of succeeded, failed, canceled"),
        ("refunds", {"status": "failed"}, "status is one of"),
        ("dispute", {"payment": "pi_1", "kind": "odd"}, "kind is one of inquiry, dispute"),
        ("plant", {"vendor": "stripe", "kind": "charge", "id": "ch_1", "set": {}}, "stripe has no charge 'ch_1'"),
        ("plant", {"vendor": "stripe", "kind": "charge", "id": "ch_1"}, "what to set, or forget"),
        ("plant", {"vendor": "quickbooks", "kind": "token", "id": "1", "forget": True}, "the simulator's own"),
        (
            "plant",
            {"vendor": "quickbooks", "kind": "CompanyInfo", "id": "1", "set": {"Line": [{"Amount": 1.5}]}},
            "never",
        ),
        ("plant", {"vendor": "quickbooks", "kind": "CompanyInfo", "id": "1", "set": {"Id": "2"}}, "Id is what"),
    ],
)
def test_wrong_orders_are_sentences(
    api: stripe.StripeClient, simulator: Simulator, path: str, body: Json, sentence: str
) -> None:
    """Whatever makes no sense is answered with 400 and says why."""
    simulator.world.save("quickbooks.CompanyInfo", "1", {"Id": "1"})
    assert sentence in control(simulator, path, body, status=400)["error"]
    assert api.v1.refunds.list().data == []


# -- the vendor's schemas --------------------------------------------------------------------------


def test_objects_and_requests_fit_stripes_own_schemas(
    api: stripe.StripeClient, simulator: Simulator, payment: str
) -> None:
    """Every refund in every status, dispute, row and event body is what Stripe's schema describes."""
    check = contract()
    for start in ("succeeded", "pending", "held", "requires_action"):
        control(simulator, "refunds", {"status": start})
        made = refund(api, payment, 100, reason="duplicate", metadata={"operation": start})
        assert check.check_object(plain(made)) == []
        end(simulator, made.id, "failed" if start == "succeeded" else "canceled")
    control(simulator, "dispute", {"payment": payment, "kind": "inquiry"})
    control(simulator, "dispute", {"payment": paid(api, simulator), "kind": "dispute"})
    paths = ["data.charge", "data.failure_balance_transaction", "data.balance_transaction"]
    found = [plain(one) for one in api.v1.refunds.list({"expand": paths}).data]
    found += [plain(one) for one in api.v1.disputes.list().data]
    found += [charge_of(api, payment), *rows(api), *(event["data"]["object"] for event in events(api))]
    assert len(found) > 20
    assert [problem for one in found for problem in check.check_object(one)] == []
    for path in ("/v1/refunds", "/v1/disputes"):
        for entry in requests_of(simulator, path):
            form = entry["body"] if entry["method"] == "POST" else entry["query"]
            assert check.check_request(entry["method"], path, form) == []
