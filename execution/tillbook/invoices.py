"""From an order to one invoice in the books: customer matched or made, invoice created once, total compared."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook import bookkeeping, effects, intake
from tillbook.clock import business_date
from tillbook.errors import Refused
from tillbook.ledger.sales import Invoice
from tillbook.money import Money
from tillbook.operations import Plan
from tillbook.orders import Order, order_json

if TYPE_CHECKING:
    from tillbook.books import BookedCustomer, BookedInvoice, Company
    from tillbook.workshop import Workshop

NAME_ATTEMPTS = 20
CHANGES = "changes:quickbooks"
OVERLAP_SECONDS = 300  # a change may be listed late, and clocks differ


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice that stands in the books, as the ledger and QuickBooks know it."""

    invoice: Invoice
    booked: BookedInvoice
    already_done: bool


def company(shop: Workshop) -> Company:
    """What the books said about the company when they were last asked. Raises NotAllowed when none is connected."""
    from tillbook.books import Company  # noqa: PLC0415  start-up time

    known = shop.ledger.sales.company(shop.ledger.binding.bound().get("quickbooks", ""))
    return Company(**known) if known is not None else read_company(shop)


def read_company(shop: Workshop) -> Company:
    """Read the company anew and remember it."""
    from dataclasses import asdict  # noqa: PLC0415

    found = shop.books.company()
    with shop.ledger.transaction():
        shop.ledger.sales.save_company(found.realm, asdict(found), shop.clock.now())
    return found


def zone(shop: Workshop) -> str:
    """The zone of business dates: the setting, else the company's, else UTC."""
    return shop.settings.timezone or company(shop).zone or "UTC"


def issue(shop: Workshop, order: Order, *, allow_backorder: bool) -> Issued:
    """Create the invoice of an order once, or return the one that was.

    Raises Refused for what the books do not know or allow, for the same number with other content, and for a total
    in QuickBooks that differs from the order's (the invoice then stands there, and nothing is charged for it).
    """
    known = shop.ledger.sales.invoice(order.number)
    if known is not None and known.order_json != order_json(order):
        raise Refused(
            f"invoice {order.number} exists with other content",
            hint="Give the new order a number of its own, or submit the first order unchanged.",
        )
    if known is not None and known.quickbooks_id:
        return refresh(shop, known)
    _check_company(shop, order)
    items = _items(shop, order, allow_backorder=allow_backorder)
    customer = _customer(shop, order)
    known = known or _ask_for(shop, order)
    date = business_date(known.created_at, zone(shop))
    params = bookkeeping.invoice_params(order, customer_id=customer, item_ids=items, date=date)
    outcome = effects.perform(shop, Plan("create_invoice", order.number, "quickbooks", params))
    booked = intake.booked_from_json(outcome.result)
    return _whole(shop, booked, already_done=outcome.already_done)


def refresh(shop: Workshop, invoice: Invoice) -> Issued:
    """Read an invoice again: it may have been deleted, voided or changed by hand. Raises Refused for the first two."""
    booked = shop.books.invoice(invoice.quickbooks_id)
    if booked is None or booked.voided:
        what = "voided" if booked else "deleted"
        raise Refused(
            f"invoice {invoice.number} was {what} in QuickBooks",
            hint="Submit the order under a new number to bill it again.",
        )
    with shop.ledger.transaction():
        intake.record_invoice(shop.ledger, booked, shop.clock.now())
    return _whole(shop, booked, already_done=True)


def known_or_adopted(shop: Workshop, number: str) -> Issued:
    """The invoice of exactly this number; one made by hand in QuickBooks is adopted. Raises Refused."""
    known = shop.ledger.sales.invoice(number)
    if known is not None and known.quickbooks_id:
        return refresh(shop, known)
    if known is not None:
        raise Refused(
            f"invoice {number} was asked for, but is not in QuickBooks yet",
            hint="Run the same create_invoice.py command again, or `python execution/run_pending.py`.",
        )
    booked = shop.books.invoice_by_number(number)
    if booked is None:
        raise Refused(
            f"no invoice {number}, neither in the ledger nor in QuickBooks",
            hint="Create it: python execution/create_invoice.py ORDER.json",
        )
    return _adopt(shop, booked)


