"""Migrations: each runs once and whole, after a copy of the file as it was; a newer ledger is left alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_IMODE

import apsw
import pytest

from helpers.ledgers import filled, payment, raw
from tillbook.kit.errors import Refused
from tillbook.ledger import Ledger
from tillbook.ledger.sqlite.database import Database
from tillbook.proof import invariants
from tillbook.rules.documents import RECORDS
from tillbook.vendors.providers import PROVIDERS, clearing

OLD_LEDGER = Path(__file__).parents[2] / "samples/ledgers/schema-4.sql"
Next = Callable[[str], Path]
migrate = importlib.import_module("tillbook.ledger.sqlite.migrate")  # the package has a function of that name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def next_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Next:
    """Write the next migration, as a later Tillbook would bring it; called again it is the one after."""

    def write(statements: str) -> Path:
        number = int(migrate.MIGRATIONS[-1].name[:4]) + 1
        folder = tmp_path / "migrations"
        folder.mkdir(exist_ok=True)
        step = folder / f"{number:04d}_later.sql"
        step.write_text(statements)
        monkeypatch.setattr(migrate, "MIGRATIONS", [*migrate.MIGRATIONS, step])
        return step

    return write


def version(file: Path) -> int:
    tool = raw(file)
    found = int(tool.pragma("user_version"))
    tool.close()
    return found


def copies(file: Path) -> list[str]:
    return sorted(path.name for path in file.parent.glob("*.before-*"))


def test_a_new_ledger_has_the_newest_schema_and_no_copy(file: Path) -> None:
    """Numbers without gaps from 1; there was nothing worth copying."""
    Ledger(file, clearing).close()
    numbers = [int(step.name[:4]) for step in migrate.MIGRATIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    assert version(file) == numbers[-1]
    assert copies(file) == []


def test_f17_a_migration_runs_once_after_a_copy_of_the_file_as_it_was(file: Path, next_migration: Next) -> None:
    """The copy opens as the old schema with the same facts, also with what is still in the WAL, and is private."""
    ledger = filled(file)
    old = version(file)
    next_migration("create table extra (x integer) strict; insert into extra values (1);")
    for _ in range(2):
        Ledger(file, clearing).close()
    ledger.close()
    tool = raw(file)
    assert list(tool.execute("select x from extra")) == [(1,)], "once, however often it is opened"
    tool.close()
    assert copies(file) == [f"ledger.db.before-{old + 1:04d}"]
    copy = file.with_name(copies(file)[0])
    assert version(copy) == old
    assert S_IMODE(copy.stat().st_mode) == 0o600
    tool = raw(copy)
    assert [row[0] for row in tool.execute("select key from fact order by seq")][1] == payment("1", 6000).key
    assert list(tool.execute("select name from sqlite_master where name = 'extra'")) == []
    tool.close()


def test_f17_several_steps_at_once_each_have_their_copy(file: Path, next_migration: Next) -> None:
    """A ledger two versions behind goes through both, in order."""
    filled(file).close()
    next_migration("create table extra (x integer) strict;")
    next_migration("alter table extra add column y integer;")
    ledger = Ledger(file, clearing)
    assert list(invariants.broken(ledger)) == []
    ledger.close()
    assert len(copies(file)) == 2


def test_f17_a_migration_that_fails_leaves_the_ledger_as_it_was(file: Path, next_migration: Next) -> None:
    """Half a migration is no migration: the old version opens, and a mended step goes through."""
    ledger = filled(file)
    old, facts = version(file), ledger.facts.count()
    ledger.close()
    step = next_migration("create table extra (x integer) strict; create table fact (x integer);")
    with pytest.raises(apsw.SQLError):
        Ledger(file, clearing)
    assert version(file) == old
    tool = raw(file)
    assert list(tool.execute("select name from sqlite_master where name = 'extra'")) == []
    tool.close()
    step.write_text("create table extra (x integer) strict;")
    ledger = Ledger(file, clearing)
    assert ledger.facts.count() == facts
    ledger.close()


def test_f17_a_ledger_of_a_newer_tillbook_is_refused_and_not_touched(file: Path) -> None:
    """Old code on a new schema would write what the new one does not expect."""
    filled(file).close()
    tool = raw(file)
    tool.pragma("user_version", 9999)
    tool.pragma("wal_checkpoint(truncate)")
    tool.close()
    before = file.read_bytes()
    with pytest.raises(Refused, match="has schema 9999") as caught:
        Ledger(file, clearing)
    assert "newer Tillbook" in caught.value.hint
    assert file.read_bytes() == before
    assert copies(file) == []


def test_f17_only_one_process_migrates(file: Path, next_migration: Next) -> None:
    """A process that waited for another's migration finds it done and does not repeat it."""
    filled(file).close()
    step = next_migration("create table extra (x integer) strict;")
    first = Database(file)
    with ThreadPoolExecutor(1) as pool:
        with first.lock("migration"):
            second = pool.submit(lambda: Ledger(file, clearing).close())
            migrate._apply(first, step)
        second.result(timeout=30)
    first.close()
    assert version(file) == int(step.name[:4])
    assert len(copies(file)) == 1


