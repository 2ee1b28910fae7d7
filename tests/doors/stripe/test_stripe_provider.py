"""Stripe's own matters: its calls, its errors, its odd answers. What every provider does is in `doors/providers/`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import stripe

from helpers.providers import set_stage
from helpers.providers.stripe.stage import StripeStage
from helpers.providers.words import operation_of, request_of
from helpers.vendors.stand_in import StandIn
from tillbook.kit.errors import NotAllowed, Refused, Unavailable, Uncertain
from tillbook.kit.money import Money
from tillbook.rules.facts import PaymentSucceeded, ProcessorFee
from tillbook.vendors.protocols import Provider
from tillbook.vendors.stripe import calls
from tillbook.vendors.stripe import provider as stripe_room
from tillbook.vendors.stripe.declaration import SECRET_KEY

Json = dict[str, Any]
SESSIONS = "/v1/checkout/sessions"
EXECUTION = Path(__file__).parents[3] / "execution"


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeStage]:
    """One simulator for this file."""
    with set_stage("stripe", tmp_path_factory.mktemp("home")) as stage:
        yield stage


@pytest.fixture
def stage(theatre: StripeStage) -> StripeStage:
    """The stage without the faults of the test before."""
    theatre.calm()
    theatre.clock.slept.clear()
    return theatre


@pytest.fixture
def vendor() -> Iterator[StandIn]:
    """A server that answers as a test tells it to."""
    with StandIn() as server:
        yield server


@pytest.fixture
def provider(stage: StripeStage, vendor: StandIn) -> Provider:
    """Stripe, where the stand-in answers."""
    return stage.provider(stripe_api_base=vendor.url)


def form_of(asked: Json) -> dict[str, str]:
    """The form of a logged request."""
    return {name: values[0] for name, values in parse_qs(asked["body"]).items()}


def session(**changes: Any) -> Json:
    """A session as Stripe gives it, with the fields that are read."""
    plain = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "amount_total": 6000,
        "currency": "usd",
        "expires_at": 1795555200,
        "metadata": {},
        "payment_intent": None,
        "payment_status": "unpaid",
        "status": "open",
        "url": "https://checkout.stripe.com/c/pay/cs_test_1",
    }
    return {**plain, **changes}


def charge(**changes: Any) -> Json:
    """A charge that succeeded, with the fields that are read."""
    plain = {
        "id": "ch_1",
        "object": "charge",
        "amount_captured": 6000,
        "balance_transaction": None,
        "captured": True,
        "created": 1795400000,
        "currency": "usd",
        "paid": True,
        "payment_intent": "pi_1",
        "status": "succeeded",
    }
    return {**plain, **changes}


def intent(**changes: Any) -> Json:
    """A payment intent that succeeded, with the fields that are read."""
    plain = {"id": "pi_1", "object": "payment_intent", "latest_charge": charge(), "metadata": {}, "status": "succeeded"}
    return {**plain, **changes}


def listing(*objects: Json, more: bool = False) -> Json:
    """One page of a list."""
    return {"object": "list", "data": list(objects), "has_more": more, "url": "/v1/things"}


# -- what is sent ----------------------------------------------------------------------------------


def test_c3_the_key_on_the_wire_is_the_operations(stage: StripeStage) -> None:
    """C3: the key was stored before the call; the SDK's own random one is never used."""
    operation = stage.opening()
    stage.provider().send(operation)
    asked = stage.requests()[-1]
    assert (asked["method"], asked["path"], asked["idempotency_key"]) == ("POST", SESSIONS, operation.key)


def test_c3_a_number_that_no_header_can_hold_still_has_one_key(stage: StripeStage) -> None:
    """An invoice number in any script is paid once like any other."""
    operation = stage.opening(request_of(invoice="发票-1"))
    assert stage.provider().send(operation) == stage.provider().send(operation)
    assert stage.requests()[-1]["idempotency_key"] == operation.id


