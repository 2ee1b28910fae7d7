"""`post_sales_receipt`: a refund of the sale failed, so its receipt is mirrored."""

from __future__ import annotations

from tillbook.operations.kinds.refunds.receipt import Receipt
from tillbook.rules.documents import Purpose


class PostSalesReceipt(Receipt, frozen=True):
    """Post a `SalesReceipt`."""

    @classmethod
    def purpose(cls) -> Purpose:
        """Failed sale refund."""
        return Purpose.FAILED_SALE_REFUND
