"""The company whose books these are, as the books told of it.

Its name and its zone may be those of yesterday. What decides whether something is sent is `Till.company`, of this run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.vendors.books import Company

if TYPE_CHECKING:
    from tillbook.till import Till


def known(till: Till) -> Company:
    """What the books said about the company when they were last asked. Raises NotAllowed when none is connected."""
    stored = till.ledger.sales.company(till.ledger.binding.bound().get("quickbooks", ""))
    return Company(**stored) if stored is not None else till.company


def zone(till: Till) -> str:
    """The zone of business dates: the setting, else the company's, else UTC."""
    return till.settings.timezone or known(till).zone or "UTC"
