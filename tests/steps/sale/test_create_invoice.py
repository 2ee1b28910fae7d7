"""create_invoice.py: a submitted form becomes one customer and one invoice, or a refusal that names the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from create_invoice import create_invoice, read_file
from helpers.dry_runs import changes, dry_run, operations
from helpers.sale import Json, Shop
from tillbook.kit.errors import Refused

LINE = {"description": "Consulting", "sku": "CONSULT", "quantity": "0.5", "unit_price": "120.00"}
MUG = {"description": "Mug", "sku": "MUG", "quantity": "3", "unit_price": "12.50", "taxable": True}
POSTER = {"description": "Poster", "sku": "POSTER", "quantity": "2", "unit_price": "30.00"}
AUSTIN = {"line1": "1 Main St", "city": "Austin", "state": "TX", "postal_code": "78701", "country": "US"}
CARD = "4242 4242 4242 4242"

# What is changed in a good order, and what the refusal says: the field, what was wrong, what is expected.
BAD: dict[str, tuple[Json, tuple[str, ...]]] = {
    "a float": ({"lines": [{**LINE, "unit_price": 120.0}]}, ("lines[0].unit_price", "is the number 120.0", "string")),
    "a negative price": ({"lines": [{**LINE, "unit_price": "-1.00"}]}, ("lines[0].unit_price", "'-1.00'", "60.00")),
    "a negative quantity": ({"lines": [{**LINE, "quantity": "-1"}]}, ("lines[0].quantity", "'-1'", "more than 0")),
    "over-precise": ({"lines": [{**LINE, "unit_price": "1.00005"}]}, ("lines[0].unit_price", "1.00005", "60.00")),
    "yen with cents": (
        {"currency": "JPY", "lines": [{**LINE, "unit_price": "120.50"}]},
        ("lines[0].unit_price", "120.50", "expected"),
    ),
    "d15 full-width digits": (
        {"lines": [{**LINE, "unit_price": "\uff11\uff10\uff10"}]},
        ("lines[0].unit_price", "expected"),
    ),
    "d15 a comma": ({"lines": [{**LINE, "unit_price": "1,00"}]}, ("lines[0].unit_price", "1,00", "60.00")),
    "d15 an exponent": ({"lines": [{**LINE, "unit_price": "1e400"}]}, ("lines[0].unit_price", "1e400", "60.00")),
    "d15 a giant": ({"lines": [{**LINE, "unit_price": "9" * 40}]}, ("lines[0].unit_price", "expected")),
    "no lines": ({"lines": []}, ("lines", "expected")),
    "an unknown currency": ({"currency": "DUB"}, ("currency", "'DUB'", "ISO 4217")),
    "a small currency": ({"currency": "usd"}, ("currency", "'usd'", "ISO 4217")),
    "no such day": ({"due": "2027-02-30"}, ("due", "2027-02-30", "2027-01-31")),
    "no mail address": ({"customer": {"name": "A", "email": "nobody"}}, ("customer.email", "'nobody'", "expected")),
    "a header in the mail address": (
        {"customer": {"name": "A", "email": "a@example.com\nBcc: b@example.com"}},
        ("customer.email", "expected"),
    ),
    "a hidden character": ({"memo": "Pay \u202e00.1"}, ("memo", "U+202E", "plain text")),
    "a misspelt field": ({"discuont": {"percent": "10"}}, ("discuont", "not a known field", "'discount'")),
    "a card number in the memo": ({"memo": f"Card {CARD}"}, ("memo", "card number", "ending in 4242")),
    "a card number in a line": ({"lines": [{**LINE, "description": CARD}]}, ("lines[0].description", "card number")),
    "a card number as a field": ({CARD: "x"}, ("field name", "card number")),
    "a number too long": ({"number": "INV-" + "1" * 18}, ("number", "expected")),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_and_nothing_is_sent(shop: Shop, case: str) -> None:
    """The field, what was wrong and what is expected; exit 3, no request at any vendor, no number taken."""
    change, words = BAD[case]
    content = json.loads(Path(shop.order()).read_text()) | change
    ran = shop.run("create_invoice", "-", stdin=json.dumps(content))
    assert (ran.code, ran.out) == (3, "")
    for word in words:
        assert word in ran.err
    assert shop.requests() == []
    assert shop.till.ledger.sales.invoice_numbers() == []


def test_every_wrong_field_is_told_at_once(shop: Shop) -> None:
    """Three mistakes are three lines, so that a form is corrected in one go."""
    path = shop.order(currency="XX", due="soon", lines=[{**LINE, "unit_price": "-1"}])
    with pytest.raises(Refused) as refused:
        read_file(path)
    assert "3 problems" in refused.value.message
    for field in ("currency", "due", "lines[0].unit_price"):
        assert field in refused.value.message


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"number": NaN}', '{"number": "A", "number": "B"}', b"\xff\xfe{", "[" * 5000, "9" * 5000],
)
def test_a18_what_is_no_order_is_refused_in_words(shop: Shop, text: str | bytes) -> None:
    """Broken, doubled, endless or foreign bytes on standard input: exit 3 and a sentence, never a traceback."""
    ran = shop.run("create_invoice", "-", stdin=text)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("refused: ")
    assert shop.requests() == []


def test_a_file_that_is_too_large_is_refused(shop: Shop) -> None:
    """An order is at most 1 MiB."""
    ran = shop.run("create_invoice", "-", stdin=json.dumps({"memo": "x" * 1024 * 1024}))
    assert (ran.code, ran.out) == (3, "")


def test_the_result_has_the_documented_keys(shop: Shop) -> None:
    """invoice, quickbooks_id, customer, amount, due, status: as the directives rely on."""
    result = shop.invoiced()
    assert result == {
        "invoice": "INV-1001",
        "quickbooks_id": shop.books("Invoice")[0]["Id"],
        "customer": shop.books("Invoice")[0]["CustomerRef"]["value"],
        "amount": {"minor": 6000, "currency": "USD"},
        "tax": {"minor": 0, "currency": "USD"},
        "due": "2027-01-31",
        "status": "open",
        "already_done": False,
    }


def test_the_plain_function_does_the_same(shop: Shop) -> None:
    """Other scripts import the function: same invoice, with Money instead of JSON."""
    made = create_invoice(read_file(shop.order()), till=shop.till)
    assert (made.amount.text, made.status, made.already_done) == ("60.00", "open", False)
    assert create_invoice(read_file(shop.order()), till=shop.till).already_done is True


def test_a_piped_order_in_a_process_of_its_own(shop: Shop) -> None:
    """From another folder, the file named by its path: JSON on stdout, nothing on stderr."""
    ran = shop.start("create_invoice", shop.order())
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["invoice"] == "INV-1001"


def test_it_cannot_be_paid_twice_by_quickbooks_own_links(shop: Shop) -> None:
    """QuickBooks' own pay buttons are off, else the customer could pay there too."""
    shop.invoiced()
    (invoice,) = shop.books("Invoice")
    assert invoice["AllowOnlineCreditCardPayment"] is False
    assert invoice["AllowOnlineACHPayment"] is False