def test_c4_every_attempt_sends_the_same_bytes(stage: StripeStage) -> None:
    """C4: an attempt an hour later differs in nothing, so Stripe takes it for the same request."""
    operation = stage.opening()
    stage.provider().send(operation)
    first = stage.requests()[-1]["body"]
    stage.later(3600)
    stage.provider().send(operation)
    assert stage.requests()[-1]["body"] == first
    assert "expires_at" not in first


def test_a_session_carries_our_marks_where_they_are_looked_for(stage: StripeStage) -> None:
    """The operation and the invoice are on the session and on the payment that comes of it."""
    operation = stage.opening()
    stage.provider().send(operation)
    form = form_of(stage.requests()[-1])
    for holder in ("metadata", "payment_intent_data[metadata]"):
        assert form[f"{holder}[operation]"] == operation.id
        assert form[f"{holder}[invoice]"] == operation.params["invoice"]
    assert form["client_reference_id"] == operation.params["invoice"]
    assert form["mode"] == "payment"
    assert not any(name.startswith("payment_method_types") for name in form)


@pytest.mark.parametrize(
    ("amount", "sent"),
    [
        (Money(1234, "USD"), 1234),
        (Money(5000, "JPY"), 5000),
        (Money(1230, "KWD"), 1230),
        (Money(500, "ISK"), 50000),
        (Money(500, "UGX"), 50000),
        (Money(1, "EUR"), 1),
    ],
    ids=str,
)
def test_d1_amounts_are_written_as_stripe_documents_them(stage: StripeStage, amount: Money, sent: int) -> None:
    """D1, D2: hand-written literals, so that a wrong factor cannot hide in a round trip."""
    stage.provider().send(stage.opening(request_of(amount)))
    line = {name.removeprefix("line_items[0]"): value for name, value in form_of(stage.requests()[-1]).items()}
    assert (line["[price_data][unit_amount]"], line["[quantity]"]) == (str(sent), "1")
    assert line["[price_data][currency]"] == amount.currency.lower()


def test_d3_an_amount_that_stripe_cannot_charge_is_refused(stage: StripeStage) -> None:
    """D3: the third decimal of a dinar must be 0; it is not rounded away."""
    with pytest.raises(Refused):
        stage.provider().plan_checkout(request_of(Money(1231, "KWD")))


def test_b17_every_call_names_the_pinned_version(stage: StripeStage, provider: Provider, vendor: StandIn) -> None:
    """B17: the account's own default version never decides what an object looks like."""
    vendor.answer("/v1/account", {"id": "acct_1", "object": "account"})
    vendor.answer(SESSIONS, session())
    vendor.answer("/v1/payment_intents/pi_1", intent())
    vendor.answer("/v1/events", listing())
    provider.account()
    provider.send(stage.opening())
    provider.read("pi_1")
    assert list(provider.events(0)) == []
    assert {asked.headers["stripe-version"] for asked in vendor.asked} == {"2026-10-28.endive"}
    assert len(vendor.asked) == 4


