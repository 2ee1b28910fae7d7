"""Mails that are owed -> SMTP: written on the state at the moment they leave, so that each is true."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook import checkouts, invoices
from tillbook.clock import business_date
from tillbook.errors import Refused, TillbookError, Unavailable, Uncertain, worst_exit_code
from tillbook.facts import PaymentRefunded, PaymentSucceeded, RefundFailed
from tillbook.money import Money
from tillbook.orders import Order, parse_order, plain
from tillbook.patience import next_attempt

if TYPE_CHECKING:
    from tillbook.invoices import Issued
    from tillbook.ledger.database import Row
    from tillbook.ledger.sales import Invoice
    from tillbook.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Sent:
    """How many mails one round sent, how many wait, how many a person must look at, which are too old to send."""

    sent: int
    waiting: int
    failed: int
    stale: tuple[str, ...] = ()
    exit_code: int = 0


def send_messages(shop: Workshop, *, limit: int, progress: Callable[[int], None] = lambda _: None) -> Sent:
    """Send up to `limit` mails that are owed, each at least once and with one Message-ID for ever."""
    sent, failed, exit_code = 0, 0, 0
    now = shop.clock.now()
    with shop.ledger.lock("mail"):
        for message in shop.ledger.messages.due(now, limit):
            try:
                sent += bool(send(shop, message))
            except Refused as error:
                failed += 1
                exit_code = worst_exit_code([exit_code, error.exit_code])
                _end(shop, message, "failed", error.message)
            except (Unavailable, Uncertain) as error:
                exit_code = worst_exit_code([exit_code, error.exit_code])
                _delay(shop, message, error)
            progress(1)
    stale = tuple(row["key"] for row in shop.ledger.messages.stale(shop.clock.now()))
    return Sent(sent, shop.ledger.messages.count_waiting(), failed, stale, exit_code)


def send_invoice_mail(shop: Workshop, invoice: Invoice, *, again: bool) -> tuple[str, str, bool]:
    """Send the invoice mail of an invoice once: the address, the Message-ID, whether it had been sent before.

    `again` opens another mail when the last one was sent. Raises as `send`.
    """
    with shop.ledger.lock("mail"):
        message = _invoice_message(shop, invoice.number, again=again)
        if message["state"] == "sent":
            return message["sent_to"], message["message_id"], True
        send(shop, message)
        ended = shop.ledger.messages.get(message["key"])
    assert ended is not None, "messages are never deleted"
    if ended["state"] == "withdrawn":
        raise Refused(f"no invoice mail for {invoice.number}: {ended['reason']}")
    return ended["sent_to"], ended["message_id"], False


def owe_invoice_mail(shop: Workshop, number: str, *, nth: int = 1) -> str:
    """Owe the customer the nth invoice mail; its key. In a transaction."""
    key = f"invoice:{number}:{nth}"
    shop.ledger.messages.add(key, "invoice", number, shop.clock.now())
    return key


def send(shop: Workshop, message: Row) -> str:
    """Send one mail that is owed and record where it went; empty when it was withdrawn.

    Raises Refused, Unavailable, or Uncertain (it may have arrived: it will be sent again with the same Message-ID).
    """
    from tillbook.mail import message_id, render  # noqa: PLC0415  start-up time

    invoice = shop.ledger.sales.invoice(message["invoice"])
    assert invoice is not None, "a message belongs to an invoice"
    to, context = _CONTENTS[message["kind"]](shop, message, invoice)
    if not to:
        _end(shop, message, "withdrawn", str(context["why"]))
        return ""
    letter = render(message["kind"], context, overrides=shop.settings.home / "templates")
    name = message_id(message["key"], shop.settings.mail_from)
    if shop.rehearsal:
        shop.rehearsal.mails.append({"to": to, "subject": letter.subject, "message_id": name})
        went_to = to
    else:
        went_to = shop.mailer.send(to=to, letter=letter, message_id=name)
    with shop.ledger.transaction():
        shop.ledger.messages.mark_sent(message["key"], message_id=name, sent_to=went_to, now=shop.clock.now())
    return went_to


def _invoice_message(shop: Workshop, number: str, *, again: bool) -> Row:
    """The newest invoice mail; or another one: the first, on a person's word, or after a failed one."""
    earlier = [row for row in shop.ledger.messages.of_invoice(number) if row["kind"] == "invoice"]
    if earlier and (earlier[-1]["state"] == "waiting" or (earlier[-1]["state"] == "sent" and not again)):
        return earlier[-1]
    with shop.ledger.transaction():
        key = owe_invoice_mail(shop, number, nth=len(earlier) + 1)
    message = shop.ledger.messages.get(key)
    assert message is not None, "written just now"
    return message


Contents = tuple[str, dict[str, object]]


