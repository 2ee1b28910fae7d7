"""back_up_ledger.py: a verified copy in one file, whoever writes meanwhile, and never half of one."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from helpers.ledgers import NOW, payment, raw, reading, received, rows
from helpers.sale import SCRIPTS, Shop
from tillbook.ledger import Ledger
from tillbook.proof import invariants
from tillbook.till import open_till

EVERYTHING = ("fact", "seal", "entry", "line", "operation", "inbox", "document", "message", "invoice", "checkout")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the copy goes: a folder of its own."""
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies" / "2026-11-28.db"


def contents(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables that hold what happened."""
    return {table: rows(file, f"select * from {table} order by 1") for table in EVERYTHING}  # noqa: S608  our own names


def test_the_copy_is_the_ledger(shop: Shop, target: Path) -> None:
    """Every row is in it, it is one file for its owner only, and the result says what it is."""
    shop.finished()
    file = shop.till.settings.ledger
    before = contents(file)
    ran = shop.run("back_up_ledger", str(target))
    assert ran.code == 0, ran.err
    newest = max(at for (at,) in rows(file, "select occurred_at from fact"))
    assert ran.json == {
        "file": str(target),
        "mode": "simulator",
        "facts": len(before["fact"]),
        "last_movement": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(newest)),
        "bytes": target.stat().st_size,
    }
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert target.stat().st_mode & 0o777 == 0o600
    assert contents(target) == before


def restored(shop: Shop, copy: Path) -> None:
    """The copy in the place of the ledger, without the log of the old one."""
    shop.till.close()
    file = shop.till.settings.ledger
    for end in ("", "-wal", "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)
    copy.rename(file)
    shop.till = open_till()


def test_the_copy_can_take_the_place_of_the_ledger(shop: Shop, target: Path) -> None:
    """Put in place without the old log it is a ledger that holds every invariant, and knows the sale."""
    shop.finished()
    assert shop.run("back_up_ledger", str(target)).code == 0
    restored(shop, target)
    assert list(invariants.broken(shop.till.ledger)) == []
    assert shop.run("show_payment", "INV-1001").code == 0


def test_mails_younger_than_the_copy_are_listed_before_they_leave_again(shop: Shop, target: Path) -> None:
    """What the directive says of mails: a dry run names them, and each leaves again with the Message-ID it had."""
    shop.invoiced()
    assert shop.run("back_up_ledger", str(target)).code == 0
    shop.finished()
    before = sorted(mail["message_id"] for mail in shop.mails())
    assert before
    restored(shop, target)
    assert shop.run("poll_events").code == 0
    assert shop.run("process_inbox").code == 0
    listed = shop.run("send_messages", "--dry-run").json["mails"]
    assert sorted(mail["message_id"] for mail in listed) == before
    assert sorted(mail["message_id"] for mail in shop.mails()) == before
    assert shop.run("run_pending").code == 0
    assert sorted(mail["message_id"] for mail in shop.mails()) == sorted(before * 2)


def test_an_empty_ledger_has_a_copy_too(shop: Shop, target: Path) -> None:
    """Before the first sale there is no movement, no seal, and still a mode."""
    ran = shop.run("back_up_ledger", str(target))
    assert (ran.code, ran.json["facts"], ran.json["last_movement"]) == (0, 0, "")


def test_another_one_in_the_middle_of_writing_is_no_obstacle(shop: Shop, target: Path) -> None:
    """Nobody waits, and what is not committed is not copied."""
    shop.finished()
    before = contents(shop.till.settings.ledger)
    other = raw(shop.till.settings.ledger)
    other.execute("begin immediate")
    other.execute("insert into cursor (name, value) values ('half', 1)")
    ran = shop.run("back_up_ledger", str(target))
    other.execute("rollback")
    assert ran.code == 0, ran.err
    assert contents(target) == before
    assert rows(target, "select * from cursor where name = 'half'") == []


def test_a_copy_is_of_one_moment_while_others_write(shop: Shop, target: Path) -> None:
    """Facts come in all the time; each copy has whole transactions and the count and seal that were read with it."""
    stop = threading.Event()

    def write() -> None:
        ledger = Ledger(shop.till.settings.ledger, shop.till.ledger.clearing)
        number = 0
        while not stop.is_set():
            number += 1
            received(ledger, reading([payment(f"pi_{number}", 100), payment(f"pj_{number}", 100)]), NOW)
        ledger.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = [shop.run("back_up_ledger", f"{target}.{nth}") for nth in range(8)]
    finally:
        stop.set()
        writer.join()
    assert [(ran.code, ran.err) for ran in found] == [(0, "")] * 8
    counts = [ran.json["facts"] for ran in found]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
    for nth, count in enumerate(counts):
        copy = Ledger(Path(f"{target}.{nth}"), shop.till.ledger.clearing)
        assert copy.facts.count() == count
        assert list(copy.facts.broken_seals()) == []
        copy.close()


@pytest.mark.parametrize("there", ["file", "link to nothing", "folder", "the ledger itself"])
def test_what_is_there_is_never_overwritten(shop: Shop, target: Path, there: str) -> None:
    """Exit 3 and not a byte is changed; a second copy of a night has a name of its own."""
    if there == "file":
        target.write_text("yesterday's only copy")
    elif there == "link to nothing":
        target.symlink_to(target.parent / "elsewhere")
    elif there == "folder":
        target.mkdir()
    else:
        target = shop.till.settings.ledger
    before = sorted(path.name for path in target.parent.iterdir())
    ran = shop.run("back_up_ledger", str(target))
    assert (ran.code, ran.out) == (3, "")
    assert "exists already" in ran.err
    assert sorted(path.name for path in target.parent.iterdir()) == before
    assert there != "file" or target.read_text() == "yesterday's only copy"


@pytest.mark.parametrize("where", ["missing", "a file"])
def test_a_folder_that_is_not_there_is_named(shop: Shop, target: Path, where: str) -> None:
    """An unmounted disk must not become a folder on the first one: nothing is made, exit 3."""
    folder = target.parent / "mount"
    if where == "a file":
        folder.touch()
    ran = shop.run("back_up_ledger", str(folder / "copy.db"))
    assert (ran.code, ran.out) == (3, "")
    assert str(folder) in ran.err
    assert folder.is_file() == (where == "a file")
    assert not folder.is_dir()


def test_a_damaged_ledger_has_no_copy(shop: Shop, target: Path) -> None:
    """What the copy's own check finds ends with 3, and the older copies are the last good ones."""
    shop.finished()
    other = raw(shop.till.settings.ledger, tamper=True)
    other.execute(
        "insert into line (entry, position, account, amount_minor, currency, invoice) "
        "values (999999, 0, 'bank', 1, 'USD', '')"
    )
    other.close()
    ran = shop.run("back_up_ledger", str(target))
    assert (ran.code, ran.out) == (3, "")
    assert "not sound" in ran.err
    assert "--full" in ran.err
    assert list(target.parent.iterdir()) == []


def test_a_run_that_is_killed_leaves_no_half_copy(shop: Shop, target: Path) -> None:
    """Whenever it is killed, what stands under the name is a whole ledger or nothing, and the next run makes one."""
    other = raw(shop.till.settings.ledger)
    other.execute("create table ballast (bytes blob)")
    for _ in range(60):
        other.execute("insert into ballast values (randomblob(1000000))")
    other.close()
    command = [sys.executable, str(SCRIPTS / "back_up_ledger.py"), str(target)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not list(target.parent.iterdir()) and process.poll() is None:
            time.sleep(0.002)
        time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not target.exists()
    assert shop.run("back_up_ledger", str(target)).code == 0
    assert rows(target, "select count(*) from ballast") == [(60,)]
