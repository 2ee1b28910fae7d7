"""connect_quickbooks.py: the company read, its accounts found or made, once."""

from __future__ import annotations

from connect_quickbooks import connect_quickbooks
from helpers.dry_runs import changes, dry_run, operations
from helpers.sale import Shop


def test_company_and_accounts(shop: Shop) -> None:
    """The simulator's company is connected from the start: its name, currency, and a clearing account of type Bank."""
    result = shop.run("connect_quickbooks").json
    assert (result["company"], result["currency"]) == ("Harbor Lane Studio LLC", "USD")
    account = {row["Id"]: row for row in shop.books("Account")}[result["accounts"]["Stripe Clearing (USD)"]]
    assert (account["AccountType"], account["AccountSubType"]) == ("Bank", "CashOnHand")


def test_a_second_run_makes_nothing(shop: Shop) -> None:
    """The same accounts, no change."""
    first = shop.run("connect_quickbooks").json
    before = changes(shop)
    assert shop.run("connect_quickbooks").json == first
    assert changes(shop) == before


def test_an_account_that_was_made_by_hand_is_found(shop: Shop) -> None:
    """Found by name and type; a new ledger does not make a second one."""
    first = shop.run("connect_quickbooks").json
    other = shop.home / "other"
    other.mkdir(mode=0o700)
    (other / "simulator.json").write_text((shop.home / "simulator.json").read_text())
    ran = shop.spawn("connect_quickbooks", TILLBOOK_HOME=str(other))
    assert ran.code == 0, ran.err
    assert ran.json["accounts"] == first["accounts"]
    assert len([row for row in shop.books("Account") if row["Name"].startswith("Stripe Clearing")]) == 1


def test_a_redirect_that_is_none_of_ours_is_refused(shop: Shop) -> None:
    """An address with a wrong state or from elsewhere connects nothing."""
    for address in (
        "https://example.com/?code=1&state=2&realmId=3",
        "nonsense",
        "http://127.0.0.1/?error=access_denied",
    ):
        ran = shop.run("connect_quickbooks", "--redirected", address)
        assert (ran.code, ran.out) == (3, "")
        assert "code=1" not in ran.err


def test_the_plain_function_does_the_same(shop: Shop) -> None:
    """Other scripts import the function."""
    assert connect_quickbooks(till=shop.till).currency == "USD"


def test_g20_a_dry_run_plans_what_the_real_run_does(shop: Shop) -> None:
    """The accounts that would be made, one for each provider, with their parameters, to the byte."""
    plan = dry_run(shop, "connect_quickbooks")["plan"]
    shop.run("connect_quickbooks")
    assert [step["kind"] for step in plan] == ["create_account"] * 2
    assert plan == operations(shop)
