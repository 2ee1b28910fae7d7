"""Submitted forms -> invoices, mailed with their pay link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli
from tillbook.kit.errors import Refused

if TYPE_CHECKING:
    from tillbook.sales.forms import Issued
    from tillbook.till import Till


def issue_forms(*, till: Till, limit: int = 1000, again: str = "", dismiss: str = "", because: str = "") -> Issued:
    """Make an invoice of each form that waits, and owe its customer the mail.

    First the refused order `again` waits again, or the refused order `dismiss` is ended with a person's reason. Raises
    Refused when there is no such order, or no reason.
    """
    from tillbook.sales import forms  # noqa: PLC0415  start-up time

    if bool(dismiss) != bool(because.strip()):
        raise Refused("--dismiss and --because go together", hint="Say why nothing will come of this order.")
    if again:
        forms.try_again(till, again)
    if dismiss:
        forms.dismiss(till, dismiss, because)
    with cli.progress("Issuing invoices", min(till.ledger.forms.count().get("waiting", 0), limit)) as advance:
        return forms.issue_forms(till, limit=limit, progress=advance)


@cli.command
def app(
    till: Till,
    limit: cli.Limit = 1000,
    again: Annotated[
        str, typer.Option("--again", metavar="NUMBER", help="A refused order waits again: what it lacked is mended.")
    ] = "",
    dismiss: Annotated[
        str, typer.Option("--dismiss", metavar="NUMBER", help="A refused order is ended: nothing will come of it.")
    ] = "",
    because: Annotated[str, typer.Option("--because", metavar="REASON", help="Why it is dismissed.")] = "",
    dry_run: cli.DryRun = False,
) -> Issued:
    """Turn the orders that came in through /forms/sales into invoices, and owe each customer the mail with the link."""
    return issue_forms(till=till, limit=limit, again=again, dismiss=dismiss, because=because)


if __name__ == "__main__":
    app()
