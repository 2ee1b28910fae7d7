"""Fill a ledger with paid invoices of many customers, as years of business would: `grow.py LEDGER NUMBER`.

Everything goes in through the product's own doors: customers, invoices, pages, events, facts with their entries,
documents that were posted, mails that were sent. One in four is paid at PayPal, one in five in EUR, one in twenty is
given back in part. What the processors hold is paid out at the end. Nothing waits, and nothing is open.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "execution"))

from tillbook.kit.money import Money
from tillbook.ledger import Ledger
from tillbook.ledger.sales import Checkout
from tillbook.recording.facts import record_facts, record_invoice, record_reading
from tillbook.rules.events import BookedInvoice, Event, Reading
from tillbook.rules.facts import Fact, PaymentRefunded, PaymentSucceeded, PayoutPaid, ProcessorFee
from tillbook.rules.operations import Plan, Stored
from tillbook.vendors.providers import clearing

IN_A_COMMIT = 100
APART_SECONDS = 600
INVOICES_OF_A_CUSTOMER = 5
DAYS_AGO = 30 * 86_400


def main(file: Path, number: int) -> None:
    """Add so many sales, the last of them a month ago."""
    ledger = Ledger(file, clearing)
    begin = int(time.time()) - DAYS_AGO - number * APART_SECONDS
    there = ledger.sales.count_invoices()
    for first in range(0, number, IN_A_COMMIT):
        with ledger.transaction():
            for index in range(first, min(first + IN_A_COMMIT, number)):
                Sale(ledger, there + index, begin + index * APART_SECONDS).happen()
    with ledger.transaction():
        _pay_out(ledger, begin + number * APART_SECONDS)
    ledger.close()


class Sale:
    """One sale, from the order to the mail, with its number among all."""

    def __init__(self, ledger: Ledger, index: int, at: int) -> None:
        self.ledger = ledger
        self.index = index
        self.at = at
        self.number = f"OLD-{index:07d}"
        self.provider = "paypal" if index % 4 == 0 else "stripe"
        self.currency = "EUR" if index % 5 == 0 else "USD"
        self.total = Money(5_000 + index % 997, self.currency)
        self.payment = f"{'PAY' if self.provider == 'paypal' else 'pi_old'}{index:014d}"

    def happen(self) -> None:
        """All of it, in the order in which it happens."""
        self._invoiced()
        page = self._page()
        self._paid(page)
        if self.index % 20 == 0:
            self._given_back()
        self._booked()
        self._told()

    def _operation(self, kind: str, subject: str, door: str, params: dict[str, object]) -> Stored:
        plan = Plan(kind, subject, door, params)
        operation = self.ledger.operations.prepare(plan, renew="", asked_by="grow", now=self.at)
        self.ledger.operations.mark_sent(operation, self.at)
        return self.ledger.operations.mark_done(operation, {"id": f"made-{operation.id}"}, self.at)

    def _invoiced(self) -> None:
        customer = f"9{self.index // INVOICES_OF_A_CUSTOMER:07d}"
        email = f"customer{customer}@example.com"
        self.ledger.sales.save_customer(
            quickbooks_id=customer, name=f"C {customer}", display_name=f"C {customer}", email=email, currency="USD"
        )
        self.ledger.sales.add_invoice(
            number=self.number,
            order_json="{}",
            currency=self.currency,
            due="2030-12-31",
            token=f"token-{self.number}",
            now=self.at,
        )
        self._operation("create_invoice", self.number, "quickbooks", {"number": self.number})
        booked = BookedInvoice(
            id=f"old{self.index}",
            number=self.number,
            customer_id=customer,
            email=email,
            total=self.total,
            tax=Money.zero(self.currency),
            balance=self.total,
            date="2020-01-01",
            due="2030-12-31",
            voided=False,
            created_at=self.at,
            version=0,
        )
        record_invoice(self.ledger, booked, self.at)

    def _page(self) -> Stored:
        made = self._operation(
            "create_checkout", f"{self.provider}/{self.number}", self.provider, {"invoice": self.number}
        )
        page = Checkout(
            id=f"cs_{made.id}",
            provider=self.provider,
            invoice=self.number,
            operation=made.id,
            url="https://pay.example/x",
            amount=self.total,
            expires_at=self.at + 3600,
            status="open",
            created_at=self.at,
        )
        self.ledger.sales.add_checkout(page)
        self.ledger.sales.set_checkout_status(page.id, "paid")
        return made

    def _paid(self, page: Stored) -> None:
        charge, fee = f"ch_{self.payment}", Money(175, self.currency)
        facts: tuple[Fact, ...] = (
            PaymentSucceeded(
                provider=self.provider,
                key=charge,
                occurred_at=self.at,
                payment=self.payment,
                charge=charge,
                amount=self.total,
            ),
            ProcessorFee(
                provider=self.provider, key=f"{charge}:fee", occurred_at=self.at, payment=self.payment, amount=fee
            ),
        )
        event = Event(
            self.provider,
            f"evt_{self.payment}",
            "charge.succeeded",
            self.payment,
            "",
            False,
            "2026-10-28.endive",
            self.at,
            b"{}" * 1000,
        )
        self.ledger.inbox.add(event, source="webhook", now=self.at)
        record_reading(self.ledger, self.provider, Reading(self.payment, facts, page.id, self.number), self.at)
        for waiting in self.ledger.inbox.due(self.at, 10):
            self.ledger.inbox.end([waiting], "applied", "", self.at)

    def _given_back(self) -> None:
        refund = PaymentRefunded(
            provider=self.provider,
            key=f"re_{self.payment}",
            occurred_at=self.at + 60,
            payment=self.payment,
            refund=f"re_{self.payment}",
            operation="",
            amount=Money(1_000, self.currency),
        )
        record_facts(self.ledger, [refund], self.at)

    def _booked(self) -> None:
        for document in self.ledger.documents.of_invoice(self.number):
            self._operation("post_payment", document.key, "quickbooks", {})
            self.ledger.documents.mark_posted(document.key, f"qb-{document.key}", self.at)
        self.ledger.sales.set_balance(self.number, Money.zero(self.currency))

    def _told(self) -> None:
        for message in self.ledger.messages.of_invoice(self.number):
            self.ledger.messages.mark_sent(
                message["key"], message_id=f"<{message['key']}@example.com>", sent_to="x@example.com", now=self.at
            )


def _pay_out(ledger: Ledger, at: int) -> None:
    """What each processor holds goes to the bank."""
    for (account, currency), amount in ledger.facts.balances().items():
        provider = {"Stripe Clearing": "stripe", "PayPal Clearing": "paypal"}.get(account)
        if provider and amount.minor > 0:
            key = f"payout-{provider}-{currency}-{at}"
            fact = PayoutPaid(provider=provider, key=key, occurred_at=at, payout=f"po_{key}", amount=amount)
            record_facts(ledger, [fact], at)
            key = f"payout:{provider}:{key}"
            ledger.messages.mark_sent(key, message_id=f"<{key}@example.com>", sent_to="x@example.com", now=at)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
