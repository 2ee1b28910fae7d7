"""A ledger that forgets: what a dry run writes to is nowhere afterwards, and nobody else is kept waiting."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from helpers.ledgers import NOW, event, filled, invoiced, payment, raw, reading, received
from tillbook.ledger import Ledger
from tillbook.proof import invariants
from tillbook.vendors.providers import clearing


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger with one sale, open; its last changes are in the log only."""
    return filled(tmp_path / "ledger.db")


def contents(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, read by another program."""
    connection = raw(file)
    tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
    return {table: list(connection.execute(f"select * from {table}")) for table in tables}  # noqa: S608


def test_what_is_written_is_seen_there_and_nowhere_else(ledger: Ledger, tmp_path: Path) -> None:
    """A whole sale more, every constraint and seal included; the file and its log are byte for byte as before."""
    before = contents(tmp_path / "ledger.db")
    files = {file.name: file.read_bytes() for file in tmp_path.glob("ledger.db*") if not file.name.endswith("-shm")}
    other = ledger.forgetful()
    invoiced(other, "INV-2")
    received(other, reading([payment("2", 4000)]))
    assert other.sales.invoice("INV-2") is not None
    assert list(invariants.broken(other)) == []
    with pytest.raises(apsw.ConstraintError), other.transaction():
        other.database.script("insert or replace into fact select * from fact")
    assert ledger.sales.invoice("INV-2") is None
    other.close()
    assert contents(tmp_path / "ledger.db") == before
    assert {name: (tmp_path / name).read_bytes() for name in files} == files


def test_others_write_meanwhile_and_it_does_not_notice(ledger: Ledger, tmp_path: Path) -> None:
    """Neither a commit nor a checkpoint of another process changes what it reads, and it holds up neither."""
    other = ledger.forgetful()
    with other.transaction():
        other.activity.set_cursor("ours", 1)
    second = Ledger(tmp_path / "ledger.db", clearing, busy_timeout_ms=0)
    for number in range(200):
        with second.transaction():
            second.inbox.add(event(f"evt_later_{number}", body=b"x" * 4000), source="webhook", now=NOW)
    raw(tmp_path / "ledger.db").execute("pragma wal_checkpoint").get  # noqa: B018
    assert len(second.inbox.due(NOW, 1000)) == 201
    assert len(other.inbox.due(NOW, 1000)) == 1
    assert other.activity.cursor("ours") == 1
    assert list(invariants.broken(other)) == []
    other.close()
    assert second.activity.cursor("ours") == 0


@pytest.mark.parametrize("checkpoint", ["passive", "truncate"])
def test_it_begins_with_what_was_committed(tmp_path: Path, checkpoint: str) -> None:
    """Whether the last commits are in the log or in the file, and when there is no log at all."""
    ledger = filled(tmp_path / "ledger.db")
    raw(tmp_path / "ledger.db").execute(f"pragma wal_checkpoint({checkpoint})").get  # noqa: B018
    other = ledger.forgetful()
    assert other.sales.invoice("INV-1") is not None
    other.close()
    ledger.close()
    again = Ledger(tmp_path / "ledger.db", clearing)
    other = again.forgetful()
    assert other.sales.invoice("INV-1") is not None
    other.close()


def test_it_costs_the_same_however_large_the_ledger_is(tmp_path: Path) -> None:
    """It reads the pages that it needs: a ledger of many more pages is not read as a whole."""
    ledger = filled(tmp_path / "ledger.db")
    with ledger.transaction():
        for number in range(2000):
            ledger.inbox.add(event(f"evt_{number}", body=b"x" * 4000), source="webhook", now=NOW)
    raw(tmp_path / "ledger.db").execute("pragma wal_checkpoint(truncate)").get  # noqa: B018
    file = tmp_path / "ledger.db"
    read_before = _bytes_read()
    other = ledger.forgetful()
    assert other.sales.invoice("INV-1") is not None
    other.close()
    assert _bytes_read() - read_before < file.stat().st_size / 10


def _bytes_read() -> int:
    """What this process read, as the kernel counts it."""
    return int(Path("/proc/self/io").read_text().split()[1])
