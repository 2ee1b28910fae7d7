"""Numbered migrations. Each runs once, in one transaction, after a copy of the file as it was."""

from __future__ import annotations

from pathlib import Path

from tillbook.kit.errors import Refused
from tillbook.ledger.sqlite.database import Database

APPLICATION_ID = 0x54696C6C
MIGRATIONS = sorted((Path(__file__).parent / "migrations").glob("[0-9][0-9][0-9][0-9]_*.sql"))


def migrate(database: Database) -> None:
    """Bring a ledger to the newest schema. Raises Refused for a newer Tillbook's, and for another program's file."""
    newest = int(MIGRATIONS[-1].name[:4])
    if database.pragma("schema_version") and database.pragma("application_id") != APPLICATION_ID:
        raise Refused(
            f"{database.file} is another program's database, not a ledger",
            hint="Correct TILLBOOK_LEDGER, or leave it unset.",
        )
    if database.pragma("user_version") == newest:
        return
    with database.lock("migration"):
        version = database.pragma("user_version")
        if version > newest:
            raise Refused(
                f"the ledger {database.file} has schema {version}; this Tillbook knows {newest}",
                hint="Use the newer Tillbook that wrote it.",
            )
        for file in MIGRATIONS:
            if int(file.name[:4]) > version:
                _apply(database, file, keep_copy=version > 0)


def _apply(database: Database, file: Path, *, keep_copy: bool = True) -> None:
    """One migration. A new ledger needs no copy of what it was."""
    number = int(file.name[:4])
    if keep_copy:
        database.copy_to(database.file.with_name(f"{database.file.name}.before-{number:04d}"))
    with database.transaction():
        database.script(file.read_text())
        database.pragma("user_version", number)
