"""`post_deposit`: a refund of a customer's credit failed, so the money is owed to him again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.kinds.quickbooks import Posted, mark_posted
from tillbook.operations.kinds.refunds.credit_movement import CreditMovement
from tillbook.rules.documents import Purpose

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Stored


class PostDeposit(CreditMovement, frozen=True):
    """Post a `Deposit` into the clearing account."""

    @classmethod
    def purpose(cls) -> Purpose:
        """Failed credit refund."""
        return Purpose.FAILED_CREDIT_REFUND

    def record(self, ledger: Ledger, operation: Stored, result: Posted, now: int) -> None:
        """Its document is posted."""
        mark_posted(ledger, operation, result, now, problem=result.problem)
