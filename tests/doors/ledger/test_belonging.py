"""A ledger belongs to one mode and one set of vendor accounts; whatever leads elsewhere is refused and not asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from helpers.sale import Shop
from simulator.server import Simulator
from tillbook.kit.errors import Refused
from tillbook.ledger import Ledger
from tillbook.vendors.providers import clearing


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Simulator]:
    """Another world with other accounts: somebody else's Stripe and QuickBooks."""
    with Simulator(tmp_path / "elsewhere") as running:
        yield running


def asked(simulator: Simulator) -> list[str]:
    found = requests.get(f"{simulator.url}/_control/requests", timeout=10).json()["requests"]
    return [f"{row['method']} {row['path']}" for row in found]


def moved(shop: Shop, simulator: Simulator) -> None:
    """The settings of this home lead to the other world now."""
    (shop.home / "simulator.json").write_text(json.dumps({"state": str(simulator.world.folder)}))


STEPS = [("create_checkout", "INV-1001"), ("poll_events",), ("process_inbox",), ("run_pending",)]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[0])
def test_a14_e12_another_account_is_refused_before_anything_is_changed_there(
    shop: Shop, elsewhere: Simulator, step: tuple[str, ...]
) -> None:
    """The keys of another Stripe account and QuickBooks company: at most the question whose they are is asked."""
    shop.paid()
    moved(shop, elsewhere)
    elsewhere.world.advance(120)  # the events are due by this world's clock too
    ran = shop.run(*step)
    if step[0] == "process_inbox":  # events stay where they are, with the reason
        assert ran.json["applied"] == 0
        assert any("belongs to stripe" in row["reason"] for row in shop.till.ledger.inbox.parked())
    else:
        assert ran.code == 3, ran.err
        said = ran.err + ran.out
        assert "this ledger belongs to" in said
    assert {line for line in asked(elsewhere) if not line.startswith("GET /v1/account")} == set()


def test_a14_another_key_of_the_same_account_is_taken(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rolled key leads to the same account: asked once whose it is, then remembered."""
    shop.invoiced()
    shop.run("create_checkout", "INV-1001")
    rolled = "sk_test_" + "7" * 48
    monkeypatch.setitem(shop.simulator.world.accounts, "stripe_secret_key", rolled)
    monkeypatch.setenv("STRIPE_SECRET_KEY", rolled)
    before = len(shop.requests("stripe", "GET", "/v1/account"))
    for _ in range(2):
        ran = shop.run("create_checkout", "INV-1001")
        assert ran.code == 0, ran.err
    assert len(shop.requests("stripe", "GET", "/v1/account")) == before + 1


def test_e12_another_company_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The realm of somebody else's books: exit code 3, and QuickBooks is not asked."""
    shop.invoiced()
    asked_before = len(shop.requests("quickbooks"))
    monkeypatch.setenv("QUICKBOOKS_REALM_ID", "9999999999")
    ran = shop.run("create_invoice", shop.order("INV-2"))
    assert ran.code == 3
    assert "belongs to quickbooks" in ran.err
    assert len(shop.requests("quickbooks")) == asked_before


@pytest.mark.parametrize(("mode", "key"), [("test", "sk_test_"), ("live", "sk_live_")])
def test_a14_a_ledger_of_another_mode_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, mode: str, key: str
) -> None:
    """What was tried out in the simulator never mixes with money, nor test money with real."""
    shop.invoiced()
    asked_before = len(shop.requests())
    monkeypatch.setenv("TILLBOOK_MODE", mode)
    monkeypatch.setenv("STRIPE_SECRET_KEY", key + "1" * 24)
    for script, *arguments in (*STEPS, ("create_invoice", shop.order("INV-2"))):
        ran = shop.run(script, *arguments)
        assert ran.code == 3
        assert "belongs to mode simulator" in ran.err
    assert len(shop.requests()) == asked_before


def test_a_binding_is_for_ever(tmp_path: Path) -> None:
    """The same again is fine, another one is refused, and nothing is rebound."""
    ledger = Ledger(tmp_path / "ledger.db", clearing)
    with ledger.transaction():
        ledger.binding.bind("stripe", "acct_1")
        ledger.binding.bind("stripe", "acct_1")
    with pytest.raises(Refused, match="belongs to stripe acct_1"), ledger.transaction():
        ledger.binding.bind("stripe", "acct_2")
    assert ledger.binding.bound() == {"stripe": "acct_1"}
    ledger.close()


def test_a_dry_run_binds_nothing(shop: Shop) -> None:
    """--dry-run of the first step leaves the ledger as unbound as it was (its mode aside)."""
    assert shop.run("create_invoice", shop.order(), "--dry-run").code == 0
    assert set(shop.till.ledger.binding.bound()) <= {"mode"}
