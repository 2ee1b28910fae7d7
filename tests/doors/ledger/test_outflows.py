"""The refund bound in the database itself: no code and no person with SQL can prepare more than was captured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from helpers.ledgers import NOW, invoiced, page_operation, payment, raw, reading, received, usd
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.ledger import Ledger
from tillbook.operations.kinds.refunds.refund_payment import RefundPayment, RefundRequest
from tillbook.proof import invariants
from tillbook.rules.events import Reading
from tillbook.rules.facts import PaymentRefunded, RefundFailed
from tillbook.rules.operations import Operation, Plan
from tillbook.vendors.providers import clearing

STATES = ("prepared", "sent", "unknown", "done")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(file: Path) -> Iterator[Ledger]:
    """A ledger with one payment of 60.00, pi_1, of INV-1."""
    ledger = Ledger(file, clearing)
    invoiced(ledger)
    received(ledger, reading([payment("1", 6000)], page_operation(ledger)))
    yield ledger
    ledger.close()


def plan(minor: int, reference: str, currency: str = "USD", of: str = "pi_1") -> Plan:
    request = RefundRequest(of, "INV-1", Money(minor, currency), "duplicate", reference, "sale")
    return RefundPayment.of(request).plan("stripe", reference)


def prepared(ledger: Ledger, minor: int, reference: str) -> Operation:
    """A refund that was prepared and not sent."""
    with ledger.transaction():
        return ledger.operations.prepare(plan(minor, reference), renew="", asked_by="test", now=NOW)


def in_state(ledger: Ledger, minor: int, reference: str, state: str) -> Operation:
    """A refund in one of the states that an operation can be in."""
    operation = prepared(ledger, minor, reference)
    with ledger.transaction():
        if state != "prepared":
            ledger.operations.mark_sent(operation, NOW)
        if state == "unknown":
            ledger.operations.mark_unknown(operation, "no answer")
        if state == "done":
            ledger.operations.mark_done(operation, {"refund": f"re_{reference}", "status": "pending"}, NOW)
        if state == "refused":
            ledger.operations.mark_refused(operation, "no", NOW)
    return operation


def arrived(ledger: Ledger, name: str, minor: int, operation: str = "") -> None:
    """The fact of a refund."""
    fact = PaymentRefunded(
        provider="stripe",
        key=f"txn_{name}",
        occurred_at=NOW + 1,
        payment="pi_1",
        refund=f"re_{name}",
        operation=operation,
        amount=usd(minor),
    )
    received(ledger, reading([fact]))


def came_back(ledger: Ledger, name: str, minor: int) -> None:
    """The fact of a refund that failed."""
    fact = RefundFailed(
        provider="stripe",
        key=f"txn_f{name}",
        occurred_at=NOW + 2,
        payment="pi_1",
        refund=f"re_{name}",
        amount=usd(minor),
    )
    received(ledger, reading([fact]))


def figures(ledger: Ledger) -> tuple[int, int, int]:
    """Captured, returned and pending of pi_1, in cents."""
    found = ledger.outflows.refundable("stripe", "pi_1", "USD")
    return found.captured.minor, found.returned.minor, found.pending.minor


def test_c10_a_refund_above_the_capture_is_refused_by_the_database(ledger: Ledger) -> None:
    """60.01 of 60.00 is refused, and nothing of it stays; 60.00 is not."""
    with pytest.raises(Refused, match="more would be given back"):
        prepared(ledger, 6001, "a")
    assert ledger.operations.unfinished() == []
    prepared(ledger, 6000, "b")
    assert figures(ledger) == (6000, 0, 6000)


@pytest.mark.parametrize("state", STATES)
def test_c10_a_refund_counts_in_every_state_that_may_move_money(ledger: Ledger, state: str) -> None:
    """40.00 prepared, sent, unknown, or done without its fact: 20.00 remain, 20.01 is refused."""
    in_state(ledger, 4000, "a", state)
    assert figures(ledger) == (6000, 0, 4000)
    with pytest.raises(Refused):
        prepared(ledger, 2001, "b")
    prepared(ledger, 2000, "c")


def test_a_refused_refund_frees_its_room(ledger: Ledger) -> None:
    """The vendor said no: all of the payment remains."""
    in_state(ledger, 6000, "a", "refused")
    assert figures(ledger) == (6000, 0, 0)
    prepared(ledger, 6000, "b")


@pytest.mark.parametrize("state", STATES)
def test_c10_a_refund_counts_once_when_its_fact_arrives(ledger: Ledger, state: str) -> None:
    """Before the fact as pending, after it as returned, also when the fact overtakes the answer."""
    operation = in_state(ledger, 4000, "a", state)
    arrived(ledger, "a", 4000, operation.id)
    assert figures(ledger) == (6000, 4000, 0)
    prepared(ledger, 2000, "b")
    with pytest.raises(Refused):
        prepared(ledger, 1, "c")


def test_a_dashboard_refund_takes_its_room(ledger: Ledger) -> None:
    """A fact without an operation of ours is returned money all the same."""
    arrived(ledger, "x", 5000)
    assert figures(ledger) == (6000, 5000, 0)
    with pytest.raises(Refused):
        prepared(ledger, 1001, "a")
    prepared(ledger, 1000, "b")


def test_c14_a_failed_refund_frees_its_room(ledger: Ledger) -> None:
    """What came back can be given back again."""
    operation = in_state(ledger, 6000, "a", "done")
    arrived(ledger, "a", 6000, operation.id)
    came_back(ledger, "a", 6000)
    assert figures(ledger) == (6000, 0, 0)
    prepared(ledger, 6000, "b")


def test_c14_a_refund_that_ended_without_moving_money_frees_its_room_once(ledger: Ledger) -> None:
    """Held and then cancelled: released by what the vendor says, and a second reading changes nothing."""
    operation = in_state(ledger, 6000, "a", "done")
    found = Reading("pi_1", (payment("1", 6000),), "", "", (operation.id,))
    received(ledger, found)
    received(ledger, found, NOW + 50)
    assert figures(ledger) == (6000, 0, 0)
    prepared(ledger, 6000, "b")
    assert figures(ledger) == (6000, 0, 6000)


def test_c15_no_time_frees_the_room_of_an_unknown_refund(ledger: Ledger, file: Path) -> None:
    """Ten years later it still counts: only evidence ends it."""
    in_state(ledger, 6000, "a", "unknown")
    with ledger.transaction(), pytest.raises(Refused):
        ledger.operations.prepare(plan(1, "b"), renew="", asked_by="test", now=NOW + 315_360_000)


def test_c21_another_currency_has_no_room(ledger: Ledger) -> None:
    """60.00 dollars came in: not one euro can go back, and no yen."""
    for currency in ("EUR", "JPY"):
        with ledger.transaction(), pytest.raises(Refused):
            ledger.operations.prepare(plan(1, currency, currency), renew="", asked_by="test", now=NOW)


def test_a_payment_that_brought_nothing_has_no_room(ledger: Ledger) -> None:
    """Nothing was captured of an unknown payment, so nothing can go back."""
    with ledger.transaction(), pytest.raises(Refused):
        ledger.operations.prepare(plan(1, "a", of="pi_2"), renew="", asked_by="test", now=NOW)


def test_a_fact_that_breaks_the_bound_is_recorded_and_stops_outflows(ledger: Ledger) -> None:
    """We prepared 40.00 and the dashboard gave 60.00: a vendor's word is never refused, and nothing more goes out."""
    operation = in_state(ledger, 4000, "a", "sent")
    arrived(ledger, "x", 6000)
    assert ledger.outflows.over_returned() == []
    arrived(ledger, "a", 4000, operation.id)
    assert figures(ledger) == (6000, 10000, 0)
    (row,) = ledger.outflows.over_returned()
    assert (row["payment"], row["captured_minor"], row["returned_minor"]) == ("pi_1", 6000, 10000)
    assert any("pi_1" in sentence for sentence in invariants.broken(ledger))
    with pytest.raises(Refused):
        prepared(ledger, 1, "b")


