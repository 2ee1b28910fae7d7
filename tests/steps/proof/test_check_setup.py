"""check_setup.py: every check is ok, or says what to do; exit 3 when something must be changed."""

from __future__ import annotations

import pytest

from check_setup import check_setup
from helpers.dry_runs import changes
from helpers.ledgers import raw
from helpers.sale import Json, Shop


def checks(shop: Shop, *, code: int) -> dict[str, Json]:
    ran = shop.run("check_setup")
    assert ran.code == code, ran.out
    found = {check["name"]: check for check in ran.json["checks"]}
    assert all(set(check) == {"name", "ok", "hint"} and check["hint"] for check in found.values())
    return found


def failing(found: dict[str, Json]) -> set[str]:
    return {name for name, check in found.items() if not check["ok"]}


def test_a_company_that_was_connected_is_in_order(shop: Shop) -> None:
    """After connect_quickbooks.py everything is ok, also after a whole sale."""
    assert shop.run("connect_quickbooks").code == 0
    assert failing(checks(shop, code=0)) == set()
    shop.finished()
    assert failing(checks(shop, code=0)) == set()


def test_a_new_installation_is_told_to_connect(shop: Shop) -> None:
    """The clearing account is not there yet: exit 3 with the command that makes it."""
    found = checks(shop, code=3)
    assert failing(found) == {"quickbooks accounts"}
    assert "connect_quickbooks.py" in found["quickbooks accounts"]["hint"]


def test_nothing_is_changed_at_any_vendor(shop: Shop) -> None:
    """Looking is reading."""
    shop.run("check_setup")
    assert changes(shop) == []


def test_f7_a_ledger_that_others_can_read(shop: Shop) -> None:
    """Rights that let others read are named with the command that mends them."""
    shop.run("connect_quickbooks")
    shop.till.settings.ledger.chmod(0o644)
    found = checks(shop, code=3)
    assert failing(found) == {"file rights"}
    assert "chmod" in found["file rights"]["hint"]


def test_an_operation_that_nobody_knows(shop: Shop) -> None:
    """Unfinished operations are named, with run_pending.py."""
    shop.run("connect_quickbooks")
    shop.fail("quickbooks", "*/invoice", "drop_after", method="POST", times=3)
    shop.run("create_invoice", shop.order())
    found = checks(shop, code=3)
    assert "create_invoice INV-1001 (unknown)" in found["operations"]["hint"]
    assert "run_pending.py" in found["operations"]["hint"]


def test_a_vendor_that_is_down_is_one_line(shop: Shop) -> None:
    """QuickBooks is away: its checks fail in words, Stripe's are ok, and nothing is a bug."""
    shop.run("connect_quickbooks")
    shop.fail("quickbooks", "*", "500", times=99)
    failed = failing(checks(shop, code=3))
    assert "quickbooks company" in failed
    assert not {name for name in failed if name.startswith("stripe")}


@pytest.mark.parametrize("secret", ["sk_test_wrongwrongwrongwrong"])
def test_a_wrong_key_is_told_without_it(shop: Shop, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """Stripe does not know the key: the check says so and does not repeat it."""
    shop.run("connect_quickbooks")
    monkeypatch.setenv("STRIPE_SECRET_KEY", secret)
    ran = shop.run("check_setup")
    assert ran.code == 3
    assert secret not in ran.out + ran.err


@pytest.mark.parametrize(
    ("provider", "path", "what"),
    [
        ("stripe", "*/balance", "balance"),
        ("stripe", "*/balance_transactions", "balance transactions"),
        ("stripe", "*/charges", "charges"),
        ("stripe", "*/refunds", "refunds"),
        ("stripe", "*/disputes", "disputes"),
        ("stripe", "*/events", "events"),
        ("stripe", "*/payment_intents", "payment intents"),
        ("paypal", "*/customer/disputes", "disputes"),
        ("paypal", "*/webhooks-events", "webhooks events"),
        ("paypal", "*/reporting/transactions", "transaction search"),
    ],
)
def test_a_key_that_may_not_read_something_is_told_by_name(shop: Shop, provider: str, path: str, what: str) -> None:
    """A restricted key: each read that a step will need is tried, and what is missing is named."""
    shop.run("connect_quickbooks")
    shop.fail(provider, path, "403", times=99)
    ran = shop.run("check_setup")
    assert ran.code == 3
    (line,) = [check for check in ran.json["checks"] if check["name"] == f"{provider} permissions"]
    assert not line["ok"]
    assert line["hint"].endswith(f"Give the key permission to read: {what}.")


def test_a_key_that_may_read_everything_is_told_so(shop: Shop) -> None:
    """Each provider's line lists what was tried."""
    shop.run("connect_quickbooks")
    lines = {check["name"]: check for check in shop.run("check_setup").json["checks"]}
    for name, reads in {"stripe": ("balance", "charges"), "paypal": ("transaction search", "disputes")}.items():
        line = lines[f"{name} permissions"]
        assert line["ok"]
        assert all(read in line["hint"] for read in reads)


def test_the_plain_function_does_the_same(shop: Shop) -> None:
    """Other scripts import the function."""
    assert {check.name for check in check_setup(till=shop.till).checks} >= {"settings", "invariants", "mail"}


def damaged(shop: Shop, invoice: str) -> None:
    """Somebody with a database tool books one cent of an invoice more than was paid."""
    connection = raw(shop.till.settings.ledger, tamper=True)
    connection.execute(
        "update line set amount_minor = amount_minor + 1 where entry in"
        " (select entry from line where invoice = ?) and amount_minor > 0",
        (invoice,),
    )
    assert connection.changes() > 0
    connection.close()


def said(shop: Shop, *options: str) -> tuple[int, str]:
    """The exit code, and what the line on the invariants says."""
    ran = shop.run("check_setup", *options)
    return ran.code, next(check["hint"] for check in ran.json["checks"] if check["name"] == "invariants")


def test_what_came_after_the_last_full_check_is_looked_at_every_time(shop: Shop) -> None:
    """The short form says how many facts that were, and finds what is wrong with one of them."""
    shop.run("connect_quickbooks")
    shop.finished("INV-1")
    code, hint = said(shop)
    assert (code, "no --full check" in hint) == (0, True)
    assert said(shop, "--full") == (0, f"all hold over {shop.till.ledger.facts.count()} facts")
    assert said(shop) == (0, "all hold over 0 facts since the last full check")
    shop.finished("INV-2")
    assert said(shop)[1].startswith("all hold over 3 facts since")
    damaged(shop, "INV-2")
    code, hint = said(shop)
    assert code == 3
    assert "are not what the rules say" in hint


def test_what_lies_before_it_is_looked_at_when_it_is_asked_for(shop: Shop) -> None:
    """Damage below the last full check is not seen by the short form, and by the full one it is."""
    shop.run("connect_quickbooks")
    shop.finished("INV-1")
    assert said(shop, "--full")[0] == 0
    damaged(shop, "INV-1")
    assert said(shop)[0] == 0
    code, hint = said(shop, "--full")
    assert code == 3
    assert "INV-1" in hint or "are not what" in hint or "add up" in hint
    assert said(shop)[1].startswith("all hold over 0 facts"), "a full check that failed is none"
