"""What changed in QuickBooks behind our back: every invoice since a moment, deletions included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.vendors.books_stage import Stage, new_account, new_customer, new_invoice, new_payment, open_stage
from simulator.quickbooks.limits import set_limits
from simulator.server import Simulator
from tillbook.vendors.quickbooks.books import QuickBooksOnline
from tillbook.vendors.quickbooks.write import to_bytes

DAY_SECONDS = 86_400


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setenv("TILLBOOK_HOME", str(tmp_path))
    simulator.world.reset()
    set_limits(simulator.world, per_minute=0)
    return open_stage(simulator, tmp_path)


@pytest.fixture
def books(stage: Stage) -> QuickBooksOnline:
    return stage.books()


def made(books: QuickBooksOnline, count: int) -> list[str]:
    """The ids of new invoices of one customer."""
    customer = str(books.send(new_customer())["id"])
    return [str(books.send(new_invoice(customer))["id"]) for _ in range(count)]


def anything(_quickbooks_id: str) -> bool:
    return True


def end(books: QuickBooksOnline, quickbooks_id: str, what: str) -> None:
    """A person voids or deletes an invoice."""
    body = to_bytes({"Id": quickbooks_id, "SyncToken": "0"})
    url = "{0.api_url}/company/{0.company_id}/invoice"
    books.connection.call(lambda client: client.post(url.format(client), body, params={"operation": what}))


def test_changes_since_a_moment_are_told_and_no_others(books: QuickBooksOnline, stage: Stage) -> None:
    """Paid, voided and deleted count as changed; what was left alone is not named."""
    customer = str(books.send(new_customer())["id"])
    paid, voided, deleted, _quiet = (str(books.send(new_invoice(customer))["id"]) for _ in range(4))
    stage.advance(DAY_SECONDS)
    since = stage.clock.now()
    account = str(books.send(new_account())["id"])
    books.send(new_payment(customer, account, "120.00", **{f"i{paid}": "120.00"}))
    end(books, voided, "void")
    end(books, deleted, "delete")
    found = books.invoices_changed(since, anything)
    assert {one.id: (one.balance.minor, one.voided) for one in found.changed} == {paid: (0, False), voided: (0, True)}
    assert found.deleted == (deleted,)


def test_beyond_thirty_days_the_living_are_still_found(books: QuickBooksOnline, stage: Stage) -> None:
    """QuickBooks keeps its changes for thirty days; after a longer pause a query finds what still stands."""
    since = stage.clock.now()
    kept, gone = made(books, 2)
    end(books, gone, "delete")
    stage.advance(31 * DAY_SECONDS)
    mark = stage.mark()
    found = books.invoices_changed(since, anything)
    assert kept in [one.id for one in found.changed]
    assert found.deleted == ()
    assert stage.requests(mark, "cdc") == []


def test_more_than_an_answer_holds_is_found_all_the_same(
    books: QuickBooksOnline, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QuickBooks cuts its answer without a word; a full one is completed by a query, and each invoice named once."""
    monkeypatch.setattr("simulator.quickbooks.asking.bulk.MOST_CHANGES", 3)
    monkeypatch.setattr("tillbook.vendors.quickbooks.books._MOST_CAPTURED", 3)
    since = stage.clock.now()
    ids = made(books, 5)
    found = [one.id for one in books.invoices_changed(since, anything).changed]
    assert sorted(found, key=int) == ids
