"""OAuth, company, accounts found or created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Connected:
    """`accounts`: each account that our documents use, with its QuickBooks id."""

    company: str
    realm: str
    currency: str
    accounts: dict[str, str]


def connect_quickbooks(*, shop: Workshop, redirected: str = "") -> Connected:
    """Connect the company when `redirected` brings the owner's consent, then read it and make its accounts ready.

    Raises Refused naming the address where the owner gives consent when there is no connection yet.
    """
    from tillbook import company_setup, invoices  # noqa: PLC0415  start-up time

    company_setup.connect(shop, redirected)
    company = invoices.read_company(shop)
    accounts = company_setup.ready_accounts(shop, company)
    return Connected(company.name, company.realm, company.home_currency, accounts)


@cli.command
def app(
    shop: Workshop,
    redirected: Annotated[
        str, typer.Option("--redirected", metavar="URL", help="The address the browser was sent to after Connect.")
    ] = "",
    dry_run: cli.DryRun = False,
) -> Connected:
    """Connect QuickBooks: without --redirected it names the address for the owner, with it the connection is made."""
    return connect_quickbooks(shop=shop, redirected=redirected)


if __name__ == "__main__":
    app()
