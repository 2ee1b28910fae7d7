"""What refunds take of a payment. The database itself refuses the one that would give back more than was captured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tillbook.kit.money import Money
from tillbook.ledger.sqlite.database import Database, Row


@dataclass(frozen=True, slots=True)
class Refundable:
    """What came in, what went back, and what refunds under way will still take, in the charge's currency."""

    captured: Money
    returned: Money
    pending: Money

    @property
    def remaining(self) -> Money:
        """What may still be given back."""
        return self.captured - self.returned - self.pending


class Outflows:
    """Money that goes back by operations of ours, reserved before it leaves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def refundable(self, provider: str, payment: str, currency: str) -> Refundable:
        """What a payment brought, and what refunds took of it so far."""
        row = self._database.one("outflows.refundable", provider=provider, payment=payment, currency=currency) or {}
        captured, returned, pending = (
            Money(row.get(f"{name}_minor", 0), currency) for name in ("captured", "returned", "pending")
        )
        return Refundable(captured, returned, pending)

    def purpose(self, operation: str) -> str:
        """What a refund operation of ours gives back, one of rules.uses.PURPOSES, or empty for any other id."""
        row = self._database.one("outflows.purpose", operation=operation)
        return row["purpose"] if row else ""

    def release(self, operation: str, now: int) -> None:
        """The refund of this operation ended without moving money."""
        self._database.run("outflows.release", operation=operation, now=now)

    def wrongly_over_returned(self) -> Iterator[Row]:
        """Payments that are kept as over-returned and are not by their facts, or the other way round."""
        return self._database.each("outflows.wrong_over_returned")

    def over_returned(self) -> list[Row]:
        """Payments of which more went back than came in: by a vendor's word, never by ours."""
        return self._database.all("outflows.over_returned")
