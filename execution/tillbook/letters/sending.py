"""Mails that are owed -> SMTP: written on the state at the moment they leave, so that each is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.clock import business_date
from tillbook.kit.errors import Refused, TillbookError, Unavailable, Uncertain, worst_exit_code
from tillbook.kit.retries import next_attempt
from tillbook.rules.facts import PaymentRefunded, PaymentSucceeded, RefundFailed
from tillbook.rules.orders import Order, plain
from tillbook.sales import checkouts, company, invoices
from tillbook.sales.balance import open_by_ledger

if TYPE_CHECKING:
    from tillbook.ledger.sales import Invoice
    from tillbook.ledger.sqlite.database import Row
    from tillbook.sales.invoices import Issued
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class Sent:
    """How many mails one round sent, how many wait, how many a person must look at, which are too old to send."""

    sent: int
    waiting: int
    failed: int
    stale: tuple[str, ...] = ()
    exit_code: int = 0


def send_messages(till: Till, *, limit: int, progress: Callable[[int], None] = lambda _: None) -> Sent:
    """Send up to `limit` mails that are owed, each at least once and with one Message-ID for ever."""
    sent, failed, exit_code = 0, 0, 0
    now = till.clock.now()
    with till.ledger.lock("mail"):
        for message in till.ledger.messages.due(now, limit):
            try:
                sent += bool(send(till, message))
            except Refused as error:
                failed += 1
                exit_code = worst_exit_code([exit_code, error.exit_code])
                _end(till, message, "failed", error.message)
            except (Unavailable, Uncertain) as error:
                exit_code = worst_exit_code([exit_code, error.exit_code])
                _delay(till, message, error)
            progress(1)
    stale = tuple(row["key"] for row in till.ledger.messages.stale(till.clock.now()))
    return Sent(sent, till.ledger.messages.count_waiting(), failed, stale, exit_code)


def send_invoice_mail(till: Till, invoice: Invoice, *, again: bool) -> tuple[str, str, bool]:
    """Send the invoice mail of an invoice once: the address, the Message-ID, whether it had been sent before.

    `again` opens another mail when the last one was sent. Raises as `send`.
    """
    with till.ledger.lock("mail"):
        message = _invoice_message(till, invoice.number, again=again)
        if message["state"] == "sent":
            return message["sent_to"], message["message_id"], True
        send(till, message)
        ended = till.ledger.messages.get(message["key"])
    assert ended is not None, "messages are never deleted"
    if ended["state"] == "withdrawn":
        raise Refused(f"no invoice mail for {invoice.number}: {ended['reason']}")
    return ended["sent_to"], ended["message_id"], False


def send(till: Till, message: Row) -> str:
    """Send one mail that is owed and record where it went; empty when it was withdrawn.

    Raises Refused, Unavailable, or Uncertain (it may have arrived: it will be sent again with the same Message-ID).
    """
    from tillbook.letters.rendering import render  # noqa: PLC0415
    from tillbook.vendors.smtp import message_id  # noqa: PLC0415  start-up time

    invoice = till.ledger.sales.invoice(message["invoice"])
    assert invoice is not None, "a message belongs to an invoice"
    to, context = _CONTENTS[message["kind"]](till, message, invoice)
    if not to:
        _end(till, message, "withdrawn", str(context["why"]))
        return ""
    letter = render(message["kind"], context, overrides=till.settings.home / "templates")
    name = message_id(message["key"], till.settings.mail_from)
    if till.dry_run:
        till.dry_run.mails.append({"to": to, "subject": letter.subject, "message_id": name})
        went_to = to
    else:
        went_to = till.mailer.send(to=to, letter=letter, message_id=name)
    with till.ledger.transaction():
        till.ledger.messages.mark_sent(message["key"], message_id=name, sent_to=went_to, now=till.clock.now())
    return went_to


def _invoice_message(till: Till, number: str, *, again: bool) -> Row:
    """The newest invoice mail; or another one: the first, on a person's word, or after a failed one."""
    earlier = [row for row in till.ledger.messages.of_invoice(number) if row["kind"] == "invoice"]
    if earlier and (earlier[-1]["state"] == "waiting" or (earlier[-1]["state"] == "sent" and not again)):
        return earlier[-1]
    with till.ledger.transaction():
        key = invoices.owe_invoice_mail(till, number, nth=len(earlier) + 1)
    message = till.ledger.messages.get(key)
    assert message is not None, "written just now"
    return message


