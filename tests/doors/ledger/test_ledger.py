"""The ledger's file: opened as it must be, private, whole, shared between processes, and proof against tampering."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE

import apsw
import pytest

from helpers.ledgers import (
    NOW,
    event,
    fee,
    filled,
    invoiced,
    page_operation,
    payment,
    raw,
    reading,
    received,
    refund,
    usd,
)
from helpers.sale import SCRIPTS, Shop
from tillbook.kit.errors import Refused, Unavailable
from tillbook.ledger import Ledger
from tillbook.ledger.sqlite.database import PAGE_BYTES, Database, query
from tillbook.proof import invariants
from tillbook.rules.entries import Line
from tillbook.rules.facts import ProcessorFee
from tillbook.vendors.providers import clearing

SQLITE_WITHOUT_WAL_RESET_BUG = 3_051_003


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


# -- opened as it must be ------------------------------------------------------------------------------


def test_f1_the_sqlite_in_use_is_newer_than_the_one_that_corrupts_a_wal() -> None:
    """The binding brings its own SQLite; the system's may be one with the WAL-reset bug."""
    assert apsw.SQLITE_VERSION_NUMBER >= SQLITE_WITHOUT_WAL_RESET_BUG


def test_f2_every_connection_has_the_pragmas(file: Path) -> None:
    """WAL, full sync, foreign keys, no trusted schema, triggers that see a replace: also in the second connection."""
    for _ in range(2):
        ledger = Ledger(file, clearing)
        found = {
            name: ledger.database.pragma(name)
            for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "recursive_triggers")
        }
        assert found == {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "trusted_schema": 0,
            "recursive_triggers": 1,
        }
        ledger.close()


def test_a_pragma_that_does_not_hold_is_refused(file: Path) -> None:
    """A database that cannot be in WAL mode is not used: here one whose file is read by another in an old mode."""
    other = apsw.Connection(str(file))
    other.execute("create table x (y); begin exclusive")
    with pytest.raises((Refused, Unavailable)):
        Database(file, busy_timeout_ms=10)
    other.execute("rollback")
    other.close()


def test_f7_the_ledger_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask: 0700 for a new folder, 0600 for the file, its WAL and its locks."""
    before = os.umask(0)
    try:
        ledger = filled(tmp_path / "new" / "ledger.db")
        with ledger.lock("some"):
            files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
            folders = [tmp_path / "new", tmp_path / "new" / "locks"]
            assert len(files) == 5, "the ledger, its WAL and index, the migration's lock and this one"
            assert {S_IMODE(path.stat().st_mode) for path in files} == {0o600}
            assert {S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
        ledger.close()
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be one" * 200, b"SQLite format 3\0" + b"x" * 4096]
)
def test_a_file_that_is_no_database_is_refused(file: Path, content: bytes) -> None:
    """Another file by mistake: refused with its name, and not touched."""
    file.write_bytes(content)
    with pytest.raises(Refused, match=r"ledger\.db"):
        Ledger(file, clearing)
    assert file.read_bytes() == content


def test_another_programs_database_is_refused(file: Path) -> None:
    """A sound SQLite file with other tables, whatever its version number, is not filled with ours."""
    for version in (0, 1):
        other = apsw.Connection(str(file))
        other.execute(f"create table if not exists photos (name text); pragma user_version = {version}")
        other.close()
        with pytest.raises(Refused, match="another program's database"):
            Ledger(file, clearing)
    other = apsw.Connection(str(file))
    assert list(other.execute("select name from sqlite_master")) == [("photos",)]
    other.close()


@pytest.mark.parametrize("place", ["/dev/null/ledger.db", "/proc/ledger.db", "/"])
def test_f7_a_place_that_cannot_be_written_is_refused(place: str) -> None:
    """No folder, a folder instead of a file, a file system that takes nothing: refused, naming the settings."""
    with pytest.raises(Refused, match="cannot be opened for writing") as caught:
        Ledger(Path(place), clearing)
    assert "TILLBOOK_LEDGER" in caught.value.hint


@contextmanager
def without_rights() -> Iterator[None]:
    """Root may write everywhere, so for a moment this process is nobody."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_f7_a_folder_that_is_read_only_is_refused(tmp_path: Path) -> None:
    """No right to write there: exit code 3 with words, and no half-made ledger."""
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o555)
    with without_rights(), pytest.raises(Refused, match="cannot be opened for writing") as caught:
        Ledger(folder / "ledger.db", clearing)
    assert caught.value.exit_code == 3
    assert list(folder.iterdir()) == []


