"""`create_account`: an account that our documents use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.kit.money import exponent
from tillbook.operations.kinds.quickbooks import DOOR, InQuickBooks, Made, found_by, new

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.accounts import ClearingAccount
    from tillbook.rules.operations import Evidence, Plan, Stored


class CreateAccount(InQuickBooks[Made], frozen=True):
    """Make an account. It carries no mark, as the account of that name is the right one, whoever made it."""

    name: str
    type: str
    subtype: str
    currency: str

    @classmethod
    def clearing(cls, account: ClearingAccount, currency: str) -> CreateAccount:
        """The account of the money that a processor holds: one per settlement currency. Raises Refused for a code that
        is no currency."""
        exponent(currency)
        return CreateAccount(account.in_books(currency), "Bank", "CashOnHand", currency)

    @staticmethod
    def subject(name: str) -> str:
        """An account is its name."""
        return name

    def plan(self) -> Plan[Made]:
        """The plan to make it."""
        return self.planned(self.subject(self.name), DOOR)

    @classmethod
    def evidence(cls) -> Evidence:
        """Found by its name."""
        return found_by("query `Account` by `Name`", "nothing: name, type and currency are the account")

    def assumed(self, operation: Stored) -> Made:
        """A new account."""
        return Made(new(operation))

    def record(self, ledger: Ledger, operation: Stored, result: Made, now: int) -> None:
        """The account is known from now on."""
        ledger.sales.add_account(self.name, result.id, self.currency)
