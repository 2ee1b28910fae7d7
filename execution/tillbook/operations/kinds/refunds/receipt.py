"""What is common to a RefundReceipt and the SalesReceipt that mirrors one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tillbook.kit.money import Money, parse
from tillbook.operations.kinds.quickbooks import Posted, Posting, mark_posted, new

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Stored


class ReceiptLine(msgspec.Struct, frozen=True):
    """A part of the refunded sale. `amount` is decimal text without tax."""

    description: str
    item_id: str
    amount: str
    taxable: bool


class Receipt(Posting[Posted], frozen=True):
    """Post a receipt that pays through the processor's clearing account. QuickBooks adds the tax."""

    currency: str
    date: str
    account_id: str
    note: str
    lines: tuple[ReceiptLine, ...]

    def assumed(self, operation: Stored) -> Posted:
        """QuickBooks adds the tax, so the assumed total may be without it."""
        amounts = (parse(line.amount, self.currency, negative=True) for line in self.lines)
        return Posted(new(operation), sum(amounts, Money.zero(self.currency)).text)

    def record(self, ledger: Ledger, operation: Stored, result: Posted, now: int) -> None:
        """A receipt whose total QuickBooks made another is not posted yet: it is deleted and posted anew. One whose
        total cannot be understood stands until a person has looked."""
        document = ledger.documents.get(operation.subject)
        assert document is not None, "a document is opened before it is posted"
        if result.problem or parse(result.total, document.amount.currency) == document.amount:
            mark_posted(ledger, operation, result, now, problem=result.problem)
