"""From an order to one invoice in the books: customer matched or made, invoice created once, total compared."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.clock import business_date
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.ledger.sales import Invoice
from tillbook.operations.perform import perform
from tillbook.recording.facts import booked_from_json, record_invoice
from tillbook.rules import documents
from tillbook.rules.operations import Plan
from tillbook.rules.orders import Order, order_json

if TYPE_CHECKING:
    from tillbook.rules.invoices import BookedInvoice
    from tillbook.till import Till
    from tillbook.vendors.books import BookedCustomer, Company

NAME_ATTEMPTS = 20
CHANGES = "changes:quickbooks"
OVERLAP_SECONDS = 300  # a change may be listed late, and clocks differ


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice that stands in the books, as the ledger and QuickBooks know it."""

    invoice: Invoice
    booked: BookedInvoice
    already_done: bool


def company(till: Till) -> Company:
    """What the books said about the company when they were last asked. Raises NotAllowed when none is connected."""
    from tillbook.vendors.books import Company  # noqa: PLC0415  start-up time

    known = till.ledger.sales.company(till.ledger.binding.bound().get("quickbooks", ""))
    return Company(**known) if known is not None else read_company(till)


def read_company(till: Till) -> Company:
    """Read the company anew and remember it."""
    from dataclasses import asdict  # noqa: PLC0415

    found = till.books.company()
    with till.ledger.transaction():
        till.ledger.sales.save_company(found.realm, asdict(found), till.clock.now())
    return found


def zone(till: Till) -> str:
    """The zone of business dates: the setting, else the company's, else UTC."""
    return till.settings.timezone or company(till).zone or "UTC"


def issue(till: Till, order: Order, *, allow_backorder: bool) -> Issued:
    """Create the invoice of an order once, or return the one that was.

    Raises Refused for what the books do not know or allow, for the same number with other content, and for a total
    in QuickBooks that differs from the order's (the invoice then stands there, and nothing is charged for it).
    """
    known = till.ledger.sales.invoice(order.number)
    if known is not None and known.order_json != order_json(order):
        raise Refused(
            f"invoice {order.number} exists with other content",
            hint="Give the new order a number of its own, or submit the first order unchanged.",
        )
    if known is not None and known.quickbooks_id:
        return refresh(till, known)
    _check_company(till, order)
    items = _items(till, order, allow_backorder=allow_backorder)
    customer = _customer(till, order)
    known = known or _ask_for(till, order)
    date = business_date(known.created_at, zone(till))
    params = documents.invoice_params(order, customer_id=customer, item_ids=items, date=date)
    outcome = perform(till, Plan("create_invoice", order.number, "quickbooks", params))
    booked = booked_from_json(outcome.result)
    return _whole(till, booked, already_done=outcome.already_done)


def refresh(till: Till, invoice: Invoice) -> Issued:
    """Read an invoice again: it may have been deleted, voided or changed by hand. Raises Refused for the first two."""
    booked = till.books.invoice(invoice.quickbooks_id)
    if booked is None or booked.voided:
        what = "voided" if booked else "deleted"
        raise Refused(
            f"invoice {invoice.number} was {what} in QuickBooks",
            hint="Submit the order under a new number to bill it again.",
        )
    with till.ledger.transaction():
        record_invoice(till.ledger, booked, till.clock.now())
    return _whole(till, booked, already_done=True)


def known_or_adopted(till: Till, number: str) -> Issued:
    """The invoice of exactly this number; one made by hand in QuickBooks is adopted. Raises Refused."""
    known = till.ledger.sales.invoice(number)
    if known is not None and known.quickbooks_id:
        return refresh(till, known)
    if known is not None:
        raise Refused(
            f"invoice {number} was asked for, but is not in QuickBooks yet",
            hint="Run the same create_invoice.py command again, or `python execution/run_pending.py`.",
        )
    booked = till.books.invoice_by_number(number)
    if booked is None:
        raise Refused(
            f"no invoice {number}, neither in the ledger nor in QuickBooks",
            hint="Create it: python execution/create_invoice.py ORDER.json",
        )
    return _adopt(till, booked)


