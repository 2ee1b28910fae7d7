"""An invoice as the books hold it."""

from __future__ import annotations

from dataclasses import dataclass

from tillbook.kit.money import Money


@dataclass(frozen=True, slots=True)
class BookedInvoice:
    """An invoice as QuickBooks holds it now. `due` and `date` are YYYY-MM-DD; `created_at` UTC seconds; `version`
    is QuickBooks' SyncToken, which grows with every change."""

    id: str
    number: str
    customer_id: str
    email: str
    total: Money
    tax: Money
    balance: Money
    date: str
    due: str
    voided: bool
    created_at: int
    version: int