def test_the_ledger_owes_what_the_books_hold(shop: Shop) -> None:
    """Dr Receivable / Cr Revenue and Sales Tax, once."""
    shop.invoiced(lines=[MUG], customer={"name": "Mug Club", "email": "m@example.com", "address": AUSTIN})
    balances = shop.till.ledger.facts.invoice_balances("INV-1001")
    found = {account: money.text for (account, _), money in balances.items()}
    assert found == {"Receivable": "40.59", "Revenue": "-37.50", "Sales Tax": "-3.09"}


# -- the customer ----------------------------------------------------------------------------------


def customers(shop: Shop) -> dict[str, str]:
    return {row["Id"]: row["DisplayName"] for row in shop.books("Customer")}


def test_e2_the_same_mail_and_name_is_the_same_customer(shop: Shop) -> None:
    """Ada stands in the books from the start: matched by exact mail and name, none made."""
    result = shop.invoiced(customer={"name": "Ada Ltd", "email": "ada@example.com"})
    assert customers(shop) == {result["customer"]: "Ada Ltd"}


@pytest.mark.parametrize(
    "customer",
    [
        {"name": "Ada Ltd", "email": "billing@ada.example"},
        {"name": "Ada Limited", "email": "ada@example.com"},
        {"name": "ADA LTD", "email": "ada@example.com"},
        {"name": "Ada", "email": "ada@example.com"},
    ],
)
def test_e2_half_a_match_is_not_a_match(shop: Shop, customer: Json) -> None:
    """The same name with another mail, or the same mail with another name, is somebody else: never a guess."""
    result = shop.invoiced(customer=customer)
    assert len(customers(shop)) == 2
    assert customers(shop)[result["customer"]] != "Ada Ltd"
    stored = shop.till.ledger.sales.customer(result["customer"])
    assert stored is not None
    assert (stored["name"], stored["email"]) == (customer["name"], customer["email"])


