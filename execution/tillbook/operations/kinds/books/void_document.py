"""`void_document`: a record that must not stand is voided, so that its number and its history stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.kinds.books.withdrawal import SUBJECT_ALONE, Withdrawal
from tillbook.operations.kinds.quickbooks import found_by

if TYPE_CHECKING:
    from tillbook.rules.operations import Evidence

VOIDABLE = ("Payment", "SalesReceipt", "Invoice")
"""The kinds of records that QuickBooks can void."""


class VoidDocument(Withdrawal, frozen=True):
    """Void a record of the VOIDABLE kinds."""

    @classmethod
    def evidence(cls) -> Evidence:
        """Found by what is missing, or has become nothing."""
        return found_by("reading it: it is gone or voided", SUBJECT_ALONE)
