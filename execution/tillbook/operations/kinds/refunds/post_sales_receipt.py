"""`post_sales_receipt`: a refund of the sale failed, so its receipt is mirrored."""

from __future__ import annotations

from tillbook.operations.kinds.refunds.receipt import Receipt


class PostSalesReceipt(Receipt, frozen=True):
    """Post a `SalesReceipt`."""

    @classmethod
    def entity(cls) -> str:
        """A `SalesReceipt`."""
        return "SalesReceipt"
