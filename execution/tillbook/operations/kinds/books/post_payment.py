"""`post_payment`: a customer's payment, gross, into the processor's clearing account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tillbook.kit.money import Money, parse
from tillbook.operations.kinds.quickbooks import LONGEST_NOTE, Made, Posting, mark_posted, new
from tillbook.rules.documents import Purpose

if TYPE_CHECKING:
    import datetime

    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Stored


class Applied(msgspec.Struct, frozen=True):
    """The part of a payment that settles one invoice. `amount` is decimal text."""

    invoice_id: str
    amount: str


class PaymentPosted(Made, frozen=True):
    """A posted payment. `links_differ` when its money lies on other invoices than it was meant for. With a `problem`
    only its id is QuickBooks' word."""

    amount: str
    unapplied: str
    links_differ: bool
    problem: str = ""


class PostPayment(Posting[PaymentPosted], frozen=True):
    """Post a payment. What no invoice takes stays the customer's credit."""

    currency: str
    amount: str
    date: str
    deposit_account_id: str
    applied: tuple[Applied, ...]
    note: str

    @classmethod
    def of(
        cls,
        amount: Money,
        *,
        customer_id: str,
        invoice_id: str,
        open_balance: Money,
        deposit_account_id: str,
        txn_date: datetime.date,
        note: str,
    ) -> PostPayment:
        """A payment that is applied up to the open balance of its invoice."""
        applied = min(amount, max(open_balance, Money.zero(open_balance.currency)))
        return PostPayment(
            customer_id=customer_id,
            currency=amount.currency,
            amount=amount.text,
            date=txn_date.isoformat(),
            deposit_account_id=deposit_account_id,
            applied=(Applied(invoice_id, applied.text),) if applied else (),
            note=note[:LONGEST_NOTE],
        )

    @classmethod
    def purpose(cls) -> Purpose:
        """Payment."""
        return Purpose.PAYMENT

    @classmethod
    def mark(cls) -> str:
        """A payment has no number of ours, but the number of the customer's reference."""
        return "PaymentRefNum"

    @property
    def by_invoice(self) -> dict[str, Money]:
        """What each invoice gets, by its QuickBooks id."""
        sums: dict[str, Money] = {}
        for one in self.applied:
            amount = parse(one.amount, self.currency)
            sums[one.invoice_id] = sums[one.invoice_id] + amount if one.invoice_id in sums else amount
        return sums

    def assumed(self, operation: Stored) -> PaymentPosted:
        """A payment that was applied as it was asked for."""
        rest = parse(self.amount, self.currency) - sum(self.by_invoice.values(), Money.zero(self.currency))
        return PaymentPosted(new(operation), self.amount, rest.text, links_differ=False)

    def record(self, ledger: Ledger, operation: Stored, result: PaymentPosted, now: int) -> None:
        """Its document is posted."""
        mark_posted(ledger, operation, result, now, problem=result.problem)
