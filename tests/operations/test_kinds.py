"""The kinds of operations: all of them are known, and what they store is what the version before stored."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.ledger import Ledger
from tillbook.operations import kinds
from tillbook.operations.kinds.base import Kind, to_json
from tillbook.operations.kinds.books.create_account import CreateAccount
from tillbook.operations.kinds.books.post_payment import Applied, PostPayment
from tillbook.operations.kinds.handlers import Handlers
from tillbook.operations.kinds.quickbooks import InQuickBooks, Posting
from tillbook.operations.kinds.registry import KINDS, POSTINGS
from tillbook.operations.kinds.sales.create_checkout import CreateCheckout
from tillbook.operations.kinds.sales.create_customer import CreateCustomer
from tillbook.operations.kinds.sales.create_invoice import CreateInvoice
from tillbook.rules.operations import OPENING, Evidence, Operation, Plan, canonical, operation_id
from tillbook.rules.orders import Order, read_order
from tillbook.sales.names import display_name
from tillbook.vendors.providers import clearing

Row = dict[str, Any]
FOLDER = Path(kinds.__file__).parent
SAMPLES = Path(__file__).parents[1] / "samples"
STORED: list[Row] = json.loads((SAMPLES / "operations.json").read_text())
TODAY = date(2026, 11, 23)
NOW = 1_795_000_000

# How a kind makes its plan, where more is needed than what is asked for: of an operation that the ledger holds.
PLANS: dict[str, Callable[[Any, Row], Plan[Any]]] = {
    "create_checkout": lambda asked, row: asked.plan(row["door"]),
    "close_checkout": lambda asked, row: asked.plan(row["door"]),
    "capture_checkout": lambda asked, row: asked.plan(row["door"]),
    "refund_payment": lambda asked, row: asked.plan(row["door"], row["subject"].partition(f"{asked.payment}/")[2]),
    "apply_credit": lambda asked, row: asked.plan(row["subject"]),
    **{kind.kind: lambda asked, row: asked.plan(row["subject"]) for kind in POSTINGS.values()},
}


def sample(name: str) -> Order:
    return read_order(next((SAMPLES / "orders").rglob(name)).read_bytes())


def stored(row: Row) -> Operation[Row]:
    """A row as the ledger gives it."""
    values = {name: row[name] for name in ("id", "kind", "subject", "generation", "door", "params", "params_hash")}
    moments = {"prepared_at": NOW, "sent_at": NOW, "absent_since": None}
    return Operation(**values, **moments, state="done", result=row["result"], reason="")


# -- all of them ---------------------------------------------------------------------------------------


def kinds_below(of: type[Kind[Any]]) -> set[type[Kind[Any]]]:
    """Every class below one that nothing else is made from."""
    return {one for child in of.__subclasses__() for one in kinds_below(child) or {child}}


def test_every_kind_has_a_file_and_every_file_is_registered() -> None:
    """A file of a folder of kinds is a kind, or what two kinds of the folder share."""
    files = sorted(file for file in FOLDER.glob("*/*.py") if file.stem != "__init__")
    for file in files:
        importlib.import_module(f"tillbook.operations.kinds.{file.parent.name}.{file.stem}")
    assert kinds_below(Kind) == set(KINDS.values())
    assert all(one.__module__.endswith(f".{one.kind}") for one in KINDS.values())
    assert {file.stem for file in files} - set(KINDS) == {"withdrawal", "receipt", "credit_movement"}


def test_no_kind_is_named_elsewhere() -> None:
    """Other rooms use the class. A ledger that speaks SQL may name one that is known, and what is below the kinds the
    one by which a page is known again."""
    package = FOLDER.parents[1]
    quoted = re.compile(rf"""["'](?:{"|".join(KINDS)})["']""")
    found = {file: quoted.findall(file.read_text("utf-8")) for file in package.rglob("*.py")}
    named = [name.strip("'\"") for names in found.values() for name in names]
    assert named == [OPENING] == [CreateCheckout.kind]
    sql = " ".join(file.read_text("utf-8") for file in package.rglob("*.sql"))
    assert set(re.findall(r"\bkind = '([a-z]+_[a-z_]+)'", sql)) <= set(KINDS)


def test_only_a_kind_makes_a_plan() -> None:
    """So whatever is planned is of a kind that is registered."""
    package = FOLDER.parents[1]
    makers = {file.name for file in package.rglob("*.py") if re.search(r"\bPlan\(", file.read_text("utf-8"))}
    assert makers == {"base.py", "operations.py"}, "the class itself, and Kind.planned"


def test_the_stored_sample_has_every_kind() -> None:
    """A kind that is new since the version before has no rows to be held to; the others do."""
    assert {row["kind"] for row in STORED} == set(KINDS)


# -- what is stored ------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", STORED, ids=lambda row: f"{row['kind']} {row['params_hash'][:6]}")
def test_what_the_version_before_stored_is_read_and_planned_as_it_was(row: Row) -> None:
    """Parameters and results are the same bytes after a reading, and the plan has the same subject, door and hash."""
    kind = KINDS[row["kind"]]
    operation = kind.typed(stored(row))
    assert canonical(to_json(operation.params)) == canonical(row["params"])
    assert canonical(to_json(kind.result_of(operation))) == canonical(row["result"])
    plan = PLANS.get(row["kind"], lambda asked, _: asked.plan())(operation.params, row)
    assert (plan.kind, plan.subject, plan.door, plan.params) == tuple(
        row[name] for name in ("kind", "subject", "door", "params")
    )
    assert plan.params_hash == row["params_hash"]
    assert operation_id(plan.kind, plan.subject, row["generation"]) == row["id"]
    assert (operation.id, operation.prepared_at, operation.state) == (row["id"], NOW, "done")


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_parameters_of_another_kind_are_no_parameters(kind: type[Kind[Any]]) -> None:
    """Neither one that is missing nor one that is unknown is passed over, and none is changed afterwards."""
    row = next(row for row in STORED if row["kind"] == kind.kind)
    for params in ({**row["params"], "more": "x"}, dict(list(row["params"].items())[1:])):
        with pytest.raises(ValueError, match=r"unknown field|missing required field"):
            kind.read(params)
    with pytest.raises(AttributeError):
        setattr(kind.read(row["params"]), next(iter(row["params"])), "other")


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_dry_run_assumes_a_result_of_the_right_shape(kind: type[Kind[Any]]) -> None:
    """It has the fields of a real result, and is marked as new unless it stands for what is there already."""
    row = next(row for row in STORED if row["kind"] == kind.kind)
    assumed = to_json(kind.read(row["params"]).assumed(stored(row)))
    assert assumed.keys() == row["result"].keys()
    there_already = ("close_checkout", "apply_credit", "delete_document", "void_document")
    assert ("(new)" in json.dumps(assumed)) is (row["kind"] not in there_already)


def test_a_dry_run_assumes_what_a_person_works_out() -> None:
    """Amounts without the tax that QuickBooks adds, and what a payment leaves unapplied."""
    order = sample("discount-and-tax.json")
    ids = {"MUG": "11", "POSTER": "12", "SUPPORT": "3"}
    operation = stored(STORED[0])
    assumed = CreateInvoice.of(order, customer_id="58", item_ids=ids, date=TODAY).assumed(operation)
    assert (assumed.total, assumed.balance, assumed.tax.minor) == (Money(18000, "USD"), Money(18000, "USD"), 0)
    assert (assumed.number, assumed.customer_id, assumed.due) == ("INV-2016", "58", "2027-01-31")
    assert (assumed.created_at, assumed.voided) == (NOW, False)
    for open_minor, unapplied in ((6000, "0.00"), (2500, "35.00"), (0, "60.00")):
        posted = payment(Money(open_minor, "USD"), "").assumed(operation)
        assert (posted.amount, posted.unapplied, posted.links_differ) == ("60.00", unapplied, False)


def test_the_books_find_what_they_were_told_to_mark() -> None:
    """A posting is found by the field that carries its operation's id; each kind of the books says how it is found."""
    assert {kind.entity(): kind.mark() for kind in POSTINGS.values()} == {
        "Payment": "PaymentRefNum",
        "RefundReceipt": "DocNumber",
        "SalesReceipt": "DocNumber",
        "Purchase": "DocNumber",
        "Deposit": "DocNumber",
    }
    assert set(POSTINGS.values()) == kinds_below(Posting)
    for kind in kinds_below(InQuickBooks):
        evidence = kind.evidence()  # type: ignore[attr-defined]  # every one below InQuickBooks has it
        assert (evidence.window_seconds, evidence.read_lag_seconds) == (0, 30)


def test_a_payment_says_what_each_invoice_gets() -> None:
    """Two parts for one invoice are one sum."""
    parts = (Applied("7", "20.00"), Applied("8", "5.00"), Applied("7", "0.50"))
    posted = msgspec.structs.replace(payment(Money(6000, "USD"), ""), applied=parts)
    assert posted.by_invoice == {"7": Money(2050, "USD"), "8": Money(500, "USD")}


def test_a_clearing_account_is_asked_for_as_before() -> None:
    """A bank account of cash on hand, for Purchases need one; its name holds processor and currency."""
    row = next(row for row in STORED if row["kind"] == "create_account")
    assert to_json(CreateAccount.clearing(clearing("stripe"), "USD")) == row["params"]


def test_what_is_made_in_the_books_is_known_from_now_on(tmp_path: Path) -> None:
    """An account, an item and a customer are found in the ledger the next time, by what QuickBooks called them."""
    ledger = Ledger(tmp_path / "ledger.db", clearing)
    rows = {row["kind"]: row for row in STORED if row["kind"] in ("create_account", "create_item", "create_customer")}
    with ledger.transaction():
        for row in rows.values():
            kind = KINDS[row["kind"]]
            kind.read(row["params"]).record(ledger, stored(row), kind.result_of(stored(row)), NOW)
    customer = rows["create_customer"]
    (known,) = ledger.sales.customers_by_email(customer["params"]["email"])
    assert ledger.sales.account("Stripe Clearing (USD)") == rows["create_account"]["result"]["id"]
    assert ledger.sales.item("Refund") == rows["create_item"]["result"]["id"]
    assert known["quickbooks_id"] == customer["result"]["id"]
    assert (known["name"], known["display_name"]) == (customer["params"]["full_name"], customer["params"]["name"])
    ledger.close()


def test_only_a_capture_is_settled_with_its_pages() -> None:
    """Its money may not be due any more; every other one is finished by itself."""
    assert [name for name, kind in KINDS.items() if kind.settled_with_pages] == ["capture_checkout"]


# -- doors ---------------------------------------------------------------------------------------------


def test_a_door_carries_out_its_own_kinds_only() -> None:
    """Typed values go in and come out as the JSON of the ledger; what belongs to another door is refused by name."""
    made = CreateAccount.result_of(stored(next(row for row in STORED if row["kind"] == "create_account")))
    evidence = Evidence("nothing", "its name", 1, 2)
    asked: list[Operation[CreateAccount]] = []

    def send(operation: Operation[CreateAccount]) -> Any:
        asked.append(operation)
        return made

    handlers = Handlers("The bank", [CreateAccount.handler(send, lambda _: None, evidence)])
    row = next(row for row in STORED if row["kind"] == "create_account")
    assert handlers.send(stored(row)) == row["result"]
    assert [one.params.name for one in asked] == [row["params"]["name"]]
    assert handlers.find(stored(row)) is None
    assert handlers.evidence("create_account") is evidence
    stranger = stored(next(row for row in STORED if row["kind"] == "create_item"))
    for call in (handlers.send, handlers.find, lambda operation: handlers.evidence(operation.kind)):
        with pytest.raises(Refused, match="The bank cannot carry out 'create_item'; expected one of create_account"):
            call(stranger)


def test_a_result_that_lacks_something_is_not_taken_for_one() -> None:
    """A row that somebody changed by hand is a bug, never a guess."""
    row = next(row for row in STORED if row["kind"] == "post_payment")
    with pytest.raises(msgspec.ValidationError):
        PostPayment.result_of(stored({**row, "result": {"id": "7"}}))


# -- what is asked for ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("open_minor", "applied"), [(6000, "60.00"), (2500, "25.00"), (9000, "60.00"), (0, ""), (-1, "")]
)
def test_d10_a_payment_is_applied_up_to_the_open_balance(open_minor: int, applied: str) -> None:
    """What is over stays unapplied in QuickBooks as the customer's credit."""
    params = to_json(payment(Money(open_minor, "USD"), "pi_1 ch_1" * 1000))
    assert params.pop("note") == ("pi_1 ch_1" * 1000)[:4000]
    assert params == {
        "customer_id": "58",
        "currency": "USD",
        "amount": "60.00",
        "date": "2026-11-23",
        "deposit_account_id": "33",
        "applied": [{"invoice_id": "7", "amount": applied}] if applied else [],
    }


