"""What is common to a Purchase that gives a customer's credit back and the Deposit that mirrors one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.kinds.quickbooks import Posted, Posting, new

if TYPE_CHECKING:
    from tillbook.rules.operations import Stored


class CreditMovement(Posting[Posted], frozen=True):
    """Post money that moves between the processor's clearing account and what we owe a customer."""

    currency: str
    date: str
    account_id: str
    note: str
    amount: str
    receivable_account_id: str
    description: str

    def assumed(self, operation: Stored) -> Posted:
        """A record of the amount, for no tax is on it."""
        return Posted(new(operation), self.amount)
