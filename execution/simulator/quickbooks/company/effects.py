"""What one transaction does to the books: postings to accounts, stock, and money applied to other transactions.

Effects are stored with their transaction, so that a change or deletion takes back exactly what was done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from simulator.quickbooks.exact import ZERO
from simulator.world import Json


@dataclass(frozen=True)
class Posting:
    """A debit (positive) or credit (negative) of one account.

    `amount` is in the account's own currency, `home` in the company's. `name` is the customer or vendor
    ("Customer/3") whose balance it moves, in their currency.
    """

    account: str
    amount: Decimal
    home: Decimal
    name: str = ""


@dataclass(frozen=True)
class Application:
    """Money of this transaction that settles another one (`target` = "Invoice/12"), in its currency and at home."""

    target: str
    amount: Decimal
    home: Decimal


@dataclass
class Effects:
    """The effects of one transaction. `stock` is the change of quantity on hand by item id."""

    postings: list[Posting] = field(default_factory=list)
    stock: dict[str, Decimal] = field(default_factory=dict)
    applied: list[Application] = field(default_factory=list)

    def post(self, account: Json, amount: Decimal, home: Decimal, name: str = "") -> None:
        """Add a posting. Nothing happens when both amounts are zero."""
        if amount or home:
            self.postings.append(Posting(account["Id"], amount, home, name))

    def move_stock(self, item: str, quantity: Decimal) -> None:
        """Add to the quantity on hand of an item."""
        self.stock[item] = self.stock.get(item, ZERO) + quantity

    def imbalance(self) -> Decimal:
        """Debits minus credits in home currency, zero for every transaction that is right."""
        return sum((one.home for one in self.postings), ZERO)

    def to_json(self, date: str) -> Json:
        """The effects as the World stores them, with the date of their transaction."""
        return {
            "date": date,
            "postings": [[one.account, str(one.amount), str(one.home), one.name] for one in self.postings],
            "stock": {item: str(quantity) for item, quantity in self.stock.items()},
            "applied": [[one.target, str(one.amount), str(one.home)] for one in self.applied],
        }

    @classmethod
    def from_json(cls, stored: Json) -> Effects:
        """The effects that `to_json` wrote."""
        return cls(
            [Posting(account, Decimal(a), Decimal(h), name) for account, a, h, name in stored["postings"]],
            {item: Decimal(quantity) for item, quantity in stored["stock"].items()},
            [Application(target, Decimal(a), Decimal(h)) for target, a, h in stored["applied"]],
        )
