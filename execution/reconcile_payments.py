"""Processor, ledger and books agree, or a typed list of why not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.proof.acceptances import Acceptances, Withdrawn
    from tillbook.proof.reconcile import Reconciled
    from tillbook.till import Till


def reconcile_payments(
    *,
    till: Till,
    first: str = "",
    last: str = "",
    repair: bool = False,
    accept: str = "",
    because: str = "",
) -> Reconciled:
    """Compare every statement, the ledger and QuickBooks from the date `first` to `last` (default: 35 days to now).

    Raises Refused (a wrong date, nothing to accept), Unavailable (another one is at work).
    """
    from tillbook.proof import reconcile  # noqa: PLC0415  start-up time

    asked = reconcile.Asked(first, last)
    return reconcile.reconcile(till, asked, repair=repair, accept=accept, because=because)


@cli.command
def app(
    till: Till,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day, YYYY-MM-DD.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day; without it, up to now.")] = "",
    repair: Annotated[bool, typer.Option("--repair", help="Repair what a machine may repair, and look again.")] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page for people to this file.")] = None,
    accept: Annotated[
        str, typer.Option(metavar="SUBJECT", help="Take this discrepancy as it is; your name is written down.")
    ] = "",
    acceptances: Annotated[bool, typer.Option("--acceptances", help="List what was accepted, and ask nobody.")] = False,
    withdraw: Annotated[int | None, typer.Option(metavar="ID", help="Take this acceptance back.")] = None,
    because: Annotated[str, typer.Option(help="Why it is accepted, or taken back.")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing when all is well: for cron.")] = False,
    dry_run: cli.DryRun = False,
) -> Reconciled | Acceptances | Withdrawn | None:
    """Prove that processor, ledger and books agree to the cent, or say why not and how it is repaired."""
    from tillbook.proof import acceptances as accepted  # noqa: PLC0415  start-up time

    if acceptances:
        return accepted.listed(till)
    if withdraw is not None:
        return accepted.withdraw(till, withdraw, because)
    result = reconcile_payments(till=till, first=first, last=last, repair=repair, accept=accept, because=because)
    if report is not None and not dry_run:
        from tillbook.proof import page  # noqa: PLC0415  start-up time

        page.write(report, result)
    silent = quiet and not dry_run and result.exit_code == 0 and not result.repaired
    return None if silent else result


if __name__ == "__main__":
    app()