def test_c21_a_payment_is_never_applied_to_a_balance_in_another_currency() -> None:
    """Refused before anything is sent."""
    with pytest.raises(Refused):
        payment(Money(6000, "EUR"), "")


def payment(open_balance: Money, note: str) -> PostPayment:
    """A payment of 60.00 for an invoice that has something open."""
    return PostPayment.of(
        Money(6000, "USD"),
        customer_id="58",
        invoice_id="7",
        open_balance=open_balance,
        deposit_account_id="33",
        txn_date=TODAY,
        note=note,
    )


def test_invoice_parameters_are_the_order_in_exact_text() -> None:
    """Every line, the discount and the address as QuickBooks will be told them."""
    order = sample("discount-and-tax.json")
    ids = {"MUG": "11", "POSTER": "12", "SUPPORT": "3"}
    assert to_json(CreateInvoice.of(order, customer_id="58", item_ids=ids, date=TODAY)) == {
        "number": "INV-2016",
        "customer_id": "58",
        "currency": "USD",
        "date": "2026-11-23",
        "due": "2027-01-31",
        "memo": "Thank you",
        "email": "shop@galleryverde.example",
        "address": {
            "line1": "88 Rainey St",
            "line2": "",
            "city": "Austin",
            "state": "TX",
            "postal_code": "78701",
            "country": "US",
        },
        "lines": [
            line("Mug", "11", "4", "12.50", "50.00", True),
            line("Poster", "12", "2", "25.00", "50.00", True),
            line("Set-up help", "3", "1", "100.00", "100.00", False),
        ],
        "discount": {"percent": "10", "amount": "20.00"},
    }


