"""`delete_document`: a record that must not stand is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.kinds.books.withdrawal import SUBJECT_ALONE, Withdrawal
from tillbook.operations.kinds.quickbooks import found_by

if TYPE_CHECKING:
    from tillbook.rules.operations import Evidence


class DeleteDocument(Withdrawal, frozen=True):
    """Delete a record. QuickBooks can delete each kind of them."""

    @classmethod
    def evidence(cls) -> Evidence:
        """Found by what is missing."""
        return found_by("reading it: it is gone", SUBJECT_ALONE)
