"""Open or mint the page where an invoice is paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli
from tillbook.kit.clock import rfc3339
from tillbook.kit.money import Money

if TYPE_CHECKING:
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class CreatedCheckout:
    invoice: str
    provider: str
    checkout_id: str
    url: str
    amount: Money
    expires_at: str | None
    already_done: bool


def create_checkout(invoice: str, *, provider: str, till: Till) -> CreatedCheckout:
    """The open page for an invoice's open balance. The provider is asked for one only when none is open.

    Raises Refused (nothing open, a payment in progress, no such invoice), Unavailable, Uncertain.
    """
    from tillbook.sales import checkouts  # noqa: PLC0415  start-up time

    opened = checkouts.open_checkout(till, invoice, provider)
    page = opened.checkout
    return CreatedCheckout(
        invoice=page.invoice,
        provider=page.provider,
        checkout_id=page.id,
        url=page.url,
        amount=page.amount,
        expires_at=None if page.expires_at is None else rfc3339(page.expires_at),
        already_done=opened.already_done,
    )


@cli.command
def app(
    till: Till,
    invoice: Annotated[str, typer.Argument(help="The invoice number; one made by hand in QuickBooks is adopted.")],
    provider: Annotated[
        str | None, cli.provider_option("Who takes the money. Default: the first that is set up.")
    ] = None,
    dry_run: cli.DryRun = False,
) -> CreatedCheckout:
    """Mint a page where the customer can pay an invoice. Running it again returns the same open page."""
    return create_checkout(invoice, provider=provider or till.provider_names[0], till=till)


if __name__ == "__main__":
    app()