def _invoice_mail(shop: Workshop, message: Row, invoice: Invoice) -> Contents:
    issued = invoices.require_sound(invoices.refresh(shop, invoice))
    if not issued.booked.balance:
        return "", {"why": "the invoice is paid"}
    context = _sale(shop, invoice)
    context["pay_url"] = _pay_url(shop, issued)
    return str(context["email"]), context


def _pay_url(shop: Workshop, issued: Issued) -> str:
    """Where the invoice can be paid for as long as it is open: our own page, else one that lasts at the provider."""
    if shop.settings.base_url:
        return f"{shop.settings.base_url}/pay/{issued.invoice.token}"
    return checkouts.lasting_checkout(shop, issued).url


def _confirmation(shop: Workshop, message: Row, invoice: Invoice) -> Contents:
    context = _sale(shop, invoice) | _payment(shop, message, invoice)
    return str(context["email"]), context


def _owner_mail(shop: Workshop, message: Row, invoice: Invoice) -> Contents:
    if not shop.settings.mail_owner:
        return "", {"why": "MAIL_OWNER is not set"}
    return shop.settings.mail_owner, _sale(shop, invoice) | _payment(shop, message, invoice)


def _refund_mail(shop: Workshop, message: Row, invoice: Invoice) -> Contents:
    facts = shop.ledger.facts.of_invoice(invoice.number)
    key = message["key"].rpartition(":")[2]
    fact = next(fact for fact in facts if isinstance(fact, PaymentRefunded) and fact.key == key)
    if any(isinstance(other, RefundFailed) and other.refund == fact.refund for other in facts):
        return "", {"why": "the refund failed"}
    given = {
        "amount_refunded": fact.amount.text,
        "refunded_on": business_date(fact.occurred_at, invoices.zone(shop)).isoformat(),
        "refund": fact.refund,
    }
    context = _sale(shop, invoice) | given
    return str(context["email"]), context


_CONTENTS: Mapping[str, Callable[[Workshop, Row, Invoice], Contents]] = {
    "invoice": _invoice_mail,
    "confirmation": _confirmation,
    "owner": _owner_mail,
    "refund": _refund_mail,
}


def _sale(shop: Workshop, invoice: Invoice) -> dict[str, object]:
    """What every mail about a sale may say. Amounts are texts such as '60.00'."""
    customer = shop.ledger.sales.customer(invoice.customer) or {"name": "", "email": ""}
    assert invoice.total is not None, "an invoice in the books has a total"
    assert invoice.tax is not None, "an invoice in the books has a tax"
    order = None if invoice.order_json == "{}" else parse_order(json.loads(invoice.order_json))
    return {
        "company": invoices.company(shop).name,
        "customer_name": customer["name"],
        "email": customer["email"],
        "number": invoice.number,
        "currency": invoice.currency,
        "due": invoice.due,
        "total": invoice.total.text,
        "tax": invoice.tax.text if invoice.tax else "",
        **_ordered(order),
    }


def _ordered(order: Order | None) -> dict[str, object]:
    """What the order adds; an invoice made by hand in QuickBooks has none."""
    if order is None:
        return {"lines": [], "subtotal": "", "discount": "", "memo": ""}
    lines = [
        {
            "description": line.description,
            "quantity": plain(line.quantity),
            "unit_price": line.unit_price.text,
            "amount": line.amount.text,
        }
        for line in order.lines
    ]
    discount = order.discount_amount.text if order.discount else ""
    return {"lines": lines, "subtotal": order.subtotal.text, "discount": discount, "memo": order.memo}


def _payment(shop: Workshop, message: Row, invoice: Invoice) -> dict[str, object]:
    """What a mail about one payment says besides."""
    facts = shop.ledger.facts.of_invoice(invoice.number)
    paid = [fact for fact in facts if isinstance(fact, PaymentSucceeded)]
    fact = next(fact for fact in paid if fact.payment == message["payment"])
    assert invoice.total is not None, "an invoice in the books has a total"
    remaining = invoice.total - sum((other.amount for other in paid), Money.zero(invoice.currency))
    return {
        "amount_paid": fact.amount.text,
        "paid_on": business_date(fact.occurred_at, invoices.zone(shop)).isoformat(),
        "remaining": remaining.text if remaining.minor > 0 else "",
        "payment": fact.payment,
    }


def _end(shop: Workshop, message: Row, state: str, reason: str) -> None:
    with shop.ledger.transaction():
        shop.ledger.messages.end(message["key"], state, reason)


def _delay(shop: Workshop, message: Row, error: TillbookError) -> None:
    with shop.ledger.transaction():
        shop.ledger.messages.delay(message["key"], error.message, next_attempt(shop.clock.now(), message["attempts"]))
