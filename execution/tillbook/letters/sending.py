"""Sends pending mail. Each message is rendered from the current state, so it is true when it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused, TillbookError, Unavailable, Uncertain, Unforeseen, apart, worst_exit_code
from tillbook.kit.retries import next_attempt
from tillbook.letters.contents import Mail, contents_of
from tillbook.sales import invoices

if TYPE_CHECKING:
    from tillbook.ledger.sales import Invoice
    from tillbook.ledger.sqlite.database import Row
    from tillbook.till import Till


NO_ADDRESS = "its customer has no mail address"


@dataclass(frozen=True, slots=True)
class Sent:
    """How many mails one round sent, how many wait, how many a person must look at, which are too old to send."""

    sent: int
    waiting: int
    failed: int
    stale: tuple[str, ...] = ()
    exit_code: int = 0


def send_messages(till: Till, *, limit: int, progress: Callable[[int], None] = lambda _: None) -> Sent:
    """Send up to `limit` pending mails, each at least once and with one Message-ID for ever."""
    sent, failed, exit_code = 0, 0, 0
    now = till.clock.now()
    with till.ledger.lock("mail"):
        for message in till.ledger.messages.due(now, limit):
            try:
                with apart():
                    sent += bool(send(till, message))
            except Refused as error:
                failed += 1
                exit_code = worst_exit_code([exit_code, error.exit_code])
                _end(till, message, "failed", error.message)
            except (Unavailable, Uncertain, Unforeseen) as error:
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
    """Send one pending mail and record where it went. Empty when it was withdrawn.

    Raises Refused, Unavailable, or Uncertain (it may have arrived: it will be sent again with the same Message-ID).
    """
    from tillbook.letters.rendering import render  # noqa: PLC0415
    from tillbook.vendors.smtp import message_id  # noqa: PLC0415  start-up time

    to, context = contents_of(till, _mail(till, message))
    if not to:
        _end(till, message, "withdrawn", str(context.get("why", NO_ADDRESS)))
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


def _mail(till: Till, message: Row) -> Mail:
    """A stored message with what it is about."""
    number = message["invoice"]
    return Mail(
        message["kind"],
        till.ledger.sales.invoice(number) if number else None,
        till.ledger.messages.fact(message["key"]),
    )


def _invoice_message(till: Till, number: str, *, again: bool) -> Row:
    """The newest invoice mail, or another one: the first, on a person's word, or after a failed one."""
    with till.ledger.transaction():
        message = till.ledger.messages.get(invoices.owe_invoice_mail(till, number))
        if message and message["state"] != "waiting" and (again or message["state"] != "sent"):
            message = till.ledger.messages.get(invoices.owe_invoice_mail(till, number, again=True))
    assert message is not None, "written just now"
    return message


def _end(till: Till, message: Row, state: str, reason: str) -> None:
    with till.ledger.transaction():
        till.ledger.messages.end(message["key"], state, reason)


def _delay(till: Till, message: Row, error: TillbookError) -> None:
    with till.ledger.transaction():
        till.ledger.messages.delay(message["key"], error.message, next_attempt(till.clock.now(), message["attempts"]))
