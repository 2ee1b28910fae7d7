"""A vendor joins the simulator with its own folder and one line: nothing else names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from helpers.vendors.coin_box import CoinBox
from helpers.vendors.simulated_stripe import control, requests_of, wait_until
from helpers.vendors.stand_in import StandIn
from simulator.server import Simulator
from simulator.vendors import VENDORS


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator with a fourth vendor."""
    with Simulator(tmp_path_factory.mktemp("simulator"), vendors=(*VENDORS, CoinBox)) as running:
        yield running


@pytest.fixture(autouse=True)
def _new_world(simulator: Simulator) -> None:
    control(simulator, "reset", {})


def made(simulator: Simulator, amount: int = 500, key: str = "k1") -> requests.Response:
    """A checkout asked for at the vendor's API."""
    where = f"{simulator.url}/coinbox/checkouts"
    return requests.post(where, json={"amount": amount}, headers={"Coin-Key": key}, timeout=10)


def state(simulator: Simulator, **params: str) -> Any:
    """What `/_control/state` shows."""
    return requests.get(f"{simulator.url}/_control/state", params=params, timeout=10).json()


def test_its_requests_are_logged_and_its_pages_are_not(simulator: Simulator) -> None:
    """The log names the vendor and the key of the request. Its page below the same path is seen by people only."""
    made(simulator)
    assert requests.get(f"{simulator.url}/coinbox/page", timeout=10).text == "<h1>Insert coin</h1>"
    (entry,) = requests.get(f"{simulator.url}/_control/requests", timeout=10).json()["requests"]
    assert (entry["vendor"], entry["path"], entry["idempotency_key"]) == ("coinbox", "/checkouts", "k1")
    assert json.loads(entry["answer"])["amount"] == 500


def test_faults_are_ordered_for_it(simulator: Simulator) -> None:
    """It answers in its own words, and nothing happens. 409 stays for those who have it."""
    control(simulator, "faults", {"vendor": "coinbox", "kind": "429"})
    assert (made(simulator).text, len(requests_of(simulator, "/checkouts"))) == ("429", 1)
    assert "coinbox.checkout" not in state(simulator)["counts"]
    refused = control(simulator, "faults", {"vendor": "coinbox", "kind": "409"}, status=400)
    assert refused == {"error": "only stripe answers 409 (its idempotency key is in use)"}


def test_control_leads_to_the_vendor_that_knows_the_id(simulator: Simulator) -> None:
    """Paying and refunding reach it, what is impossible is 409, and the sums show it beside the others."""
    checkout = made(simulator).json()["id"]
    assert control(simulator, "pay", {"checkout_id": checkout})["paid"] == 500
    assert control(simulator, "pay", {"checkout_id": checkout}, status=409) == {
        "error": f"the checkout {checkout} is paid"
    }
    control(simulator, "refund", {"payment": checkout, "amount": 200})
    assert "nobody disputes" in control(simulator, "dispute", {"payment": checkout}, status=409)["error"]
    shown = state(simulator, kind="coinbox.checkout")
    assert shown["statement"] == {"stripe": {}, "paypal": {}, "coinbox": {"usd": 300}}
    assert list(shown["objects"]) == ["coinbox.checkout"]


def test_its_choices_are_named_and_hidden(simulator: Simulator) -> None:
    """`vendor` takes its name. What it hides is neither shown nor planted."""
    control(simulator, "refunds", {"vendor": "coinbox", "status": "slow"})
    assert simulator.world.count("coinbox.start") == 1
    assert "coinbox.start" not in state(simulator)["counts"]
    planted = {"vendor": "coinbox", "kind": "start", "id": "next", "forget": True}
    assert control(simulator, "plant", planted, status=400) == {"error": "start is the simulator's own"}


def test_its_objects_are_planted(simulator: Simulator) -> None:
    """They are altered and removed like everybody's."""
    checkout = made(simulator).json()["id"]
    about = {"vendor": "coinbox", "kind": "checkout", "id": checkout}
    assert control(simulator, "plant", {**about, "set": {"paid": 7}})["paid"] == 7
    assert control(simulator, "plant", {**about, "forget": True}) == {"forgotten": checkout}
    assert simulator.world.count("coinbox.checkout") == 0


def test_its_events_are_delivered(simulator: Simulator) -> None:
    """A bare address gets them under /webhooks/coinbox, signed by the vendor. They are held and sent again."""
    with StandIn() as standing:
        standing.answer("/webhooks/coinbox", {})
        control(simulator, "deliveries", {"to": standing.url, "paused": True, "vendor": "coinbox"})
        control(simulator, "pay", {"checkout_id": made(simulator).json()["id"]})
        assert standing.asked == []
        assert control(simulator, "deliveries", {"paused": False, "vendor": "coinbox"})["pending"] == 1
        wait_until(lambda: control(simulator, "deliveries", {"vendor": "coinbox"})["delivered"] == 1)
        assert control(simulator, "deliver", {"event_id": "event_1", "times": 2}) == {"statuses": [200, 200]}
        assert {asked.path for asked in standing.asked} == {"/webhooks/coinbox"}
        assert standing.asked[0].headers["coin-signature"].startswith("coin ")
        control(simulator, "deliveries", {"to": "", "vendor": "coinbox"})


def test_it_is_in_photographs_and_files(simulator: Simulator) -> None:
    """Its objects come back with the World, and its secrets stand beside the others' in accounts.json."""
    checkout = made(simulator).json()["id"]
    shown = simulator.photograph()
    control(simulator, "pay", {"checkout_id": checkout})
    simulator.restore(shown)
    assert [row["paid"] for row in simulator.world.all("coinbox.checkout")] == [0]
    accounts = json.loads((simulator.world.folder / "accounts.json").read_text())
    assert accounts["coinbox_key"] == "coin"
    assert {name.partition("_")[0] for name in accounts} == {"stripe", "paypal", "quickbooks", "coinbox", "form"}
