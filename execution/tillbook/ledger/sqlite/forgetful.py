"""A connection whose writes are forgotten: what a dry run writes to. It costs the same however large the ledger is.

SQLite writes a change into the write-ahead log first, and into the database only at a checkpoint. So the database is
read where it is, its log is copied into memory, what is written is appended to that copy, and no checkpoint is made.
A reader of its own keeps other processes from moving the pages that are read meanwhile. Nobody waits for a dry run.
"""

from __future__ import annotations

from pathlib import Path

import apsw


def open_forgetful(file: Path) -> tuple[apsw.Connection, apsw.Connection]:
    """A connection to a ledger that forgets what it writes, and the reader that must be closed after it."""
    reader = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("begin")
    reader.execute("select 1 from sqlite_schema").get  # noqa: B018  the first read takes the snapshot
    vfs = _Forgetful(file)
    connection = apsw.Connection(str(file), vfs=vfs.vfs_name)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.pragma("locking_mode", "exclusive")  # before the first read: then the log needs no shared memory
    connection.wal_autocheckpoint(0)
    return connection, reader


class _Forgetful(apsw.VFS):
    """How SQLite sees the files: the log is in memory, and nobody else is locked out."""

    def __init__(self, file: Path) -> None:
        self.vfs_name = f"forgetful-{id(self)}"
        self._log = f"{file}-wal"
        super().__init__(self.vfs_name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        if flags[0] & apsw.SQLITE_OPEN_WAL:
            flags[1] = flags[0]
            return _Log(Path(self._log))  # type: ignore[return-value]  # apsw takes whatever has the methods
        if flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            return _Database("", name, flags)
        return super().xOpen(name, flags)

    def xAccess(self, pathname: str, flags: int) -> bool:
        return pathname == self._log or super().xAccess(pathname, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """The log is forgotten without that."""


class _Database(apsw.VFSFile):
    """The real file, read only, without a lock of ours."""

    def xLock(self, level: int) -> None:
        """The reader beside us holds the one lock that is needed."""

    def xUnlock(self, level: int) -> None:
        """There is none."""

    def xCheckReservedLock(self) -> bool:
        return False

    def xWrite(self, data: bytes, offset: int) -> None:
        raise apsw.ReadOnlyError("a dry run writes nothing")


class _Log:
    """The log as it was, and what is appended to it."""

    def __init__(self, file: Path) -> None:
        self._bytes = bytearray(file.read_bytes() if file.exists() else b"")

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._bytes[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        if len(self._bytes) < offset:
            self._bytes.extend(bytes(offset - len(self._bytes)))
        self._bytes[offset : offset + len(data)] = data

    def xTruncate(self, size: int) -> None:
        del self._bytes[size:]

    def xFileSize(self) -> int:
        return len(self._bytes)

    def xSync(self, flags: int) -> None:
        """Memory is as durable as it gets."""

    def xLock(self, level: int) -> None:
        """It is ours alone."""

    def xUnlock(self, level: int) -> None:
        """It is ours alone."""

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, ptr: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 0

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xClose(self) -> None:
        self._bytes.clear()