def test_a_stored_id_wins(shop: Shop) -> None:
    """An id that the form's sender stored names the customer, whatever the name is written like today."""
    (ada,) = shop.books("Customer") or [{"Id": "1"}]
    result = shop.invoiced(customer={"name": "Ada & Co", "email": "new@ada.example", "id": ada["Id"]})
    assert result["customer"] == ada["Id"]
    assert len(shop.books("Customer")) == 1


def test_a_stored_id_that_is_nobody_is_refused(shop: Shop) -> None:
    """A wrong id is no reason to take the name instead."""
    ran = shop.run("create_invoice", shop.order(customer={"name": "Ada Ltd", "email": "ada@example.com", "id": "999"}))
    assert (ran.code, ran.out) == (3, "")
    assert "customer.id" in ran.err
    assert shop.books("Invoice") == []


def test_a_stored_id_in_another_currency_is_refused(shop: Shop) -> None:
    """A customer of QuickBooks has one currency for ever."""
    shop.invoiced("INV-1", customer={"name": "Ada Ltd", "email": "ada@example.com"})
    (ada,) = shop.books("Customer")
    changed = {"currency": "EUR", "customer": {"name": "Ada Ltd", "email": "ada@example.com", "id": ada["Id"]}}
    ran = shop.run("create_invoice", shop.order("INV-2", **changed))
    assert ran.code == 3
    assert "USD" in ran.err
    assert "EUR" in ran.err


def test_e1_a_vendor_has_the_name(shop: Shop) -> None:
    """Names are shared by customers, vendors and employees: the customer gets another form, and keeps its own name."""
    result = shop.invoiced(customer={"name": "Blue Heron Supplies", "email": "orders@blueheron.example"})
    (made,) = [row for row in shop.books("Customer") if row["Id"] == result["customer"]]
    assert made["DisplayName"] == "Blue Heron Supplies (customer)"
    assert made["CompanyName"] == "Blue Heron Supplies"


@pytest.mark.parametrize("name", ["Studio: North : West", "Long " + "x" * 150, "Zoë 🌻 Bäckerei", "株式会社さくら"])
def test_e3_the_rules_for_names_are_met_without_losing_the_name(shop: Shop, name: str) -> None:
    """QuickBooks takes no colon and we keep names short there; the whole name is kept, and found again."""
    customer = {"name": name, "email": "n@example.com"}
    first, second = shop.invoiced("INV-1", customer=customer), shop.invoiced("INV-2", customer=customer)
    assert first["customer"] == second["customer"]
    made = next(row for row in shop.books("Customer") if row["Id"] == first["customer"])
    assert ":" not in made["DisplayName"]
    assert len(made["DisplayName"]) <= 100
    stored = shop.till.ledger.sales.customer(first["customer"])
    assert stored is not None
    assert stored["name"] == name


# -- the company -----------------------------------------------------------------------------------


