"""The seven ways in which a tool like this must never behave, each a test from the first day."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from helpers.ledgers import operation_states
from helpers.running.processes import Processes
from helpers.sale import SCRIPTS, Ran, Shop
from tillbook.vendors.stripe.declaration import API_BASE

NEEDS_ARGUMENTS = ("create_invoice", "create_checkout", "send_invoice", "show_payment")
WORKS_ON_WHAT_WAITS = ("process_inbox", "post_to_books", "send_messages", "poll_events", "run_pending", "check_setup")
MONEY_ROOMS = (
    "kit/money",
    "rules/orders",
    "rules/entries",
    "rules/documents",
    "rules/facts",
    "sales/invoices",
    "sales/checkouts",
    "books/posting",
    "recording/facts",
)


def changes(shop: Shop) -> list[str]:
    """Requests that could change something at a vendor; a token or a query changes nothing."""
    harmless = ("/oauth", "/tokens", "/query")
    return [row["path"] for row in shop.requests(method="POST") if not any(part in row["path"] for part in harmless)]


@pytest.mark.parametrize("script", NEEDS_ARGUMENTS)
def test_run_without_arguments_it_posts_a_hard_coded_order(shop: Shop, script: str) -> None:
    """Never: a script that needs something named says so (exit 2), prints no result and sends nothing."""
    ran = shop.spawn(script)
    assert (ran.code, ran.out) == (2, "")
    assert "Missing argument" in ran.err
    assert shop.requests() == []
    assert shop.books("Invoice") == []


@pytest.mark.parametrize("script", WORKS_ON_WHAT_WAITS)
def test_run_without_arguments_and_nothing_to_do_it_changes_nothing(shop: Shop, script: str) -> None:
    """Never: the scripts of cron on an empty ledger make no order, invoice, payment or mail."""
    shop.run(script)
    assert changes(shop) == []
    assert shop.mails() == []
    assert shop.till.ledger.sales.invoice_numbers() == []


def test_production_is_the_default(shop: Shop, tmp_path: Path) -> None:
    """Never: without a mode it is the simulator, and without a simulator it stops; no vendor address is even named."""
    assert shop.till.settings.mode == "simulator"
    local = (shop.till.settings[API_BASE], shop.till.settings.quickbooks_api_base)
    assert all(address.startswith("http://127.0.0.1:") for address in local)
    (tmp_path / "empty").mkdir()
    ran = shop.spawn("poll_events", TILLBOOK_HOME=str(tmp_path / "empty"))
    assert (ran.code, ran.out) == (4, "")
    assert "run_simulator.py" in ran.err


@pytest.mark.parametrize("mode", ["", "simulator", "test"])
def test_production_is_refused_by_a_live_key_outside_live_mode(shop: Shop, mode: str) -> None:
    """Never: a live key in the environment does not make it live; it is refused before anything is sent."""
    key = "sk_live_" + "a" * 24
    ran = shop.spawn("poll_events", TILLBOOK_MODE=mode, STRIPE_SECRET_KEY=key)
    assert (ran.code, ran.out) == (3, "")
    assert "STRIPE_SECRET_KEY is a live key" in ran.err
    assert key not in ran.err
    assert shop.requests() == []


def test_an_unknown_sku_is_dropped_with_a_warning_and_the_invoice_goes_out_short(shop: Shop) -> None:
    """Never: one unknown SKU among known ones refuses the whole order, names it, and nothing is made."""
    known = {"description": "Consulting", "sku": "CONSULT", "quantity": "1", "unit_price": "120.00"}
    unknown = {"description": "Gold", "sku": "GOLD-BAR", "quantity": "1", "unit_price": "900.00"}
    ran = shop.run("create_invoice", shop.order(lines=[known, unknown]))
    assert (ran.code, ran.out) == (3, "")
    assert "'GOLD-BAR'" in ran.err
    assert changes(shop) == []
    assert shop.books("Invoice") == []
    assert operation_states(shop.till.settings.ledger) == set()


@pytest.mark.parametrize("field", ["unit_price", "quantity"])
@pytest.mark.parametrize("value", [120.0, 0.1, 120, 1e3])
def test_money_in_floats(shop: Shop, field: str, value: float) -> None:
    """Never: a number where an exact decimal string belongs is refused by the name of its field."""
    line = {"description": "Consulting", "sku": "CONSULT", "quantity": "1", "unit_price": "120.00", field: value}
    ran = shop.run("create_invoice", shop.order(lines=[line]))
    assert (ran.code, ran.out) == (3, "")
    assert f"lines[0].{field}: is the number" in ran.err
    assert changes(shop) == []


def test_money_in_floats_would_lose_this_cent(shop: Shop) -> None:
    """Never: half a cent goes up as a person rounds it; as floats 1.5 x 0.35 is 0.52 and 1.005 x 1.00 is 1.00."""
    lines = [
        {"description": "A", "sku": "CONSULT", "quantity": "1.5", "unit_price": "0.35"},  # 0.525 is 0.53
        {"description": "B", "sku": "CONSULT", "quantity": "1.005", "unit_price": "1.00"},  # 1.005 is 1.01
        {"description": "C", "sku": "CONSULT", "quantity": "3", "unit_price": "0.10"},
    ]
    assert shop.invoiced(lines=lines)["amount"] == {"minor": 184, "currency": "USD"}
    assert [row["TotalAmt"] for row in shop.books("Invoice")] == ["1.84"]


@pytest.mark.parametrize("room", MONEY_ROOMS)
def test_money_in_floats_is_nowhere_in_the_code(room: str) -> None:
    """Never: no room that handles money has a float literal or the name `float`."""
    tree = ast.parse((SCRIPTS / "tillbook" / f"{room}.py").read_text())
    for node in ast.walk(tree):
        place = f"{room}.py:{getattr(node, 'lineno', 0)}"
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), place
        assert not (isinstance(node, ast.Name) and node.id == "float"), place


HOSTILE = (
    "O'Neil",
    "' OR DisplayName LIKE '%",
    "\\' OR Active = true --",
    "Ada Ltd' OR 'a' = 'a",
    'Robert"); DROP TABLE customer;--',
    "100 % wool & sons + co = fine?",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_query_built_by_string_formatting(shop: Shop, name: str) -> None:
    """Never: a name with quotes, backslashes or query words is a name; it matches only its own customer."""
    customer = {"name": name, "email": "o'neil@example.com"}
    first = shop.invoiced("INV-1", customer=customer)
    second = shop.invoiced("INV-2", customer=customer)
    assert first["customer"] == second["customer"]
    ada = next(row for row in shop.books("Customer") if row["DisplayName"] == "Ada Ltd")
    assert first["customer"] != ada["Id"]
    assert len(shop.books("Customer")) == 2
    stored = shop.till.ledger.sales.customer(first["customer"])
    assert stored is not None
    assert stored["name"] == name


@pytest.mark.parametrize("number", ["' OR DocNumber LIKE '%", "\\' OR '1' = '1", "INV%", "x' OR Id > '0"])
def test_a_query_built_by_string_formatting_adopts_a_stranger(shop: Shop, number: str) -> None:
    """Never: a number with query words does not find somebody else's invoice."""
    shop.invoiced()
    ran = shop.run("create_checkout", number)
    assert (ran.code, ran.out) == (3, "")
    assert shop.till.ledger.sales.invoice_numbers() == ["INV-1001"]