def test_a_ledger_of_the_version_before_opens_and_says_the_same(file: Path) -> None:
    """A ledger that Tillbook 0.1 wrote with schema 4: five sales at two providers, refunds that failed, every mail."""
    tool = raw(file, tamper=True)
    tool.execute(OLD_LEDGER.read_text(encoding="utf-8"))
    tool.pragma("application_id", migrate.APPLICATION_ID)
    tool.pragma("user_version", 4)
    mails = list(tool.execute("select key, kind, invoice, state, message_id, sent_to from message order by rowid"))
    documents = list(tool.execute("select key, kind, amount_minor, state, quickbooks_id from document order by rowid"))
    lines = list(tool.execute("select account, currency, sum(amount_minor) from line group by 1, 2"))
    tool.close()
    ledger = Ledger(file, clearing)
    assert list(invariants.broken(ledger)) == []
    assert {(account, currency, amount.minor) for (account, currency), amount in ledger.facts.balances().items()} == {
        line for line in lines if line[2]
    }
    for key, _, number, state, *_ in mails:
        assert ledger.messages.get(key)["state"] == state  # type: ignore[index]  # it is there
        fact = ledger.messages.fact(key)
        assert (fact is None) == key.startswith("invoice:")
        assert fact is None or (
            key.endswith(f":{fact.provider}:{fact.key}") and fact in ledger.facts.of_invoice(number)
        )
    for key, kind, minor, state, quickbooks_id in documents:
        stored = ledger.documents.get(key)
        assert stored is not None
        assert (stored.kind, stored.amount.minor, stored.state, stored.quickbooks_id) == (
            kind,
            minor,
            state,
            quickbooks_id,
        )
        assert RECORDS[stored.purpose] == kind
        assert len(ledger.documents.facts(key)) == 1
    assert {kind for _, kind, *_ in documents} == set(RECORDS.values())
    ledger.close()


def test_a_ledger_made_with_smaller_pages_keeps_them(file: Path) -> None:
    """New files have larger pages; one that was made before opens, migrates and copies all the same."""
    tool = raw(file)
    tool.pragma("page_size", 4096)
    tool.pragma("application_id", migrate.APPLICATION_ID)
    tool.pragma("journal_mode", "wal")
    tool.close()
    ledger = filled(file)
    assert ledger.database.pragma("page_size") == 4096
    assert ledger.forgetful().facts.count() == ledger.facts.count()
    ledger.close()
    newer = filled(file.with_name("newer.db"))
    assert newer.database.pragma("page_size") == 8192
    assert newer.forgetful().facts.count() == newer.facts.count()
    newer.close()


# -- single steps ------------------------------------------------------------------------------------


def test_a_ledger_keeps_its_accounts_when_the_list_of_vendors_goes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """0005: mode, accounts and proven keys are as they were, still for ever; an account of any vendor may join."""
    accounts = [("mode", "simulator"), ("quickbooks", "9130"), ("stripe", "acct_1")]
    with monkeypatch.context() as before:
        before.setattr(migrate, "MIGRATIONS", migrate.MIGRATIONS[:4])
        Ledger(file, clearing).close()
    tool = raw(file)
    tool.executemany("insert into binding (name, value) values (?, ?)", accounts)
    tool.execute("insert into proven_key (fingerprint, name) values ('f1', 'stripe')")
    tool.close()
    ledger = Ledger(file, clearing)
    with ledger.transaction():
        ledger.binding.bind("acorn", "nut_1")
        ledger.binding.prove("acorn", "f2")
    assert ledger.binding.bound() == {**dict(accounts), "acorn": "nut_1"}
    assert ledger.binding.is_proven("stripe", "f1")
    ledger.close()
    tool = raw(file)
    for change in ("update binding set value = 'acct_2'", "delete from binding where name = 'acorn'"):
        with pytest.raises(apsw.ConstraintError, match="for ever"):
            tool.execute(change)
    with pytest.raises(apsw.ConstraintError):
        tool.execute("insert into proven_key values ('f3', 'nobody')")
    tool.close()


def test_the_schema_lists_no_provider(file: Path) -> None:
    """A check that names them would turn away the next one where it is bound: every step would end with a bug."""
    Ledger(file, clearing).close()
    tool = raw(file)
    schema = " ".join(row[0] or "" for row in tool.execute("select sql from sqlite_master"))
    tool.close()
    assert [name for name in PROVIDERS if name in schema.lower()] == []
