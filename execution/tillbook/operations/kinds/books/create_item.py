"""`create_item`: the Service item that the lines of refunds use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.kinds.quickbooks import DOOR, InQuickBooks, Made, found_by, new

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Evidence, Plan, Stored


class CreateItem(InQuickBooks[Made], frozen=True):
    """Make a Service item. It carries no mark, as the item of that name is the right one, whoever made it."""

    name: str
    income_account_id: str

    @staticmethod
    def subject(name: str) -> str:
        """An item is its name."""
        return name

    def plan(self) -> Plan[Made]:
        """The plan to make it."""
        return self.planned(self.subject(self.name), DOOR)

    @classmethod
    def evidence(cls) -> Evidence:
        """Found by its name."""
        return found_by("query `Item` by `Name`", "nothing: the name is the item")

    def assumed(self, operation: Stored) -> Made:
        """A new item."""
        return Made(new(operation))

    def record(self, ledger: Ledger, operation: Stored, result: Made, now: int) -> None:
        """The item is known from now on."""
        ledger.sales.add_item(self.name, result.id)
