"""What a sale is made of: customers, invoices, checkouts, matches of payments, and what the company is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.money import Money
from tillbook.ledger.sqlite.database import Database, Row

if TYPE_CHECKING:
    from tillbook.rules.operations import Json
    from tillbook.rules.orders import Order

BY_HAND = "{}"
"""What stands in place of the order of an invoice that was made by hand in QuickBooks."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as the ledger knows it.

    `balance` is what was open in QuickBooks when it was last read. `problem` is why nothing may be charged for it.
    `token` is secret. `voided_at` is when it was ended: then its number is free for the corrected order.
    """

    number: str
    order_json: str
    quickbooks_id: str
    customer: str
    currency: str
    total: Money | None
    tax: Money | None
    balance: Money | None
    due: str
    problem: str
    token: str
    created_at: int
    voided_at: int | None = None

    @property
    def by_hand(self) -> bool:
        """Whether it was made in QuickBooks by a person, so that no order of ours stands behind it."""
        return self.order_json == BY_HAND

    def order(self) -> Order | None:
        """The order that it bills, or None for one made by hand."""
        from tillbook.rules.orders import parse_order  # noqa: PLC0415  start-up time

        return None if self.by_hand else parse_order(json.loads(self.order_json), kept=True)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page that was opened for an invoice. Status: open, processing, paid or expired.

    `expires_at` is None for a page that lasts until it is paid or closed. `reason` says why an approved one brought
    no money.
    """

    id: str
    provider: str
    invoice: str
    operation: str
    url: str
    amount: Money
    expires_at: int | None
    status: str
    created_at: int
    reason: str = ""

    @property
    def lasting(self) -> bool:
        """Whether the page has no end of its own."""
        return self.expires_at is None


