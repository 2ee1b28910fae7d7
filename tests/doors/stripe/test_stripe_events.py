"""Stripe's events: signatures, strictness, both forms, and one sample for every type that means something."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pprint import pformat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe import WebhookSignature

from helpers.providers.stage import HurriedClock
from helpers.settings import bare
from helpers.vendors.stand_in import StandIn
from tillbook.kit.clock import Clock
from tillbook.kit.errors import Forged, Refused
from tillbook.kit.settings import Settings
from tillbook.vendors.stripe.provider import StripeProvider
from tillbook.vendors.stripe.webhooks import signatures
from tillbook.vendors.stripe.webhooks.events import RELEVANT, read_event
from tillbook.vendors.stripe.webhooks.signatures import require_signature

Json = dict[str, Any]
SAMPLES = Path(__file__).parents[2] / "samples/stripe"
NAMES = sorted(path.name for path in SAMPLES.iterdir())
SECRET = "whsec_of_this_test"
NOW = 1795400000
NOW_FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in str(NOW))
DOCUMENTED = "b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163"


def settings(base: str, secrets: tuple[str, ...] = (SECRET,)) -> Settings:
    """Settings for a Stripe at this address."""
    keys = {"stripe_secret_key": "sk_test_of_this_test", "stripe_webhook_secret": ",".join(secrets)}
    return bare(stripe_api_base=base, **keys)


def signed(body: bytes, secret: str = SECRET, at: int = NOW) -> str:
    """The header that Stripe makes, for any bytes: its SDK signs text only."""
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def event(**changes: Any) -> Json:
    """A snapshot event, with the fields that are read."""
    plain = {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": NOW,
        "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
        "livemode": False,
        "type": "payment_intent.succeeded",
    }
    return {**plain, **changes}


def encoded(raw: Any) -> bytes:
    return json.dumps(raw).encode()


# -- samples ---------------------------------------------------------------------------------------


@pytest.fixture
def vendor() -> Iterator[StandIn]:
    """A server that gives the recorded objects."""
    with StandIn() as server:
        yield server


def test_every_type_that_means_something_has_a_sample() -> None:
    """The list of types and the samples are the same list."""
    assert set(NAMES) == set(RELEVANT)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_reads_as_expected(name: str, vendor: StandIn) -> None:
    """From the event as Stripe sends it, by way of the object as Stripe gives it, to the facts beside it."""
    body = (SAMPLES / name / "event.json").read_bytes()
    provider = StripeProvider(settings(vendor.url), HurriedClock())
    found = provider.verify({"stripe-signature": signed(body, at=Clock().now())}, body)
    assert found.type == name
    kind = "payouts" if name.startswith("payout.") else "payment_intents"
    vendor.answer(f"/v1/{kind}/{found.object_id}", json.loads((SAMPLES / name / "object.json").read_bytes()))
    answer = pformat(provider.read(found.object_id)) + "\n"
    expected = SAMPLES / name / "reading.txt"
    if os.environ.get("TILLBOOK_ACCEPT"):  # writes the answers anew; then read the diff
        expected.write_text(answer)
    assert answer == expected.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_what_stripe_documents(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples satisfy Stripe's published schema, so what they teach is not our own fancy."""
    folder = os.environ.get("TILLBOOK_CONTRACTS")
    if not folder:
        pytest.skip("vendor schemas not present")
    monkeypatch.syspath_prepend(folder)
    check_object = import_module("stripe_contract").check_object
    assert check_object(json.loads((SAMPLES / name / "event.json").read_bytes())) == []
    assert check_object(json.loads((SAMPLES / name / "object.json").read_bytes())) == []


# -- signatures ------------------------------------------------------------------------------------


def test_a_signature_as_stripe_documents_it() -> None:
    """The scheme by an independent tool: HMAC-SHA256 with the key `secret` over `1700000000.{}`."""
    require_signature(f"t=1700000000,v1={DOCUMENTED}", b"{}", ["secret"], now=1700000000)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100), st.integers(0, 10**11))
def test_what_the_sdk_signs_verifies(text: str, at: int) -> None:
    """Stripe's own SDK and this check agree on every text and every time."""
    header = WebhookSignature.generate_signature_header(text, SECRET, timestamp=at)
    require_signature(header, text.encode(), [SECRET], now=at)


