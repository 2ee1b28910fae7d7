"""The company whose books these are, as the books told of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from tillbook.vendors.books import Company

if TYPE_CHECKING:
    from tillbook.till import Till


def known(till: Till) -> Company:
    """What the books said about the company when they were last asked. Raises NotAllowed when none is connected."""
    stored = till.ledger.sales.company(till.ledger.binding.bound().get("quickbooks", ""))
    return Company(**stored) if stored is not None else read(till)


def read(till: Till) -> Company:
    """Read the company anew and remember it."""
    found = till.books.company()
    with till.ledger.transaction():
        till.ledger.sales.save_company(found.realm, asdict(found), till.clock.now())
    return found


def zone(till: Till) -> str:
    """The zone of business dates: the setting, else the company's, else UTC."""
    return till.settings.timezone or known(till).zone or "UTC"
