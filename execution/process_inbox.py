"""Events -> facts -> entries, documents, messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.money_in.inbox import Processed
    from tillbook.till import Till


def process_inbox(*, till: Till, limit: int = 1000) -> Processed:
    """Apply waiting events: read what they point at, and write down what that proves."""
    from tillbook.money_in import inbox  # noqa: PLC0415  start-up time

    waiting, _ = till.ledger.inbox.waiting()
    with cli.progress("Reading what the events point at", min(waiting, limit)) as advance:
        return inbox.process(till, limit=limit, progress=advance)


@cli.command
def app(till: Till, limit: cli.Limit = 1000, dry_run: cli.DryRun = False) -> Processed:
    """Turn the events in the inbox into facts, entries, documents and messages."""
    return process_inbox(till=till, limit=limit)


if __name__ == "__main__":
    app()
