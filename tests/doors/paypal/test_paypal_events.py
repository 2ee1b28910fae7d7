"""PayPal's events: strictness, what each is about, and one sample for every type that means something."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pprint import pformat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.providers import set_stage
from helpers.providers.paypal.stage import PayPalStage
from helpers.providers.stage import HurriedClock
from helpers.providers.words import raised
from helpers.settings import bare
from helpers.vendors.stand_in import StandIn
from tillbook.kit.errors import Forged, Refused, Unavailable, Unreadable
from tillbook.kit.settings import Settings
from tillbook.rules.events import Event
from tillbook.vendors.paypal import provider as paypal_room
from tillbook.vendors.paypal.provider import PayPalProvider
from tillbook.vendors.paypal.webhooks.events import RELEVANT, listed_event, read_event, shown_event

Json = dict[str, Any]
EXECUTION = Path(__file__).parents[3] / "execution"
SAMPLES = Path(__file__).parents[2] / "samples/paypal"
NAMES = sorted(path.name for path in SAMPLES.iterdir())
ORDER, CAPTURE, REFUND = "5O190127TN364715T", "2GG279541U471931P", "1JU08902781691411"
API = "https://api-m.sandbox.paypal.com/v2"


def settings_of(base: str) -> Settings:
    """Settings for a PayPal at this address."""
    keys = {"paypal_client_id": "client", "paypal_client_secret": "secret", "paypal_webhook_id": "WH1"}
    return bare(paypal_api_base=base, **keys)


def event(kind: str = "CHECKOUT.ORDER.APPROVED", **changes: Any) -> Json:
    """An event of PayPal's, with the fields that are read."""
    plain = {
        "id": "WH-1",
        "event_type": kind,
        "create_time": "2026-11-26T09:05:00.000Z",
        "resource_version": "2.0",
        "resource": {"id": ORDER},
    }
    return {**plain, **changes}


def read(raw: Any) -> Event:
    return read_event(json.dumps(raw).encode(), livemode=False, delivery="d-1")


@pytest.fixture
def vendor() -> Iterator[StandIn]:
    """A server that gives the recorded objects, and a token to everybody."""
    with StandIn() as server:
        server.answer("/v1/oauth2/token", {"access_token": "t", "token_type": "Bearer", "expires_in": 3600})
        yield server


# -- samples ---------------------------------------------------------------------------------------


