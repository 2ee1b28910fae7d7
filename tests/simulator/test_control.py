"""The simulator's frame: starting and stopping, the request log, faults, the clock, state and reset."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from helpers.vendors.simulated_stripe import client, control, header, order, requests_of, typed, wait_until
from simulator.server import Simulator, SimulatorError
from simulator.wire.faults import AFTER, BEFORE

CUSTOMERS = "/v1/customers"


def order_fault(simulator: Simulator, kind: str, **more: Any) -> None:
    """Let the next request to the customers fail."""
    control(simulator, "faults", {"vendor": "stripe", "path": CUSTOMERS, "kind": kind, **more})


def create(api: stripe.StripeClient, key: str = "key-1") -> stripe.Customer:
    """Create one customer under a key."""
    return api.v1.customers.create({"name": "Ada"}, {"idempotency_key": key})


def create_in_vain(api: stripe.StripeClient) -> None:
    """Create a customer whose answer never comes."""
    with pytest.raises(stripe.APIConnectionError):
        create(api)


def test_it_says_where_it_listens(simulator: Simulator) -> None:
    """The addresses are in the state folder, readable by the owner only."""
    file = simulator.world.folder / "addresses.json"
    assert json.loads(file.read_text()) == {"url": simulator.url, "smtp_url": simulator.smtp_url}
    assert file.stat().st_mode & 0o077 == 0


def test_a_port_in_use_is_one_clear_sentence(simulator: Simulator, tmp_path: Path) -> None:
    """Starting on a taken port raises an OSError that names the port."""
    port = int(simulator.url.rsplit(":", 1)[1])
    with pytest.raises(SimulatorError, match=f"cannot listen on 127.0.0.1:{port}"):
        Simulator(tmp_path, port=port).start()


def test_stopping_leaves_no_thread_behind(tmp_path: Path) -> None:
    """Also with a request that is being held. Stopping twice is fine."""
    before = set(threading.enumerate())
    running = Simulator(tmp_path)
    running.start()
    control(running, "faults", {"vendor": "stripe", "path": "*", "kind": "timeout"})
    waiting = threading.Thread(target=create_in_vain, args=(client(running),))
    waiting.start()
    wait_until(lambda: bool(requests_of(running, CUSTOMERS)))
    running.stop()
    running.stop()
    waiting.join()
    assert set(threading.enumerate()) == before


def test_a_restart_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Objects, keys, accounts, the clock and what is still due survive."""
    with Simulator(tmp_path) as first:
        session = client(first).v1.checkout.sessions.create(order(), {"idempotency_key": "key-1"})
        control(first, "clock", {"advance_seconds": 1000})
        control(first, "pay", {"checkout_id": session.id})
        now = first.world.now()
    with Simulator(tmp_path) as second:
        assert second.world.now() >= now
        again = client(second).v1.checkout.sessions.create(order(), {"idempotency_key": "key-1"})
        assert again.id == session.id
        control(second, "clock", {"advance_seconds": 10})
        assert len(client(second).v1.balance_transactions.list().data) == 1


