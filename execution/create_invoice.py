"""A submitted form becomes a QuickBooks customer and invoice, once."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money

if TYPE_CHECKING:
    from tillbook.rules.orders import Order
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class CreatedInvoice:
    invoice: str
    quickbooks_id: str
    customer: str
    amount: Money
    tax: Money
    due: str
    status: str
    already_done: bool


def create_invoice(order: Order, *, till: Till, allow_backorder: bool = False) -> CreatedInvoice:
    """Create the invoice of an order. Asked again with the same order it returns the same invoice.

    Raises Refused for what the books do not know or allow, for a number that stands for other content, and when
    QuickBooks' total differs from the order's. Raises Unavailable, Uncertain.
    """
    from tillbook.sales import invoices  # noqa: PLC0415  start-up time

    issued = invoices.require_sound(invoices.issue(till, order, allow_backorder=allow_backorder))
    booked = issued.booked
    return CreatedInvoice(
        invoice=booked.number,
        quickbooks_id=booked.id,
        customer=booked.customer_id,
        amount=booked.total,
        tax=booked.tax,
        due=booked.due,
        status="open" if booked.balance.minor else "paid",
        already_done=issued.already_done,
    )


def read_file(path: str) -> Order:
    """The order in a file, or on standard input for '-'. Raises Refused naming every field that is wrong."""
    from tillbook.rules.orders import read_order  # noqa: PLC0415  start-up time

    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}", hint="Name an order file, or - for stdin.") from error
    return read_order(content)


@cli.command
def app(
    till: Till,
    order: Annotated[str, typer.Argument(metavar="ORDER.json", help="The submitted form; '-' reads standard input.")],
    allow_backorder: Annotated[bool, typer.Option("--allow-backorder", help="Sell more than is in stock.")] = False,
    dry_run: cli.DryRun = False,
) -> CreatedInvoice:
    """Turn a submitted form into a QuickBooks invoice, once. The same number again returns the same invoice."""
    return create_invoice(read_file(order), till=till, allow_backorder=allow_backorder)


if __name__ == "__main__":
    app()
