"""What is common to the two ways in which a record that must not stand is taken out of the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.kinds.quickbooks import DOOR, InQuickBooks, Made

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Plan, Stored

SUBJECT_ALONE = "nothing: the subject is kind and id of the record"


class Withdrawal(InQuickBooks[Made], frozen=True):
    """Take a record out of the books. One that is gone is withdrawn already."""

    entity: str
    id: str

    @staticmethod
    def subject(entity: str, quickbooks_id: str) -> str:
        """A record is its kind and its id."""
        return f"{entity} {quickbooks_id}"

    def plan(self) -> Plan[Made]:
        """The plan to withdraw it."""
        return self.planned(self.subject(self.entity, self.id), DOOR)

    def assumed(self, operation: Stored) -> Made:
        """The record, withdrawn."""
        return Made(self.id)

    def record(self, ledger: Ledger, operation: Stored, result: Made, now: int) -> None:
        """Nothing follows: who withdraws a record also says what happens to its document."""
