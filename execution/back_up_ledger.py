"""A verified copy of the ledger, made while others go on writing.

The copy is made beside its place under another name, verified, and renamed: a crash leaves no half copy under FILE.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli
from tillbook.kit.clock import rfc3339
from tillbook.kit.errors import Refused
from tillbook.ledger import Ledger

if TYPE_CHECKING:
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class _Content:
    """What a ledger and its copy must have in common."""

    mode: str
    schema_version: int
    facts: int
    last_seal: str


@dataclass(frozen=True, slots=True)
class BackedUp:
    file: str
    mode: str
    facts: int
    last_movement: str
    bytes: int


def back_up_ledger(file: Path, *, till: Till) -> BackedUp:
    """Copy the ledger to a new file and verify the copy. Raises Refused when the file exists, or is not sound."""
    file = file.absolute()
    _refuse_existing(file)
    with _draft(file) as draft:
        with till.ledger.snapshot():
            till.ledger.copy_to(draft)
            wanted, last_movement = _content(till.ledger), till.ledger.facts.last_movement()
        _verify(Ledger(draft, till.ledger.clearing), wanted, till.settings.ledger)
        _refuse_existing(file)
        draft.rename(file)
    _keep(file.parent)
    when = rfc3339(last_movement) if last_movement else ""
    return BackedUp(str(file), wanted.mode, wanted.facts, when, file.stat().st_size)


def _refuse_existing(file: Path) -> None:
    """A copy never takes the place of another one, nor of the ledger."""
    if os.path.lexists(file):
        raise Refused(f"{file} exists already", hint="Name a new file, for example with the date in its name.")


@contextmanager
def _draft(file: Path) -> Iterator[Path]:
    """An empty file beside it, for its owner only. What is left of it at the end is deleted."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f"{file.name}.", suffix=".draft", dir=file.parent)
    except OSError as error:
        raise Refused(
            f"no file can be made in {file.parent}: {error.strerror}",
            hint="Make that folder, or correct its rights. The copy belongs on another disk than the ledger.",
        ) from error
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
    finally:
        for end in ("", "-journal", "-wal", "-shm"):
            Path(f"{draft}{end}").unlink(missing_ok=True)


def _content(ledger: Ledger) -> _Content:
    return _Content(
        mode=ledger.binding.bound()["mode"],
        schema_version=ledger.schema_version(),
        facts=ledger.facts.count(),
        last_seal=ledger.facts.seal_hash(),
    )


def _verify(copy: Ledger, wanted: _Content, original: Path) -> None:
    """The copy is a sound file and has what was copied. Raises Refused."""
    with closing(copy):
        problems = copy.file_problems()
        found = _content(copy)
    if found != wanted:
        problems.append(f"it has {found}, the ledger {wanted}")
    if problems:
        raise Refused(
            f"the copy of {original} is not sound and was deleted: {problems[0]}",
            hint="`python execution/check_setup.py --full` says whether the ledger itself is. Keep the older copies.",
        )


def _keep(folder: Path) -> None:
    """The new name is on the disk before the step says so."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cli.look
def app(
    till: Till,
    file: Annotated[Path, typer.Argument(help="The new file. Its folder exists, at best on another disk.")],
) -> BackedUp:
    """Make and verify a copy of the ledger, while everything else goes on."""
    return back_up_ledger(file, till=till)


if __name__ == "__main__":
    app()