def test_b17_an_sdk_for_another_version_is_refused(stage: StripeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An SDK of another series must be looked at before it is used; a newer one of ours only adds to it."""
    monkeypatch.setattr(stripe, "api_version", "2026-12-16.endive")
    assert stage.provider().account().id
    monkeypatch.setattr(stripe, "api_version", "2031-01-01.zeta")
    with pytest.raises(Refused, match="2031-01-01"):
        stage.provider().account()


def test_the_sdk_tells_nothing_about_this_machine(provider: Provider, vendor: StandIn) -> None:
    """Telemetry is off: no id of this machine, no timing of the call before."""
    vendor.answer("/v1/account", {"id": "acct_1", "object": "account"})
    provider.account()
    provider.account()
    for asked in vendor.asked:
        assert "telemetry_id" not in asked.headers["x-stripe-client-user-agent"]
        assert "x-stripe-client-telemetry" not in asked.headers


def test_netrc_does_not_replace_our_key(
    stage: StripeStage, vendor: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `.netrc` with a default entry would send somebody's password to Stripe instead of our key."""
    (tmp_path / "netrc").write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    vendor.answer("/v1/account", {"id": "acct_1", "object": "account"})
    stage.provider(stripe_api_base=vendor.url, mode="test").account()
    assert vendor.asked[0].headers["authorization"] == f"Bearer {stage.settings[SECRET_KEY]}"


def test_no_proxy_is_asked_in_simulator_mode(stage: StripeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves the machine, whatever the environment says about proxies."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert stage.provider().account().id


def test_c40_a_redirect_is_not_followed(stage: StripeStage, provider: Provider, vendor: StandIn) -> None:
    """C40: our key and our request go to Stripe's address and nowhere else."""
    with StandIn() as elsewhere:
        elsewhere.answer(SESSIONS, session())
        vendor.answer(SESSIONS, b"", 307, Location=elsewhere.url + SESSIONS)
        with pytest.raises(Uncertain):
            provider.send(stage.opening())
        assert elsewhere.asked == []


def test_without_a_key_nothing_is_sent(stage: StripeStage) -> None:
    """An empty key is named, with what to do about it."""
    before = len(stage.requests())
    with pytest.raises(NotAllowed) as refusal:
        stage.provider(stripe_secret_key="").account()
    assert "STRIPE_SECRET_KEY" in refusal.value.message
    assert "check_setup.py" in refusal.value.hint
    assert len(stage.requests()) == before


@pytest.mark.parametrize("key", ["rk_live_1", "sk_live_1"])
def test_a_live_key_is_known_by_its_name(stage: StripeStage, vendor: StandIn, key: str) -> None:
    """G4: whether money is real is known without asking for more rights than the key has."""
    vendor.answer("/v1/account", {"id": "acct_1", "object": "account"})
    assert stage.provider(stripe_api_base=vendor.url, mode="live", stripe_secret_key=key).account().livemode


def test_a_key_of_an_unknown_kind_is_asked_for_its_mode(stage: StripeStage, vendor: StandIn) -> None:
    """A key whose name says nothing: Stripe's balance says it."""
    vendor.answer("/v1/account", {"id": "acct_1", "object": "account"})
    vendor.answer("/v1/balance", {"object": "balance", "livemode": False})
    assert not stage.provider(stripe_api_base=vendor.url, stripe_secret_key="key_1").account().livemode


# -- looking ---------------------------------------------------------------------------------------


def test_looking_goes_through_every_page(stage: StripeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """C25: the oldest of many sessions is found by listing to the end."""
    monkeypatch.setattr(stripe_room, "PAGE_SIZE", 2)
    provider, oldest = stage.provider(), stage.opening()
    result = provider.send(oldest)
    for _ in range(5):
        provider.send(stage.opening())
    assert provider.find(oldest) == result


def test_events_go_through_every_page(stage: StripeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """B20: a sweep that ends after one page would lose the older events."""
    provider = stage.provider()
    since = stage.clock.now()
    for _ in range(3):
        stage.pay(provider.send(stage.opening())["checkout_id"])
    whole = [event.id for event in provider.events(since)]
    monkeypatch.setattr(stripe_room, "PAGE_SIZE", 2)
    assert [event.id for event in provider.events(since)] == whole
    assert len(whole) >= 9


def test_c25_nothing_is_ever_searched(stage: StripeStage) -> None:
    """C25: Stripe's search lags a minute behind; an outcome is learnt from lists and objects alone."""
    provider, operation = stage.provider(), stage.opening()
    provider.find(operation)
    provider.send(operation)
    provider.find(operation)
    assert not any("search" in asked["path"] for asked in stage.requests())


@pytest.mark.parametrize(
    "page",
    [listing(more=True), {"object": "list", "has_more": False}, {"object": "list", "data": {}, "has_more": False}],
    ids=["more without objects", "no objects", "objects of another shape"],
)
def test_a_list_that_breaks_off_is_not_an_absence(
    stage: StripeStage, provider: Provider, vendor: StandIn, page: Json
) -> None:
    """C25: 'not found' needs a complete read; half a list is none."""
    vendor.answer(SESSIONS, page)
    with pytest.raises(Unavailable):
        provider.find(stage.opening())


def test_a_list_that_goes_in_circles_ends(stage: StripeStage, provider: Provider, vendor: StandIn) -> None:
    """A server that repeats its page for ever does not hold us for ever."""
    vendor.answer(SESSIONS, listing(session(), more=True))
    with pytest.raises(Unavailable):
        provider.find(stage.opening())


# -- states and facts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "open"}, "open"),
        ({"status": "expired", "url": None}, "expired"),
        ({"status": "complete", "payment_status": "paid", "payment_intent": "pi_1"}, "paid"),
        ({"status": "complete", "payment_status": "no_payment_required"}, "paid"),
        ({"status": "complete", "payment_intent": {"id": "pi_1", "status": "processing"}}, "processing"),
        ({"status": "complete", "payment_intent": "pi_1"}, "processing"),
        ({"status": "complete", "payment_intent": {"id": "pi_1", "status": "requires_payment_method"}}, "expired"),
        ({"status": "complete", "payment_intent": {"id": "pi_1", "status": "canceled"}}, "expired"),
    ],
)
def test_b13_a_complete_page_is_not_yet_a_paid_one(
    provider: Provider, vendor: StandIn, changes: Json, status: str
) -> None:
    """B13: a bank debit is on its way for days, and may fail in the end: then the page is dead, and unpaid."""
    vendor.answer(f"{SESSIONS}/cs_test_1", session(**changes))
    assert provider.checkout("cs_test_1").status == status


@pytest.mark.parametrize(
    "changes",
    [{"status": "pending"}, {"status": "failed", "paid": False}, {"captured": False}, {"paid": False}],
    ids=str,
)
def test_b13_money_that_has_not_moved_is_no_fact(provider: Provider, vendor: StandIn, changes: Json) -> None:
    """B13, B14: only a charge that succeeded, is paid and captured is money."""
    vendor.answer("/v1/payment_intents/pi_1", intent(status="processing", latest_charge=charge(**changes)))
    assert provider.read("pi_1").facts == ()


def test_an_intent_without_a_charge_proves_nothing(provider: Provider, vendor: StandIn) -> None:
    """A page was opened and left: nothing happened yet."""
    vendor.answer("/v1/payment_intents/pi_1", intent(status="requires_payment_method", latest_charge=None))
    assert provider.read("pi_1").facts == ()


def test_the_charge_that_succeeded_is_found_behind_the_latest(provider: Provider, vendor: StandIn) -> None:
    """The latest attempt of a paid intent need not be the one that paid it."""
    failed = charge(id="ch_2", status="failed", paid=False)
    vendor.answer("/v1/payment_intents/pi_1", intent(latest_charge=failed))
    vendor.answer("/v1/charges", listing(failed, more=True))
    vendor.answer("/v1/charges", listing(charge()))
    assert [fact.key for fact in provider.read("pi_1").facts] == ["ch_1"]


def test_a_payment_is_usually_one_call(stage: StripeStage) -> None:
    """Reading a payment costs one request: the intent with all that is needed in it."""
    provider = stage.provider()
    checkout_id = provider.send(stage.opening())["checkout_id"]
    stage.pay(checkout_id)
    payment = provider.checkout(checkout_id).payment
    before = len(stage.requests())
    assert provider.read(payment).facts
    assert len(stage.requests()) == before + 1


def test_d11_a_fee_is_in_the_currency_that_the_account_settles_in(provider: Provider, vendor: StandIn) -> None:
    """D11: 50.00 EUR may settle in dollars; the fee is then so many dollars."""
    transaction = {"id": "txn_1", "object": "balance_transaction", "created": 1795400005, "currency": "usd", "fee": 190}
    euros = charge(currency="eur", amount_captured=5000, balance_transaction=transaction)
    vendor.answer("/v1/payment_intents/pi_1", intent(latest_charge=euros))
    payment, fee = provider.read("pi_1").facts
    assert isinstance(payment, PaymentSucceeded)
    assert payment.amount == Money(5000, "EUR")
    assert fee == ProcessorFee(
        provider="stripe", key="txn_1:fee", occurred_at=1795400005, payment="pi_1", amount=Money(190, "USD")
    )


def test_a_fee_of_nothing_is_no_fact(provider: Provider, vendor: StandIn) -> None:
    """Where Stripe keeps nothing there is nothing to book."""
    transaction = {"id": "txn_1", "object": "balance_transaction", "created": 1795400005, "currency": "usd", "fee": 0}
    vendor.answer("/v1/payment_intents/pi_1", intent(latest_charge=charge(balance_transaction=transaction)))
    assert [fact.kind for fact in provider.read("pi_1").facts] == ["PaymentSucceeded"]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_captured": None},
        {"amount_captured": "6000"},
        {"amount_captured": True},
        {"currency": None},
        {"created": None},
        {"id": 5},
    ],
    ids=str,
)
def test_c20_a_charge_that_lacks_a_figure_proves_nothing(provider: Provider, vendor: StandIn, changes: Json) -> None:
    """C20: a missing amount is never nothing, and never guessed."""
    vendor.answer("/v1/payment_intents/pi_1", intent(latest_charge=charge(**changes)))
    reading = provider.read("pi_1")
    assert [fact for fact in reading.facts if fact.kind == "PaymentSucceeded"] == []
    assert [(one.vendor, one.payment) for one in reading.unreadable] == [("stripe", "pi_1")]


