"""When Stripe fails, refuses or answers oddly: what each means for us, and what of it is ever shown."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.providers import set_stage
from helpers.providers.stripe.stage import StripeStage
from helpers.providers.words import operation_of, request_of
from helpers.vendors.stand_in import StandIn
from tillbook.kit.errors import NotAllowed, Refused, Throttled, TillbookError, Unavailable, Uncertain
from tillbook.vendors.protocols import Provider
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


def error(kind: str, message: str, **fields: str) -> Json:
    """An error as Stripe words it."""
    return {"error": {"type": kind, "message": message, **fields}}


def test_c9_a_key_in_use_is_in_progress(stage: StripeStage) -> None:
    """C9: another process is just sending the same operation; the next attempt gets its answer."""
    operation = stage.opening()
    stage.fail("create", "409")
    assert stage.provider().send(operation)["checkout_id"]


def test_c9_a_key_that_stays_in_use_is_uncertain(stage: StripeStage) -> None:
    """C9: a conflict is no failure: the other process may be succeeding at this moment."""
    stage.fail("create", "409", times=3)
    with pytest.raises(Uncertain):
        stage.provider().send(stage.opening())


@pytest.mark.parametrize(
    ("asked", "understood", "waits"),
    [("3", 3.0, [3.0, 3.0]), ("60", 60.0, []), ("soon", 1.0, [1.0, 1.0]), ("-1", 1.0, [1.0, 1.0])],
)
def test_c23_a_lock_time_out_waits_as_asked(
    stage: StripeStage, provider: Provider, vendor: StandIn, asked: str, understood: float, waits: list[float]
) -> None:
    """C23: a 429 is a pause, also as a lock_timeout; one longer than we wait goes up to cron."""
    busy = error("invalid_request_error", "This object cannot be accessed right now.", code="lock_timeout")
    vendor.answer(SESSIONS, busy, 429, Retry_After=asked)
    with pytest.raises(Throttled) as pause:
        provider.send(stage.opening())
    assert pause.value.retry_after_seconds == understood
    assert stage.clock.slept == waits


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_stripe_does_not_take_is_not_allowed(
    stage: StripeStage, provider: Provider, vendor: StandIn, status: int
) -> None:
    """G5: the operation was not refused for what it asks; it goes on once the key is right."""
    vendor.answer(SESSIONS, error("invalid_request_error", "Invalid API Key provided"), status)
    with pytest.raises(NotAllowed) as refusal:
        provider.send(stage.opening())
    assert "check_setup.py" in refusal.value.hint
    with pytest.raises(NotAllowed):
        stage.provider(stripe_secret_key="sk_test_wrong").account()


def test_a_key_that_may_not_close_is_not_allowed(stage: StripeStage, provider: Provider, vendor: StandIn) -> None:
    """A key without the right to close says nothing about the page, so the page is not asked either."""
    vendor.answer(f"{SESSIONS}/cs_test_1/expire", error("invalid_request_error", "Not with this key"), 403)
    vendor.answer(f"{SESSIONS}/cs_test_1", {})
    with pytest.raises(NotAllowed):
        provider.send(operation_of(provider.plan_close("cs_test_1"), stage.clock.now()))
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, error("invalid_request_error", "Amount too small", code="amount_too_small"), "amount_too_small"),
        (400, error("invalid_request_error", "Nope"), ""),
        (402, error("card_error", "Declined", code="card_declined"), "card_declined"),
        (404, error("invalid_request_error", "No such thing", code="resource_missing"), "resource_missing"),
        (400, error("idempotency_error", "Other parameters"), "idempotency_error"),
    ],
)
def test_a_refusal_keeps_stripes_own_word(
    stage: StripeStage, provider: Provider, vendor: StandIn, status: int, body: Json, code: str
) -> None:
    """A refusal is final and says which one it is."""
    vendor.answer(SESSIONS, body, status)
    with pytest.raises(Refused) as refusal:
        provider.send(stage.opening())
    assert refusal.value.code == code
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("status", [408, 409, 424, 500, 502, 503, 504])
def test_an_unclear_answer_is_uncertain_for_a_change(
    stage: StripeStage, provider: Provider, vendor: StandIn, status: int
) -> None:
    """C2: 'something went wrong' does not say that nothing was done."""
    vendor.answer(SESSIONS, error("api_error", "Something went wrong"), status)
    with pytest.raises(Uncertain):
        provider.send(stage.opening())
    assert len({asked.headers["idempotency-key"] for asked in vendor.asked}) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"error": []}',
        b'{"id": 5, "object": "checkout.session"}',
    ],
    ids=repr,
)
@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_is_not_stripes_is_uncertain(
    stage: StripeStage, provider: Provider, vendor: StandIn, body: bytes, status: int
) -> None:
    """What cannot be read proves neither success nor failure; a read of it is only unavailable."""
    vendor.answer(SESSIONS, body, status)
    vendor.answer(f"{SESSIONS}/cs_test_1", body, status)
    with pytest.raises(Uncertain):
        provider.send(stage.opening())
    with pytest.raises(Unavailable):
        provider.checkout("cs_test_1")


def test_g19_a_vendors_words_are_made_safe(stage: StripeStage, provider: Provider, vendor: StandIn) -> None:
    """G7, G8, G19: no key, no card number and no terminal escape comes through in an error, and no essay."""
    words = f"Bad \x1b[31mthing\u202e with {stage.settings[SECRET_KEY]} and 4242 4242 4242 4242\n" + "x" * 5000
    vendor.answer(SESSIONS, error("invalid_request_error", words), 400)
    with pytest.raises(Refused) as refusal:
        provider.send(stage.opening())
    said = refusal.value.message
    assert said.isprintable()
    assert stage.settings[SECRET_KEY] not in said
    assert "4242 4242" not in said
    assert len(said) < 400


def test_a19_no_traceback_holds_what_was_sent_or_answered(
    stage: StripeStage, provider: Provider, vendor: StandIn
) -> None:
    """A19, G1: the SDK's errors carry whole bodies; ours do not, nor do they lead back to them."""
    vendor.answer(SESSIONS, {**error("invalid_request_error", "No"), "secret": "customer-words"}, 400)
    operation = stage.opening(request_of(email="grace@example.com"))
    with pytest.raises(TillbookError) as failure:
        provider.send(operation)
    shown = "".join(traceback.format_exception(failure.value))
    for secret in ("customer-words", "grace@example.com", stage.settings[SECRET_KEY]):
        assert secret not in shown


