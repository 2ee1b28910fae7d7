"""The file that keeps QuickBooks' tokens: a new one is on the disk before anybody uses it.

Intuit's refresh token changes about daily and the old one dies. A token that was used and then lost in a crash
would cut the connection, so a write is complete (draft, fsync, rename, fsync of the folder) before it returns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tillbook.kit.errors import Refused, Unavailable
from tillbook.rules.operations import Json
from tillbook.vendors.quickbooks.errors import CONNECT_HINT


@dataclass(frozen=True, slots=True)
class Tokens:
    """One company's connection. Times are UTC seconds. The tokens themselves are kept out of `repr`."""

    realm: str
    refresh_token: str = field(repr=False)
    access_token: str = field(repr=False)
    access_expires_at: int
    refresh_expires_at: int
    refreshed_at: int

    @classmethod
    def first(cls, realm: str, refresh_token: str) -> Tokens:
        """A connection that nobody has used yet: only its refresh token is known."""
        return cls(realm, refresh_token, "", 0, 0, 0)


class TokenFile:
    """Read and replace the tokens of one home folder. Whoever writes holds the lock `quickbooks-token`."""

    def __init__(self, home: Path) -> None:
        self.path = home / "quickbooks-token.json"

    def read(self) -> Tokens | None:
        """The stored tokens, None before the first. Raises Refused when the file is not one of ours."""
        found = read_json(self.path)
        try:
            return None if found is None else Tokens(**found)
        except TypeError as error:
            raise _unreadable(self.path) from error

    def write(self, tokens: Tokens) -> None:
        """Replace the file. Raises Unavailable when it cannot be written: then the tokens must not be used."""
        write_json(self.path, asdict(tokens))

    def prove_writable(self) -> None:
        """Find a full disk or a wrong permission before Intuit takes the old token back. Raises Unavailable."""
        with _writing(self.path):
            _write_draft(self.path, "{}")
            _draft(self.path).unlink()


def read_json(path: Path) -> Json | None:
    """A small private file, None when there is none. Raises Refused when it is not a JSON object."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        raise _unreadable(path) from error
    if not isinstance(found, dict):
        raise _unreadable(path)
    return found


def write_json(path: Path, value: Json) -> None:
    """Replace a small file in one durable move, readable by its owner only. Raises Unavailable."""
    with _writing(path):
        _write_draft(path, json.dumps(value, indent=1))
        os.replace(_draft(path), path)
        _sync_folder(path.parent)


def forget(path: Path) -> None:
    """Delete a small file, durably."""
    with _writing(path):
        path.unlink(missing_ok=True)
        _sync_folder(path.parent)


def _draft(path: Path) -> Path:
    return path.with_name(f"{path.name}.draft")


def _write_draft(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(_draft(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w", encoding="utf-8") as out:
        os.fchmod(handle, 0o600)  # a draft that a crash left behind keeps its own mode
        out.write(text)
        out.flush()
        os.fsync(handle)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a rename alone may be lost with the power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"{path.name} cannot be written in {path.parent}: {error.strerror}",
            hint="Make room or correct the folder's permissions, then run the same command again.",
        ) from error


def _unreadable(path: Path) -> Refused:
    return Refused(
        f"{path.name} in {path.parent} is not what Tillbook wrote there",
        hint=CONNECT_HINT,
    )
