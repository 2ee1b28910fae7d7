"""`post_refund_receipt`: the sale is given back."""

from __future__ import annotations

from tillbook.operations.kinds.refunds.receipt import Receipt


class PostRefundReceipt(Receipt, frozen=True):
    """Post a `RefundReceipt`."""

    @classmethod
    def entity(cls) -> str:
        """A `RefundReceipt`."""
        return "RefundReceipt"
