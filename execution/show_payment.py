"""The whole chain of a sale, from anything that names one part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Shown:
    chain: list[dict[str, Any]]


def show_payment(anything: str, *, shop: Workshop) -> Shown:
    """Every link from the order to the books and the mails; the ledger alone is asked. Raises Refused when unknown."""
    from tillbook import chain  # noqa: PLC0415  start-up time

    return Shown(chain.of(shop.ledger, anything))


@cli.command
def app(
    shop: Workshop,
    anything: Annotated[
        str,
        typer.Argument(help="An invoice number, mail address, or an id of a provider, operation or QuickBooks."),
    ],
) -> Shown:
    """Show the whole chain of a sale: invoice, pages, events, facts, entries, documents, mails."""
    return show_payment(anything, shop=shop)


if __name__ == "__main__":
    app()