def learn_of_changes(till: Till) -> None:
    """Record what was changed, paid, voided or deleted in QuickBooks since the last time, as far as pages hang on it.

    An older change is known already: an invoice is read before a page is made for it. Raises Refused or Unavailable.
    """
    from dataclasses import replace  # noqa: PLC0415  start-up time

    oldest, started = till.ledger.sales.oldest_open_checkout(), till.clock.now()
    if oldest is None:
        return
    since = max(oldest, till.ledger.activity.cursor(CHANGES)) - OVERLAP_SECONDS
    found = till.books.invoices_changed(since)
    for booked in found.changed:
        known = till.ledger.sales.invoice_by_quickbooks_id(booked.id)
        if known is not None and (known.total, known.tax, known.balance) != (booked.total, booked.tax, booked.balance):
            with till.ledger.transaction():
                record_invoice(till.ledger, replace(booked, number=known.number), till.clock.now())
    with till.ledger.transaction():
        for quickbooks_id in found.deleted:
            if known := till.ledger.sales.invoice_by_quickbooks_id(quickbooks_id):
                till.ledger.sales.set_balance(known.number, Money.zero(known.currency))
        till.ledger.activity.set_cursor(CHANGES, started)


def require_sound(issued: Issued) -> Issued:
    """The same, unless its total differs from the order's: then nothing may be charged. Raises Refused."""
    if issued.invoice.problem:
        raise Refused(
            issued.invoice.problem,
            hint=f"Correct invoice {issued.invoice.number} in QuickBooks, then run the same command again.",
        )
    return issued


def owe_invoice_mail(till: Till, number: str, *, nth: int = 1) -> str:
    """Owe the customer the nth invoice mail; its key. In a transaction."""
    key = f"invoice:{number}:{nth}"
    till.ledger.messages.add(key, "invoice", number, till.clock.now())
    return key


def _whole(till: Till, booked: BookedInvoice, *, already_done: bool) -> Issued:
    invoice = till.ledger.sales.invoice(booked.number)
    assert invoice is not None, "recorded just now"
    return Issued(invoice, booked, already_done)


def _adopt(till: Till, booked: BookedInvoice) -> Issued:
    if booked.voided:
        raise Refused(f"invoice {booked.number} was voided in QuickBooks")
    owner = till.books.customer(booked.customer_id)
    if owner is None:
        raise Refused(f"the customer of invoice {booked.number} cannot be read in QuickBooks")
    now = till.clock.now()
    with till.ledger.transaction():
        till.ledger.sales.add_invoice(
            number=booked.number,
            order_json="{}",
            currency=booked.total.currency,
            due=booked.due,
            token=secrets.token_urlsafe(24),
            now=now,
        )
        _remember(till, owner, owner.name, booked.email or owner.email)
        record_invoice(till.ledger, booked, now)
    return _whole(till, booked, already_done=False)


def _check_company(till: Till, order: Order) -> None:
    found = company(till)
    if not found.custom_numbers:
        raise Refused(
            "QuickBooks numbers invoices by itself in this company, so the number of the order would be lost",
            hint="In QuickBooks: Account and settings, Sales, turn on 'Custom transaction numbers'.",
        )
    if order.currency == found.home_currency:
        return
    if not found.multi_currency:
        raise Refused(
            f"currency: the order is in {order.currency}, but the company uses {found.home_currency} only",
            hint="Correct the currency, or turn on multicurrency in QuickBooks.",
        )
    if not till.books.uses_currency(order.currency):
        raise Refused(
            f"currency: the order is in {order.currency}, which is not one of the company's currencies",
            hint="Correct the currency, or add it in QuickBooks: Settings, Currencies.",
        )