def test_g2_the_sdks_own_switch_is_off(stage: StripeStage) -> None:
    """G2: STRIPE_LOG=debug in the environment would print customers to the terminal."""
    script = (
        "from tillbook.kit import settings\n"
        "from tillbook.kit.clock import Clock\n"
        "from tillbook.vendors.providers import declared_settings\n"
        "from tillbook.vendors.stripe.calls import StripeCalls\n"
        "calls = StripeCalls(settings.load(declared_settings()), Clock())\n"
        "print(calls.read(lambda client: client.v1.balance.retrieve())['object'])\n"
    )
    home = stage.settings.simulator_state.parent
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "STRIPE_LOG": "debug", "TILLBOOK_HOME": str(home), "PYTHONPATH": str(EXECUTION)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "balance\n", "")


def test_nothing_of_the_sdk_is_imported_before_the_first_call(stage: StripeStage, tmp_path: Path) -> None:
    """A receiver verifies events and a step plans without paying for the SDK's import."""
    body = stage.message()
    (tmp_path / "body").write_bytes(body)
    header = stage.signed(body, at=stage.clock.now())["stripe-signature"]
    script = (
        "import sys; from pathlib import Path\n"
        "from tillbook.kit import settings\n"
        "from tillbook.kit.clock import Clock\n"
        "from tillbook.vendors.providers import declared_settings, open_provider\n"
        "known = settings.load(declared_settings())\n"
        "provider = open_provider('stripe', known, Clock(known.clock_file))\n"
        "provider.verify({'stripe-signature': sys.argv[1]}, Path(sys.argv[2]).read_bytes())\n"
        "assert not {'stripe', 'requests', 'urllib3'} & set(sys.modules)\n"
    )
    home = stage.settings.simulator_state.parent
    done = subprocess.run(
        [sys.executable, "-c", script, header, str(tmp_path / "body")],
        env={**os.environ, "TILLBOOK_HOME": str(home), "PYTHONPATH": str(EXECUTION)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
