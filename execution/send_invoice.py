"""Mail the customer the invoice with its pay link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class SentInvoice:
    invoice: str
    to: str
    message_id: str
    already_done: bool


def send_invoice(invoice: str, *, till: Till, again: bool = False) -> SentInvoice:
    """Send the invoice mail once. `again` sends another one, on a person's word.

    Raises Refused (no such invoice, paid, an unsound total), Unavailable, or Uncertain (it may have arrived).
    """
    from tillbook.letters import sending  # noqa: PLC0415  start-up time
    from tillbook.sales import invoices  # noqa: PLC0415  start-up time

    issued = invoices.require_sound(invoices.known_or_adopted(till, invoice))
    return SentInvoice(invoice, *sending.send_invoice_mail(till, issued.invoice, again=again))


@cli.command
def app(
    till: Till,
    invoice: Annotated[str, typer.Argument(help="The invoice number.")],
    again: Annotated[bool, typer.Option("--again", help="Send it once more.")] = False,
    dry_run: cli.DryRun = False,
) -> SentInvoice:
    """Mail the customer the invoice with the link where it can be paid. A second run sends nothing."""
    return send_invoice(invoice, till=till, again=again)


if __name__ == "__main__":
    app()