def preferences(shop: Shop, section: str, **changed: Any) -> None:
    """The company's owner changes a preference."""
    shop.run("check_setup")
    found = shop.simulator.world.get("quickbooks.Preferences", "1")
    assert found is not None
    shop.simulator.world.save("quickbooks.Preferences", "1", {**found, section: {**found[section], **changed}})
    shop.run("check_setup")


def test_d12_a_currency_that_the_company_does_not_use(shop: Shop) -> None:
    """A single-currency company refuses another currency before anything is sent."""
    preferences(shop, "CurrencyPrefs", MultiCurrencyEnabled=False)
    before = changes(shop)
    ran = shop.run("create_invoice", shop.order(currency="EUR"))
    assert (ran.code, ran.out) == (3, "")
    assert "currency: the order is in EUR" in ran.err
    assert "USD" in ran.err
    assert changes(shop) == before


def test_d12_a_currency_that_is_not_on_the_companys_list(shop: Shop) -> None:
    """Many currencies, but not this one: refused, and neither customer nor invoice is made."""
    ran = shop.run("create_invoice", shop.order(currency="SEK"))
    assert (ran.code, ran.out) == (3, "")
    assert "SEK" in ran.err
    assert changes(shop) == []
    assert shop.till.ledger.sales.invoice_numbers() == []


def test_c28_a_company_that_numbers_by_itself(shop: Shop) -> None:
    """Our number would be lost, so nothing is made until the preference is on."""
    preferences(shop, "SalesFormsPrefs", CustomTxnNumbers=False)
    ran = shop.run("create_invoice", shop.order())
    assert (ran.code, ran.out) == (3, "")
    assert "Custom transaction numbers" in ran.err
    assert shop.books("Invoice") == []


# -- stock -----------------------------------------------------------------------------------------


def test_too_little_in_stock(shop: Shop) -> None:
    """Three posters of two: exit 3 with both numbers, unless --allow-backorder."""
    order = shop.order(lines=[{**POSTER, "quantity": "3"}])
    ran = shop.run("create_invoice", order)
    assert (ran.code, ran.out) == (3, "")
    assert "POSTER: 3 asked for, 2 in stock" in ran.err
    assert "--allow-backorder" in ran.err
    assert changes(shop) == []
    assert shop.run("create_invoice", order, "--allow-backorder").json["amount"]["minor"] == 9000


def test_too_little_over_two_lines(shop: Shop) -> None:
    """Two lines of the same item are added up before they are compared."""
    ran = shop.run("create_invoice", shop.order(lines=[POSTER, {**POSTER, "quantity": "1"}]))
    assert ran.code == 3
    assert "3 asked for, 2 in stock" in ran.err


def test_exactly_what_is_in_stock(shop: Shop) -> None:
    """Two of two is enough, and asking again does not find the shelf empty because of itself."""
    order = shop.order(lines=[POSTER])
    assert shop.run("create_invoice", order).code == 0
    assert shop.run("create_invoice", order).json["already_done"] is True


# -- the total -------------------------------------------------------------------------------------

STATED: Json = {
    "lines": [MUG],
    "customer": {"name": "Mug Club", "email": "m@example.com", "address": AUSTIN},
    "tax": {"amount": "3.00"},
}


def test_another_total_in_the_books_is_exit_3_with_both_figures(shop: Shop) -> None:
    """The form showed 40.50, QuickBooks computes 40.59: nothing can be charged or mailed, and no second invoice."""
    order = shop.order(**STATED)
    for _ in range(2):
        ran = shop.run("create_invoice", order)
        assert (ran.code, ran.out) == (3, "")
        assert "40.50 USD" in ran.err
        assert "40.59 USD" in ran.err
    assert len(shop.books("Invoice")) == 1
    for script in ("create_checkout", "send_invoice"):
        ran = shop.run(script, "INV-1001")
        assert (ran.code, ran.out) == (3, "")
        assert "40.59" in ran.err
    assert shop.mails() == []
    assert list(shop.simulator.world.all("stripe.checkout.session")) == []