def learn_of_changes(shop: Workshop) -> None:
    """Record what was changed, paid, voided or deleted in QuickBooks since the last time, as far as pages hang on it.

    An older change is known already: an invoice is read before a page is made for it. Raises Refused or Unavailable.
    """
    from dataclasses import replace  # noqa: PLC0415  start-up time

    oldest, started = shop.ledger.sales.oldest_open_checkout(), shop.clock.now()
    if oldest is None:
        return
    since = max(oldest, shop.ledger.activity.cursor(CHANGES)) - OVERLAP_SECONDS
    found = shop.books.invoices_changed(since)
    for booked in found.changed:
        known = shop.ledger.sales.invoice_by_quickbooks_id(booked.id)
        if known is not None and (known.total, known.tax, known.balance) != (booked.total, booked.tax, booked.balance):
            with shop.ledger.transaction():
                intake.record_invoice(shop.ledger, replace(booked, number=known.number), shop.clock.now())
    with shop.ledger.transaction():
        for quickbooks_id in found.deleted:
            if known := shop.ledger.sales.invoice_by_quickbooks_id(quickbooks_id):
                shop.ledger.sales.set_balance(known.number, Money.zero(known.currency))
        shop.ledger.activity.set_cursor(CHANGES, started)


def require_sound(issued: Issued) -> Issued:
    """The same, unless its total differs from the order's: then nothing may be charged. Raises Refused."""
    if issued.invoice.problem:
        raise Refused(
            issued.invoice.problem,
            hint=f"Correct invoice {issued.invoice.number} in QuickBooks, then run the same command again.",
        )
    return issued


def _whole(shop: Workshop, booked: BookedInvoice, *, already_done: bool) -> Issued:
    invoice = shop.ledger.sales.invoice(booked.number)
    assert invoice is not None, "recorded just now"
    return Issued(invoice, booked, already_done)


def _adopt(shop: Workshop, booked: BookedInvoice) -> Issued:
    if booked.voided:
        raise Refused(f"invoice {booked.number} was voided in QuickBooks")
    owner = shop.books.customer(booked.customer_id)
    if owner is None:
        raise Refused(f"the customer of invoice {booked.number} cannot be read in QuickBooks")
    now = shop.clock.now()
    with shop.ledger.transaction():
        shop.ledger.sales.add_invoice(
            number=booked.number,
            order_json="{}",
            currency=booked.total.currency,
            due=booked.due,
            token=secrets.token_urlsafe(24),
            now=now,
        )
        _remember(shop, owner, owner.name, booked.email or owner.email)
        intake.record_invoice(shop.ledger, booked, now)
    return _whole(shop, booked, already_done=False)


def _check_company(shop: Workshop, order: Order) -> None:
    found = company(shop)
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
    if not shop.books.uses_currency(order.currency):
        raise Refused(
            f"currency: the order is in {order.currency}, which is not one of the company's currencies",
            hint="Correct the currency, or add it in QuickBooks: Settings, Currencies.",
        )


def _items(shop: Workshop, order: Order, *, allow_backorder: bool) -> dict[str, str]:
    """The QuickBooks id of each SKU; unknown ones and too little stock are refused before anything is sent."""
    wanted = {line.sku for line in order.lines}
    items = shop.books.items_by_sku(wanted)
    if missing := sorted(wanted - items.keys()):
        raise Refused(
            "; ".join(f"lines: no active QuickBooks item has the SKU {sku!r}" for sku in missing),
            hint="Correct the SKU, or give the item that SKU in QuickBooks.",
        )
    problems = bookkeeping.stock_problems(order, items)
    if problems and not allow_backorder:
        raise Refused("; ".join(problems), hint="Order less, restock, or pass --allow-backorder.")
    return {sku: item.id for sku, item in items.items()}


