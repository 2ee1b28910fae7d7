"""The whole chain of a sale, from anything that names one part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class Shown:
    chain: list[dict[str, Any]]


def show_payment(anything: str, *, till: Till) -> Shown:
    """Every link from the order to the books and the mails, by the ledger alone. Raises Refused when unknown."""
    from tillbook.proof import chain  # noqa: PLC0415  start-up time

    return Shown(chain.of(till.ledger, anything))


@cli.look
def app(
    till: Till,
    anything: Annotated[
        str,
        typer.Argument(help="An invoice number, mail address, or an id of a provider, operation or QuickBooks."),
    ],
) -> Shown:
    """Show the whole chain of a sale: invoice, pages, events, facts, entries, documents, mails."""
    return show_payment(anything, till=till)


if __name__ == "__main__":
    app()