def test_a_total_that_was_corrected_in_the_books(shop: Shop) -> None:
    """A person mends the tax in QuickBooks: the same command succeeds, and the ledger follows."""
    order = shop.order(**STATED)
    assert shop.run("create_invoice", order).code == 3
    edited(shop, TotalAmt="40.50", Balance="40.50", HomeTotalAmt="40.50", TxnTaxDetail={"TotalTax": "3.00"})
    result = shop.run("create_invoice", order).json
    assert (result["amount"]["minor"], result["tax"]["minor"], result["already_done"]) == (4050, 300, True)
    balances = shop.till.ledger.facts.invoice_balances("INV-1001")
    assert {account: money.minor for (account, _), money in balances.items()} == {
        "Receivable": 4050,
        "Revenue": -3750,
        "Sales Tax": -300,
    }
    assert shop.run("create_checkout", "INV-1001").json["amount"]["minor"] == 4050


def test_a_stated_total_that_differs_by_a_cent(shop: Shop) -> None:
    """One cent is a difference."""
    ran = shop.run("create_invoice", shop.order(total="60.01"))
    assert ran.code == 3
    assert "60.01" in ran.err
    assert "60.00" in ran.err


def edited(shop: Shop, **changed: Any) -> None:
    """Somebody changes the one invoice in QuickBooks by hand."""
    (invoice,) = shop.books("Invoice")
    version = str(int(invoice["SyncToken"]) + 1)
    shop.simulator.world.save("quickbooks.Invoice", invoice["Id"], {**invoice, **changed, "SyncToken": version})


def test_an_invoice_that_somebody_voided(shop: Shop) -> None:
    """The order's invoice was voided by hand: exit 3 says so; it is not made again in silence."""
    order = shop.order()
    shop.run("create_invoice", order)
    edited(shop, TotalAmt="0.00", Balance="0.00", HomeTotalAmt="0.00", PrivateNote="Voided", Line=[])
    ran = shop.run("create_invoice", order)
    assert (ran.code, ran.out) == (3, "")
    assert "voided" in ran.err
    assert len(shop.books("Invoice")) == 1


# -- the dry run ---------------------------------------------------------------------------------


def test_g20_a_dry_run_plans_what_the_real_run_does(shop: Shop) -> None:
    """For a known customer the planned parameters are the stored ones, to the byte."""
    order = shop.order(lines=[LINE, MUG], customer={"name": "Ada Ltd", "email": "ada@example.com", "address": AUSTIN})
    plan = dry_run(shop, "create_invoice", order)
    assert shop.run("create_invoice", order).code == 0
    assert plan["plan"] == operations(shop)
    assert [step["kind"] for step in plan["plan"]] == ["create_invoice"]


def test_g20_a_dry_run_with_a_new_customer(shop: Shop) -> None:
    """The customer's id is not known before it is made; all else of both operations is."""
    order = shop.order()
    plan = dry_run(shop, "create_invoice", order)
    assert shop.run("create_invoice", order).code == 0
    real = operations(shop)
    assert [step["kind"] for step in real] == ["create_customer", "create_invoice"]
    assert plan["plan"][1]["params"].pop("customer_id").startswith("(new) Grace Ltd")
    assert real[1]["params"].pop("customer_id")
    assert plan["plan"] == real


def test_g20_a_dry_run_shows_debits_and_credits(shop: Shop) -> None:
    """What would be posted: 60.00 owed, 60.00 revenue."""
    plan = dry_run(shop, "create_invoice", shop.order())
    shown = [(line["account"], line["amount"]["minor"]) for line in plan["entries"]]
    assert shown == [("Receivable", 6000), ("Revenue", -6000)]


def test_g20_a_dry_run_of_a_done_order_plans_nothing(shop: Shop) -> None:
    """Done is done, also in a dry run."""
    shop.invoiced()
    assert dry_run(shop, "create_invoice", shop.order())["plan"] == []
