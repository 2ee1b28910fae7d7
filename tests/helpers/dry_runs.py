"""`--dry-run` under suspicion: what the ledger, the vendors and the mailbox held before and after it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import apsw

from helpers.sale import Shop

Json = dict[str, Any]
HARMLESS = ("/oauth", "/tokens", "/query")


def dry_run(shop: Shop, script: str, *arguments: str) -> Json:
    """Run a step with --dry-run; it may read at the vendors and write its row of activity, and nothing else."""
    before = rows(shop), changes(shop), len(shop.mails())
    ran = shop.run(script, *arguments, "--dry-run")
    assert ran.code == 0, ran.err
    assert (rows(shop), changes(shop), len(shop.mails())) == before
    found = ran.json
    assert found["dry_run"] is True
    return found


def rows(shop: Shop) -> dict[str, list[Any]]:
    """Every row of the ledger but those of activity, by table."""
    with closing(apsw.Connection(str(shop.till.settings.ledger), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        names = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        return {
            str(name): sorted(map(repr, connection.execute(f"select * from {name}")))  # noqa: S608  our own tables
            for name in names
            if name != "activity" and not str(name).startswith("sqlite_")
        }


def changes(shop: Shop) -> list[Json]:
    """The requests that could change something at a vendor; a token or a query changes nothing."""
    return [row for row in shop.requests(method="POST") if not any(part in row["path"] for part in HARMLESS)]


def operations(shop: Shop) -> list[Json]:
    """What the operations in the ledger ask for, oldest first: the form of a dry run's plan."""
    connection = shop.till.ledger.database
    found = [
        shop.till.ledger.operations.get(row["id"])
        for row in connection._connection.execute("select id from operation order by rowid")
    ]
    return [{"kind": one.kind, "subject": one.subject, "door": one.door, "params": one.params} for one in found if one]
