"""Documents not yet in QuickBooks -> QuickBooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.books.posting import Posted
    from tillbook.till import Till


def post_to_books(*, till: Till, limit: int = 1000, again: str = "") -> Posted:
    """Post waiting documents. `again` names a failed one that is to be tried once more."""
    from tillbook.books import posting  # noqa: PLC0415  start-up time

    if again:
        posting.try_again(till, again)
    with cli.progress("Posting to QuickBooks", min(till.ledger.documents.count_waiting(), limit)) as advance:
        return posting.post_documents(till, limit=limit, progress=advance)


@cli.command
def app(
    till: Till,
    limit: cli.Limit = 1000,
    again: Annotated[str, typer.Option("--again", metavar="DOCUMENT", help="Try this failed document again.")] = "",
    dry_run: cli.DryRun = False,
) -> Posted:
    """Record in QuickBooks what the facts call for and QuickBooks does not have yet."""
    return post_to_books(till=till, limit=limit, again=again)


if __name__ == "__main__":
    app()