@given(st.sampled_from([None, 1, "\t"]), st.booleans(), st.booleans(), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_a8_only_the_original_bytes_verify(
    indent: int | str | None, ascii_only: bool, sort: bool, separators: tuple[str, str]
) -> None:
    """A8: the same JSON written anew is another message; the bytes that came are the ones that count."""
    raw = event(data={"object": {"id": "pi_1", "note": "é\u2028\U0001f600", "n": 1.50}})
    original = json.dumps(raw).encode()
    again = json.dumps(raw, indent=indent, ensure_ascii=ascii_only, sort_keys=sort, separators=separators).encode()
    if again == original:
        require_signature(signed(original), again, [SECRET], now=NOW)
    else:
        with pytest.raises(Forged):
            require_signature(signed(original), again, [SECRET], now=NOW)


@given(st.binary(max_size=300))
def test_any_bytes_can_be_signed_and_only_those_verify(body: bytes) -> None:
    """A18: verification never decodes, so no body can break it before it is known to be genuine."""
    header = f"t={NOW},v1={'0' * 64}"
    with pytest.raises(Forged):
        require_signature(header, body, [SECRET], now=NOW)


@pytest.mark.parametrize("secret", ["whsec_old", "whsec_new"])
def test_a13_every_secret_is_tried(secret: str) -> None:
    """A13: while a secret is rolled, messages signed with either come through."""
    require_signature(signed(b"{}", secret), b"{}", ["whsec_new", "whsec_old"], now=NOW)


def test_a13_every_signature_is_tried() -> None:
    """A13: Stripe signs with both secrets while one is rolled, and adds schemes that we do not know."""
    old, new = signed(b"{}", "whsec_old"), signed(b"{}", "whsec_new").partition(",")[2]
    for known in ("whsec_old", "whsec_new"):
        require_signature(f"{old},{new},v0=00", b"{}", [known], now=NOW)


@pytest.mark.parametrize("secrets", [[], [""], [" "], ["", "\t"]])
@pytest.mark.parametrize("signer", ["", " ", "\t"])
def test_a2_an_empty_secret_signs_nothing(secrets: list[str], signer: str) -> None:
    """A2: an HMAC with an empty key is something that anybody can make."""
    with pytest.raises(Forged):
        require_signature(signed(b"{}", signer), b"{}", secrets, now=NOW)


GOOD = signed(b"{}").partition(",v1=")[2]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"v1={GOOD}",
        f"t={NOW}",
        f"t=,v1={GOOD}",
        f"t={NOW}.0,v1={GOOD}",
        f"t=+{NOW},v1={GOOD}",
        f"t={NOW_FULL_WIDTH},v1={GOOD}",
        f"t={NOW},t={NOW},v1={GOOD}",
        f"t={NOW},v0={GOOD}",
        f"t={NOW},v1=",
        f"t={NOW},v1={GOOD.upper()}",
        f"t={NOW},v1={GOOD[:-1]}",
        f"t={NOW}, v1={GOOD}",
        f"t={NOW},v1=é",
        f"t={NOW},v1={GOOD}" + ",v1=0" * 2000,
        f"t=-{NOW},v1={GOOD}",
        "t=" + "9" * 5000 + f",v1={GOOD}",
    ],
)
def test_a_header_of_another_shape_is_forged(header: str) -> None:
    """A18: no header, however odd, does anything but fail to verify."""
    with pytest.raises(Forged):
        require_signature(header, b"{}", [SECRET], now=NOW)


def test_a12_signatures_are_compared_in_constant_time() -> None:
    """A12: a comparison that stops at the first difference tells where it was."""
    source = Path(str(signatures.__file__)).read_text()
    assert "hmac.compare_digest(" in source
    assert "== signature" not in source


def test_a19_a_forgery_is_not_repeated(vendor: StandIn) -> None:
    """A19: neither the body nor the signature of a stranger gets into our logs by way of the error."""
    provider = StripeProvider(settings(vendor.url), HurriedClock())
    with pytest.raises(Forged) as forged:
        provider.verify({"stripe-signature": f"t={NOW},v1=stranger"}, b"strange words")
    shown = f"{forged.value.message} {forged.value.hint} {forged.value.__cause__} {forged.value.__context__}"
    assert "strange" not in shown


# -- strictness ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b'"event"',
        b"\xff\xfe{}",
        b'{"id": "evt_1", "id": "evt_2", "object": "event"}',
        encoded(event()).replace(b'"pi_1"', b"NaN"),
        encoded(event()).replace(b'"pi_1"', b"-Infinity"),
        encoded(event()).replace(b'"pi_1"', b"[" * 70 + b"]" * 70),
        encoded(event()).replace(b'"pi_1"', b"[" * 100_000 + b"]" * 100_000),
        encoded(event()).replace(b"1795400000", b"9" * 5000),
        encoded(event()) + b"{}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a18_a_genuine_message_must_be_strict_json(vendor: StandIn, body: bytes) -> None:
    """A18: what two parsers could read differently is refused, after its signature was found good."""
    provider = StripeProvider(settings(vendor.url), HurriedClock())
    with pytest.raises(Refused, match="not an event") as refusal:
        provider.verify({"stripe-signature": signed(body, at=Clock().now())}, body)
    assert not isinstance(refusal.value, Forged)


