"""End an invoice that must not stand, so that the corrected order can take its number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.sales.voiding import Voided
    from tillbook.till import Till


def void_invoice(invoice: str, *, till: Till) -> Voided:
    """Close the pages of an invoice and void it in QuickBooks. The corrected order takes the same number again.

    Raises Refused (unknown, paid in part or in whole, about to be paid), Unavailable, Uncertain.
    """
    from tillbook.sales import voiding  # noqa: PLC0415  start-up time

    return voiding.void(till, invoice)


@cli.command
def app(
    till: Till,
    invoice: Annotated[str, typer.Argument(help="The invoice number.")],
    dry_run: cli.DryRun = False,
) -> Voided:
    """Void an unpaid invoice and close its pages. The corrected order can then take the same number."""
    return void_invoice(invoice, till=till)


if __name__ == "__main__":
    app()