def line(*values: object) -> dict[str, object]:
    """A line of the parameters, in the order of its fields."""
    return dict(zip(("description", "item_id", "quantity", "unit_price", "amount", "taxable"), values, strict=True))


def test_an_amount_discount_has_no_percentage() -> None:
    """An order in euros with 42.50 off, and one without discount or address."""
    ids = {"DESIGN": "2", "CONSULT": "1"}
    euros = CreateInvoice.of(sample("euros.json"), customer_id="1", item_ids=ids, date=TODAY)
    assert to_json(euros)["discount"] == {"percent": None, "amount": "42.50"}
    half = CreateInvoice.of(sample("half-hour.json"), customer_id="1", item_ids=ids, date=TODAY)
    assert (half.discount, half.address, half.lines[0].quantity) == (None, None, "0.5")


def test_an_unknown_sku_is_refused_and_never_left_out() -> None:
    """All missing SKUs are named; an empty id is as good as none."""
    with pytest.raises(Refused, match="POSTER, SUPPORT"):
        CreateInvoice.of(
            sample("discount-and-tax.json"), customer_id="1", item_ids={"MUG": "1", "SUPPORT": ""}, date=TODAY
        )


def test_customer_parameters_keep_the_full_name() -> None:
    """QuickBooks' display name may differ; the customer's own name is not lost."""
    order = sample("colon.json")
    assert to_json(CreateCustomer.of(order, display_name(order.customer.name))) == {
        "name": display_name("Studio: North : West"),
        "full_name": "Studio: North : West",
        "email": "north@studio.example",
        "currency": "USD",
        "address": None,
    }