def _ask_for(shop: Workshop, order: Order) -> Invoice:
    """Remember the order before anything is sent: from now on this number means this content."""
    with shop.ledger.transaction():
        known = shop.ledger.sales.invoice(order.number)
        if known is None:
            shop.ledger.sales.add_invoice(
                number=order.number,
                order_json=order_json(order),
                currency=order.currency,
                due=order.due.isoformat(),
                token=secrets.token_urlsafe(24),
                now=shop.clock.now(),
            )
    stored = shop.ledger.sales.invoice(order.number)
    assert stored is not None, "written just now"
    return stored


def _customer(shop: Workshop, order: Order) -> str:
    """The QuickBooks id of the customer: by stored id, then by exact mail and name, else a new one; never a guess."""
    if order.customer.id:
        return _customer_by_id(shop, order)
    with shop.ledger.lock(f"customer:{order.customer.email.casefold()}"):  # a name is free only until somebody takes it
        return _matched_or_made(shop, order)


def _matched_or_made(shop: Workshop, order: Order) -> str:
    found = _matching_customer(shop, order)
    if found is not None:
        with shop.ledger.transaction():
            _remember(shop, found, order.customer.name, order.customer.email)
        return found.id
    subject = f"{order.customer.name} <{order.customer.email.casefold()}> {order.currency}"
    last = shop.ledger.operations.last("create_customer", subject)
    name = last.params["name"] if last and last.unfinished else _free_name(shop, order.customer.name)
    plan = Plan("create_customer", subject, "quickbooks", bookkeeping.customer_params(order, name))
    renew = "the customer of the last operation is gone" if last and last.state == "done" else ""
    return str(effects.perform(shop, plan, renew=renew).result["id"])


def _customer_by_id(shop: Workshop, order: Order) -> str:
    found = shop.books.customer(order.customer.id)
    if found is None or not found.active:
        raise Refused(f"customer.id: QuickBooks has no active customer {order.customer.id}")
    if found.currency != order.currency:
        raise Refused(
            f"customer.id: customer {found.name} is billed in {found.currency}, the order in {order.currency}"
        )
    with shop.ledger.transaction():
        _remember(shop, found, order.customer.name, order.customer.email)
    return found.id


def _matching_customer(shop: Workshop, order: Order) -> BookedCustomer | None:
    """An active customer of this currency with exactly this mail and this name."""
    email, name = order.customer.email, order.customer.name
    for row in shop.ledger.sales.customers_by_email(email):
        if row["name"] == name and row["currency"] == order.currency:
            found = shop.books.customer(row["quickbooks_id"])
            if found is not None and found.active:
                return found
    names = {name, bookkeeping.display_name(name)}
    matches = [
        found
        for found in shop.books.customers_by_email(email)
        if found.name in names and found.currency == order.currency
    ]
    return matches[0] if len(matches) == 1 else None


def _free_name(shop: Workshop, name: str) -> str:
    """A display name that QuickBooks allows and nobody holds: names are shared by customers, vendors, employees."""
    for attempt in range(NAME_ATTEMPTS):
        candidate = bookkeeping.display_name(name, attempt)
        if not shop.books.name_taken(candidate):
            return candidate
    raise Refused(
        f"customer.name: {NAME_ATTEMPTS} forms of {name!r} are taken in QuickBooks",
        hint='Name the customer by its QuickBooks id: "customer": {"id": "..."}.',
    )


def _remember(shop: Workshop, found: BookedCustomer, name: str, email: str) -> None:
    shop.ledger.sales.save_customer(
        quickbooks_id=found.id, name=name, display_name=found.name, email=email, currency=found.currency
    )