def test_a_fee_that_cannot_be_understood_leaves_the_payment(provider: Provider, vendor: StandIn) -> None:
    """3.87 ISK, which has no decimals: the customer paid all the same, and the row of the fee is named."""
    row = {"id": "txn_1", "object": "balance_transaction", "created": 1, "fee": 387, "currency": "isk"}
    vendor.answer("/v1/payment_intents/pi_1", intent(latest_charge=charge(balance_transaction=row)))
    reading = provider.read("pi_1")
    assert [fact.kind for fact in reading.facts] == ["PaymentSucceeded"]
    assert [(one.id, one.field, one.currency) for one in reading.unreadable] == [("txn_1", "fee", "ISK")]


def test_b19_a_new_state_of_a_page_is_not_guessed(provider: Provider, vendor: StandIn) -> None:
    """B19: Stripe adds values; one that is not known here stops that page and nothing else."""
    vendor.answer(f"{SESSIONS}/cs_test_1", session(status="paused"))
    with pytest.raises(Unavailable):
        provider.checkout("cs_test_1")


# -- the vendor's own schema -----------------------------------------------------------------------


def test_every_request_is_one_that_stripe_documents(stage: StripeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this file sent to the simulator, Stripe's published schema accepts too."""
    folder = os.environ.get("TILLBOOK_CONTRACTS")
    if not folder:
        pytest.skip("vendor schemas not present")
    monkeypatch.syspath_prepend(folder)
    check_request = import_module("stripe_contract").check_request
    operation = stage.opening()
    provider = stage.provider()
    result = provider.send(operation)
    provider.find(operation)
    stage.pay(result["checkout_id"])
    provider.read(provider.checkout(result["checkout_id"]).payment)
    list(provider.events(0))
    provider.send(operation_of(provider.plan_close(provider.send(stage.opening())["checkout_id"]), 0))
    seen = {(asked["method"], asked["path"], asked["body"] or asked["query"]) for asked in stage.requests()}
    problems = {asked: found for asked in seen if (found := check_request(*asked))}
    assert problems == {}


def test_the_pinned_version_is_of_the_installed_sdks_series() -> None:
    """The SDK's types and ours describe the same objects."""
    assert stripe.api_version.partition(".")[2] == calls.STRIPE_VERSION.partition(".")[2]
