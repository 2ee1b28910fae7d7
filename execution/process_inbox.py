"""Events -> facts -> entries, documents, messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.intake import Processed
    from tillbook.workshop import Workshop


def process_inbox(*, shop: Workshop, limit: int = 1000) -> Processed:
    """Apply waiting events: read what they point at, and write down what that proves."""
    from tillbook import intake  # noqa: PLC0415  start-up time

    waiting, _ = shop.ledger.inbox.waiting()
    with cli.progress("Reading what the events point at", min(waiting, limit)) as advance:
        return intake.process(shop, limit=limit, progress=advance)


@cli.command
def app(shop: Workshop, limit: cli.Limit = 1000, dry_run: cli.DryRun = False) -> Processed:
    """Turn the events in the inbox into facts, entries, documents and messages."""
    return process_inbox(shop=shop, limit=limit)


if __name__ == "__main__":
    app()
