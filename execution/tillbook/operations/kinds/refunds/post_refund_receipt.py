"""`post_refund_receipt`: the sale is given back."""

from __future__ import annotations

from tillbook.operations.kinds.refunds.receipt import Receipt
from tillbook.rules.documents import Purpose


class PostRefundReceipt(Receipt, frozen=True):
    """Post a `RefundReceipt`."""

    @classmethod
    def purpose(cls) -> Purpose:
        """Sale refund."""
        return Purpose.SALE_REFUND