def _items(till: Till, order: Order, *, allow_backorder: bool) -> dict[str, str]:
    """The QuickBooks id of each SKU; unknown ones and too little stock are refused before anything is sent."""
    wanted = {line.sku for line in order.lines}
    items = till.books.items_by_sku(wanted)
    if missing := sorted(wanted - items.keys()):
        raise Refused(
            "; ".join(f"lines: no active QuickBooks item has the SKU {sku!r}" for sku in missing),
            hint="Correct the SKU, or give the item that SKU in QuickBooks.",
        )
    problems = documents.stock_problems(order, items)
    if problems and not allow_backorder:
        raise Refused("; ".join(problems), hint="Order less, restock, or pass --allow-backorder.")
    return {sku: item.id for sku, item in items.items()}


def _ask_for(till: Till, order: Order) -> Invoice:
    """Remember the order before anything is sent: from now on this number means this content."""
    with till.ledger.transaction():
        known = till.ledger.sales.invoice(order.number)
        if known is None:
            till.ledger.sales.add_invoice(
                number=order.number,
                order_json=order_json(order),
                currency=order.currency,
                due=order.due.isoformat(),
                token=secrets.token_urlsafe(24),
                now=till.clock.now(),
            )
    stored = till.ledger.sales.invoice(order.number)
    assert stored is not None, "written just now"
    return stored


def _customer(till: Till, order: Order) -> str:
    """The QuickBooks id of the customer: by stored id, then by exact mail and name, else a new one; never a guess."""
    if order.customer.id:
        return _customer_by_id(till, order)
    with till.ledger.lock(f"customer:{order.customer.email.casefold()}"):  # a name is free only until somebody takes it
        return _matched_or_made(till, order)


def _matched_or_made(till: Till, order: Order) -> str:
    found = _matching_customer(till, order)
    if found is not None:
        with till.ledger.transaction():
            _remember(till, found, order.customer.name, order.customer.email)
        return found.id
    subject = f"{order.customer.name} <{order.customer.email.casefold()}> {order.currency}"
    last = till.ledger.operations.last("create_customer", subject)
    name = last.params["name"] if last and last.unfinished else _free_name(till, order.customer.name)
    plan = Plan("create_customer", subject, "quickbooks", documents.customer_params(order, name))
    renew = "the customer of the last operation is gone" if last and last.state == "done" else ""
    return str(perform(till, plan, renew=renew).result["id"])


def _customer_by_id(till: Till, order: Order) -> str:
    found = till.books.customer(order.customer.id)
    if found is None or not found.active:
        raise Refused(f"customer.id: QuickBooks has no active customer {order.customer.id}")
    if found.currency != order.currency:
        raise Refused(
            f"customer.id: customer {found.name} is billed in {found.currency}, the order in {order.currency}"
        )
    with till.ledger.transaction():
        _remember(till, found, order.customer.name, order.customer.email)
    return found.id


def _matching_customer(till: Till, order: Order) -> BookedCustomer | None:
    """An active customer of this currency with exactly this mail and this name."""
    email, name = order.customer.email, order.customer.name
    for row in till.ledger.sales.customers_by_email(email):
        if row["name"] == name and row["currency"] == order.currency:
            found = till.books.customer(row["quickbooks_id"])
            if found is not None and found.active:
                return found
    names = {name, documents.display_name(name)}
    matches = [
        found
        for found in till.books.customers_by_email(email)
        if found.name in names and found.currency == order.currency
    ]
    return matches[0] if len(matches) == 1 else None


def _free_name(till: Till, name: str) -> str:
    """A display name that QuickBooks allows and nobody holds: names are shared by customers, vendors, employees."""
    for attempt in range(NAME_ATTEMPTS):
        candidate = documents.display_name(name, attempt)
        if not till.books.name_taken(candidate):
            return candidate
    raise Refused(
        f"customer.name: {NAME_ATTEMPTS} forms of {name!r} are taken in QuickBooks",
        hint='Name the customer by its QuickBooks id: "customer": {"id": "..."}.',
    )


def _remember(till: Till, found: BookedCustomer, name: str, email: str) -> None:
    till.ledger.sales.save_customer(
        quickbooks_id=found.id, name=name, display_name=found.name, email=email, currency=found.currency
    )
