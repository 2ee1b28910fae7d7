"""From an order to one invoice in the books: customer matched or made, invoice created once, total compared."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tillbook.kit.clock import business_date
from tillbook.kit.errors import NotAllowed, Refused, Unreadable
from tillbook.kit.money import Money
from tillbook.ledger.sales import BY_HAND, Invoice
from tillbook.operations.kinds.sales.create_invoice import CreateInvoice
from tillbook.operations.perform import perform, withdraw
from tillbook.recording.facts import record_invoice
from tillbook.rules.forms.changes import differences
from tillbook.rules.orders import Order, order_json
from tillbook.sales import company, customers
from tillbook.sales.stock import stock_problems

if TYPE_CHECKING:
    from tillbook.ledger.sqlite.database import Row
    from tillbook.rules.events import BookedInvoice, UnreadableRecord
    from tillbook.till import Till
    from tillbook.vendors.books import BookedCustomer

CHANGES = "changes:quickbooks"
OVERLAP_SECONDS = 300  # a change may be listed late
_CLOCKS_SECONDS = 3600  # how far our clock may be from QuickBooks'


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice that stands in the books, as the ledger and QuickBooks know it."""

    invoice: Invoice
    booked: BookedInvoice
    already_done: bool


def issue(till: Till, order: Order, *, allow_backorder: bool) -> Issued:
    """Create the invoice of an order once, or return the one that was.

    Raises Refused for what the books do not know or allow, for the same number with other content, and for a total
    in QuickBooks that differs from the order's (the invoice then stands there, and nothing is charged for it).
    """
    with till.ledger.lock(f"order:{order.number}"):  # a number means one order, whoever asks at the same moment
        known = known_order(till, order)
        if known is not None and known.quickbooks_id:
            return refresh(till, known)
        return _create(till, order, known, allow_backorder=allow_backorder)


def _create(till: Till, order: Order, known: Invoice | None, *, allow_backorder: bool) -> Issued:
    _check_company(till, order)
    items = _items(till, order, allow_backorder=allow_backorder)
    customer = customers.customer_of(till, order)
    known = known or _ask_for(till, order)
    date = business_date(known.created_at, company.zone(till))
    wanted = CreateInvoice.of(order, customer_id=customer, item_ids=items, date=date)
    last = CreateInvoice.last(till.ledger, order.number)
    renew = "the last invoice of this number was voided" if last is not None and last.state == "done" else ""
    outcome = perform(till, wanted.plan(), renew=renew)
    return _whole(till, outcome.result, already_done=outcome.already_done)


def refresh(till: Till, invoice: Invoice) -> Issued:
    """Read an invoice again: it may have been deleted, voided or changed by hand. Raises Refused for the first two."""
    booked = till.books.invoice(invoice.quickbooks_id)
    if booked is None or booked.voided:
        what = "voided" if booked else "deleted"
        ended = invoice.voided_at is not None
        raise Refused(
            f"invoice {invoice.number} was {what} in QuickBooks",
            hint="A corrected order takes the same number again."
            if ended
            else f"End it here too: python execution/void_invoice.py {invoice.number}",
        )
    booked = replace(booked, number=invoice.number)  # a person or QuickBooks may have given it another one
    _record(till, booked)
    return _whole(till, booked, already_done=True)


def known_or_adopted(till: Till, number: str) -> Issued:
    """The invoice of exactly this number. One made by hand in QuickBooks is adopted. Raises Refused."""
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

    An older change is known already: an invoice is read before a page is made for it. Raises Refused or Unavailable,
    and Unreadable for an invoice of ours that cannot be understood, after everything else was recorded.
    """
    ledger = till.ledger
    oldest = ledger.sales.oldest_open_checkout()
    if oldest is None:
        return
    # A page's time is ours, the cursor is QuickBooks': the time of the newest change that was seen.
    since = max(oldest - _CLOCKS_SECONDS, ledger.activity.cursor(CHANGES)) - OVERLAP_SECONDS
    found = till.books.invoices_changed(since, lambda key: ledger.sales.invoice_by_quickbooks_id(key) is not None)
    for booked in found.changed:
        known = till.ledger.sales.invoice_by_quickbooks_id(booked.id)
        if known is not None and (known.total, known.tax, known.balance) != (booked.total, booked.tax, booked.balance):
            _record(till, replace(booked, number=known.number))
    with till.ledger.transaction():
        for quickbooks_id in found.deleted:
            if known := till.ledger.sales.invoice_by_quickbooks_id(quickbooks_id):
                till.ledger.sales.set_balance(known.number, Money.zero(known.currency))
        for odd in found.unreadable:
            _record_unread(till, odd)
        till.ledger.activity.set_cursor(CHANGES, found.newest)
    if found.unreadable:
        first = found.unreadable[0]
        raise Unreadable(f"{first.id}: {first.reason}", field=first.field)


def _record_unread(till: Till, odd: UnreadableRecord) -> None:
    """Nothing may be charged for an invoice of ours that cannot be understood. In a transaction."""
    known = till.ledger.sales.invoice_by_quickbooks_id(odd.id.removeprefix("Invoice "))
    assert known is not None, "only invoices of ours are read"
    till.ledger.reconciliation.note_unreadable([odd], till.clock.now())
    till.ledger.sales.book_unread_invoice(
        known.number, quickbooks_id=known.quickbooks_id, customer=known.customer, problem=odd.reason
    )


def require_sound(issued: Issued) -> Issued:
    """The invoice, when it may be charged. Raises Refused when its total differs from the order's."""
    if issued.invoice.problem:
        raise Refused(
            issued.invoice.problem,
            hint=f"Choose one: correct invoice {issued.invoice.number} in QuickBooks, then run the same command again; "
            f"or python execution/void_invoice.py {issued.invoice.number}, then submit the corrected order.",
        )
    return issued