def test_every_type_that_means_something_has_a_sample() -> None:
    """The list of types and the samples are the same list."""
    assert set(NAMES) == set(RELEVANT)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_reads_as_expected(name: str, vendor: StandIn) -> None:
    """From the event as PayPal sends it, by way of the order as PayPal gives it, to the facts beside it."""
    body, shown = ((SAMPLES / name / f"{kind}.json").read_bytes() for kind in ("event", "object"))
    order = json.loads(shown)
    found = read_event(body, livemode=False, delivery="d-1")
    assert (found.type, found.body, found.delivery) == (name, body, "d-1")
    vendor.answer(f"/v2/checkout/orders/{order['id']}", order)
    if found.object_id != order["id"]:  # a refund names its capture, and that its order
        above = {"id": found.object_id, "supplementary_data": {"related_ids": {"order_id": order["id"]}}}
        vendor.answer(f"/v2/checkout/orders/{found.object_id}", {"name": "RESOURCE_NOT_FOUND"}, 404)
        vendor.answer(f"/v2/payments/captures/{found.object_id}", above)
    answer = pformat(PayPalProvider(settings_of(vendor.url), HurriedClock()).read(found.object_id)) + "\n"
    expected = SAMPLES / name / "reading.txt"
    if os.environ.get("TILLBOOK_ACCEPT"):  # writes the answers anew; then read the diff
        expected.write_text(answer)
    assert answer == expected.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_what_paypal_documents(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples satisfy PayPal's published schema, so what they teach is not our own fancy."""
    folder = os.environ.get("TILLBOOK_CONTRACTS")
    if not folder:
        pytest.skip("vendor schemas not present")
    monkeypatch.syspath_prepend(folder)
    check = import_module("paypal_contract").check_response
    shown, order = (json.loads((SAMPLES / name / f"{kind}.json").read_bytes()) for kind in ("event", "object"))
    assert check("GET", f"/v1/notifications/webhooks-events/{shown['id']}", 200, shown) == []
    assert check("GET", f"/v2/checkout/orders/{order['id']}", 200, order) == []


# -- what an event is about ------------------------------------------------------------------------


def up(kind: str, key: str) -> Json:
    """A resource with a link upwards."""
    return {
        "id": REFUND,
        "links": [{"rel": "self", "href": API}, {"rel": "up", "href": f"{API}/payments/{kind}/{key}"}],
    }


def related(**ids: Any) -> Json:
    return {"id": CAPTURE, "supplementary_data": {"related_ids": ids}}


@pytest.mark.parametrize(
    ("kind", "resource", "about"),
    [
        ("CHECKOUT.ORDER.APPROVED", {"id": ORDER}, ORDER),
        ("PAYMENT.CAPTURE.COMPLETED", related(order_id=ORDER), ORDER),
        ("PAYMENT.CAPTURE.PENDING", {"id": CAPTURE}, CAPTURE),
        ("PAYMENT.CAPTURE.DENIED", related(order_id=None), CAPTURE),
        ("PAYMENT.CAPTURE.COMPLETED", related(order_id="../v1/identity"), CAPTURE),
        ("PAYMENT.CAPTURE.REFUNDED", up("captures", CAPTURE), CAPTURE),
        ("PAYMENT.CAPTURE.REVERSED", up("captures", CAPTURE + "/"), CAPTURE),
        ("PAYMENT.REFUND.FAILED", up("captures", "a%2Fb"), REFUND),
        ("PAYMENT.REFUND.PENDING", {"id": REFUND, "links": "none"}, REFUND),
        ("PAYMENT.REFUND.PENDING", {"id": REFUND, "links": [None, {"rel": "up"}]}, REFUND),
        ("CHECKOUT.ORDER.APPROVED", {"id": ["odd"]}, ""),
        ("CUSTOMER.DISPUTE.CREATED", {"id": "PP-D-1"}, ""),
        ("BILLING.SUBSCRIPTION.CREATED", {"id": "I-1"}, ""),
    ],
)
def test_b19_an_event_is_about_what_can_be_read(kind: str, resource: Json, about: str) -> None:
    """B19: the order where it is named, else the capture; a type that is not known is about nothing and is kept."""
    assert read(event(kind, resource=resource)).object_id == about


def test_the_envelope_is_read_as_it_is() -> None:
    """Times are UTC seconds, the account is the payee where it is named, and the bytes stay what they were."""
    body = json.dumps(event(resource={"id": ORDER, "payee": {"merchant_id": "7KVAN6P3GXVF3"}})).encode()
    assert read_event(body, livemode=True, delivery="69cd13f0") == Event(
        provider="paypal",
        id="WH-1",
        type="CHECKOUT.ORDER.APPROVED",
        object_id=ORDER,
        account="7KVAN6P3GXVF3",
        livemode=True,
        api_version="2.0",
        created_at=1795683900,
        body=body,
        delivery="69cd13f0",
    )
    assert read(event()).account == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": ""},
        {"id": "x" * 256},
        {"id": "WH-1\n"},
        {"id": 7},
        {"event_type": None},
        {"event_type": "caf\u00e9"},
        {"resource": None},
        {"resource": [{"id": ORDER}]},
        {"create_time": None},
        {"create_time": 1795683900},
        {"create_time": "soon"},
        {"create_time": "1969-12-31T23:59:59Z"},
        {"resource_version": 2},
    ],
    ids=str,
)
def test_a18_an_envelope_of_another_shape_is_refused(changes: Json) -> None:
    """A18: a missing field, or one of another type, is no event; the reason is said."""
    assert raised(Refused, read, event(**changes)).message.startswith("not an event: ")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b"\xff", b'{"id": "a", "id": "b"}', b'{"a": NaN}', b"[" * 2000, b'{"a":' * 70],
)
def test_a18_what_is_no_strict_json_is_refused(body: bytes) -> None:
    """A18: doubled names, NaN, deep nesting, broken text: refused by the same strict reader as everywhere."""
    with pytest.raises(Refused, match="not an event"):
        read_event(body, livemode=False, delivery="")


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_resource_is_read_or_refused(resource: Any) -> None:
    """Whatever a resource holds, nothing else than Refused comes of it."""
    for kind in RELEVANT:
        try:
            found = read(event(kind, resource=resource))
        except Refused:
            continue
        assert isinstance(found.object_id, str)


# -- what is polled --------------------------------------------------------------------------------


def test_a_listed_event_keeps_canonical_bytes() -> None:
    """The same event gives the same bytes each time it is polled, however PayPal orders its names."""
    raw = event()
    again = dict(reversed(raw.items()))
    (found,) = listed_event(raw, livemode=False)
    assert (found,) == listed_event(again, livemode=False)
    assert found.delivery == ""


