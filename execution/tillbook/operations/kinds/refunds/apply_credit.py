"""`apply_credit`: a Purchase is applied to the payment whose credit it gave back, so that neither stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.kinds.quickbooks import DOOR, InQuickBooks, Made, found_by

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Evidence, Plan, Stored


class ApplyCredit(InQuickBooks[Made], frozen=True):
    """Apply a Purchase to the unapplied rest of a Payment. The result is the Payment."""

    payment_id: str
    purchase_id: str
    amount: str

    @staticmethod
    def subject(document: str) -> str:
        """The document of the Purchase, by its key."""
        return document

    def plan(self, document: str) -> Plan[Made]:
        """The plan to apply the Purchase of that document."""
        return self.planned(self.subject(document), DOOR)

    @classmethod
    def evidence(cls) -> Evidence:
        """Found by the line that it adds."""
        return found_by(
            "reading the `Payment`: one of its lines is linked to the Purchase",
            "nothing: its parameters name payment and Purchase",
        )

    def assumed(self, operation: Stored) -> Made:
        """The Payment."""
        return Made(self.payment_id)

    def record(self, ledger: Ledger, operation: Stored, result: Made, now: int) -> None:
        """The document of the Purchase is posted."""
        ledger.documents.mark_posted(operation.subject, self.purchase_id, now)