def test_every_vendor_request_is_logged(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Method, path, key, status, what was sent and answered. Never the secret key."""
    create(api)
    api.v1.customers.list({"limit": 2})
    posted, listed = requests_of(simulator, CUSTOMERS)
    assert (posted["vendor"], posted["method"], posted["status"]) == ("stripe", "POST", 200)
    assert (posted["idempotency_key"], posted["body"]) == ("key-1", "name=Ada")
    assert json.loads(posted["answer"])["name"] == "Ada"
    assert (listed["method"], listed["query"], listed["idempotency_key"]) == ("GET", "limit=2", None)
    everything = requests.get(f"{simulator.url}/_control/requests", timeout=10)
    assert str(simulator.world.accounts["stripe_secret_key"]) not in everything.text
    since = requests.get(f"{simulator.url}/_control/requests?since={posted['number']}", timeout=10).json()
    assert [entry["number"] for entry in since["requests"]] == [listed["number"]]


def test_requests_are_recorded_in_a_file(tmp_path: Path) -> None:
    """Each request is one JSON line, in the order they came."""
    record = tmp_path / "requests.jsonl"
    with Simulator(tmp_path / "state", record=record) as running:
        create(client(running))
        client(running).v1.balance.retrieve()
    assert [json.loads(line)["path"] for line in record.read_text().splitlines()] == [CUSTOMERS, "/v1/balance"]


@pytest.mark.parametrize("kind", ["drop_before", "429", "409", "html_502"])
def test_a_fault_before_the_act_changes_nothing(api: stripe.StripeClient, simulator: Simulator, kind: str) -> None:
    """The client sees an error, no customer was made, and the same key then works."""
    order_fault(simulator, kind)
    with pytest.raises(stripe.StripeError) as caught:
        create(api)
    if kind == "429":
        assert isinstance(caught.value, stripe.RateLimitError)
        assert (caught.value.headers or {})["retry-after"] == "1"
    assert simulator.world.count("stripe.customer") == 0
    assert create(api).name == "Ada"


@pytest.mark.parametrize("kind", ["drop_after", "timeout_after"])
def test_c1_a_lost_answer_is_replayed(api: stripe.StripeClient, simulator: Simulator, kind: str) -> None:
    """The vendor acted though the client saw nothing. The key brings the same customer."""
    order_fault(simulator, kind, seconds=0)
    with pytest.raises(stripe.APIConnectionError):
        create(api)
    assert simulator.world.count("stripe.customer") == 1
    assert header(create(api), "Idempotent-Replayed") == "true"
    assert simulator.world.count("stripe.customer") == 1
    assert [entry["status"] for entry in requests_of(simulator, CUSTOMERS)] == [None, 200]


def test_c8_a_500_stays_pinned_to_its_key(api: stripe.StripeClient, simulator: Simulator) -> None:
    """The same key fails for ever. Only another one acts."""
    order_fault(simulator, "500")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            create(api)
        assert caught.value.http_status == 500
    assert simulator.world.count("stripe.customer") == 0
    assert create(api, "key-2").name == "Ada"


def test_c9_a_key_in_use_is_a_409(api: stripe.StripeClient, simulator: Simulator) -> None:
    """While a slow request runs, the same key is answered 409. Afterwards it replays."""
    order_fault(simulator, "slow", seconds=1)
    slow = threading.Thread(target=create, args=(client(simulator),))
    slow.start()
    wait_until(lambda: simulator.world.count("stripe.customer") == 1)
    with pytest.raises(stripe.APIError) as caught:
        create(api)
    slow.join()
    assert caught.value.http_status == 409
    assert "idempotency_key_in_use" in str(caught.value.http_body)
    assert header(create(api), "Idempotent-Replayed") == "true"


def test_a_held_request_blocks_nobody(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Others are answered while one request hangs until its client loses patience."""
    order_fault(simulator, "timeout", method="POST")
    session = requests.Session()
    patience = stripe.RequestsClient(timeout=0.2, session=session)
    key = str(simulator.world.accounts["stripe_secret_key"])
    hurried = stripe.StripeClient(
        key, base_addresses={"api": simulator.url + "/stripe"}, http_client=patience, max_network_retries=0
    )
    with pytest.raises(stripe.APIConnectionError):
        create(hurried)
    session.close()
    assert api.v1.customers.list().data == []
    assert create(api).name == "Ada"


def test_c23_the_sdk_retries_what_it_should(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Dropped connections, before and after the act, are mended by the SDK's own retries with one key."""
    order_fault(simulator, "drop_before")
    order_fault(simulator, "drop_after")
    assert client(simulator, retries=2).v1.customers.create({"name": "Ada"}).name == "Ada"
    assert simulator.world.count("stripe.customer") == 1
    assert len({entry["idempotency_key"] for entry in requests_of(simulator, CUSTOMERS)}) == 1


def test_a_slow_request_is_logged_once_the_vendor_acted(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Its answer comes after a reset, and the log of the new world does not tell of it."""
    order_fault(simulator, "slow", seconds=0.5)
    running = threading.Thread(target=create, args=(api,))
    running.start()
    wait_until(lambda: simulator.world.count("stripe.customer") == 1)
    control(simulator, "reset", {})
    running.join()
    assert requests_of(simulator, CUSTOMERS) == []


def test_faults_are_listed_counted_and_cleared(api: stripe.StripeClient, simulator: Simulator) -> None:
    """A fault with wildcards hits as often as it says. The rest can be cleared."""
    control(simulator, "faults", {"vendor": "stripe", "path": "/v1/*", "kind": "429", "times": 3})
    with pytest.raises(stripe.RateLimitError):
        create(api)
    address = f"{simulator.url}/_control/faults"
    assert requests.get(address, timeout=10).json()["faults"][0]["times"] == 2
    assert requests.delete(address, timeout=10).json() == {"faults": []}
    assert create(api).name == "Ada"


@pytest.mark.parametrize(("kind", "status", "code"), [("500", 500, "10000"), ("429", 429, "3001")])
def test_quickbooks_fails_in_its_own_words(
    api: stripe.StripeClient, simulator: Simulator, kind: str, status: int, code: str
) -> None:
    """A fault for QuickBooks carries Intuit's body. Its requestid is logged as the key."""
    control(simulator, "faults", {"vendor": "quickbooks", "path": "/v3/*", "kind": kind})
    answer = requests.post(f"{simulator.url}/quickbooks/v3/company/1/invoice?requestid=op-1", json={}, timeout=10)
    assert (answer.status_code, answer.json()["Fault"]["Error"][0]["code"]) == (status, code)
    assert requests_of(simulator, "/v3/company/1/invoice")[-1]["idempotency_key"] == "op-1"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clock", {"advance_seconds": -1}),
        ("clock", {"advance_seconds": "5"}),
        ("clock", {"advance": 5}),
        ("clock", []),
        ("pay", {"checkout_id": "cs_none"}),
        ("pay", {"checkout_id": "cs_none", "card": "4111"}),
        ("faults", {"vendor": "stripe", "kind": "earthquake"}),
        ("faults", {"vendor": "acme", "kind": "500"}),
        ("faults", {"vendor": "stripe", "kind": "500", "times": 0}),
        ("faults", {"vendor": "stripe", "kind": "500", "skip": -1}),
        ("faults", {"vendor": "quickbooks", "kind": "409"}),
        ("deliver", {"event_id": "evt_none"}),
        ("deliveries", {"to": "ftp://example.com"}),
    ],
)
def test_bad_orders_are_refused_with_a_sentence(simulator: Simulator, path: str, body: Any) -> None:
    """400 and an error that says what is expected."""
    assert len(control(simulator, path, body, status=400)["error"].split()) > 3


def test_the_state_shows_everything(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Counts, whole objects and what was captured per currency. Nothing secret."""
    session = api.v1.checkout.sessions.create(order(500))
    requests.post(str(session.url), data=typed(), timeout=10, allow_redirects=False)
    control(simulator, "pay", {"checkout_id": api.v1.checkout.sessions.create(order(70, "jpy")).id})
    state = requests.get(f"{simulator.url}/_control/state", timeout=10).json()
    assert state["captured"] == {"stripe": {"usd": 500, "jpy": 70}, "paypal": {}}
    assert state["counts"]["stripe.charge"] == len(state["objects"]["stripe.charge"]) == 2
    shown = requests.get(f"{simulator.url}/_control/state?kind=stripe.charge", timeout=10)
    assert list(shown.json()["objects"]) == ["stripe.charge"]
    assert not [kind for kind in state["counts"] if "token" in kind or "idempotency" in kind]


def test_a_reset_forgets_all_but_the_accounts(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Objects, keys, faults, the log and the clock's offset are gone. The secret key still works."""
    create(api)
    order_fault(simulator, "500", times=9)
    control(simulator, "clock", {"advance_seconds": 10**6})
    accounts = dict(simulator.world.accounts)
    control(simulator, "reset", {})
    assert simulator.world.accounts == accounts
    assert requests.get(f"{simulator.url}/_control/requests", timeout=10).json() == {"requests": []}
    assert api.v1.customers.list().data == []
    assert create(api).name == "Ada"
    assert api.v1.events.list().data[0].created < simulator.world.now() + 60


def test_a_fault_skips_as_many_requests_as_it_was_told(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Two go well, the third fails, the fourth goes well: so that any call of a step can be hit."""
    order_fault(simulator, "500", method="POST", skip=2)
    create(api, "a")
    create(api, "b")
    with pytest.raises(stripe.APIError):
        create(api, "c")
    create(api, "d")
    assert len(api.v1.customers.list().data) == 3


def test_a_world_is_put_back_to_its_photograph(api: stripe.StripeClient, simulator: Simulator) -> None:
    """Objects, idempotency keys, clock and faults are as they were. What came afterwards is gone."""
    first = create(api, "kept")
    shown, now = simulator.photograph(), simulator.world.now()
    create(api, "forgotten")
    control(simulator, "clock", {"advance_seconds": 90_000})
    order_fault(simulator, "500")
    simulator.restore(shown)
    assert [one.id for one in api.v1.customers.list().data] == [first.id]
    assert create(api, "kept").id == first.id
    assert now <= simulator.world.now() < now + 90_000
    create(api, "forgotten")
    assert simulator.world.count("stripe.customer") == 2


def test_every_kind_of_fault_is_known() -> None:
    """The kinds that the documents promise, and no kind on both sides."""
    assert {
        "timeout",
        "timeout_after",
        "drop_before",
        "drop_after",
        "500",
        "429",
        "409",
        "403",
        "html_502",
        "slow",
    } == BEFORE | AFTER
    assert not BEFORE & AFTER
