"""Give money back, all or part."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.refunds.refunds import Refunded
    from tillbook.till import Till


class Purpose(StrEnum):
    """What the refund gives back."""

    sale = "sale"
    credit = "credit"
    payment = "payment"


def refund_payment(
    payment: str,
    *,
    till: Till,
    amount: str = "",
    reason: str = "requested_by_customer",
    reference: str = "",
    purpose: str = "",
    again: bool = False,
) -> Refunded:
    """Refund a payment, once for each reference. `amount` is decimal text in its currency, or empty for all of it.

    Raises Refused, Unavailable, Uncertain.
    """
    from tillbook.refunds import refunds  # noqa: PLC0415  start-up time

    return refunds.refund(
        till, payment, amount=amount, reason=reason, reference=reference, purpose=purpose, again=again
    )


@cli.command
def app(
    till: Till,
    payment: Annotated[str, typer.Argument(help="Any id that names one payment; an invoice number, too.")],
    amount: Annotated[str, typer.Option(help="How much, such as 60.00; without it, all that remains.")] = "",
    reason: Annotated[
        str, typer.Option(help="duplicate, fraudulent, requested_by_customer, or words of your own.")
    ] = "requested_by_customer",
    reference: Annotated[
        str, typer.Option(help="Tells refunds of one payment apart. Default: the amount and the reason.")
    ] = "",
    of: Annotated[
        Purpose | None, typer.Option("--of", help="What it gives back: the sale, a credit, or a payment still owed.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Refund once more what was refunded before.")] = False,
    dry_run: cli.DryRun = False,
) -> Refunded:
    """Give a customer money back, all or part. The same reference again returns the same refund."""
    purpose = of.value if of else ""
    return refund_payment(
        payment, till=till, amount=amount, reason=reason, reference=reference, purpose=purpose, again=again
    )


if __name__ == "__main__":
    app()
