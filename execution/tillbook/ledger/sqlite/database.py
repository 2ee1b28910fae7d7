"""The SQLite file: opened, asserted, locked, and asked by named queries. The one room that speaks to apsw.

apsw brings its own SQLite, newer than the linked one of many Pythons, which can corrupt a WAL (3.7.0 to 3.51.2).
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import apsw

from tillbook.kit.errors import Refused, TillbookError, Unavailable

Row = dict[str, Any]
FIRST_SAFE_SQLITE = 3_051_003
BUSY_TIMEOUT_MS = 5_000
PAGE_BYTES = 8192
"""Of a new ledger. Two events with their bodies fit a page, so that a burst writes half as many pages as with 4096."""
LOG_BYTES = 4 * 1024 * 1024
"""So much of the write-ahead log is kept after a burst. A dry run reads it whole."""

_PLACE_HINT = "Correct TILLBOOK_LEDGER or TILLBOOK_HOME, or the rights of that folder."
_QUERIES = Path(__file__).parents[1] / "queries"


class Database:
    """One connection. Every write is inside `transaction()`. Nothing outside this folder writes SQL."""

    def __init__(self, file: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        if apsw.SQLITE_VERSION_NUMBER < FIRST_SAFE_SQLITE:
            raise Refused(f"SQLite {apsw.sqlite_lib_version()} can corrupt a ledger", hint="Install a newer apsw.")
        self.file = file
        self.in_transaction = False
        self.before_commit: list[Callable[[], None]] = []
        self._reader: apsw.Connection | None = None
        with _translated(file):
            _make_private(file)
            self._connection = apsw.Connection(str(file))
            self._connection.row_trace = _as_dict
            self._connection.set_busy_timeout(busy_timeout_ms)
            self._set_pragmas()

    def _set_pragmas(self) -> None:
        self._connection.pragma("page_size", PAGE_BYTES)  # a file that has pages already keeps theirs
        # Without recursive_triggers an `insert or replace` would overwrite a row past the triggers that keep it.
        wanted = {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "trusted_schema": 0,
            "recursive_triggers": 1,
            "journal_size_limit": LOG_BYTES,
        }
        for name, value in wanted.items():
            self._connection.pragma(name, value)
            found = self._connection.pragma(name)
            if found != value:
                raise Refused(f"the ledger {self.file} has {name} {found!r}; expected {value!r}")

    def set_busy_timeout(self, milliseconds: int) -> None:
        """How long a statement waits for another writer."""
        self._connection.set_busy_timeout(milliseconds)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        if self._reader is not None:
            self._reader.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE ... COMMIT with full sync, rolled back when anything is raised.

        Raises Unavailable when another process keeps the ledger busy, or the disk is full.
        """
        if self.in_transaction:
            raise TillbookError("a transaction inside a transaction: the outer one must do the work")
        with _translated(self.file):
            self._connection.execute("begin immediate")
            self.in_transaction = True
            try:
                yield
                for hook in self.before_commit:
                    hook()
                self._connection.execute("commit")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise
            finally:
                self.in_transaction = False

    def all(self, name: str, /, **params: Any) -> list[Row]:
        """Every row of a named query: `topic.query`."""
        with _translated(self.file):
            return list(self._connection.execute(query(name), params))

    def one(self, name: str, /, **params: Any) -> Row | None:
        """The first row of a named query, or None."""
        rows = self.all(name, **params)
        return rows[0] if rows else None

    def each(self, name: str, /, **params: Any) -> Iterator[Row]:
        """The rows of a named query, one at a time. The write-ahead log is kept until the last of them is taken."""
        with _translated(self.file):
            yield from self._connection.execute(query(name), params)

    def run(self, name: str, values: tuple[Any, ...] = (), /, **params: Any) -> int:
        """A named change, inside a transaction. Says how many rows it changed. Its values are by place or by name."""
        if not self.in_transaction:
            raise TillbookError(f"{name} changes the ledger outside a transaction")
        self._connection.execute(query(name), values or params)
        return self._connection.changes()

    def inserted(self) -> int:
        """The row id of the last insert."""
        return self._connection.last_insert_rowid()

    def script(self, text: str) -> None:
        """Run a migration's statements inside the transaction."""
        self._connection.execute(text)

    def pragma(self, name: str, value: int | None = None) -> Any:
        """Read a PRAGMA of SQLite, or set it."""
        return self._connection.pragma(name) if value is None else self._connection.pragma(name, value)

    def problems(self) -> list[str]:
        """What `integrity_check` and `foreign_key_check` find, or nothing for a sound file."""
        with _translated(self.file):
            try:
                rows = [
                    *self._connection.execute("pragma integrity_check"),
                    *self._connection.execute("pragma foreign_key_check"),
                ]
            except apsw.SQLError as error:  # an index over a fact's body cannot be checked when that is no JSON
                return [str(error)]
        found = [" ".join(map(str, row.values())) for row in rows]
        return [problem for problem in found if problem != "ok"]

    def copy_to(self, target: Path) -> None:
        """A consistent copy through SQLite's own backup, which sees the WAL too. Raises Unavailable on a full disk."""
        _make_private(target)
        with (
            _translated(target),
            closing(apsw.Connection(str(target))) as copy,
            copy.backup("main", self._connection, "main") as backup,
        ):
            backup.step()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read and copied inside is of one moment. Others go on writing meanwhile."""
        with _translated(self.file):
            self._connection.execute("begin")
            self._connection.execute("select 1 from sqlite_schema").get  # noqa: B018  the first read takes the snapshot
            try:
                yield
            finally:
                self._connection.execute("rollback")

    def forgetful(self) -> Database:
        """This database as it is now. What is written to it is forgotten."""
        from tillbook.ledger.sqlite.forgetful import open_forgetful  # noqa: PLC0415  start-up time

        other = Database.__new__(Database)
        other.file, other.in_transaction, other.before_commit = self.file, False, []
        with _translated(self.file):
            other._connection, other._reader = open_forgetful(self.file)
            other._connection.row_trace = _as_dict
            other._connection.pragma("foreign_keys", 1)
            other._connection.pragma("recursive_triggers", 1)
        return other

    @contextmanager
    def lock(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """The one lock of that name between processes. The system frees it when its process dies.

        Raises Unavailable when it is held and `wait` is false.
        """
        import hashlib  # noqa: PLC0415  start-up time

        folder = self.file.parent / "locks"
        folder.mkdir(mode=0o700, exist_ok=True)
        label = hashlib.sha256(name.encode()).hexdigest()[:24]
        descriptor = os.open(folder / f"{self.file.stem}-{label}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Unavailable(f"another process is at work ({name})", hint="Run it again later.") from error
            yield
        finally:
            os.close(descriptor)


def query(name: str) -> str:
    """The SQL of `topic.query`: the block `-- name: query` in queries/topic.sql."""
    topic, _, label = name.partition(".")
    return _topic(topic)[label]


@cache
def _topic(topic: str) -> dict[str, str]:
    text = (_QUERIES / f"{topic}.sql").read_text()
    parts = re.split(r"^-- name: (\w+).*$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _as_dict(cursor: apsw.Cursor, row: apsw.SQLiteValues) -> Row:
    return {column[0]: value for column, value in zip(cursor.get_description(), row, strict=True)}


def _make_private(file: Path) -> None:
    """Create the file readable by its owner only. SQLite gives its WAL the same rights.

    One that is there is left alone: whoever closes a file loses every lock of the process on it, also those of another
    connection, under which SQLite would then read and write (fcntl(2)).
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise Refused(
            f"the ledger {file} cannot be opened for writing: {error.strerror}",
            hint=_PLACE_HINT,
        ) from error


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    """SQLite's and the system's troubles as words for a person. A broken rule of ours stays a bug."""
    try:
        yield
    except (apsw.BusyError, apsw.LockedError) as error:
        raise Unavailable("another process keeps the ledger busy", hint="Run the same command again.") from error
    except (apsw.FullError, apsw.IOError) as error:
        raise Unavailable(f"the ledger {file} could not be written: {error}", hint="Free some disk space.") from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise Refused(f"the ledger {file} cannot be opened for writing: {error}", hint=_PLACE_HINT) from error
    except (apsw.NotADBError, apsw.CorruptError, UnicodeDecodeError) as error:
        raise Refused(f"{file} is not a sound ledger: {error}", hint="Restore the last verified copy.") from error
