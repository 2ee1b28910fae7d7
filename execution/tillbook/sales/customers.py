"""The customer of an order in the books: matched, never guessed, or made once."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused
from tillbook.operations.kinds.sales.create_customer import CreateCustomer
from tillbook.operations.perform import perform
from tillbook.sales.names import common_start, display_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tillbook.rules.orders import Order
    from tillbook.till import Till
    from tillbook.vendors.books import BookedCustomer


def customer_of(till: Till, order: Order) -> str:
    """The QuickBooks id of the customer: by stored id, then by exact mail and name, else a new one. No guess."""
    if order.customer.id:
        return _customer_by_id(till, order)
    with till.ledger.lock(f"customer:{order.customer.email.casefold()}"):  # a name is free only until somebody takes it
        return _matched_or_made(till, order)


def _matched_or_made(till: Till, order: Order) -> str:
    found = _matching_customer(till, order)
    if found is not None:
        with till.ledger.transaction():
            remember(till, found, order.customer.name, order.customer.email)
        return found.id
    subject = CreateCustomer.subject(order.customer.name, order.customer.email, order.currency)
    last = CreateCustomer.last(till.ledger, subject)
    name = last.params.name if last and last.unfinished else _free_name(till, order.customer.name)
    renew = "the customer of the last operation is gone" if last and last.state == "done" else ""
    return perform(till, CreateCustomer.of(order, name).plan(), renew=renew).result.id


def _customer_by_id(till: Till, order: Order) -> str:
    found = _living(till, order.customer.id)
    if found is None:
        raise Refused(f"customer.id: QuickBooks has no active customer {order.customer.id}")
    if found.currency != order.currency:
        raise Refused(
            f"customer.id: customer {found.name} is billed in {found.currency}, the order in {order.currency}"
        )
    with till.ledger.transaction():
        remember(till, found, order.customer.name, order.customer.email)
    return found.id


def _matching_customer(till: Till, order: Order) -> BookedCustomer | None:
    """An active customer of this currency with exactly this mail and this name."""
    email, name = order.customer.email, order.customer.name
    for row in till.ledger.sales.customers_by_email(email):
        if row["name"] == name and row["currency"] == order.currency:
            found = _living(till, row["quickbooks_id"])
            if found is not None and found.currency == order.currency:
                return found
    names = {name, display_name(name)}
    matches = [
        found
        for found in till.books.customers_by_email(email)
        if found.name in names and found.currency == order.currency
    ]
    return matches[0] if len(matches) == 1 else None


def _living(till: Till, quickbooks_id: str) -> BookedCustomer | None:
    """The active customer of an id. One that was merged into another is followed to who has its invoices now, or to
    whom we know under its name and address since."""
    followed = itertools.chain([quickbooks_id], _successors(till, quickbooks_id))
    found = (till.books.customer(one) for one in followed)
    return next((one for one in found if one is not None and one.active), None)


def _successors(till: Till, quickbooks_id: str) -> Iterator[str]:
    invoice = till.ledger.sales.newest_invoice_of(quickbooks_id)
    if invoice is not None and (booked := till.books.invoice(invoice.quickbooks_id)):
        yield booked.customer_id
    if row := till.ledger.sales.customer(quickbooks_id):
        alike = till.ledger.sales.customers_by_email(row["email"])
        yield from (one["quickbooks_id"] for one in alike if one["name"] == row["name"])


def _free_name(till: Till, name: str) -> str:
    """A display name that QuickBooks allows and nobody holds: names are shared by customers, vendors, employees."""
    taken = till.books.names_taken(common_start(name))
    candidates = (display_name(name, attempt) for attempt in itertools.count())
    return next(candidate for candidate in candidates if candidate.casefold() not in taken)


def remember(till: Till, found: BookedCustomer, name: str, email: str) -> None:
    """Keep a customer of the books under the name and address that the order gave. In a transaction."""
    till.ledger.sales.save_customer(
        quickbooks_id=found.id, name=name, display_name=found.name, email=email, currency=found.currency
    )
