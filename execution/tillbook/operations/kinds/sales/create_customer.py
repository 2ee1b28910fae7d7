"""`create_customer`: whoever an invoice is for, where QuickBooks does not know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.kinds.quickbooks import DOOR, InQuickBooks, Made, found_by, new
from tillbook.rules.orders import Address, Order

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Evidence, Plan, Stored


class CreateCustomer(InQuickBooks[Made], frozen=True):
    """Make a customer. `full_name` is the order's, `name` the display name, which QuickBooks wants free and short."""

    name: str
    full_name: str
    email: str
    currency: str
    address: Address | None

    @classmethod
    def of(cls, order: Order, name: str) -> CreateCustomer:
        """The customer of an order, under the display name that was chosen."""
        return CreateCustomer(
            name=name,
            full_name=order.customer.name,
            email=order.customer.email,
            currency=order.currency,
            address=order.customer.address,
        )

    @staticmethod
    def subject(full_name: str, email: str, currency: str) -> str:
        """A customer is a name with an address, billed in one currency."""
        return f"{full_name} <{email.casefold()}> {currency}"

    def plan(self) -> Plan[Made]:
        """The plan to make the customer."""
        return self.planned(self.subject(self.full_name, self.email, self.currency), DOOR)

    @classmethod
    def evidence(cls) -> Evidence:
        """Found by our mark: under the display name, which a person may change, then among the newest."""
        return found_by("query `Customer` by `DisplayName`, then the newest ones, by `Notes`", "`Notes`")

    def assumed(self, operation: Stored) -> Made:
        """A new customer."""
        return Made(new(operation))

    def record(self, ledger: Ledger, operation: Stored, result: Made, now: int) -> None:
        """The customer is known from now on."""
        ledger.sales.save_customer(
            quickbooks_id=result.id,
            name=self.full_name,
            display_name=self.name,
            email=self.email,
            currency=self.currency,
        )
