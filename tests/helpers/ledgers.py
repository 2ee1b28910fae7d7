"""Ledgers with something in them, written through the ledger's own room, without any vendor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

from tillbook.kit.money import Money
from tillbook.ledger import Ledger
from tillbook.recording.facts import record_invoice, record_reading
from tillbook.rules.events import BookedInvoice, Event, Reading
from tillbook.rules.facts import Fact, PaymentRefunded, PaymentSucceeded, ProcessorFee
from tillbook.rules.operations import Operation, Plan
from tillbook.vendors.providers import clearing

NOW = 1_795_000_000


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def booked(number: str = "INV-1", total: int = 6000, **changes: Any) -> BookedInvoice:
    """An invoice as QuickBooks holds it."""
    values: dict[str, Any] = {
        "id": f"qb-{number}",
        "number": number,
        "customer_id": "58",
        "email": "grace@example.com",
        "total": usd(total),
        "tax": usd(0),
        "balance": usd(total),
        "date": "2026-11-20",
        "due": "2026-12-20",
        "voided": False,
        "created_at": NOW,
        "version": 0,
    }
    return BookedInvoice(**{**values, **changes})


def asked_for(ledger: Ledger, number: str = "INV-1") -> None:
    """An invoice that was asked for; the books have not heard of it."""
    with ledger.transaction():
        ledger.sales.save_customer(
            quickbooks_id="58", name="Grace", display_name="Grace", email="grace@example.com", currency="USD"
        )
        ledger.sales.add_invoice(
            number=number, order_json="{}", currency="USD", due="2026-12-20", token=f"token-{number}", now=NOW
        )


def invoiced(ledger: Ledger, number: str = "INV-1", total: int = 6000) -> None:
    """An invoice that stands in the books."""
    asked_for(ledger, number)
    with ledger.transaction():
        record_invoice(ledger, booked(number, total), NOW)


def page_operation(ledger: Ledger, number: str = "INV-1", nth: int = 1) -> Operation:
    """A done operation that opened a page of an invoice: what a payment's metadata names."""
    plan = Plan("create_checkout", f"stripe/{number}/{nth}", "stripe", {"invoice": number})
    with ledger.transaction():
        operation = ledger.operations.prepare(plan, renew="", asked_by="test", now=NOW)
        ledger.operations.mark_sent(operation, NOW)
        return ledger.operations.mark_done(operation, {"checkout_id": f"cs_{nth}"}, NOW)


def payment(name: str, minor: int, at: int = NOW) -> PaymentSucceeded:
    return PaymentSucceeded(
        provider="stripe",
        key=f"ch_{name}",
        occurred_at=at,
        payment=f"pi_{name}",
        charge=f"ch_{name}",
        amount=usd(minor),
    )


def fee(name: str, minor: int, at: int = NOW) -> ProcessorFee:
    return ProcessorFee(
        provider="stripe", key=f"txn_{name}:fee", occurred_at=at, payment=f"pi_{name}", amount=usd(minor)
    )


def refund(name: str, minor: int, at: int = NOW) -> PaymentRefunded:
    """Money that went back by somebody else's word."""
    key = f"re_{name}"
    return PaymentRefunded(
        provider="stripe", key=key, occurred_at=at, payment=f"pi_{name}", refund=key, operation="", amount=usd(minor)
    )


def reading(facts: Sequence[Fact], operation: Operation | None = None) -> Reading:
    """What Stripe answers for a payment of ours, or of nobody we know."""
    name = operation.id if operation else ""
    return Reading("pi", tuple(facts), name, str(operation.params["invoice"]) if operation else "")


def received(ledger: Ledger, found: Reading, now: int = NOW) -> None:
    """What an event leads to: its reading goes in by the one door."""
    with ledger.transaction():
        record_reading(ledger, "stripe", found, now)


def event(name: str = "evt_1", **changes: Any) -> Event:
    values: dict[str, Any] = {
        "provider": "stripe",
        "id": name,
        "type": "payment_intent.succeeded",
        "object_id": "pi_1",
        "account": "",
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "created_at": NOW,
        "body": b"{}",
    }
    return Event(**{**values, **changes})


def filled(file: Path) -> Ledger:
    """A ledger with a row in every table that keeps its rows: one sale, paid, its document and its mails waiting."""
    ledger = Ledger(file, clearing)
    invoiced(ledger)
    operation = page_operation(ledger)
    received(ledger, reading([payment("1", 6000), fee("1", 204)], operation))
    with ledger.transaction():
        ledger.binding.bind("mode", "simulator")
        ledger.inbox.add(event(), source="webhook", now=NOW)
    return ledger


def operation_states(file: Path) -> set[str]:
    """The states that operations of a ledger are in."""
    return {str(state) for (state,) in raw(file).execute("select distinct state from operation")}


def rows(file: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a query of a test's own finds in a ledger."""
    connection = raw(file)
    try:
        return list(connection.execute(sql, values))
    finally:
        connection.close()


def raw(file: Path, *, tamper: bool = False) -> apsw.Connection:
    """SQLite without Tillbook's manners, as somebody with a database tool has it; `tamper` drops every trigger."""
    connection = apsw.Connection(str(file))
    connection.pragma("foreign_keys", 0 if tamper else 1)
    if tamper:
        names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'trigger'")]
        for name in names:
            connection.execute(f"drop trigger {name}")
    return connection