@pytest.mark.parametrize(
    "changes",
    [
        {"object": "charge"},
        {"object": None},
        {"id": 5},
        {"id": ""},
        {"id": None},
        {"id": "evt\n1"},
        {"id": "évt"},
        {"id": "e" * 256},
        {"type": ["payment_intent.succeeded"]},
        {"type": None},
        {"created": "1795400000"},
        {"created": True},
        {"created": -1},
        {"created": 2**63},
        {"created": 1795400000.5},
        {"livemode": "false"},
        {"livemode": 0},
        {"livemode": None},
        {"api_version": 5},
        {"account": {}},
        {"data": None},
        {"data": []},
        {"data": {"object": "pi_1"}},
    ],
    ids=str,
)
def test_a18_a_field_of_another_type_is_refused(changes: Json) -> None:
    """A18: nothing of an odd shape gets as far as the ledger."""
    with pytest.raises(Refused, match="not an event"):
        read_event(encoded(event(**changes)))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists), st.data())
def test_a18_no_value_anywhere_breaks_the_reader(value: object, data: st.DataObject) -> None:
    """A18: whatever stands in a field, the answer is an event or a refusal."""
    name = data.draw(st.sampled_from(["id", "type", "created", "livemode", "data", "account", "api_version", "object"]))
    with contextlib.suppress(Refused):
        assert read_event(encoded(event(**{name: value}))).provider == "stripe"


# -- meaning ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "subject", "object_id"),
    [
        ("payment_intent.succeeded", {"id": "pi_1"}, "pi_1"),
        ("charge.succeeded", {"id": "ch_1", "payment_intent": "pi_1"}, "pi_1"),
        ("charge.updated", {"id": "ch_1", "payment_intent": {"id": "pi_1"}}, "pi_1"),
        ("charge.updated", {"id": "ch_1", "payment_intent": None}, ""),
        ("checkout.session.completed", {"id": "cs_1", "payment_intent": "pi_1"}, "pi_1"),
        ("checkout.session.completed", {"id": "cs_1", "payment_intent": None}, "cs_1"),
        ("checkout.session.expired", {"id": "cs_1", "payment_intent": None}, ""),
        ("customer.created", {"id": "cus_1"}, ""),
        ("payment_intent.succeeded", {"id": 5}, ""),
        ("payment_intent.succeeded", {}, ""),
    ],
)
def test_an_event_names_the_object_to_read(kind: str, subject: Json, object_id: str) -> None:
    """Events of one payment are grouped by it, whichever object they are about."""
    assert read_event(encoded(event(type=kind, data={"object": subject}))).object_id == object_id


@pytest.mark.parametrize("kind", ["charge.teleported", "v9.planet.created", "x" * 255])
def test_b19_an_unknown_type_is_an_event_without_meaning(kind: str) -> None:
    """B19: Stripe adds types every month; they are kept and ignored."""
    assert read_event(encoded(event(type=kind))).object_id == ""


@pytest.mark.parametrize("version", ["2024-12-18.acacia", "2025-03-31.basil", "2031-01-01.zeta", None])
def test_b17_an_event_of_any_version_is_a_hint(version: str | None) -> None:
    """B17: an endpoint may still send an older version; it is noted, and the object is read in ours."""
    found = read_event(encoded(event(api_version=version)))
    assert found.api_version == (version or "")
    assert found.object_id == "pi_1"


def test_a14_account_and_mode_are_kept() -> None:
    """A14: whoever applies the event can see whose it is, and whether its money is real."""
    found = read_event(encoded(event(account="acct_2", livemode=True)))
    assert (found.account, found.livemode) == ("acct_2", True)
    assert read_event(encoded(event())).account == ""


THIN = {
    "id": "evt_test_1",
    "object": "v2.core.event",
    "type": "v1.billing.meter.error_report_triggered",
    "created": "2026-11-23T20:26:40.000Z",
    "livemode": False,
    "context": "acct_2",
    "related_object": {"id": "mtr_1", "type": "billing.meter", "url": "/v1/billing/meters/mtr_1"},
}


def test_b18_a_thin_event_is_read_by_its_own_rules() -> None:
    """B18: an event without data is an event too; it means nothing to us, and is kept."""
    found = read_event(encoded(THIN))
    assert (found.id, found.type, found.object_id) == ("evt_test_1", THIN["type"], "")
    assert (found.account, found.created_at, found.api_version) == ("acct_2", 1795465600, "")


@pytest.mark.parametrize(
    "changes", [{"created": 5}, {"created": "yesterday"}, {"id": None}, {"livemode": None}], ids=str
)
def test_b18_a_thin_event_is_held_to_its_fields(changes: Json) -> None:
    """B18, A18: the same strictness for both forms."""
    with pytest.raises(Refused, match="not an event"):
        read_event(encoded({**THIN, **changes}))