def owe_invoice_mail(till: Till, number: str, *, again: bool = False) -> str:
    """Note the invoice mail to the customer as pending, once, or another one. Returns its key. In a transaction.

    Mails of the order that had this number before, and was voided, do not count.
    """
    invoice = till.ledger.sales.invoice(number)
    assert invoice is not None, "a mail is about an invoice"
    mails = [row for row in till.ledger.messages.of_invoice(number) if row["kind"] == "invoice"]
    if mails and mails[-1]["created_at"] >= invoice.created_at and not again:
        return str(mails[-1]["key"])
    key = f"invoice:{number}:{len(mails) + 1}"
    till.ledger.messages.add(key, "invoice", till.clock.now(), invoice=number)
    return key


def _whole(till: Till, booked: BookedInvoice, *, already_done: bool) -> Issued:
    invoice = till.ledger.sales.invoice(booked.number)
    assert invoice is not None, "recorded just now"
    return Issued(invoice, booked, already_done)


def _adopt(till: Till, booked: BookedInvoice) -> Issued:
    if booked.voided:
        raise Refused(f"invoice {booked.number} was voided in QuickBooks")
    owner, now = _owner(till, booked), till.clock.now()
    with till.ledger.transaction():
        till.ledger.sales.add_invoice(
            number=booked.number,
            order_json=BY_HAND,
            currency=booked.total.currency,
            due=booked.due,
            token=secrets.token_urlsafe(24),
            now=now,
        )
        customers.remember(till, owner, owner.name, booked.email or owner.email)
        record_invoice(till.ledger, booked, now)
    return _whole(till, booked, already_done=False)


def _record(till: Till, booked: BookedInvoice) -> None:
    """What QuickBooks holds for an invoice now. Somebody may have given it to another customer, or merged two."""
    merged = _merged_away(till, booked)
    owner = None if merged is None and till.ledger.sales.customer(booked.customer_id) else _owner(till, booked)
    with till.ledger.transaction():
        if merged is not None and owner is not None:  # the next order of that name and address is for who remains
            customers.remember(till, owner, merged["name"], merged["email"])
        elif owner is not None:
            customers.remember(till, owner, owner.name, booked.email or owner.email)
        record_invoice(till.ledger, booked, till.clock.now())


def _merged_away(till: Till, booked: BookedInvoice) -> Row | None:
    """The customer that the ledger knows for an invoice, when it is another's now and that one was retired."""
    known = till.ledger.sales.invoice(booked.number)
    if known is None or not known.customer or known.customer == booked.customer_id:
        return None
    found = till.books.customer(known.customer)
    return None if found is not None and found.active else till.ledger.sales.customer(known.customer)


def _owner(till: Till, booked: BookedInvoice) -> BookedCustomer:
    owner = till.books.customer(booked.customer_id)
    if owner is None:
        raise Refused(f"the customer of invoice {booked.number} cannot be read in QuickBooks")
    return owner


def _check_company(till: Till, order: Order) -> None:
    found = till.company
    if not found.custom_numbers:
        raise NotAllowed(
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
    """The QuickBooks id of each SKU. Unknown ones and too little stock are refused before anything is sent."""
    wanted = {line.sku for line in order.lines}
    items = till.books.items_by_sku(wanted)
    if missing := sorted(wanted - items.keys()):
        raise Refused(
            "; ".join(f"lines: no active QuickBooks item has the SKU {sku!r}" for sku in missing),
            hint="Correct the SKU, or give the item that SKU in QuickBooks.",
        )
    problems = stock_problems(order, items)
    if problems and not allow_backorder:
        raise Refused("; ".join(problems), hint="Order less, restock, or pass --allow-backorder.")
    return {sku: item.id for sku, item in items.items()}


def known_order(till: Till, order: Order) -> Invoice | None:
    """The invoice of this number, when it is asked for by this order. None while the number is new.

    A number is free again, and means this order from now on, when nothing stands in the books for the one before:
    QuickBooks refused it, or it was ended by void_invoice.py. Raises Refused for one that stands, Uncertain.
    """
    known, content = till.ledger.sales.invoice(order.number), order_json(order)
    if known is None or known.order_json == content:
        return known
    if not _nothing_stands(till, known):
        raise _exists(known, content)
    with till.ledger.transaction():
        till.ledger.sales.reorder(
            number=order.number,
            order_json=content,
            currency=order.currency,
            due=order.due.isoformat(),
            now=till.clock.now(),
        )
    return till.ledger.sales.invoice(order.number)


def _nothing_stands(till: Till, known: Invoice) -> bool:
    """Whether the order before has no invoice, and never will. One that was begun is ended by QuickBooks' word."""
    if known.quickbooks_id:
        return known.voided_at is not None
    last = CreateInvoice.last(till.ledger, known.number)
    if last is not None and last.unfinished:
        return withdraw(till, last).state == "refused"
    return True


def _exists(known: Invoice, content: str) -> Refused:
    if known.by_hand:
        return Refused(
            f"invoice {known.number} was made by hand in QuickBooks", hint="Give the order a number of its own."
        )
    return Refused(
        f"invoice {known.number} exists with other content: {'; '.join(differences(known.order_json, content))}",
        hint="Give a new order a number of its own. To correct this one, void it first: "
        f"python execution/void_invoice.py {known.number}",
    )


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
