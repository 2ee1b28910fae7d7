"""What the database itself refuses, whoever asks: every statement here is one that Tillbook never makes."""

# ruff: noqa: S608  the statements are made of literals of this file

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

import tillbook.ledger
from helpers.ledgers import NOW, filled, invoiced, page_operation, payment, reading, received, usd
from tillbook.kit.errors import TillbookError
from tillbook.kit.money import Money
from tillbook.ledger import Ledger
from tillbook.ledger.sqlite.database import query
from tillbook.recording.facts import record_reading
from tillbook.rules.entries import Line
from tillbook.rules.events import Reading
from tillbook.rules.operations import Operation, Plan
from tillbook.vendors.providers import clearing


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = filled(tmp_path_factory.mktemp("ledger") / "ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def ledger(template: Ledger) -> Iterator[Ledger]:
    """A filled ledger of its own for each test."""
    opened = template.forgetful()
    yield opened
    opened.close()


def ask(ledger: Ledger, statement: str) -> None:
    """Run any statement through the ledger's own connection, past its named queries."""
    with ledger.transaction():
        ledger.database.script(statement)


def refused(ledger: Ledger, statement: str, why: str) -> None:
    before = everything(ledger)
    with pytest.raises(apsw.ConstraintError, match=why):
        ask(ledger, statement)
    assert everything(ledger) == before


def everything(ledger: Ledger) -> dict[str, list[object]]:
    """Every row of every table."""
    connection = ledger.database._connection
    tables = [row["name"] for row in connection.execute("select name from sqlite_master where type = 'table'")]
    return {table: list(connection.execute(f"select * from {table}")) for table in tables}


KEPT = ["fact", "entry", "line", "balanced", "seal", "operation", "inbox", "document", "document_fact", "message"]
FROZEN = [
    ("fact", "body = '{}'"),
    ("fact", "recorded_at = recorded_at + 1"),
    ("entry", "reason = 'another'"),
    ("line", "amount_minor = amount_minor + 1"),
    ("line", "account = 'Revenue'"),
    ("balanced", "entry = entry"),
    ("seal", "hash = 'another'"),
    ("inbox", "body = x'00'"),
    ("inbox", "object = 'pi_other'"),
    ("inbox", "livemode = 1"),
    ("document", "amount_minor = amount_minor + 1"),
    ("document", "payment = 'pi_other'"),
    ("document", "key = 'payment:stripe:other'"),
    ("document_fact", "kind = 'Other'"),
    ("message", "invoice = 'INV-1', kind = 'invoice'"),
    ("message", "key = key || '!'"),
    ("binding", "value = 'live'"),
]


@pytest.mark.parametrize("table", [*KEPT, "binding"])
def test_no_row_of_a_kept_table_can_be_deleted(ledger: Ledger, table: str) -> None:
    """A delete of facts, entries, seals, operations, events, documents, mails or bindings aborts; all stays."""
    refused(ledger, f"delete from {table}", "append-only|kept|keeps|never|for ever")


@pytest.mark.parametrize(("table", "change"), FROZEN)
def test_what_was_written_down_cannot_be_rewritten(ledger: Ledger, table: str, change: str) -> None:
    """An update of what a row says aborts; only its state may move on."""
    refused(ledger, f"update {table} set {change}", "append-only|never|for ever")


@pytest.mark.parametrize("table", ["fact", "entry", "line", "operation", "inbox", "document", "message"])
def test_insert_or_replace_does_not_slip_past_the_triggers(ledger: Ledger, table: str) -> None:
    """`insert or replace` deletes silently in SQLite, unless the pragma is set that lets the triggers see it."""
    refused(
        ledger,
        f"insert or replace into {table} select * from {table}",
        "append-only|kept|keeps|never|takes no more|starts",
    )


@pytest.mark.parametrize("table", ["fact", "line"])
def test_update_or_replace_is_refused_too(ledger: Ledger, table: str) -> None:
    """The conflict clause of an update is no way around the triggers either."""
    refused(ledger, f"update or replace {table} set rowid = 1", "append-only")


# -- entries -------------------------------------------------------------------------------------------


def posted(ledger: Ledger, *lines: Line) -> None:
    fact = payment("1", 6000)
    with ledger.transaction():
        ledger.facts.add_entry(fact, lines, "by hand", NOW)


def test_an_unbalanced_entry_is_refused(ledger: Ledger) -> None:
    """Debits of 60.00 against credits of 59.99 never reach the disk."""
    before = everything(ledger)
    with pytest.raises(apsw.ConstraintError, match="debits and credits of an entry are equal"):
        posted(ledger, Line("Stripe Clearing", usd(6000)), Line("Receivable", usd(-5999)))
    assert everything(ledger) == before


def test_an_entry_balances_in_every_currency_by_itself(ledger: Ledger) -> None:
    """60.00 USD against 60.00 EUR sums to zero as numbers, and is refused."""
    with pytest.raises(apsw.ConstraintError, match="equal in every currency"):
        posted(ledger, Line("Stripe Clearing", usd(6000)), Line("Receivable", Money(-6000, "EUR")))


def test_two_currencies_that_balance_each_are_one_entry(ledger: Ledger) -> None:
    """The rule is per currency, not one currency: a conversion may be one entry."""
    euros = Money(5500, "EUR")
    posted(ledger, Line("A", usd(6000)), Line("B", usd(-6000)), Line("A", euros), Line("B", -euros))
    assert ledger.facts.balances()[("A", "EUR")] == euros


def test_an_entry_without_lines_is_refused(ledger: Ledger) -> None:
    """Nothing equals nothing, but it says nothing either."""
    with pytest.raises(apsw.ConstraintError, match="debits and credits"):
        posted(ledger)


def test_an_entry_that_was_not_completed_cannot_be_committed(ledger: Ledger) -> None:
    """Whoever forgets the last statement of an entry loses the whole transaction, not the balance."""
    refused(
        ledger,
        "insert into entry (id, fact, reason, recorded_at) values (99, 1, 'half', 1);"
        "insert into line (entry, position, account, amount_minor, currency) values (99, 0, 'A', 1, 'USD')",
        "FOREIGN KEY",
    )


def test_a_complete_entry_takes_no_more_lines(ledger: Ledger) -> None:
    """Two further lines that balance each other are refused as well: an entry is what it was."""
    refused(
        ledger,
        "insert into line (entry, position, account, amount_minor, currency) "
        "values (1, 8, 'A', 5, 'USD'), (1, 9, 'B', -5, 'USD')",
        "takes no more lines",
    )


def test_a_line_of_zero_is_refused(ledger: Ledger) -> None:
    """A line moves something."""
    with pytest.raises(apsw.ConstraintError, match="CHECK"):
        posted(ledger, Line("A", usd(0)))


# -- one fact, one document ----------------------------------------------------------------------------


def test_a_second_row_for_the_same_vendor_movement_is_the_same_fact(ledger: Ledger) -> None:
    """The same charge again, also with another amount, is known already: one row, and the first stays."""
    with ledger.transaction():
        assert not ledger.facts.append(payment("1", 6000), NOW + 9)
        assert not ledger.facts.append(payment("1", 7000), NOW + 9)
    assert [fact for fact in ledger.facts.of_payment("stripe", "pi_1") if fact.key == "ch_1"] == [payment("1", 6000)]


def test_a_second_row_of_the_same_movement_by_sql_is_refused(ledger: Ledger) -> None:
    """The unique key of provider and movement holds for everybody."""
    columns = "provider, key, kind, payment, invoice, occurred_at, recorded_at, body, hash"
    refused(ledger, f"insert into fact ({columns}) select {columns} from fact where seq = 1", "UNIQUE")


def test_a_fact_is_in_at_most_one_document_of_a_kind(ledger: Ledger) -> None:
    """A second Payment for a charge that has one is refused."""
    columns = (
        "kind, purpose, provider, invoice, payment, amount_minor, currency, occurred_at, next_attempt_at, created_at"
    )
    refused(
        ledger,
        f"insert into document (key, {columns}) select 'second', {columns} from document;"
        "insert into document_fact (document, kind, fact) select 'second', kind, fact from document_fact",
        "UNIQUE|PRIMARY KEY",
    )


def test_a_seal_starts_where_the_last_one_ended(ledger: Ledger) -> None:
    """A seal over a gap, or over facts that are sealed, is refused."""
    last = ledger.facts.count()
    for first in (last, last + 2):
        refused(
            ledger,
            "insert into seal (first_seq, last_seq, previous, hash, sealed_at) "
            f"values ({first}, {last + 5}, 'p{first}', 'h{first}', 1)",
            "a seal starts where the last one ended",
        )


# -- types, references, states -------------------------------------------------------------------------

AMOUNTS = [
    ("line", "amount_minor"),
    ("document", "amount_minor"),
    ("checkout", "amount_minor"),
    ("invoice", "total_minor"),
]


@pytest.mark.parametrize(("table", "column"), AMOUNTS)
@pytest.mark.parametrize("value", ["60.5", "'60.05'", "'sixty'", "x'3630'", "1e400"])
def test_d6_an_amount_is_an_integer_or_nothing(ledger: Ledger, table: str, column: str, value: str) -> None:
    """STRICT tables refuse a float, a text and a blob in an amount column; nothing is rounded in silence."""
    columns = [row["name"] for row in ledger.database._connection.execute(f"pragma table_info({table})")]
    values = ", ".join(value if name == column else _SOME.get(name, "'x'") for name in columns)
    refused(
        ledger, f"insert into {table} ({', '.join(columns)}) values ({values})", "cannot store (REAL|TEXT|BLOB) value"
    )


_SOME = {
    "entry": "1",
    "position": "77",
    "occurred_at": "1",
    "attempts": "0",
    "next_attempt_at": "1",
    "created_at": "1",
    "posted_at": "1",
    "expires_at": "1",
    "tax_minor": "0",
    "state": "'posted'",
    "status": "'open'",
    "order_json": "'{}'",
    "number": "'INV-X'",
    "invoice": "'INV-1'",
}


@pytest.mark.parametrize(
    "statement",
    [
        "insert into payment_invoice values ('stripe', 'pi_9', 'INV-9', 'a guess', 1)",
        "insert into message (key, kind, invoice, next_attempt_at, created_at) values ('m', 'invoice', 'INV-9', 1, 1)",
        "insert into document_fact values ('nothing', 'Payment', 1)",
        "insert into checkout values ('cs', 'stripe', 'INV-9', 'op9', 'u', 1, 'USD', 1, 'open', 1, '', 0)",
        "insert into proven_key values ('f', 'quickbooks')",
        "update invoice set customer = 'nobody'",
    ],
)
def test_what_a_row_refers_to_must_be_there(ledger: Ledger, statement: str) -> None:
    """Foreign keys are on, for every connection of ours."""
    refused(ledger, statement, "FOREIGN KEY")


def prepared(ledger: Ledger, subject: str = "stripe/INV-1", params: int = 1) -> Operation:
    with ledger.transaction():
        return ledger.operations.prepare(
            Plan("create_checkout", subject, "stripe", {"n": params}), renew="", asked_by="test", now=NOW
        )


def test_two_unfinished_operations_of_one_kind_and_subject_are_refused(ledger: Ledger) -> None:
    """While one is unfinished there is no second, whichever process asks."""
    operation = prepared(ledger)
    with pytest.raises(apsw.ConstraintError, match="UNIQUE"), ledger.transaction():
        ledger.database.run(
            "operations.prepare",
            id="op-second",
            kind=operation.kind,
            subject=operation.subject,
            generation=2,
            door="stripe",
            params="{}",
            params_hash="h",
            renewed="",
            asked_by="test",
            now=NOW,
        )
    assert ledger.operations.last(operation.kind, operation.subject) == operation


@pytest.mark.parametrize(
    "change",
    [
        "params = '{\"n\":2}'",
        "params_hash = 'h'",
        "kind = 'k'",
        "subject = 's'",
        "generation = 2",
        "door = 'd'",
        "id = 'i'",
    ],
)
def test_c4_what_an_operation_asks_for_never_changes(ledger: Ledger, change: str) -> None:
    """Parameters, key and door are frozen from the moment that they are prepared."""
    prepared(ledger)
    refused(ledger, f"update operation set {change} where state = 'prepared'", "never changes")


STATES = ("prepared", "sent", "unknown", "done", "refused")
ALLOWED = {
    ("prepared", "sent"),
    ("prepared", "refused"),
    ("sent", "done"),
    ("sent", "refused"),
    ("sent", "unknown"),
    ("sent", "prepared"),
    ("unknown", "done"),
    ("unknown", "refused"),
}
PATHS = {
    "prepared": [],
    "sent": ["sent"],
    "unknown": ["sent", "unknown"],
    "done": ["sent", "done"],
    "refused": ["refused"],
}


def moved(ledger: Ledger, operation: Operation, state: str) -> None:
    ended = {"done": f", result = '{{}}', ended_at = {NOW}", "refused": f", ended_at = {NOW}"}.get(state, "")
    ask(ledger, f"update operation set state = '{state}'{ended} where id = '{operation.id}'")


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_an_operation_only_moves_forward(ledger: Ledger, before: str, after: str) -> None:
    """Every pair of states: an ended operation never moves, an unknown one only ends."""
    operation = prepared(ledger)
    for state in PATHS[before]:
        moved(ledger, operation, state)
    if (before, after) in ALLOWED or (before == after and before not in ("done", "refused")):
        moved(ledger, operation, after)
        stored = ledger.operations.get(operation.id)
        assert stored is not None
        assert stored.state == after
    else:
        with pytest.raises(apsw.ConstraintError, match=r"cannot go from|stays as it is"):
            moved(ledger, operation, after)


def test_an_ended_operation_keeps_its_result(ledger: Ledger) -> None:
    """Not even its reason can be rewritten."""
    operation = page_operation(ledger, nth=2)
    refused(ledger, f"update operation set result = '[]' where id = '{operation.id}'", "stays as it is")
    refused(ledger, f"update operation set reason = 'x' where id = '{operation.id}'", "stays as it is")


@pytest.mark.parametrize("state", ["sent", "done", "refused", "unknown"])
def test_c1_an_operation_starts_prepared(ledger: Ledger, state: str) -> None:
    """Nothing is recorded as sent that was not first recorded as intended."""
    refused(
        ledger,
        "insert into operation (id, kind, subject, generation, door, params, params_hash, state, asked_by, prepared_at)"
        f" values ('op1', 'k', 's', 1, 'd', '{{}}', 'h', '{state}', 'test', 1)",
        "starts prepared",
    )


def test_a_parked_event_and_a_failed_document_have_a_reason(ledger: Ledger) -> None:
    """Nothing is put aside in silence."""
    refused(ledger, "update inbox set state = 'parked'", "CHECK")
    refused(ledger, "update document set state = 'failed'", "CHECK")
    refused(ledger, "update message set state = 'withdrawn'", "CHECK")


def test_a_sent_mail_stays_sent(ledger: Ledger) -> None:
    """No statement makes a mail leave a second time."""
    key = ledger.messages.of_invoice("INV-1")[0]["key"]
    with ledger.transaction():
        ledger.messages.mark_sent(key, message_id="<1@example.com>", sent_to="grace@example.com", now=NOW)
    refused(ledger, f"update message set state = 'waiting', sent_at = null where key = '{key}'", "stays sent")


def test_one_open_page_for_an_invoice_and_provider(ledger: Ledger) -> None:
    """Two open pages for the same money would be two payments."""
    first, second = page_operation(ledger, nth=2), page_operation(ledger, nth=3)
    row = "insert into checkout values ('{0}', 'stripe', 'INV-1', '{1}', 'u', 1, 'USD', 1, 'open', 1, '', 0)"
    ask(ledger, row.format("cs_a", first.id))
    refused(ledger, row.format("cs_b", second.id), "UNIQUE")


def test_a_change_outside_a_transaction_is_refused(ledger: Ledger) -> None:
    """A named change needs a transaction around it: nothing is committed by accident."""
    with pytest.raises(TillbookError, match="outside a transaction"):
        ledger.facts.append(payment("2", 1), NOW)


def test_a_transaction_inside_a_transaction_is_refused(ledger: Ledger) -> None:
    """The inner one would commit half of the outer one's work."""
    with pytest.raises(TillbookError, match="inside a transaction"), ledger.transaction(), ledger.transaction():
        pass


def interrupted(ledger: Ledger, found: Reading) -> None:
    with ledger.transaction():
        record_reading(ledger, "stripe", found, NOW)
        ledger.database.run("facts.no_such_query")


def test_half_a_transaction_leaves_nothing(tmp_path: Path) -> None:
    """An error in the middle takes back facts, entries, documents and mails together."""
    ledger = Ledger(tmp_path / "ledger.db", clearing)
    invoiced(ledger)
    operation = page_operation(ledger)
    before = everything(ledger)
    found = reading([payment("1", 6000)], operation)
    with pytest.raises(KeyError):
        interrupted(ledger, found)
    assert everything(ledger) == before
    received(ledger, found)
    assert list(ledger.facts.broken_seals()) == []
    ledger.close()


def test_every_query_of_the_ledger_compiles(ledger: Ledger) -> None:
    """Each named query is good SQL for this schema, also the rarely used ones."""
    folder = Path(tillbook.ledger.__file__).parent / "queries"
    names = [
        f"{file.stem}.{name}"
        for file in sorted(folder.glob("*.sql"))
        for name in re.findall(r"^-- name: (\w+)", file.read_text(), flags=re.MULTILINE)
    ]
    assert len(names) > 60
    for name in names:
        text = query(name)
        bindings = dict.fromkeys(re.findall(r":(\w+)", text)) or (None,) * text.count("?")
        list(ledger.database._connection.execute(f"explain {text}", bindings))
