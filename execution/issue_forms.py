"""Submitted forms -> invoices, mailed with their pay link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.submitted import Issued
    from tillbook.workshop import Workshop


def issue_forms(*, shop: Workshop, limit: int = 1000) -> Issued:
    """Make an invoice of each form that waits, and owe its customer the mail."""
    from tillbook import submitted  # noqa: PLC0415  start-up time

    with cli.progress("Issuing invoices", min(shop.ledger.forms.count().get("waiting", 0), limit)) as advance:
        return submitted.issue_forms(shop, limit=limit, progress=advance)


@cli.command
def app(shop: Workshop, limit: cli.Limit = 1000, dry_run: cli.DryRun = False) -> Issued:
    """Turn the orders that came in through /forms/sales into invoices, and owe each customer the mail with the link."""
    return issue_forms(shop=shop, limit=limit)


if __name__ == "__main__":
    app()