def test_f6_a_full_disk_is_unavailable_and_leaves_no_half(file: Path) -> None:
    """When no page is left the commit fails with exit code 4, what was there stays, and later it goes on."""
    ledger = filled(file)
    facts, pages = ledger.facts.count(), ledger.database.pragma("page_count")
    ledger.database.pragma("max_page_count", pages)
    body = os.urandom(20_000 + PAGE_BYTES * ledger.database.pragma("freelist_count"))
    with pytest.raises(Unavailable, match="could not be written"):
        keep(ledger, body)
    assert ledger.facts.count() == facts
    assert list(invariants.broken(ledger)) == []
    ledger.database.pragma("max_page_count", pages + 100)
    keep(ledger, body)
    assert ledger.inbox.waiting()[0] == 2
    ledger.close()


def keep(ledger: Ledger, body: bytes) -> None:
    with ledger.transaction():
        ledger.inbox.add(event("evt_large", body=body), source="webhook", now=NOW)


# -- several processes ---------------------------------------------------------------------------------


@contextmanager
def kept_busy(file: Path) -> Iterator[None]:
    """Another connection holds SQLite's write lock, as a process in the middle of a long commit does."""
    other = raw(file)
    other.execute("begin immediate")
    try:
        yield
    finally:
        other.execute("rollback")
        other.close()


def test_f3_a_busy_ledger_is_unavailable_and_reading_goes_on(file: Path) -> None:
    """While another writes: exit code 4 for a writer after its patience, and readers see the last commit."""
    filled(file).close()
    ledger = Ledger(file, clearing, busy_timeout_ms=10)
    with kept_busy(file):
        with pytest.raises(Unavailable, match="busy") as caught:
            keep(ledger, b"{}")
        assert caught.value.exit_code == 4
        assert ledger.facts.count() == 3
    keep(ledger, b"{}")
    ledger.close()


def test_f3_a_ledger_that_never_waits_says_so_at_once(file: Path) -> None:
    """The receiver's event loop must not block: busy is Unavailable without any waiting."""
    ledger = filled(file)
    ledger.never_wait()
    with kept_busy(file), pytest.raises(Unavailable):
        keep(ledger, b"{}")
    ledger.close()