def failures(shop: Shop) -> dict[str, tuple[Ran, int]]:
    """Steps that cannot succeed, each with the exit code that it owes."""
    missing = str(shop.home / "missing.json")
    broken = shop.home / "broken.json"
    broken.write_text("{")
    return {
        "no such file": (shop.spawn("create_invoice", missing), 3),
        "not JSON": (shop.spawn("create_invoice", str(broken)), 3),
        "no such invoice": (shop.spawn("create_checkout", "INV-404"), 3),
        "nothing to mail": (shop.spawn("send_invoice", "INV-404"), 3),
        "nothing known": (shop.spawn("show_payment", "pi_404"), 3),
        "no such option": (shop.spawn("process_inbox", "--frobnicate"), 2),
        "no such provider": (shop.spawn("create_checkout", "INV-404", "--provider", "cash"), 2),
        "a limit of nothing": (shop.spawn("post_to_books", "--limit", "0"), 2),
        "a wrong mode": (shop.spawn("process_inbox", TILLBOOK_MODE="production"), 3),
        "no simulator": (shop.spawn("process_inbox", TILLBOOK_HOME=str(shop.home / "nowhere")), 4),
        "nobody listens": (shop.spawn("poll_events", TILLBOOK_SIMULATOR_URL="http://127.0.0.1:9"), 4),
    }


def test_exit_code_0_on_failure(shop: Shop) -> None:
    """Never: every failure has its own code, words on stderr, an empty stdout, and no traceback."""
    for name, (ran, code) in failures(shop).items():
        assert (name, ran.code) == (name, code), ran.err
        assert ran.out == "", name
        assert ran.err.strip(), name
        assert "Traceback" not in ran.err, name


def test_exit_code_0_on_failure_of_a_vendor(shop: Shop) -> None:
    """Never: a vendor that is down is exit 4, a lost answer exit 5, documents that could not be posted not 0."""
    order = shop.order()
    shop.fail("quickbooks", "*", "500", times=3)
    down = shop.run("create_invoice", order)
    assert (down.code, down.out) == (4, "")
    shop.fail("quickbooks", "*/invoice", "drop_after", method="POST", times=3)
    lost = shop.run("create_invoice", order)
    assert (lost.code, lost.out) == (5, "")
    shop.paid()
    shop.run("process_inbox")
    shop.fail("quickbooks", "*/payment", "429", method="POST", times=3)
    waiting = shop.run("post_to_books")
    assert (waiting.code, waiting.json["posted"], waiting.json["waiting"]) == (4, 0, 1)


def test_run_twice_two_invoices(shop: Shop, processes: Processes) -> None:
    """Never: two processes one after the other, and two at once, are one invoice."""
    order = shop.order()
    first, second = shop.spawn("create_invoice", order), shop.spawn("create_invoice", order)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert (first.json["already_done"], second.json["already_done"]) == (False, True)
    ended = processes.run(*[("create_invoice", shop.order("INV-1002"))] * 2)
    assert [run.code for run in ended] == [0, 0], [run.err for run in ended]
    assert sorted(json.loads(run.out)["already_done"] for run in ended) == [False, True]
    assert sorted(row["DocNumber"] for row in shop.books("Invoice")) == ["INV-1001", "INV-1002"]


def test_run_twice_from_two_clones_two_invoices(shop: Shop) -> None:
    """Never: another ledger on the same books finds the number taken, and says so instead of making another."""
    order = shop.order()
    assert shop.run("create_invoice", order).code == 0
    other = shop.home / "other"
    other.mkdir(mode=0o700)
    (other / "simulator.json").write_text((shop.home / "simulator.json").read_text())
    ran = shop.spawn("create_invoice", order, TILLBOOK_HOME=str(other))
    assert len(shop.books("Invoice")) == 1
    assert ran.code == 0, ran.err
    assert ran.json["quickbooks_id"] == shop.books("Invoice")[0]["Id"]