@pytest.mark.parametrize(
    ("status", "kind"),
    [("APPROVED", "order approved"), ("COMPLETED", "order completed"), ("VOIDED", "order voided"), ("CREATED", None)],
)
def test_b20_an_order_that_is_read_tells_what_it_shows(status: str, kind: str | None) -> None:
    """B20: once for each status that means something, without the customer's name; an open one says nothing."""
    order = {"id": ORDER, "status": status, "create_time": "2026-11-26T09:05:00Z", "payer": {"name": "Ada"}}
    found = next(shown_event(order, livemode=False), None)
    assert (found and found.type) == kind
    if found:
        assert (found.id, found.object_id, found.created_at) == (f"{ORDER}:{status}", ORDER, 1795683900)
        assert b"Ada" not in found.body
        (later,) = shown_event({**order, "update_time": "2026-11-26T09:06:00Z"}, livemode=False)
        assert (later.id, later.created_at) == (found.id, 1795683960)


def test_an_order_without_its_status_is_not_guessed() -> None:
    """An answer from something between us and PayPal says nothing of an order."""
    raised(Unreadable, lambda: list(shown_event({"id": ORDER}, livemode=False)))


# -- verified as the settings say ------------------------------------------------------------------


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PayPalStage]:
    """One simulator for this file."""
    with set_stage("paypal", tmp_path_factory.mktemp("home")) as stage:
        yield stage


def test_a8_paypal_itself_may_be_the_judge(stage: PayPalStage) -> None:
    """A8: asked for each delivery, with the bytes as they came; what PayPal does not know is forged."""
    judged = stage.provider(paypal_webhook_check="call")
    for body in (stage.message().strip(), json.dumps(event(), indent=7).encode()):
        headers = stage.signed(body, at=stage.clock.now())
        for _ in range(2):
            assert judged.asks_first(headers)
            found = judged.verify(headers, body)
            assert (found.body, found.delivery) == (body, headers["paypal-transmission-id"])
        raised(Forged, judged.verify, headers, body.replace(b"WH-", b"wh-"))
    assert not list(stage.settings.home.glob("paypal-certificates/*"))


def test_the_delivery_is_the_transmission(stage: PayPalStage) -> None:
    """A3, B1: the same event sent again is another delivery, with its own id; each is read."""
    body = stage.message()
    sent = [stage.signed(body, at=stage.clock.now()) for _ in range(2)]
    found = [stage.usual.verify(headers, body) for headers in sent]
    assert [one.delivery for one in found] == [headers["paypal-transmission-id"] for headers in sent]
    assert found[0].id == found[1].id
    assert found[0].delivery != found[1].delivery


def test_nothing_heavy_is_imported_before_the_first_call(stage: PayPalStage) -> None:
    """A step plans, and a receiver starts, without paying for the client's or the cryptography's import."""
    script = (
        "import sys\n"
        "from tillbook.kit import settings\n"
        "from tillbook.kit.clock import Clock\n"
        "from tillbook.vendors.providers import declared_settings, open_provider\n"
        "known = settings.load(declared_settings())\n"
        "provider = open_provider('paypal', known, Clock(known.clock_file))\n"
        "provider.webhook_ready()\n"
        "provider.asks_first({})\n"
        "provider.plan_close('5O190127TN364715T')\n"
        "assert not {'paypalrestsdk', 'requests', 'urllib3', 'cryptography'} & set(sys.modules)\n"
    )
    home = stage.settings.simulator_state.parent
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "TILLBOOK_HOME": str(home), "PYTHONPATH": str(EXECUTION)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_b20_events_go_through_every_page(stage: PayPalStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """B20: a sweep that ends after one page would lose the older events."""
    stage.later(10)
    since = stage.clock.now()
    for _ in range(2):
        stage.paid()
    whole = [event.id for event in stage.usual.events(since)]
    monkeypatch.setattr(paypal_room, "_EVENTS_A_PAGE", "2")
    assert [event.id for event in stage.usual.events(since)] == whole
    assert len(whole) == 6


def test_a_list_that_goes_in_circles_ends(vendor: StandIn) -> None:
    """A server that repeats its page for ever does not hold us for ever; what is no list is none."""
    path, provider = "/v1/notifications/webhooks-events", PayPalProvider(settings_of(vendor.url), HurriedClock())
    vendor.answer(path, {"events": [], "links": [{"rel": "next", "href": f"{vendor.url}{path}?next_id=WH-1"}]})
    raised(Unavailable, lambda: list(provider.events(0)))
    vendor.answer(path, {"events": {"id": "WH-1"}})
    raised(Unavailable, lambda: list(provider.events(0)))


def test_an_event_of_another_kind_does_not_stop_the_list(vendor: StandIn) -> None:
    """B19: a type that means nothing here may look as it likes."""
    vendor.answer("/v1/notifications/webhooks-events", {"events": [{"event_type": "NEW.KIND"}, {}], "links": []})
    assert list(PayPalProvider(settings_of(vendor.url), HurriedClock()).events(0)) == []