def test_f3_a_step_ends_with_exit_code_4_when_the_ledger_stays_busy(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same through a step's command: words on stderr, exit code 4, and nothing was asked of any vendor."""
    monkeypatch.setattr(Ledger.__init__, "__kwdefaults__", {"busy_timeout_ms": 10})
    asked = len(shop.requests())
    with kept_busy(shop.home / "ledger.db"):
        ran = shop.run("process_inbox")
    assert (ran.code, ran.out) == (4, "")
    assert "keeps the ledger busy" in ran.err
    assert len(shop.requests()) == asked


HOLDER = """
import sys, time
from pathlib import Path
from tillbook.ledger import Ledger
from tillbook.vendors.providers import clearing

ledger = Ledger(Path(sys.argv[1]), clearing)
with ledger.lock("till"):
    sys.stdout.write("held\\n")
    sys.stdout.flush()
    time.sleep(float(sys.argv[2]))
"""


@contextmanager
def holder(file: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock `till`."""
    command = [sys.executable, "-c", HOLDER, str(file), str(seconds)]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_f11_a_lock_is_one_between_processes(file: Path) -> None:
    """Held elsewhere: `wait=False` is Unavailable at once, another name is free, and it is ours when they are done."""
    ledger = Ledger(file, clearing)
    with holder(file, 0.5) as other:
        with pytest.raises(Unavailable, match="another process is at work"), ledger.lock("till", wait=False):
            pass
        with ledger.lock("drawer", wait=False):
            pass
        with ledger.lock("till"):
            assert other.wait(timeout=10) == 0, "waited until the holder was done"
    ledger.close()


def test_f13_a_lock_dies_with_its_process(file: Path) -> None:
    """kill -9 frees the lock: nothing is left to clean up, and no time-out is needed."""
    ledger = Ledger(file, clearing)
    with holder(file, 600) as other:
        other.send_signal(signal.SIGKILL)
        other.wait(timeout=10)
        with ledger.lock("till", wait=False):
            pass
    ledger.close()


def test_a_lock_is_free_again_after_an_error(file: Path) -> None:
    """An exception inside the lock gives it back."""
    ledger = Ledger(file, clearing)
    with pytest.raises(ZeroDivisionError), ledger.lock("till"):
        _ = 1 // 0
    with ledger.lock("till", wait=False):
        pass
    ledger.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from helpers.ledgers import *
from tillbook.vendors.providers import clearing

ledger = Ledger(Path(sys.argv[1]), clearing)
received(ledger, reading([payment("2", 100)]))
ledger.database._connection.execute("begin immediate")
ledger.database.in_transaction = True
ledger.facts.append(payment("3", 100), NOW)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_f2_what_was_committed_outlives_kill_9_and_the_rest_never_was(file: Path) -> None:
    """A process killed in the middle of a transaction leaves its commits, nothing of the open one, and no lock."""
    filled(file).close()
    path = os.pathsep.join([str(SCRIPTS), str(Path(__file__).parents[2])])
    command = [sys.executable, "-c", KILLED, str(file)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    ledger = Ledger(file, clearing, busy_timeout_ms=10)
    assert ledger.facts.of_payment("stripe", "pi_2") == [payment("2", 100)]
    assert ledger.facts.of_payment("stripe", "pi_3") == []
    assert list(invariants.broken(ledger)) == []
    ledger.close()


# -- tampering and damage ------------------------------------------------------------------------------


def told(file: Path) -> list[str]:
    """What check_setup would say of this file."""
    ledger = Ledger(file, clearing)
    try:
        return list(invariants.broken(ledger))
    except Refused as error:
        return [error.message]
    finally:
        ledger.close()


TAMPERED = [
    ("update fact set body = replace(body, '6000', '6001') where kind = 'PaymentSucceeded'", "was altered"),
    ("update fact set payment = 'pi_other' where key = 'ch_1'", "was altered"),
    ("update fact set invoice = 'INV-2' where kind = 'InvoiceIssued'", "was altered"),
    ("update fact set key = 'ch_9' where key = 'ch_1'", "was altered"),
    ("update fact set kind = 'PaymentSucceeded' where kind = 'ProcessorFee'", "was altered"),
    ("update fact set occurred_at = 1 where key = 'ch_1'", "was altered"),
    ("update fact set hash = 'x' where key = 'ch_1'", "was altered"),
    ("delete from fact where kind = 'ProcessorFee'", "is broken"),
    ("update seal set hash = 'x' where id = 1", "is broken"),
    ("update seal set previous = 'x' where id = 2", "is broken"),
    ("delete from seal where id = 1", "is broken"),
    ("delete from seal where id = 2", "is not sealed"),
    ("update fact set seq = 99 where key = 'ch_1'", "is broken"),
]


@pytest.mark.parametrize(("statement", "sentence"), TAMPERED)
def test_f9_a_row_changed_with_a_database_tool_is_found(file: Path, statement: str, sentence: str) -> None:
    """Somebody drops the triggers and edits facts or seals: hashes and chain say where."""
    filled(file).close()
    assert told(file) == []
    tool = raw(file, tamper=True)
    tool.execute(statement)
    assert tool.changes() > 0
    tool.close()
    assert any(sentence in found for found in told(file)), told(file)


def test_f9_a_fact_that_was_written_past_tillbook_is_found_and_never_sealed_over(file: Path) -> None:
    """A forged fact with a right hash has no seal of its own."""
    from tillbook.rules.facts import fingerprint, to_json

    filled(file).close()
    forged = payment("forged", 100)
    body = to_json(forged)
    tool = raw(file)
    tool.execute(
        query("facts.append"),
        {
            "provider": "stripe",
            "key": forged.key,
            "kind": forged.kind,
            "payment": forged.payment,
            "invoice": "",
            "occurred_at": forged.occurred_at,
            "now": NOW,
            "body": body,
            "hash": fingerprint(forged.kind, body),
        },
    )
    tool.close()
    assert any("fact 4 is not sealed" in found for found in told(file))


def test_f8_every_flipped_bit_inside_a_fact_is_found(file: Path) -> None:
    """One bit of the file, anywhere in what a fact says, is never unnoticed."""
    ledger = filled(file)
    ledger.database.pragma("wal_checkpoint(truncate)")
    ledger.close()
    sound = file.read_bytes()
    start = sound.index(b'{"amount":{"currency":"USD","minor":6000}')
    assert sound.count(b'{"amount":{"currency":"USD","minor":6000}') == 1
    for place in range(start, start + 120, 7):
        flipped = bytearray(sound)
        flipped[place] ^= 1 << place % 8
        file.write_bytes(flipped)
        assert told(file), f"byte {place}"
    file.write_bytes(sound)
    assert told(file) == []


@pytest.mark.parametrize("damage", ["header", "page", "cut"])
def test_f8_a_damaged_file_is_refused_or_told(file: Path, damage: str) -> None:
    """A zeroed header, a page of noise, a file cut short: words, never a crash and never silence."""
    ledger = filled(file)
    ledger.database.pragma("wal_checkpoint(truncate)")
    ledger.close()
    tool = raw(file)
    page = int(tool.execute("select rootpage from sqlite_master where name = 'fact'").get)
    tool.close()
    content = bytearray(file.read_bytes())
    if damage == "header":
        content[:100] = bytes(100)
    elif damage == "page":
        content[PAGE_BYTES * (page - 1) : PAGE_BYTES * page] = os.urandom(PAGE_BYTES)
    else:
        del content[len(content) // 2 :]
    file.write_bytes(content)
    try:
        sentences = told(file)
    except Refused as error:
        sentences = [error.message]
    assert sentences


def test_f9_seals_chain_one_commit_to_the_next(file: Path) -> None:
    """Each commit with facts adds one seal over exactly them, built on the one before."""
    ledger = filled(file)
    for number in range(2, 5):
        received(ledger, reading([payment(str(number), 100)]))
    received(ledger, reading([payment("4", 100)]))
    seals = list(raw(file).execute("select first_seq, last_seq, previous, hash from seal order by id"))
    assert [seal[:2] for seal in seals] == [(1, 1), (2, 3), (4, 4), (5, 5), (6, 6)]
    assert [seal[2] for seal in seals[1:]] == [seal[3] for seal in seals[:-1]]
    ledger.close()


# -- the rest of what the ledger promises ---------------------------------------------------------------


def test_a_fact_comes_back_as_it_was(file: Path) -> None:
    """Every field survives the ledger, in the order in which facts came."""
    ledger = filled(file)
    facts = ledger.facts.of_invoice("INV-1")
    assert facts[1:] == [payment("1", 6000), fee("1", 204)]
    assert isinstance(facts[2], ProcessorFee)
    assert ledger.facts.posted(payment("1", 6000)) == [
        Line("Stripe Clearing", usd(6000)),
        Line("Receivable", usd(-6000), "INV-1"),
    ]
    ledger.close()


def test_a_cursor_never_goes_back(file: Path) -> None:
    """A poll that ended late does not undo how far another got (F16)."""
    ledger = Ledger(file, clearing)
    for value in (10, 30, 20):
        with ledger.transaction():
            ledger.activity.set_cursor("events:stripe", value)
    assert ledger.activity.cursor("events:stripe") == 30
    ledger.close()


def test_an_event_is_kept_once_whatever_else_it_says(file: Path) -> None:
    """The vendor's event id decides: a second delivery, by poll or webhook, changes nothing."""
    ledger = Ledger(file, clearing)
    with ledger.transaction():
        assert ledger.inbox.add(event(), source="webhook", now=NOW)
        assert not ledger.inbox.add(event(body=b"other"), source="poll", now=NOW + 1)
    (kept,) = ledger.inbox.due(NOW, 10)
    assert (kept.received_at, kept.object) == (NOW, "pi_1")
    ledger.close()


def test_no_statement_of_the_ledger_reads_the_clock() -> None:
    """Times are given by the caller, from the one clock."""
    import tillbook.ledger

    folder = Path(tillbook.ledger.__file__).parent
    for sql in folder.rglob("*.sql"):
        text = sql.read_text().lower()
        assert not any(word in text for word in ("current_time", "current_date", "'now'", "unixepoch(")), sql.name


def test_facts_of_an_unknown_invoice_wait_in_suspense(file: Path) -> None:
    """Money is recorded at once, also when nobody knows what for; no document and no mail is made of it."""
    ledger = Ledger(file, clearing)
    invoiced(ledger)
    page_operation(ledger)
    received(ledger, reading([payment("x", 500)]))
    assert ledger.facts.balances()[("Suspense", "USD")] == usd(-500)
    assert ledger.documents.count_waiting() == ledger.messages.count_waiting() == 0
    ledger.close()


def locks_on(file: Path) -> list[str]:
    """The locks of this process on a file, as the kernel knows them."""
    inode, own = f":{file.stat().st_ino}", str(os.getpid())
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return [words[3] for words in lines if words[4] == own and words[5].endswith(inode)]


def test_f2_another_connection_in_the_process_leaves_the_first_one_its_locks(file: Path) -> None:
    """Else SQLite would believe that nobody has the ledger open, and take away the log that commits are in."""
    first = filled(file)
    held = locks_on(file)
    assert held
    Ledger(file, clearing).close()
    first.forgetful().close()
    first.database.copy_to(file.with_name("copy.db"))
    assert locks_on(file) == held
    first.close()


def test_what_is_settled_is_no_open_balance(file: Path) -> None:
    """An invoice that is paid, and a payment whose invoice became known, leave no row that grows with the past."""
    ledger = filled(file)
    assert ledger.reconciliation.receivables() == {}
    invoiced(ledger, "INV-2")
    assert ledger.reconciliation.receivables() == {"58": {"USD": 6000}}
    received(ledger, reading([payment("2", 6000)]))
    assert [row["payment"] for row in ledger.reconciliation.unmatched()] == ["pi_2"]
    with ledger.transaction():
        ledger.sales.match("stripe", "pi_2", "INV-2", "a person", NOW)
    assert ledger.reconciliation.unmatched() == []
    ledger.close()


def test_what_came_after_a_place_is_all_that_came_after_it(file: Path) -> None:
    """The first fact after it is among them, and the fact at it is not."""
    ledger = filled(file)
    place = ledger.facts.count()
    received(ledger, reading([payment("2", 100)]))
    received(ledger, reading([payment("3", 200)]))
    assert [fact.key for fact in ledger.facts.of_nobody(place)] == ["ch_2", "ch_3"]
    assert [fact.key for fact in ledger.facts.of_nobody(place + 1)] == ["ch_3"]
    ledger.close()


@pytest.mark.parametrize(
    ("tampering", "sentence"),
    [
        ("delete from over_returned", "given back of stripe pi_1"),
        ("insert into over_returned values ('stripe', 'pi_9', 'USD', 1, 2)", "given back of stripe pi_9"),
        ("delete from unmatched", "whether stripe pi_2 has an invoice"),
        ("insert into unmatched values ('stripe', 'pi_1')", "whether stripe pi_1 has an invoice"),
        ("update balance set amount_minor = amount_minor + 1 where account = 'Revenue'", "balance of Revenue USD"),
        ("delete from invoice_balance", "balance of Receivable USD of invoice INV-2"),
    ],
)
def test_what_is_kept_beside_the_facts_is_checked_against_them(file: Path, tampering: str, sentence: str) -> None:
    """The full check adds up again what everyday questions are answered from."""
    ledger = filled(file)
    invoiced(ledger, "INV-2")
    received(ledger, reading([payment("2", 100), refund("1", 7000)]))
    assert list(invariants.broken(ledger)) == ["more was given back of stripe pi_1 than was captured"]
    raw(file, tamper=True).execute(tampering)
    assert any(sentence in told for told in invariants.broken(ledger))
    ledger.close()