# -- with SQL, past all of our code ----------------------------------------------------------------


def insert(minor: object, name: str = "op_by_hand") -> str:
    """The statement of somebody who prepares a refund with a database tool."""
    params = f'{{"payment": "pi_1", "amount_minor": {minor}, "currency": "USD"}}'
    return (
        "insert into operation (id, kind, subject, generation, door, params, params_hash, state, asked_by, prepared_at)"  # noqa: S608  that is the point
        f" values ('{name}', 'refund_payment', 'by hand {name}', 1, 'stripe', '{params}', 'x', 'prepared', 'me', 1)"
    )


@pytest.mark.parametrize("minor", [6001, 10**12, 0, -1, "null", '"sixty"', 0.5])
def test_c10_c11_sql_cannot_prepare_a_refund_out_of_bounds(ledger: Ledger, file: Path, minor: object) -> None:
    """Too much, nothing, less than nothing, no number: the insert itself is refused."""
    with closing(raw(file)) as connection, pytest.raises(apsw.ConstraintError):
        connection.execute(insert(minor))
    assert figures(ledger) == (6000, 0, 0)


def test_c10_sql_that_splits_the_amount_is_refused_too(ledger: Ledger, file: Path) -> None:
    """30.00 and 30.00 fit, the next cent does not."""
    with closing(raw(file)) as connection:
        connection.execute(insert(3000, "one"))
        connection.execute(insert(3000, "two"))
        with pytest.raises(apsw.ConstraintError, match="captured"):
            connection.execute(insert(1, "three"))
    assert figures(ledger) == (6000, 0, 6000)


@pytest.mark.parametrize(
    "statement",
    [
        "update outflow set amount_minor = 1",
        "update outflow set payment = 'pi_2'",
        "update outflow set operation = 'other'",
        "delete from outflow",
        "insert or replace into outflow select operation, provider, payment, 1, currency, null from outflow",
    ],
)
def test_sql_cannot_make_an_outflow_smaller(ledger: Ledger, file: Path, statement: str) -> None:
    """What a refund takes never changes."""
    prepared(ledger, 6000, "a")
    with closing(raw(file)) as connection, pytest.raises(apsw.ConstraintError):
        connection.execute(statement)
    assert figures(ledger) == (6000, 0, 6000)


def test_sql_cannot_take_a_release_back(ledger: Ledger, file: Path) -> None:
    """A released outflow stays released: else two could count for one."""
    operation = in_state(ledger, 6000, "a", "done")
    with ledger.transaction():
        ledger.outflows.release(operation.id, NOW)
    with closing(raw(file)) as connection, pytest.raises(apsw.ConstraintError):
        connection.execute("update outflow set released_at = null")
    assert figures(ledger) == (6000, 0, 0)


def test_the_bound_is_found_by_index(ledger: Ledger, file: Path) -> None:
    """The check of one payment must not read every fact that there is."""
    with closing(raw(file)) as connection:
        rows = connection.execute(
            "explain query plan select sum(captured_minor) from movement where provider = 'stripe' and payment = 'pi_1'"
        )
        steps = [row[3] for row in rows]
    assert not [step for step in steps if step in ("SCAN fact", "SCAN outflow", "SCAN operation")]
    assert any("fact_payment" in step for step in steps)
