"""show_payment.py: the whole chain from anything that names a part of it; the ledger alone is asked."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from helpers.ledgers import raw
from helpers.sale import SCRIPTS, Json, Shop
from show_payment import show_payment


def chain(shop: Shop, anything: str) -> list[Json]:
    found: list[Json] = shop.run("show_payment", anything).json["chain"]
    return found


def test_the_chain_of_a_finished_sale(shop: Shop) -> None:
    """Order, customer, invoice, page, events, three facts with their entries, document and mails, with their state."""
    payment = shop.finished()
    links = chain(shop, "INV-1001")
    states = {(link["what"], link["status"]) for link in links}
    assert {
        ("order", "accepted"),
        ("invoice", "paid"),
        ("event", "applied"),
        ("fact InvoiceIssued", "recorded"),
        ("fact PaymentSucceeded", "recorded"),
        ("fact ProcessorFee", "recorded"),
        ("entry", "posted"),
        ("document Payment", "posted"),
        ("mail confirmation", "sent"),
    } <= states
    assert any(payment in link["detail"] for link in links)
    for link in links:
        assert {"what", "id", "status", "amount", "at", "detail"} <= set(link)


def test_debits_and_credits_are_shown_and_equal(shop: Shop) -> None:
    """The entries of the chain add up to nothing."""
    shop.finished()
    signs = {"Dr": 1, "Cr": -1}
    lines = [link for link in chain(shop, "INV-1001") if link["what"] == "entry"]
    assert len(lines) == 6
    assert sum(signs[line["detail"][:2]] * line["amount"]["minor"] for line in lines) == 0


def test_anything_names_it(shop: Shop) -> None:
    """Mail address, payment, charge, session, event, operation, QuickBooks ids: each leads to the same chain."""
    payment = shop.finished()
    world = shop.simulator.world
    page = next(iter(world.all("stripe.checkout.session")))["id"]
    event = next(row["id"] for row in world.all("stripe.event") if row["type"] == "payment_intent.succeeded")
    operation = shop.till.ledger.operations.last("create_checkout", "stripe/INV-1001")
    assert operation is not None
    names = [payment, page, event, operation.id, "grace@example.com", "GRACE@example.com"]
    names += [row["id"] for row in world.all("stripe.charge")]
    names += [row["Id"] for kind in ("Invoice", "Payment") for row in shop.books(kind)]
    expected = chain(shop, "INV-1001")
    for name in names:
        assert chain(shop, name) == expected, name


def test_a_mail_address_shows_every_sale(shop: Shop) -> None:
    """Two invoices of one customer are two chains."""
    shop.invoiced("INV-1")
    shop.invoiced("INV-2")
    invoices = [link["id"] for link in chain(shop, "grace@example.com") if link["what"] == "invoice"]
    assert invoices == ["INV-1", "INV-2"]


@pytest.mark.parametrize("name", ["INV-404", "pi_404", "nobody@example.com", "%", "' OR 1=1 --", "_________"])
def test_what_nobody_knows_is_exit_3(shop: Shop, name: str) -> None:
    """Never an empty chain with exit 0, and never somebody else's."""
    shop.invoiced()
    ran = shop.run("show_payment", name)
    assert (ran.code, ran.out) == (3, "")
    assert "nothing in the ledger is known as" in ran.err


def test_no_vendor_is_asked(shop: Shop) -> None:
    """Reading works when every vendor is down."""
    shop.finished()
    before = len(shop.requests())
    assert show_payment("INV-1001", till=shop.till).chain
    chain(shop, "INV-1001")
    assert len(shop.requests()) == before


def test_an_event_of_no_invoice_is_found(shop: Shop) -> None:
    """A stray payment is shown by its id, with the entries that hold its money."""
    payment = shop.pay(shop.opened_page()["checkout_id"])["payment_intent"]
    intent = shop.simulator.world.get("stripe.payment_intent", payment)
    assert intent is not None
    shop.simulator.world.save("stripe.payment_intent", payment, {**intent, "metadata": {}})
    shop.run("poll_events")
    shop.run("process_inbox")
    details = [link["detail"] for link in chain(shop, payment)]
    assert "Cr Suspense" in details


def test_looking_works_while_another_process_writes(shop: Shop) -> None:
    """It waits for nobody, and goes without its row of activity."""
    shop.finished()
    chain = shop.run("show_payment", "INV-1001").json["chain"]
    other = raw(shop.till.settings.ledger)
    other.execute("begin immediate")
    began = time.monotonic()
    ran = shop.run("show_payment", "INV-1001")
    assert time.monotonic() - began < 2
    other.execute("rollback")
    other.close()
    assert (ran.code, ran.json["chain"]) == (0, chain)


def test_looking_works_while_nothing_can_be_written(shop: Shop) -> None:
    """A full disk: what is there can be read all the same."""
    shop.finished()
    script = f'ulimit -f 0; exec "{sys.executable}" "{SCRIPTS / "show_payment.py"}" INV-1001'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, cwd=shop.home)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["chain"]
