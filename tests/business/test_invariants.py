"""The invariants: silent over every sound ledger, and each planted fault is told."""

# ruff: noqa: S608  the statements are made of literals of this file

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.ledgers import (
    NOW,
    asked_for,
    booked,
    event,
    fee,
    filled,
    invoiced,
    page_operation,
    payment,
    raw,
    reading,
    received,
)
from helpers.sale import Shop
from tillbook.kit.errors import Refused
from tillbook.ledger import Ledger
from tillbook.proof import invariants
from tillbook.recording.facts import record_invoice
from tillbook.vendors.providers import clearing

# -- silent over what is sound -------------------------------------------------------------------------


def nothing(_ledger: Ledger) -> None:
    """A ledger in which nothing was ever written."""


def only_asked_for(ledger: Ledger) -> None:
    asked_for(ledger)


def open_invoice(ledger: Ledger) -> None:
    invoiced(ledger)


def paid_before_the_invoice_is_known(ledger: Ledger) -> None:
    asked_for(ledger)
    received(ledger, reading([payment("1", 6000)], page_operation(ledger)))


def unknown_payment(ledger: Ledger) -> None:
    invoiced(ledger)
    received(ledger, reading([payment("1", 6000), fee("1", 204)]))


def paid_too_much(ledger: Ledger) -> None:
    invoiced(ledger)
    received(ledger, reading([payment("1", 9000), fee("1", 204)], page_operation(ledger)))


def changed_after_payment(ledger: Ledger) -> None:
    paid_too_much(ledger)
    with ledger.transaction():
        record_invoice(ledger, booked(total=4500, version=1), NOW)


def event_waiting(ledger: Ledger) -> None:
    with ledger.transaction():
        ledger.inbox.add(event(), source="webhook", now=NOW)


SOUND: list[Callable[[Ledger], None]] = [
    nothing,
    only_asked_for,
    open_invoice,
    paid_before_the_invoice_is_known,
    unknown_payment,
    paid_too_much,
    changed_after_payment,
    event_waiting,
]


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path_factory.mktemp("invariants") / "ledger.db", clearing)
    yield ledger
    ledger.close()


@pytest.mark.parametrize("story", SOUND, ids=lambda story: story.__name__)
def test_a_sound_ledger_breaks_nothing(blank: Ledger, story: Callable[[Ledger], None]) -> None:
    """Every state that a sale can be in on its way."""
    ledger = blank.forgetful()
    story(ledger)
    assert list(invariants.broken(ledger)) == []
    ledger.close()


def test_nothing_is_broken_at_any_moment_of_a_sale(shop: Shop) -> None:
    """Between any two steps of a real sale, and with a second one beside it, all hold."""
    shop.opened_page("INV-1")
    page = shop.opened_page("INV-2")
    steps: list[Callable[[], object]] = [
        lambda: shop.pay(page["checkout_id"]),
        lambda: shop.run("poll_events"),
        lambda: shop.run("process_inbox"),
        lambda: shop.later(60),
        lambda: shop.run("post_to_books"),
        lambda: shop.run("run_pending"),
        lambda: shop.run("send_messages"),
    ]
    for step in steps:
        assert list(invariants.broken(shop.till.ledger)) == []
        step()
    assert list(invariants.broken(shop.till.ledger)) == []
    assert shop.books("Payment")


# -- each planted fault --------------------------------------------------------------------------------

PAID = "(select seq from fact where key = 'ch_1')"
ENTRY = f"(select max(id) from entry where fact = {PAID})"
PLANTED = [
    # Debits and credits.
    (
        f"update line set amount_minor = 1 where entry = {ENTRY} and position = 0",
        "debits and credits differ",
    ),
    (
        f"update line set amount_minor = 1 where entry = {ENTRY} and position = 0",
        "not what the rules say",
    ),
    (f"update line set account = 'Revenue' where entry = {ENTRY} and account = 'Receivable'", "entries of fact ch_1"),
    (f"update line set currency = 'EUR' where entry = {ENTRY} and position = 0", "debits and credits differ"),
    (f"delete from line where entry = {ENTRY}", "entries of fact ch_1"),
    (f"delete from line where entry = {ENTRY}; delete from balanced where entry = {ENTRY}", "damaged: entry"),
    ("delete from line where account = 'Processing Fees'", "entries of fact txn_1:fee"),
    ("update line set invoice = '' where account = 'Receivable' and amount_minor < 0", "entries of fact ch_1"),
    # The match, and money of nobody.
    ("delete from payment_invoice", "entries of fact ch_1"),
    ("delete from line where account = 'Suspense'", "entries of fact ch_2"),
    # What is owed to the books and to the customer.
    ("delete from document_fact; delete from document", "document payment:stripe:ch_1 is missing"),
    ("update document set amount_minor = 5796", "has another amount"),
    ("update document set currency = 'EUR'", "has another amount"),
    ("delete from message where kind = 'confirmation'", "no confirmation mail is noted for ch_1"),
    # References, facts and seals.
    ("delete from customer; update invoice set customer = 'nobody'", "the ledger file is damaged"),
    ("delete from entry where id = 1", "the ledger file is damaged"),
    ("update fact set body = replace(body, '6000', '9999') where key = 'ch_1'", "was altered"),
    ("delete from fact where key = 'ch_2'", "is broken"),
    ("delete from seal where id = (select max(id) from seal)", "is not sealed"),
    ("delete from seal where id = 1", "is broken"),
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a ledger with a paid sale and a payment of nobody."""
    file = tmp_path_factory.mktemp("planted") / "ledger.db"
    ledger = filled(file)
    received(ledger, reading([payment("2", 700)]))
    assert list(invariants.broken(ledger)) == []
    ledger.database.pragma("wal_checkpoint(truncate)")
    ledger.close()
    return file.read_bytes()


@pytest.mark.parametrize(("statement", "sentence"), PLANTED)
def test_each_planted_fault_is_told(sound: bytes, tmp_path: Path, statement: str, sentence: str) -> None:
    """Somebody with a database tool, or a bug of ours, breaks one thing: a sentence says which."""
    file = tmp_path / "ledger.db"
    file.write_bytes(sound)
    tool = raw(file, tamper=True)
    before = tool.total_changes()
    tool.execute(statement)
    assert tool.total_changes() > before, "the fault is really there"
    tool.close()
    ledger = Ledger(file, clearing)
    told = list(invariants.broken(ledger))
    ledger.close()
    assert any(sentence in one for one in told), told


def test_check_setup_tells_a_broken_invariant(shop: Shop) -> None:
    """A person hears of it with what to do; the command does not end as if all were well."""
    shop.finished()
    tool = raw(shop.home / "ledger.db", tamper=True)
    tool.execute("update fact set body = replace(body, '6000', '6001') where kind = 'PaymentSucceeded'")
    tool.close()
    ran = shop.run("check_setup")
    assert ran.code != 0
    (check,) = [check for check in ran.json["checks"] if check["name"] == "invariants"]
    assert not check["ok"]
    assert "was altered" in check["hint"]


def test_a_file_that_is_not_a_ledger_is_refused_before_any_invariant(tmp_path: Path) -> None:
    """The question is not even asked."""
    file = tmp_path / "ledger.db"
    file.write_bytes(b"no ledger" * 1000)
    with pytest.raises(Refused):
        Ledger(file, clearing)
