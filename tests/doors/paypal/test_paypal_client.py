"""PayPal's client against a server that misbehaves: every defect of the SDK is mended, and stays so."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from helpers.settings import changed, loaded
from helpers.vendors.misbehaving import (
    TOKEN_PATH,
    Behaviour,
    Misbehaving,
    SetClock,
    act,
    answer,
    chunked,
    cut,
    drop,
    failure_of,
    hang,
    in_time,
    only_with,
    problem,
    token_for,
)
from tillbook.kit.errors import NotAllowed, Refused, Throttled, TillbookError, Unavailable, Uncertain
from tillbook.kit.settings import Settings
from tillbook.vendors.paypal.calls import PayPalCalls
from tillbook.vendors.paypal.client import TOKEN_MARGIN_SECONDS, Client

Json = dict[str, Any]
EXECUTION = Path(__file__).parents[3] / "execution"
CLIENT_ID = "AYSq3RDGsmBLJE-otTkBtM-jBRd1TCQwFf9RGfwddNXWz0uFU9ztymylOhRS"
CLIENT_SECRET = "EGnHDxD_qRPdaLdZz8iCr8N7_MzF-YHPTkjs6NKYQvQSBngp4PTTVWkPZRbL"
ORDERS = "/v2/checkout/orders"
ORDER = f"{ORDERS}/5O190127TN364715T"
VERIFY = "/v1/notifications/verify-webhook-signature"
SECONDS = 0.4

AUTHENTICATION_FAILURE = {"name": "AUTHENTICATION_FAILURE", "message": "Authentication failed due to ..."}


@pytest.fixture
def vendor() -> Iterator[Misbehaving]:
    """A server that behaves as a test tells it to."""
    with Misbehaving() as server:
        yield server


@pytest.fixture
def known(vendor: Misbehaving, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """Settings of test mode, with our server at PayPal's address."""
    values = {
        "TILLBOOK_MODE": "test",
        "TILLBOOK_HOME": str(tmp_path),
        "TILLBOOK_TIMEOUT_SECONDS": str(SECONDS),
        "PAYPAL_CLIENT_ID": CLIENT_ID,
        "PAYPAL_CLIENT_SECRET": CLIENT_SECRET,
        "PAYPAL_API_BASE": vendor.url,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return loaded()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def calls(known: Settings, clock: SetClock) -> PayPalCalls:
    """What is tested: calls that go to our server."""
    return PayPalCalls(known, clock)


@pytest.fixture
def patient(known: Settings, clock: SetClock) -> PayPalCalls:
    """Calls with time enough for every attempt; the pauses between them are noted only."""
    return PayPalCalls(changed(known, timeout_seconds=20), clock)


def as_it_is(body: Json) -> Json:
    return body


def create(calls: PayPalCalls, request_id: str = "operation-1") -> Json:
    """A call that changes something."""
    return calls.change(ORDERS, {"intent": "CAPTURE"}, request_id, as_it_is)


# -- time ----------------------------------------------------------------------------------------------


def test_c24_a_hanging_token_is_not_waited_for(vendor: Misbehaving, calls: PayPalCalls) -> None:
    """C24: without a token nothing was asked, so a change did nothing either, and all who wait for it end in time."""
    vendor.on(TOKEN_PATH, hang)
    with in_time(SECONDS), ThreadPoolExecutor(4) as threads:
        failures = [one.exception() for one in [threads.submit(create, calls) for _ in range(4)]]
    assert {type(failure) for failure in failures} == {Unavailable}
    assert vendor.calls == []


# -- credentials and the token -------------------------------------------------------------------------


def test_a_storm_of_401_costs_two_requests(vendor: Misbehaving, calls: PayPalCalls, clock: SetClock) -> None:
    """The SDK repeats until the stack is full; one new token and one more attempt tell enough."""
    vendor.on(ORDERS, answer(AUTHENTICATION_FAILURE, 401))
    with in_time(SECONDS):
        failure = failure_of(lambda: create(calls), NotAllowed)
    assert "check_setup.py" in failure.hint
    assert [seen.token for seen in vendor.calls] == ["token-1", "token-2"]
    assert (len(vendor.token_requests), clock.slept) == (2, [])


def test_a_token_that_expired_is_replaced_once(vendor: Misbehaving, calls: PayPalCalls) -> None:
    """A 401 did nothing, so the same call goes again, under the same request id, with a new token."""
    vendor.on(ORDERS, only_with("token-2"))
    assert create(calls) == {"id": "DONE", "request": "operation-1"}
    assert [(seen.token, seen.request_id) for seen in vendor.calls] == [
        ("token-1", "operation-1"),
        ("token-2", "operation-1"),
    ]
    create(calls, "operation-2")
    assert len(vendor.token_requests) == 2


def test_a_token_ends_by_our_clock_and_a_minute_early(vendor: Misbehaving, calls: PayPalCalls, clock: SetClock) -> None:
    """The SDK measures with datetime.now and to the last second; a simulated world has its own time."""
    vendor.on(ORDER, answer({"id": "A"}))
    vendor.on(TOKEN_PATH, token_for(600))
    begun = clock.at
    for at, tokens in ((0, 1), (600 - TOKEN_MARGIN_SECONDS - 1, 1), (600 - TOKEN_MARGIN_SECONDS, 2), (-5000, 3)):
        clock.at = begun + at
        calls.read(ORDER)
        assert len(vendor.token_requests) == tokens


@pytest.mark.parametrize("seconds", [0, -1, None, "soon", 30], ids=repr)
def test_a_token_that_says_no_time_serves_one_call(vendor: Misbehaving, calls: PayPalCalls, seconds: object) -> None:
    """A token that is nearly over, or says nothing that can be read, is used and not kept."""
    vendor.on(ORDER, answer({"id": "A"}))
    vendor.on(TOKEN_PATH, token_for(seconds))
    calls.read(ORDER)
    calls.read(ORDER)
    assert [seen.token for seen in vendor.calls] == ["token-1", "token-2"]


def test_eight_threads_make_one_token_request(vendor: Misbehaving, calls: PayPalCalls) -> None:
    """The SDK has no lock: threads that begin together, or find the token dead together, ask once."""
    vendor.on(TOKEN_PATH, token_for(32_400, after=0.05))
    vendor.on(ORDERS, only_with("token-1"))
    names = [f"operation-{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        assert len(list(threads.map(lambda name: create(calls, name), names))) == 8
    assert len(vendor.token_requests) == 1
    vendor.on(ORDERS, only_with("token-2"))
    with ThreadPoolExecutor(8) as threads:
        assert len(list(threads.map(lambda name: create(calls, name), names))) == 8
    assert len(vendor.token_requests) == 2


def test_no_header_of_a_call_reaches_the_token_endpoint(vendor: Misbehaving, calls: PayPalCalls) -> None:
    """The SDK sends PayPal-Request-Id there too; the token could then be an old one that is replayed."""
    vendor.on(ORDERS, act)
    create(calls)
    asked = vendor.token_requests[0]
    assert asked.body == b"grant_type=client_credentials"
    assert asked.headers["authorization"].startswith("Basic ")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert {"paypal-request-id", "prefer"}.isdisjoint(asked.headers)


@pytest.mark.parametrize(
    ("behaviour", "kind", "requests"),
    [
        (answer({"error": "invalid_client", "error_description": "Client Authentication failed"}, 401), NotAllowed, 1),
        (answer({"error": "unsupported_grant_type", "error_description": "Grant Type is NULL"}, 400), NotAllowed, 1),
        (answer(b"<html>", 503), Unavailable, 3),
        (answer({"access_token": "a\nb", "token_type": "Bearer", "expires_in": 9}), Unavailable, 3),
        (answer({"token_type": "Bearer"}), Unavailable, 3),
    ],
)
def test_without_a_token_nothing_was_asked(
    vendor: Misbehaving, patient: PayPalCalls, behaviour: Behaviour, kind: type[TillbookError], requests: int
) -> None:
    """A change that never left is no doubt, and a wrong secret is no refusal of what was to be done."""
    vendor.on(TOKEN_PATH, behaviour)
    failure_of(lambda: create(patient), kind)
    assert (len(vendor.token_requests), vendor.calls) == (requests, [])


def test_without_credentials_nothing_is_asked(vendor: Misbehaving, known: Settings, clock: SetClock) -> None:
    """A provider that is not set up says so."""
    failure_of(lambda: PayPalCalls(changed(known, paypal_client_secret=""), clock).read(ORDER), NotAllowed)
    assert vendor.seen == []


# -- what is sent --------------------------------------------------------------------------------------


def test_a_get_has_no_body(vendor: Misbehaving, calls: PayPalCalls) -> None:
    """The SDK sends `null` with every GET, which strict servers answer with 415."""
    vendor.on("/v1/reporting/transactions", answer({"page": 1}))
    params = {"start_date": "2026-11-01T00:00:00Z", "fields": "transaction_info"}
    assert calls.read("/v1/reporting/transactions", params) == {"page": 1}
    asked = vendor.calls[0]
    assert (asked.method, asked.body) == ("GET", b"")
    assert asked.query == "start_date=2026-11-01T00%3A00%3A00Z&fields=transaction_info"
    assert {"content-length", "content-type", "transfer-encoding", "paypal-request-id"}.isdisjoint(asked.headers)


def test_every_attempt_carries_the_same_request_id(vendor: Misbehaving, patient: PayPalCalls, clock: SetClock) -> None:
    """C3: a retry under another id could do it twice."""
    vendor.on(ORDERS, answer(b"<html>", 502), drop, act)
    assert create(patient)["id"] == "DONE"
    assert [seen.request_id for seen in vendor.calls] == ["operation-1"] * 3
    assert [seen.headers["prefer"] for seen in vendor.calls] == ["return=representation"] * 3
    assert {seen.body for seen in vendor.calls} == {b'{"intent": "CAPTURE"}'}
    assert len(clock.slept) == 2


def test_a_change_without_a_request_id_is_a_mistake_of_ours(
    vendor: Misbehaving, calls: PayPalCalls, known: Settings, clock: SetClock
) -> None:
    """The SDK's `post` has no request id of its own, so nothing goes out without one."""
    for request_id in ("", "two words", "x" * 109):
        with pytest.raises(ValueError, match="PayPal-Request-Id"):
            create(calls, request_id)
    client = Client(known, clock)
    for send in (client.post, client.put, client.patch):
        with pytest.raises(ValueError, match="PayPal-Request-Id"):
            send("v2/checkout/orders", {"intent": "CAPTURE"})
    with pytest.raises(ValueError, match="PayPal-Request-Id"):
        client.delete("v2/checkout/orders")
    assert vendor.seen == []


def test_the_sdks_own_ways_in_are_mended_too(vendor: Misbehaving, known: Settings, clock: SetClock) -> None:
    """`get` and `post` of the SDK come through the same request."""
    vendor.on(ORDERS, act)
    vendor.on(ORDER, answer({"id": "A"}))
    client = Client(known, clock)
    assert client.get("v2/checkout/orders/5O190127TN364715T") == {"id": "A"}
    assert client.post("v2/checkout/orders", {}, headers={"PayPal-Request-Id": "operation-1"})["id"] == "DONE"
    assert [seen.body for seen in vendor.calls] == [b"", b"{}"]
    assert vendor.calls[1].request_id == "operation-1"
    assert client.headers()["Authorization"] == "Bearer token-1"
    with pytest.raises(ValueError, match="credentials"):
        client.get_refresh_token("code")


def test_a8_the_bytes_of_an_event_go_out_unchanged(vendor: Misbehaving, patient: PayPalCalls) -> None:
    """A8: written again they would fail PayPal's check. The call changes nothing, so it has no request id."""
    vendor.on(VERIFY, answer(b"<html>", 502), answer({"verification_status": "SUCCESS"}))
    raw = '{"webhook_event" : {"a":1.50, "ü":"\\u00fc"} }\n'.encode()
    assert patient.post_read(VERIFY, raw) == {"verification_status": "SUCCESS"}
    assert [seen.body for seen in vendor.calls] == [raw, raw]
    assert {"paypal-request-id", "prefer"}.isdisjoint(vendor.calls[0].headers)
    vendor.on(VERIFY, drop)
    failure_of(lambda: patient.post_read(VERIFY, raw), Unavailable)


@pytest.mark.parametrize(
    "path", ["/v2/x/../y", "/v2/x?y=1", "/v2/x/A B", "/v2//x", "/v2/x/\\1", "v2/x", "/v2/x/é", "/v2/x\n"]
)
def test_a_path_with_anything_odd_is_never_sent(vendor: Misbehaving, calls: PayPalCalls, path: str) -> None:
    """An id from outside must not choose another address; the SDK even reads a backslash as part of a pattern."""
    failure_of(lambda: calls.read(path), Refused)
    assert vendor.seen == []


def test_several_calls_use_one_connection(vendor: Misbehaving, calls: PayPalCalls) -> None:
    """The SDK connects anew for each call, and TLS takes its time."""
    vendor.on(ORDERS, answer(problem("UNPROCESSABLE_ENTITY", "X"), 422), act)
    vendor.on(ORDER, chunked)
    failure_of(lambda: create(calls), Refused)
    for _ in range(3):
        create(calls)
        calls.read(ORDER)
    assert len(vendor.seen) == 8
    assert vendor.connections == 1


# -- what is answered ----------------------------------------------------------------------------------


def test_a_400_is_refused_and_never_returned(vendor: Misbehaving, calls: PayPalCalls) -> None:
    """The SDK returns {"error": ...} for a 400, as if it were the order."""
    vendor.on(ORDERS, answer(problem("INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER"), 400))
    failure = failure_of(lambda: create(calls), Refused)
    assert failure.code == "MISSING_REQUIRED_PARAMETER"
    assert failure.message == (
        "PayPal refused: The reason in words. (MISSING_REQUIRED_PARAMETER, debug id 90957fca61718)"
    )
    assert len(vendor.calls) == 1


@pytest.mark.parametrize("behaviour", [drop, cut], ids=["dropped", "cut"])
def test_c2_a_connection_dropped_after_the_server_acted_is_uncertain(
    vendor: Misbehaving, patient: PayPalCalls, behaviour: Behaviour
) -> None:
    """C1, C2: no answer is no failure."""
    vendor.on(ORDERS, behaviour)
    vendor.on(ORDER, behaviour)
    with in_time(SECONDS):
        failure_of(lambda: create(patient), Uncertain)
    assert [seen.request_id for seen in vendor.calls] == ["operation-1"] * 3
    failure_of(lambda: patient.read(ORDER), Unavailable)


def test_what_was_done_before_the_connection_dropped_is_found_by_the_retry(
    vendor: Misbehaving, patient: PayPalCalls
) -> None:
    """C1: the next attempt under the same id gets the answer to what was done, and it is done once."""
    vendor.on(ORDERS, drop, act)
    assert create(patient)["request"] == "operation-1"
    assert vendor.acted == ["operation-1"]


@pytest.mark.parametrize(("header", "pause"), [("3", 3), ("soon", 1), ("-1", 1), ("60", 60)])
def test_c23_a_throttle_waits_as_asked(
    vendor: Misbehaving, calls: PayPalCalls, patient: PayPalCalls, clock: SetClock, header: str, pause: int
) -> None:
    """C23: a 429 is a pause of the length that it names; one that is too long goes up to cron."""
    vendor.on(ORDERS, answer(problem("RATE_LIMIT_REACHED"), 429, Retry_After=header))
    assert failure_of(lambda: create(calls), Throttled).retry_after_seconds == pause
    assert clock.slept == []
    failure_of(lambda: create(patient), Throttled)
    assert clock.slept == ([pause, pause] if pause < 10 else [])


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (403, problem("NOT_AUTHORIZED", "PERMISSION_DENIED"), NotAllowed, "PERMISSION_DENIED"),
        (404, problem("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID"), Refused, "resource_missing"),
        (422, problem("UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED"), Refused, "INSTRUMENT_DECLINED"),
        (422, problem("UNPROCESSABLE_ENTITY"), Refused, "UNPROCESSABLE_ENTITY"),
        (400, problem("RESULTSET_TOO_LARGE", "Result set size is greater than 10000."), Refused, "RESULTSET_TOO_LARGE"),
        (400, problem("validation_error", "resultset_too_large"), Refused, "RESULTSET_TOO_LARGE"),
        (415, problem("UNSUPPORTED_MEDIA_TYPE"), Refused, "UNSUPPORTED_MEDIA_TYPE"),
        (409, problem("RESOURCE_CONFLICT"), Uncertain, None),
        (422, problem("UNPROCESSABLE_ENTITY", "PREVIOUS_REQUEST_IN_PROGRESS"), Uncertain, None),
        (400, problem("DUPLICATE_REQUEST"), Uncertain, None),
        (422, problem("UNPROCESSABLE_ENTITY", "DUPLICATE_REQUEST_ID"), Uncertain, None),
        (408, problem("REQUEST_TIMEOUT"), Uncertain, None),
        (500, problem("INTERNAL_SERVER_ERROR"), Uncertain, None),
        (503, problem("SERVICE_UNAVAILABLE"), Uncertain, None),
        (503, b"<html><h1>Service Unavailable</h1></html>", Uncertain, None),
        (403, b"<html>Access Denied</html>", Uncertain, None),
        (429, b"<html>Too Many Requests</html>", Uncertain, None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_answer_has_its_meaning(
    vendor: Misbehaving,
    calls: PayPalCalls,
    status: int,
    body: Json | bytes,
    kind: type[TillbookError],
    code: str | None,
) -> None:
    """The class says whether something may have happened; a refusal keeps PayPal's own word for it."""
    vendor.on(ORDERS, answer(body, status))
    failure = failure_of(lambda: create(calls), kind)
    assert getattr(failure, "code", None) == code
    vendor.on(ORDER, answer(body, status))
    assert not isinstance(failure_of(lambda: calls.read(ORDER)), Uncertain)


def test_an_answer_without_content_is_an_empty_one(vendor: Misbehaving, calls: PayPalCalls) -> None:
    """204 is a success that says nothing."""
    vendor.on(ORDERS, answer(b"", 204))
    assert create(calls) == {}


def test_what_cannot_be_read_in_the_answer_to_a_change_is_uncertain(vendor: Misbehaving, calls: PayPalCalls) -> None:
    """The change was made: only what it came to is not known."""

    def unreadable(_body: Json) -> Json:
        raise Unavailable("it has no amount")

    vendor.on(ORDERS, act)
    for result in (unreadable, lambda body: {"id": body["missing"]}, lambda body: {"id": body["id"].minor}):
        failure_of(lambda result=result: calls.change(ORDERS, {}, "operation-1", result), Uncertain)
    assert len(vendor.calls) == 3


# -- what is shown -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a19_no_traceback_holds_what_was_sent_or_answered(vendor: Misbehaving, calls: PayPalCalls, status: int) -> None:
    """A19, G1: the SDK's errors print the whole answer; ours do not lead back to them."""
    vendor.on(ORDERS, answer(b'{"name": "X", "message": "No", "secret": "customer-words", "n": NaN}', status))
    payer = "grace@example.com"
    failure = failure_of(lambda: calls.change(ORDERS, {"payer": payer}, "operation-1", as_it_is))
    shown = "".join(traceback.format_exception(failure))
    for secret in ("customer-words", payer, CLIENT_ID, CLIENT_SECRET, "token-1", "token-2"):
        assert secret not in shown


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_g19_a_vendors_words_are_made_safe(vendor: Misbehaving, known: Settings, clock: SetClock, status: int) -> None:
    """G7, G8, G19: no credential, card number or terminal escape comes through in an error, and no essay."""
    basic = Client(known, clock).basic_auth()
    token = "A21AAFEpH4PsADK7qSS7pSRsgzfENtu-Q1ysgEDVDESseMHBYXVJYE8ovjj68elIDy8nF26AwPhfXTIeWAZHSLIsQkSYz9ifg"
    secrets = [CLIENT_ID, CLIENT_SECRET, basic, token, CLIENT_SECRET[::-1] + "x" * 20, "4242 4242 4242 4242"]
    for secret in ["token-1", *secrets]:
        words = f"Bad \x1b[31mthing\u202e {secret}\n" + "x " * 5000
        details = [{"issue": secret, "field": secret, "description": words}]
        vendor.on(ORDERS, answer({"name": secret, "message": words, "debug_id": secret, "details": details}, status))
        failure = failure_of(lambda: create(PayPalCalls(known, clock)))
        shown = failure.message + failure.hint + getattr(failure, "code", "")
        assert shown.isprintable()
        assert secret.lower() not in shown.lower()
        assert len(shown) < 800


def test_nothing_of_the_sdk_is_imported_before_the_first_call() -> None:
    """A receiver verifies events and a step plans without paying for the SDK's import."""
    script = (
        "import sys\n"
        "from tillbook.vendors import errors as vendor_errors\n"
        "from tillbook.vendors.paypal import calls as paypal_calls, errors as paypal_errors\n"
        "paypal_calls.PayPalCalls(None, None)\n"
        "assert not {'paypalrestsdk', 'requests', 'urllib3', 'ssl'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(EXECUTION)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
