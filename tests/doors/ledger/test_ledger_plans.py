"""Every named query, asked how it would be answered: nothing of every day reads a whole table that grows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from helpers.ledgers import filled
from tillbook.ledger.sqlite import database

TOPICS = sorted(file.stem for file in (Path(database.__file__).parents[1] / "queries").glob("*.sql"))
# Rows that are not of the past: as many as there are accounts, currencies, settings, or as things that are open now.
SMALL = {"account", "balance", "binding", "company", "item", "json_each"} | {
    "invoice_balance",
    "over_returned",
    "unmatched",
    "unreadable",
}
# Columns with few values: who finds rows by them alone reads a large part of the table.
COARSE = {"provider", "kind", "state", "status", "account", "currency", "purpose", "type", "livemode", "source"}
STEP = re.compile(r"(SCAN|SEARCH) (\w+)(?: USING (?:COVERING )?INDEX (\w+))?(?:.*\((.+)\))?$")


def _queries() -> list[str]:
    text = {topic: (Path(database.__file__).parents[1] / "queries" / f"{topic}.sql").read_text() for topic in TOPICS}
    return [f"{topic}.{name}" for topic in TOPICS for name in re.findall(r"^-- name: (\w+)", text[topic], re.MULTILINE)]


def _too_wide(connection: apsw.Connection, sql: str) -> Iterator[str]:
    """The steps of a plan that read a table that grows as a whole, or by a column with few values."""
    kinds = dict(connection.execute("select name, type from sqlite_master"))
    partial = {name for (name,) in connection.execute("select name from sqlite_master where sql like '%) where %'")}
    names = dict.fromkeys(re.findall(r":(\w+)", sql))
    for *_, step in connection.execute(f"explain query plan {sql}", names or (None,) * sql.count("?")):
        if not (found := STEP.match(step)):
            continue
        how, table, index, condition = found.groups()
        if kinds.get(table, "table" if f" as {table}" in sql else "") != "table" or table in SMALL or index in partial:
            continue
        window = set(re.findall(r"(\w+)>\?", condition or "")) & set(re.findall(r"(\w+)<\?", condition or ""))
        asked = set(re.findall(r"(\w+)=", condition or "")) | window
        if how == "SCAN" or (asked and asked <= COARSE):
            yield step


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> apsw.Connection:
    """A ledger with something in every table: these tests only look."""
    file = tmp_path_factory.mktemp("plans") / "ledger.db"
    filled(file).close()
    return apsw.Connection(str(file))


@pytest.mark.parametrize("name", _queries())
def test_a_query_reads_what_it_asks_for(connection: apsw.Connection, name: str) -> None:
    """However much is behind it. Night work that reads everything says so in its head, and why."""
    sql = database.query(name)
    if "-- scans: " not in sql:
        assert list(_too_wide(connection, sql)) == []


@pytest.mark.parametrize(
    "sql",
    [
        "select * from fact where body ->> 'charge' = :name",
        "select * from fact where provider = :provider order by seq",
        "select * from document where state = :state",
        "select * from invoice where number = :number or due = :due",
        "select * from movement where currency = :currency",
    ],
)
def test_a_query_that_reads_too_much_is_seen(connection: apsw.Connection, sql: str) -> None:
    """What this test is for: a scan, a column with few values, an OR, and a view over either."""
    assert list(_too_wide(connection, sql))
