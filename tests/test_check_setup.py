"""check_setup.py: every check is ok, or says what to do; exit 3 when something must be changed."""

from __future__ import annotations

import pytest

from check_setup import check_setup
from rehearsed import changes
from sale import Json, Till


def checks(till: Till, *, code: int) -> dict[str, Json]:
    ran = till.run("check_setup")
    assert ran.code == code, ran.out
    found = {check["name"]: check for check in ran.json["checks"]}
    assert all(set(check) == {"name", "ok", "hint"} and check["hint"] for check in found.values())
    return found


def failing(found: dict[str, Json]) -> set[str]:
    return {name for name, check in found.items() if not check["ok"]}


def test_a_company_that_was_connected_is_in_order(till: Till) -> None:
    """After connect_quickbooks.py everything is ok, also after a whole sale."""
    assert till.run("connect_quickbooks").code == 0
    assert failing(checks(till, code=0)) == set()
    till.finished()
    assert failing(checks(till, code=0)) == set()


def test_a_new_installation_is_told_to_connect(till: Till) -> None:
    """The clearing account is not there yet: exit 3 with the command that makes it."""
    found = checks(till, code=3)
    assert failing(found) == {"quickbooks accounts"}
    assert "connect_quickbooks.py" in found["quickbooks accounts"]["hint"]


def test_nothing_is_changed_at_any_vendor(till: Till) -> None:
    """Looking is reading."""
    till.run("check_setup")
    assert changes(till) == []


def test_f7_a_ledger_that_others_can_read(till: Till) -> None:
    """Rights that let others read are named with the command that mends them."""
    till.run("connect_quickbooks")
    till.shop.settings.ledger.chmod(0o644)
    found = checks(till, code=3)
    assert failing(found) == {"file rights"}
    assert "chmod" in found["file rights"]["hint"]


def test_an_operation_that_nobody_knows(till: Till) -> None:
    """Unfinished operations are named, with run_pending.py."""
    till.run("connect_quickbooks")
    till.fail("quickbooks", "*/invoice", "drop_after", method="POST", times=3)
    till.run("create_invoice", till.order())
    found = checks(till, code=3)
    assert "create_invoice INV-1001 (unknown)" in found["operations"]["hint"]
    assert "run_pending.py" in found["operations"]["hint"]


def test_a_vendor_that_is_down_is_one_line(till: Till) -> None:
    """QuickBooks is away: its checks fail in words, Stripe's are ok, and nothing is a bug."""
    till.run("connect_quickbooks")
    till.fail("quickbooks", "*", "500", times=99)
    failed = failing(checks(till, code=3))
    assert "quickbooks company" in failed
    assert not {name for name in failed if name.startswith("stripe")}


@pytest.mark.parametrize("secret", ["sk_test_wrongwrongwrongwrong"])
def test_a_wrong_key_is_told_without_it(till: Till, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """Stripe does not know the key: the check says so and does not repeat it."""
    till.run("connect_quickbooks")
    monkeypatch.setenv("STRIPE_SECRET_KEY", secret)
    ran = till.run("check_setup")
    assert ran.code == 3
    assert secret not in ran.out + ran.err


def test_the_plain_function_does_the_same(till: Till) -> None:
    """Other scripts import the function."""
    assert {check.name for check in check_setup(shop=till.shop).checks} >= {"settings", "invariants", "mail"}
