"""`post_purchase`: money goes back out of a customer's credit, or of a payment whose sale stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.kinds.refunds.credit_movement import CreditMovement
from tillbook.rules.documents import Purpose

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.operations.kinds.quickbooks import Posted
    from tillbook.rules.operations import Stored


class PostPurchase(CreditMovement, frozen=True):
    """Post a `Purchase` out of the clearing account."""

    @classmethod
    def purpose(cls) -> Purpose:
        """Credit refund."""
        return Purpose.CREDIT_REFUND

    def record(self, ledger: Ledger, operation: Stored, result: Posted, now: int) -> None:
        """Nothing yet: its document is posted when it is also applied to its payment, or is found to stand alone."""
