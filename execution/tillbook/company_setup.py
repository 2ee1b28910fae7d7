"""From no connection to a company that is ready to be posted to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook import book_accounts, bookkeeping
from tillbook.errors import NotAllowed, Refused

if TYPE_CHECKING:
    from tillbook.books import Company
    from tillbook.workshop import Workshop


def connect(shop: Workshop, redirected: str) -> None:
    """Make the connection from the redirected address, or make sure that there is one.

    Raises Refused with the address for the owner when there is none.
    """
    from tillbook.books.connection import Connection  # noqa: PLC0415  start-up time
    from tillbook.books.oauth import authorization_url, connect  # noqa: PLC0415

    connection = Connection(shop.settings, shop.clock, shop.ledger.lock)
    if redirected and shop.rehearsal is None:
        connection.save(connect(shop.settings, shop.clock, redirected))
        return
    try:
        connection.access_token()
    except NotAllowed as error:
        raise Refused(
            f"{error.message}. The owner opens this address, presses Connect, and copies the address it leads to:\n"
            f"{authorization_url(shop.settings, shop.clock)}",
            hint='Then: python execution/connect_quickbooks.py --redirected "URL"',
        ) from error


def ready_accounts(shop: Workshop, company: Company) -> dict[str, str]:
    """Find or create the clearing account of each provider that is set up, in the home currency: name -> id."""
    return {
        bookkeeping.clearing_account(name, company.home_currency)["name"]: book_accounts.clearing_account(
            shop, name, company.home_currency
        )
        for name in shop.settings.providers
    }
