"""`create_invoice`: the invoice of an order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money, parse
from tillbook.operations.kinds.base import note_problem
from tillbook.operations.kinds.quickbooks import DOOR, InQuickBooks, found_by
from tillbook.recording.facts import record_invoice
from tillbook.rules.events import BookedInvoice
from tillbook.rules.orders import Address, Line, Order, plain

if TYPE_CHECKING:
    import datetime

    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Evidence, Plan, Stored


class InvoiceLine(msgspec.Struct, frozen=True):
    """A line of an invoice. Quantity, price and amount are decimal text."""

    description: str
    item_id: str
    quantity: str
    unit_price: str
    amount: str
    taxable: bool


class InvoiceDiscount(msgspec.Struct, frozen=True):
    """What is taken off the lines, as decimal text. `percent` is None for a fixed amount."""

    percent: str | None
    amount: str


class CreateInvoice(InQuickBooks[BookedInvoice], frozen=True):
    """Make an invoice. The tax is left to QuickBooks, which knows the rates."""

    number: str
    customer_id: str
    currency: str
    date: str
    due: str
    memo: str
    email: str
    address: Address | None
    lines: tuple[InvoiceLine, ...]
    discount: InvoiceDiscount | None

    @classmethod
    def of(cls, order: Order, *, customer_id: str, item_ids: Mapping[str, str], date: datetime.date) -> CreateInvoice:
        """The invoice of an order. Raises Refused for SKUs without an item: nothing is left out in silence."""
        missing = sorted({line.sku for line in order.lines if not item_ids.get(line.sku)})
        if missing:
            raise Refused(
                f"QuickBooks has no active item for {', '.join(missing)}; expected one for every SKU of the order",
                hint="Add the items in QuickBooks or correct the order file, then run the same command again.",
            )
        return CreateInvoice(
            number=order.number,
            customer_id=customer_id,
            currency=order.currency,
            date=date.isoformat(),
            due=order.due.isoformat(),
            memo=order.memo,
            email=order.customer.email,
            address=order.customer.address,
            lines=tuple(_line(line, item_ids[line.sku]) for line in order.lines),
            discount=_discount(order),
        )

    @staticmethod
    def subject(number: str) -> str:
        """An invoice is its number."""
        return number

    def plan(self) -> Plan[BookedInvoice]:
        """The plan to make it."""
        return self.planned(self.subject(self.number), DOOR)

    @classmethod
    def evidence(cls) -> Evidence:
        """Found by our mark: among those of its number, which QuickBooks or a person may replace, then the newest."""
        return found_by("query `Invoice` by `DocNumber`, then the newest ones, by `PrivateNote`", "`PrivateNote`")

    def assumed(self, operation: Stored) -> BookedInvoice:
        """The tax is QuickBooks' to compute, so the assumed total is without it."""
        amounts = [parse(line.amount, self.currency) for line in self.lines]
        total = sum(amounts, Money.zero(self.currency))
        if self.discount:
            total -= parse(self.discount.amount, self.currency)
        return BookedInvoice(
            id="(new)",
            number=self.number,
            customer_id=self.customer_id,
            email=self.email,
            total=total,
            tax=Money.zero(self.currency),
            balance=total,
            date=self.date,
            due=self.due,
            voided=False,
            created_at=operation.prepared_at,
            version=0,
        )

    def record(self, ledger: Ledger, operation: Stored, result: BookedInvoice, now: int) -> None:
        """The invoice and its facts."""
        record_invoice(ledger, result, now)
        note_problem(ledger, operation.door, f"Invoice {result.id}", result.problem, now)


def _line(line: Line, item_id: str) -> InvoiceLine:
    return InvoiceLine(
        description=line.description,
        item_id=item_id,
        quantity=plain(line.quantity),
        unit_price=format(line.unit_price, "f"),
        amount=line.amount.text,
        taxable=line.taxable,
    )


def _discount(order: Order) -> InvoiceDiscount | None:
    if order.discount is None:
        return None
    percent = order.discount.percent
    return InvoiceDiscount(plain(percent) if percent is not None else None, order.discount_amount.text)