Contents = tuple[str, dict[str, object]]


def _invoice_mail(till: Till, message: Row, invoice: Invoice) -> Contents:
    issued = invoices.require_sound(invoices.refresh(till, invoice))
    if not issued.booked.balance:
        return "", {"why": "the invoice is paid"}
    context = _sale(till, invoice)
    context["pay_url"] = _pay_url(till, issued)
    return str(context["email"]), context


def _pay_url(till: Till, issued: Issued) -> str:
    """Where the invoice can be paid for as long as it is open: our own page, else one that lasts at the provider."""
    if till.settings.base_url:
        return f"{till.settings.base_url}/pay/{issued.invoice.token}"
    return checkouts.lasting_checkout(till, issued).url


def _confirmation(till: Till, message: Row, invoice: Invoice) -> Contents:
    context = _sale(till, invoice) | _payment(till, message, invoice)
    return str(context["email"]), context


def _owner_mail(till: Till, message: Row, invoice: Invoice) -> Contents:
    if not till.settings.mail_owner:
        return "", {"why": "MAIL_OWNER is not set"}
    return till.settings.mail_owner, _sale(till, invoice) | _payment(till, message, invoice)


def _refund_mail(till: Till, message: Row, invoice: Invoice) -> Contents:
    facts = till.ledger.facts.of_invoice(invoice.number)
    key = message["key"].rpartition(":")[2]
    fact = next(fact for fact in facts if isinstance(fact, PaymentRefunded) and fact.key == key)
    if any(isinstance(other, RefundFailed) and other.refund == fact.refund for other in facts):
        return "", {"why": "the refund failed"}
    given = {
        "amount_refunded": fact.amount.text,
        "refunded_on": business_date(fact.occurred_at, company.zone(till)).isoformat(),
        "refund": fact.refund,
    }
    context = _sale(till, invoice) | given
    return str(context["email"]), context


_CONTENTS: Mapping[str, Callable[[Till, Row, Invoice], Contents]] = {
    "invoice": _invoice_mail,
    "confirmation": _confirmation,
    "owner": _owner_mail,
    "refund": _refund_mail,
}


def _sale(till: Till, invoice: Invoice) -> dict[str, object]:
    """What every mail about a sale may say. Amounts are texts such as '60.00'."""
    customer = till.ledger.sales.customer(invoice.customer) or {"name": "", "email": ""}
    assert invoice.total is not None, "an invoice in the books has a total"
    assert invoice.tax is not None, "an invoice in the books has a tax"
    order = invoice.order()
    return {
        "company": company.known(till).name,
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


def _payment(till: Till, message: Row, invoice: Invoice) -> dict[str, object]:
    """What a mail about one payment says besides."""
    facts = till.ledger.facts.of_invoice(invoice.number)
    paid = [fact for fact in facts if isinstance(fact, PaymentSucceeded)]
    fact = next(fact for fact in paid if fact.payment == message["payment"])
    assert invoice.total is not None, "an invoice in the books has a total"
    remaining = open_by_ledger(invoice.total, facts)
    return {
        "amount_paid": fact.amount.text,
        "paid_on": business_date(fact.occurred_at, company.zone(till)).isoformat(),
        "remaining": remaining.text if remaining else "",
        "payment": fact.payment,
    }


def _end(till: Till, message: Row, state: str, reason: str) -> None:
    with till.ledger.transaction():
        till.ledger.messages.end(message["key"], state, reason)


def _delay(till: Till, message: Row, error: TillbookError) -> None:
    with till.ledger.transaction():
        till.ledger.messages.delay(message["key"], error.message, next_attempt(till.clock.now(), message["attempts"]))