class Sales:
    """The company, its customers, invoices and pages as the ledger knows them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def company(self, realm: str) -> Json | None:
        """The company of a realm as it was last read, or None."""
        row = self._database.one("sales.company", realm=realm)
        return json.loads(row["body"]) if row else None

    def save_company(self, realm: str, body: Json, now: int) -> None:
        """Keep the company as it was read now."""
        self._database.run("sales.save_company", realm=realm, body=json.dumps(body), now=now)

    def account(self, name: str) -> str | None:
        """The QuickBooks id of an account that our documents use."""
        row = self._database.one("sales.account", name=name)
        return row["quickbooks_id"] if row else None

    def add_account(self, name: str, quickbooks_id: str, currency: str) -> None:
        """Keep the QuickBooks id of an account."""
        self._database.run("sales.add_account", name=name, quickbooks_id=quickbooks_id, currency=currency)

    def item(self, name: str) -> str | None:
        """The QuickBooks id of an item that our documents use."""
        row = self._database.one("sales.item", name=name)
        return row["quickbooks_id"] if row else None

    def add_item(self, name: str, quickbooks_id: str) -> None:
        """Keep the QuickBooks id of an item."""
        self._database.run("sales.add_item", name=name, quickbooks_id=quickbooks_id)

    # -- customers ---------------------------------------------------------------------------------

    def customer(self, quickbooks_id: str) -> Row | None:
        """A customer of ours by QuickBooks id, or None."""
        return self._database.one("sales.customer", quickbooks_id=quickbooks_id)

    def customers_by_email(self, email: str) -> list[Row]:
        """Customers of ours with this mail address."""
        return self._database.all("sales.customers_by_email", email=email)

    def save_customer(self, *, quickbooks_id: str, name: str, display_name: str, email: str, currency: str) -> None:
        """Keep a customer as QuickBooks has it."""
        self._database.run(
            "sales.save_customer",
            quickbooks_id=quickbooks_id,
            name=name,
            display_name=display_name,
            email=email,
            currency=currency,
        )

    # -- invoices ----------------------------------------------------------------------------------

    def invoice(self, number: str) -> Invoice | None:
        """The invoice of a number, or None."""
        return _invoice(self._database.one("sales.invoice", number=number))

    def invoice_by_quickbooks_id(self, quickbooks_id: str) -> Invoice | None:
        """The invoice of a QuickBooks id, or None."""
        return _invoice(self._database.one("sales.invoice_by_quickbooks_id", quickbooks_id=quickbooks_id))

    def newest_invoice_of(self, customer: str) -> Invoice | None:
        """The last invoice of a customer, by QuickBooks id, or None."""
        return _invoice(self._database.one("sales.newest_invoice_of", customer=customer))

    def invoice_by_token(self, token: str) -> Invoice | None:
        """The invoice that a web address names by its secret token, or None."""
        return _invoice(self._database.one("sales.invoice_by_token", token=token))

    def invoices_of_email(self, email: str) -> list[str]:
        """The numbers of the invoices of a mail address."""
        return [row["number"] for row in self._database.all("sales.invoices_of_email", email=email)]

    def count_invoices(self) -> int:
        """How many invoices there are."""
        return int((self._database.one("sales.count_invoices") or {})["number"])

    def invoice_numbers(self) -> list[str]:
        """The numbers of all invoices."""
        return [row["number"] for row in self._database.all("sales.invoice_numbers")]

    def payments_named(self, name: str) -> list[Row]:
        """The payments that brought money and are known by this: `provider`, `payment`."""
        return self._database.all("sales.payments_named", name=name)

    def add_invoice(self, *, number: str, order_json: str, currency: str, due: str, token: str, now: int) -> None:
        """Keep a number that was asked for. QuickBooks has not heard of it yet."""
        self._database.run(
            "sales.add_invoice",
            number=number,
            order_json=order_json,
            currency=currency,
            due=due,
            token=token,
            now=now,
        )

    def book_invoice(
        self, number: str, *, quickbooks_id: str, customer: str, total: Money, tax: Money, balance: Money, problem: str
    ) -> None:
        """What QuickBooks holds for it."""
        self._database.run(
            "sales.book_invoice",
            number=number,
            quickbooks_id=quickbooks_id,
            customer=customer,
            total_minor=total.minor,
            tax_minor=tax.minor,
            balance_minor=balance.minor,
            problem=problem,
        )

    def reorder(self, *, number: str, order_json: str, currency: str, due: str, now: int) -> None:
        """Let a number mean another order: nothing stands in the books for the one before. In a transaction."""
        self._database.run("sales.reorder", number=number, order_json=order_json, currency=currency, due=due, now=now)

    def end_invoice(self, number: str, now: int) -> None:
        """It was voided, and its number is free. In a transaction."""
        self._database.run("sales.end_invoice", number=number, now=now)

    def unsound(self, most: int = 1000) -> list[Invoice]:
        """The unpaid invoices with a problem: nothing may be charged for them until it is ended."""
        found = [_invoice(row) for row in self._database.all("sales.unsound", most=most)]
        return [invoice for invoice in found if invoice is not None]

    def book_unread_invoice(self, number: str, *, quickbooks_id: str, customer: str, problem: str) -> None:
        """It stands in QuickBooks, and what QuickBooks says of it cannot be understood."""
        self._database.run(
            "sales.book_unread_invoice", number=number, quickbooks_id=quickbooks_id, customer=customer, problem=problem
        )

    def set_balance(self, number: str, balance: Money) -> None:
        """What is open, where QuickBooks has no invoice any more that would say it."""
        self._database.run("sales.set_balance", number=number, balance_minor=balance.minor)

    # -- checkouts ---------------------------------------------------------------------------------

    def checkout(self, checkout_id: str) -> Checkout | None:
        """The page of an id, or None."""
        row = self._database.one("sales.checkout", id=checkout_id)
        return _checkout(row) if row else None

    def checkout_of_operation(self, operation: str) -> Checkout | None:
        """The page that an operation made, or None."""
        row = self._database.one("sales.checkout_of_operation", operation=operation)
        return _checkout(row) if row else None

    def doubtful_checkouts(self, most: int) -> list[str]:
        """The invoices with a page that may end by itself, or asks for other than what is open, oldest page first."""
        return [row["invoice"] for row in self._database.all("sales.doubtful_checkouts", most=most)]

    def oldest_open_checkout(self) -> int | None:
        """When the oldest page that may still bring money was made, or None when there is none."""
        row = self._database.one("sales.oldest_open_checkout") or {}
        return None if row["created_at"] is None else int(row["created_at"])

    def checkouts_of_invoice(self, number: str) -> list[Checkout]:
        """The pages of an invoice."""
        return [_checkout(row) for row in self._database.all("sales.checkouts_of_invoice", invoice=number)]

    def add_checkout(self, checkout: Checkout) -> None:
        """Keep a page that a provider made."""
        self._database.run(
            "sales.add_checkout",
            id=checkout.id,
            provider=checkout.provider,
            invoice=checkout.invoice,
            operation=checkout.operation,
            url=checkout.url,
            amount_minor=checkout.amount.minor,
            currency=checkout.amount.currency,
            expires_at=checkout.expires_at,
            now=checkout.created_at,
        )

    def set_checkout_status(self, checkout_id: str, status: str, reason: str = "") -> None:
        """Keep what became of a page, and why."""
        self._database.run("sales.set_checkout_status", id=checkout_id, status=status, reason=reason)

    def unpaid_checkouts(self, provider: str) -> list[Checkout]:
        """Every page at a provider that may still bring money, oldest first."""
        return [_checkout(row) for row in self._database.all("sales.unpaid_checkouts", provider=provider)]

    def uncaptured_checkouts(self, provider: str) -> list[Checkout]:
        """Pages that were used and brought no money, of invoices that nobody has paid since."""
        return [_checkout(row) for row in self._database.all("sales.uncaptured_checkouts", provider=provider)]

    # -- matches -----------------------------------------------------------------------------------

    def match(self, provider: str, payment: str, invoice: str, evidence: str, now: int) -> bool:
        """Say which invoice a payment is for. False when that was known. In a transaction."""
        return bool(
            self._database.run(
                "sales.match", provider=provider, payment=payment, invoice=invoice, evidence=evidence, now=now
            )
        )

    def match_of(self, provider: str, payment: str) -> str:
        """The invoice of a payment, or empty."""
        row = self._database.one("sales.match_of", provider=provider, payment=payment)
        return row["invoice"] if row else ""


def _invoice(row: Row | None) -> Invoice | None:
    if row is None:
        return None
    currency = row["currency"]
    total, tax, balance = (row.pop(f"{name}_minor") for name in ("total", "tax", "balance"))
    return Invoice(
        **{**row, "quickbooks_id": row["quickbooks_id"] or "", "customer": row["customer"] or ""},
        total=None if total is None else Money(total, currency),
        tax=None if tax is None else Money(tax, currency),
        balance=None if balance is None else Money(balance, currency),
    )


def _checkout(row: Row) -> Checkout:
    amount = Money(row.pop("amount_minor"), row.pop("currency"))
    del row["used"]
    return Checkout(**row, amount=amount)
