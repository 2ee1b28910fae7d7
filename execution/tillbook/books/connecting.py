"""From no connection to a company that is ready to be posted to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.books import accounts
from tillbook.kit.errors import NotAllowed, Refused
from tillbook.vendors.providers import declared

if TYPE_CHECKING:
    from tillbook.till import Till
    from tillbook.vendors.books import Company


def connect(till: Till, redirected: str) -> None:
    """Make the connection from the redirected address, or make sure that there is one.

    Raises Refused with the address for the owner when there is none.
    """
    from tillbook.vendors.quickbooks.consent import authorization_url, connect  # noqa: PLC0415
    from tillbook.vendors.quickbooks.session import Connection  # noqa: PLC0415  start-up time

    connection = Connection(till.settings, till.clock, till.ledger.lock)
    if redirected and till.dry_run is None:
        connection.save(connect(till.settings, till.clock, redirected))
        return
    try:
        connection.access_token()
    except NotAllowed as error:
        raise Refused(
            f"{error.message}. The owner opens this address, presses Connect, and copies the address it leads to:\n"
            f"{authorization_url(till.settings, till.clock)}",
            hint='Then: python execution/connect_quickbooks.py --redirected "URL"',
        ) from error


def ready_accounts(till: Till, company: Company) -> dict[str, str]:
    """Find or create the clearing account of each provider that is set up, in the home currency: name -> id."""
    return {
        declared(name).clearing.in_books(company.home_currency): accounts.clearing_account(
            till, name, company.home_currency
        )
        for name in till.settings.providers
    }


def go_on(till: Till) -> None:
    """Let the next round try at once what waits: as a rule it waits for this connection."""
    with till.ledger.transaction():
        till.ledger.documents.hurry(till.clock.now())
        till.ledger.messages.hurry(till.clock.now())
