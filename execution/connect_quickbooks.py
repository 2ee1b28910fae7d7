"""OAuth, company, accounts found or created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class Connected:
    """`accounts`: each account that our documents use, with its QuickBooks id."""

    company: str
    realm: str
    currency: str
    accounts: dict[str, str]


def connect_quickbooks(*, till: Till, redirected: str = "") -> Connected:
    """Connect the company when `redirected` brings the owner's consent, then read it and make its accounts ready.

    Raises Refused naming the address where the owner gives consent when there is no connection yet.
    """
    from tillbook.books import connecting  # noqa: PLC0415  start-up time

    connecting.connect(till, redirected)
    found = till.company
    accounts = connecting.ready_accounts(till, found)
    connecting.go_on(till)
    return Connected(found.name, found.realm, found.home_currency, accounts)


@cli.found
def app(
    till: Till,
    redirected: Annotated[
        str, typer.Option("--redirected", metavar="URL", help="The address the browser was sent to after Connect.")
    ] = "",
    dry_run: cli.DryRun = False,
) -> Connected:
    """Connect QuickBooks: without --redirected it names the address for the owner, with it the connection is made."""
    return connect_quickbooks(till=till, redirected=redirected)


if __name__ == "__main__":
    app()
