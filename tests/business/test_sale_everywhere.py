"""A whole sale at every provider, step by step, as a person or cron takes it: the steps name no provider.

What is special of one provider stands in other files. Here nothing is known of it but what its folder declares.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from helpers.providers import NAMES, more_providers, stage_of
from helpers.reconciling import usd
from helpers.refunding import book_balances, documents, in_ledger, state
from helpers.sale import Json, Shop
from helpers.web.receiving import receiving
from simulator.server import Simulator
from tillbook.proof import invariants
from tillbook.vendors.providers import declared

INVOICE = "INV-1001"


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """A provider of the product or of the tests."""
    with more_providers():
        yield str(request.param)


@pytest.fixture(scope="module")
def world(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A world in which that provider's vendor is simulated."""
    with Simulator(tmp_path_factory.mktemp("world") / "simulator", vendors=stage_of(name).vendors) as running:
        yield running


@pytest.fixture
def shop(world: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A new home in that world."""
    with Shop.opened(world, tmp_path / "home", monkeypatch) as opened:
        yield opened


def done(shop: Shop, script: str, *arguments: str) -> Json:
    """The result of a step that did what it was asked to."""
    ran = shop.run(script, *arguments)
    assert ran.code == 0, ran.out + ran.err
    return ran.json


def settled(shop: Shop, name: str) -> None:
    """What cron's steps do, one by one: events, facts, books, mails. Approved pages are captured before."""
    if declared(name).captures:
        done(shop, "run_pending")
    shop.later(60)
    done(shop, "poll_events", "--provider", name)
    for script in ("process_inbox", "post_to_books", "send_messages"):
        done(shop, script)
    assert list(invariants.broken(shop.till.ledger)) == []


def fee_of(shop: Shop, name: str) -> int:
    """What the processor kept, in minor units, by its own word."""
    found = state(shop)
    return sum(found["captured"][name].values()) - sum(found["statement"][name].values())


def test_a_sale_goes_all_the_way(shop: Shop, name: str) -> None:
    """Connected, invoiced, paid once, in the books, mailed, given back in part, and proven to the cent."""
    account = declared(name).clearing
    connected = done(shop, "connect_quickbooks")
    assert account.in_books("USD") in connected["accounts"]
    done(shop, "create_invoice", shop.order(INVOICE))
    page = done(shop, "create_checkout", INVOICE, "--provider", name)
    assert (page["provider"], page["amount"], page["already_done"]) == (name, usd(6000), False)
    again = done(shop, "create_checkout", INVOICE, "--provider", name)
    assert (again["checkout_id"], again["already_done"]) == (page["checkout_id"], True)
    shop.pay(page["checkout_id"])
    settled(shop, name)

    fee = fee_of(shop, name)
    assert fee > 0
    assert in_ledger(shop) == {account.ledger: 6000 - fee, "Processing Fees": fee, "Revenue": -6000}
    assert documents(shop) == ["Payment 60.00"]
    assert book_balances(shop, account.in_books("USD")) == {account.in_books("USD"): "60.00"}
    assert [mail["subject"] for mail in shop.mails()] == [f"Receipt for {INVOICE}: 60.00 USD paid"]

    refunded = done(shop, "refund_payment", INVOICE, "--amount", "20.00", "--reason", "Too much")
    assert (refunded["status"], refunded["amount"], refunded["remaining"]) == ("succeeded", usd(2000), usd(4000))
    settled(shop, name)
    assert documents(shop) == ["Payment 60.00", "RefundReceipt 20.00"]
    assert book_balances(shop, account.in_books("USD")) == {account.in_books("USD"): "40.00"}

    shop.later(declared(name).statement_lag_seconds + 300)
    proven = done(shop, "reconcile_payments")
    assert proven["discrepancies"] == []
    ours = [proof for proof in proven["proofs"] if proof["name"].startswith(declared(name).title)]
    assert [proof["left"] for proof in ours] == [proof["right"] for proof in ours] == [usd(4000 - fee)]
    kind = "balance" if declared(name).tells_balance else "statement"
    assert [proof["name"] for proof in ours] == [f"{declared(name).title} {kind} USD"]

    chain = done(shop, "show_payment", refunded["payment"])["chain"]
    told = {link["what"] for link in chain}
    assert {"invoice", "fact PaymentSucceeded", "fact ProcessorFee", "fact PaymentRefunded"} <= told
    assert {"document Payment", "document RefundReceipt"} <= told
    checks = {check["name"]: check for check in done(shop, "check_setup")["checks"]}
    assert all(check["ok"] for check in checks.values())
    assert {f"{name} account", f"{name} webhooks"} <= set(checks)


def test_a_sale_by_mail_is_paid_on_our_page_and_told_by_webhook(
    shop: Shop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail leads to our page, its button to the provider's; the signed event brings the money without polling."""
    done(shop, "create_invoice", shop.order(INVOICE))
    with receiving(shop, monkeypatch) as receiver:
        done(shop, "send_invoice", INVOICE)
        (mail,) = shop.mails()
        ours = next(word for word in mail["text"].split() if word.startswith(f"{receiver.url}/pay/"))
        assert declared(name).title in requests.get(ours, timeout=10).text
        sent = requests.post(f"{ours}?provider={name}", timeout=10, allow_redirects=False)
        (page,) = shop.till.ledger.sales.checkouts_of_invoice(INVOICE)
        assert (page.provider, sent.headers["location"]) == (name, page.url)
        shop.pay(page.id)
        if declared(name).captures:
            done(shop, "run_pending")
        shop.later(60)
        receiver.delivered()
    assert name in shop.till.ledger.inbox.newest()
    for script in ("process_inbox", "post_to_books"):
        done(shop, script)
    assert documents(shop) == ["Payment 60.00"]
    assert in_ledger(shop)["Revenue"] == -6000


def test_a_dry_run_opens_nothing(shop: Shop, name: str) -> None:
    """It names the door and the amount, and the vendor hears of no page."""
    done(shop, "create_invoice", shop.order(INVOICE))
    before = shop.requests(name, "POST")
    plan = done(shop, "create_checkout", INVOICE, "--provider", name, "--dry-run")["plan"]
    assert [(one["kind"], one["door"], one["params"]["amount"]) for one in plan] == [("create_checkout", name, "60.00")]
    asked = [one for one in shop.requests(name, "POST")[len(before) :] if "token" not in one["path"]]
    assert asked == []
