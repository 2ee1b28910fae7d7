"""Submitted forms -> invoices, mailed with their pay link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.sales.forms import Issued
    from tillbook.till import Till


def issue_forms(*, till: Till, limit: int = 1000) -> Issued:
    """Make an invoice of each form that waits, and owe its customer the mail."""
    from tillbook.sales import forms  # noqa: PLC0415  start-up time

    with cli.progress("Issuing invoices", min(till.ledger.forms.count().get("waiting", 0), limit)) as advance:
        return forms.issue_forms(till, limit=limit, progress=advance)


@cli.command
def app(till: Till, limit: cli.Limit = 1000, dry_run: cli.DryRun = False) -> Issued:
    """Turn the orders that came in through /forms/sales into invoices, and owe each customer the mail with the link."""
    return issue_forms(till=till, limit=limit)


if __name__ == "__main__":
    app()
