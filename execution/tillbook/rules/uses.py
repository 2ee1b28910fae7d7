"""How one movement of money is used: what a payment is applied to, what a refund gives back."""

from __future__ import annotations

from dataclasses import dataclass

from tillbook.kit.money import Money

PURPOSES = ("sale", "credit", "payment")
"""What a refund of ours can be said to give back."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """How a payment is used: `applied` to the invoice, and what is over becomes the customer's `credit`."""

    invoice: str
    applied: Money
    credit: Money


@dataclass(frozen=True, slots=True)
class Return:
    """What a refund gives back: `sale` without tax, its `tax`, `credit`, and the part that opens the invoice again.

    All are negative for a refund that failed: it takes back what the refund gave.
    """

    invoice: str
    sale: Money
    tax: Money
    credit: Money
    reopened: Money

    def __neg__(self) -> Return:
        return Return(self.invoice, -self.sale, -self.tax, -self.credit, -self.reopened)


Use = Allocation | Return | None
Uses = dict[tuple[str, str], Use]
