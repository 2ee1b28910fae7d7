"""Orders: valid forms are kept exactly, invalid ones are refused with every problem at once."""

from __future__ import annotations

import contextlib
import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbook.kit.money import Money, parse, total
from tillbook.rules.forms.totals import total_problem
from tillbook.rules.orders import InvalidOrder, order_json, parse_order, read_order

SAMPLES = Path(__file__).parents[1] / "samples" / "orders"
EXPECTED: dict[str, dict[str, str]] = json.loads((SAMPLES / "expected.json").read_text("utf-8"))
GOOD: dict[str, Any] = {
    "number": "INV-1001",
    "currency": "USD",
    "due": "2026-12-31",
    "memo": "Thank you",
    "customer": {
        "name": "Ada Ltd",
        "email": "ada@example.com",
        "address": {"line1": "1 Main St", "city": "Austin", "state": "TX", "postal_code": "78701", "country": "US"},
    },
    "lines": [
        {"description": "Consulting", "sku": "CONSULT", "quantity": "0.5", "unit_price": "120.00", "taxable": True}
    ],
    "discount": {"percent": "10"},
}
ABSENT = object()


def changed(path: str, value: object) -> dict[str, Any]:
    """The good form with one place changed, added or (ABSENT) taken away; "lines.0.sku" is the first line's SKU."""
    form = copy.deepcopy(GOOD)
    *way, last = path.split(".")
    place: Any = form
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    return form


def problems_of(raw: object) -> dict[str, str]:
    """Field -> what was wrong with it."""
    with pytest.raises(InvalidOrder) as caught:
        parse_order(raw)
    return {problem.field: str(problem) for problem in caught.value.problems}


def test_what_nobody_could_pay_is_no_order() -> None:
    """Each part is within its bounds, and what they come to is not."""
    line = {"description": "Gold", "sku": "GOLD", "quantity": "1000000", "unit_price": "9999999.99"}
    assert "at most 12 digits" in problems_of({**GOOD, "lines": [line]})["lines"]


def test_a_valid_order_is_kept_exactly() -> None:
    """Half an hour at 120.00 less ten per cent is 54.00."""
    order = read_order(json.dumps(GOOD))
    assert (order.number, order.currency, order.due.isoformat(), order.memo) == (
        "INV-1001",
        "USD",
        "2026-12-31",
        "Thank you",
    )
    assert order.customer.address is not None
    assert order.customer.address.city == "Austin"
    assert order.lines[0].amount == Money(6000, "USD")
    assert (order.subtotal.text, order.discount_amount.text, order.net.text) == ("60.00", "6.00", "54.00")


def test_there_is_a_hand_written_figure_for_every_sample() -> None:
    """The samples and their expected figures name the same files."""
    assert set(EXPECTED) == {path.name for path in SAMPLES.rglob("*.json")} - {"expected.json"}
    assert len(EXPECTED) >= 14


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_d8_samples_come_to_the_figures_worked_out_by_hand(name: str) -> None:
    """Every figure of a sample equals the one that a person worked out."""
    want, order = EXPECTED[name], read_order(next(SAMPLES.rglob(name)).read_bytes())
    tax = parse(want["tax"], want["currency"])
    assert order.currency == want["currency"]
    assert order.subtotal.text == want["subtotal"]
    assert order.discount_amount.text == want["discount"]
    assert order.expected_tax(tax) == tax
    assert order.expected_total(tax).text == want["total"]
    assert total_problem(order, parse(want["total"], order.currency), tax) == ""


WRONG = [
    ("number", ABSENT),
    ("number", ""),
    ("number", "   "),
    ("number", " INV-1"),
    ("number", "INV-1\n"),
    ("number", "INV-1\t2"),
    ("number", "X" * 22),
    ("number", 1001),
    ("currency", "usd"),
    ("currency", "XXX"),
    ("currency", None),
    ("due", "2026-02-30"),
    ("due", "20261231"),
    ("due", "2026-W01-1"),
    ("due", "31.12.2026"),
    ("due", ABSENT),
    ("memo", "x" * 1001),
    ("memo", "bell\x07"),
    ("memo", "\u202eevil"),
    ("memo", 5),
    ("customer", ABSENT),
    ("customer", []),
    ("customer.name", ABSENT),
    ("customer.name", "two\nlines"),
    ("customer.name", "zero\u200bwidth"),
    ("customer.name", "\ud800"),
    ("customer.name", "a\u200db"),
    ("customer.name", "x" * 501),
    ("customer.email", "ada@example.com\r\nBcc: all@example.com"),
    ("customer.email", "Ada <ada@example.com>"),
    ("customer.email", "a@example.com,b@example.com"),
    ("customer.email", "ada@localhost"),
    ("customer.email", "ada@exam ple.com"),
    ("customer.email", "ada..b@example.com"),
    ("customer.email", "ada@-example.com"),
    ("customer.email", "ada@bücher.example"),
    ("customer.email", "x" * 90 + "@example.com"),
    ("customer.id", "58a"),
    ("customer.address.country", "x" * 101),
    ("customer.address.line1", "x" * 501),
    ("lines", []),
    ("lines", {}),
    ("lines", "CONSULT"),
    ("lines.0.sku", ABSENT),
    ("lines.0.sku", " "),
    ("lines.0.description", "x" * 4001),
    ("lines.0.quantity", "0"),
    ("lines.0.quantity", "-1"),
    ("lines.0.quantity", "1.000001"),
    ("lines.0.quantity", "1000001"),
    ("lines.0.quantity", "1e3"),
    ("lines.0.quantity", 1),
    ("lines.0.unit_price", "-1.00"),
    ("lines.0.unit_price", "1.00005"),
    ("lines.0.unit_price", "\uff11.\uff10\uff10"),
    ("lines.0.unit_price", "1,00"),
    ("lines.0.unit_price", 120),
    ("lines.0.unit_price", "1" * 13),
    ("lines.0.taxable", "yes"),
    ("lines.0.taxable", 1),
    ("discount", "10"),
    ("discount", {}),
    ("discount", {"percent": "10", "amount": "1.00"}),
    ("discount.percent", "0"),
    ("discount.percent", "100.01"),
    ("discount.percent", "1.234"),
    ("tax.percent", "101"),
    ("tax.amount", "-1"),
    ("tax", {"rate": "8.25"}),
    ("total", "0.00"),
    ("total", 54),
    ("colour", "blue"),
    ("lines.0.price", "1.00"),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_d15_wrong_fields_are_refused_by_name(path: str, value: object) -> None:
    """Each broken rule names its field, and nothing else is blamed."""
    named = path.replace("lines.0", "lines[0]")
    assert {field for field in problems_of(changed(path, value)) if not field.startswith(f"{named}.")} == {named}


def test_all_problems_are_told_at_once() -> None:
    """A person corrects a form once, not once a problem; the hint says what to do."""
    raw = changed("lines.0.unit_price", "x") | {"number": "", "currency": "Dollar", "due": "soon", "surprise": 1}
    raw["customer"]["email"] = "nobody"
    fields = ["surprise", "currency", "number", "due", "customer.email", "lines[0].unit_price"]
    assert list(problems_of(raw)) == fields
    with pytest.raises(InvalidOrder, match="6 problems") as caught:
        parse_order(raw)
    assert caught.value.exit_code == 3
    assert caught.value.hint == "Correct the order file and run the same command again."


def test_d6_a_number_is_refused_with_the_string_to_write() -> None:
    """The message shows the exact text that the form should have sent."""
    with pytest.raises(InvalidOrder) as caught:
        read_order(json.dumps(GOOD).replace('"120.00"', "0.1"))
    assert str(caught.value) == 'lines[0].unit_price: is the number 0.1; expected it as a string, "0.1"'


def test_an_unknown_field_suggests_the_nearest_known_one() -> None:
    """A typing mistake is named with its correction."""
    assert "'unit_price'" in problems_of(changed("lines.0.unit_prize", "1.00"))["lines[0].unit_prize"]


def test_d15_totals_that_no_invoice_can_have_are_refused() -> None:
    """Nothing to pay, more discount than goods, or more money than can be kept is no order."""
    assert list(problems_of(changed("discount.percent", "100"))) == ["lines"]
    assert list(problems_of(changed("discount", {"amount": "60.01"}))) == ["discount.amount"]
    assert list(problems_of(changed("lines.0.unit_price", "0.00"))) == ["lines"]
    raw = changed("lines.0.unit_price", "999999999999.99")
    raw["lines"][0]["quantity"] = "1000000"
    assert "lines[0].unit_price" in problems_of(raw)
    raw["lines"] = [raw["lines"][0] | {"quantity": "9000"}] * 500
    assert list(problems_of(raw)) == ["lines"]


def test_there_are_at_most_500_lines() -> None:
    """A limit on everything."""
    assert len(parse_order(changed("lines", GOOD["lines"] * 500)).lines) == 500
    assert list(problems_of(changed("lines", GOOD["lines"] * 501))) == ["lines"]


CARD = "4242 4242 4242 4242"


@pytest.mark.parametrize(
    "path", ["number", "memo", "customer.name", "customer.id", "customer.address.line2", "lines.0.sku", "lines.0.other"]
)
def test_g8_a_card_number_is_refused_first_and_never_repeated(path: str) -> None:
    """Only the card is reported, by its last four digits, although the form has other problems too."""
    raw = changed(path, f"pay with {CARD}") | {"due": "never"}
    problems = problems_of(raw)
    assert list(problems) == [path.replace("lines.0", "lines[0]")]
    message = str(problems)
    assert "ending in 4242" in message
    assert CARD not in message


def test_g8_a_card_number_as_a_field_name_or_number_is_refused_too() -> None:
    """Neither keys nor JSON numbers are a way around."""
    for raw in (changed(f"lines.0.{CARD}", "x"), changed("memo", 4242424242424242)):
        message = str(problems_of(raw))
        assert "ending in 4242" in message
        assert CARD not in message.replace("4242424242424242", CARD)


def test_text_is_kept_in_one_normal_form() -> None:
    """Composed and decomposed accents, Windows line ends and outer spaces make no other order."""
    one = parse_order(changed("customer.name", "Émilie") | {"memo": "a\nb"})
    other = parse_order(changed("customer.name", " E\u0301milie ") | {"memo": "a\r\nb "})
    assert one == other
    assert order_json(one) == order_json(other)


@pytest.mark.parametrize("name", ["👩‍🍳 Bakery", "🏳️‍🌈", 'O\'Brien & "Sons"', "北京晨光", "Ünïcode: Größe", "❤️‍🔥"])
def test_e5_names_of_the_world_are_accepted(name: str) -> None:
    """Joined emoji, quotes, colons and every script are names."""
    assert parse_order(changed("customer.name", name)).customer.name == name


def test_optional_fields_may_be_left_out_or_null() -> None:
    """Memo, address, discount, tax, total and id are optional; a line without "taxable" is not taxable."""
    raw = copy.deepcopy(GOOD)
    del raw["memo"], raw["customer"]["address"], raw["lines"][0]["taxable"]
    order = parse_order(raw | {"discount": None, "tax": None, "total": None})
    assert (order.memo, order.customer.address, order.discount, order.tax, order.total) == ("", None, None, None, None)
    assert not order.lines[0].taxable


def test_canonical_json_ignores_layout_and_holds_all_content() -> None:
    """Key order, white space and zeros at the end of a quantity do not matter; any other content does."""
    same = json.dumps(dict(reversed(GOOD.items())), indent=3).replace('"0.5"', '"0.50"').replace('"120.00"', '"120"')
    text = order_json(read_order(json.dumps(GOOD)))
    assert order_json(read_order(same)) == text
    others = [
        changed("memo", "Thanks"),
        changed("number", "INV-1002"),
        changed("due", "2027-01-01"),
        changed("customer.name", "Ada Limited"),
        changed("customer.email", "ada@example.org"),
        changed("customer.id", "58"),
        changed("customer.address.city", "Dallas"),
        changed("lines.0.description", "Advice"),
        changed("lines.0.sku", "DESIGN"),
        changed("lines.0.quantity", "0.6"),
        changed("lines.0.unit_price", "120.01"),
        changed("lines.0.taxable", False),
        changed("discount.percent", "11"),
        changed("discount", {"amount": "10"}),
        changed("discount", ABSENT),
        changed("tax", {"percent": "8.25"}),
        changed("tax", {"amount": "8.25"}),
        changed("total", "54.00"),
        changed("lines", GOOD["lines"] * 2),
    ]
    texts = {order_json(parse_order(raw)) for raw in others}
    assert len(texts | {text}) == len(others) + 1


def test_the_expected_total_follows_what_the_form_stated() -> None:
    """A stated total wins, then stated tax, then QuickBooks' own tax if anything is taxable."""
    booked = Money(446, "USD")
    cases: list[tuple[dict[str, Any], str]] = [
        (changed("memo", ""), "58.46"),
        (changed("lines.0.taxable", False), "54.00"),
        (changed("tax", {"percent": "8.25"}), "58.46"),
        (changed("tax", {"amount": "1.65"}), "55.65"),
        (changed("total", "60.00"), "60.00"),
    ]
    for raw, expected in cases:
        order = parse_order(raw)
        assert order.expected_total(booked).text == expected
        assert total_problem(order, Money(order.expected_total(booked).minor, "USD"), booked) == ""
        sentence = total_problem(order, Money(1, "USD"), booked)
        assert expected in sentence
        assert "0.01 USD" in sentence


def test_c21_a_booking_in_another_currency_is_a_problem() -> None:
    """The same digits in another currency are not the same total."""
    assert "EUR" in total_problem(parse_order(GOOD), Money(5400, "EUR"), Money(0, "EUR"))


LINES = st.lists(
    st.fixed_dictionaries(
        {
            "sku": st.sampled_from(["CONSULT", "MUG"]),
            "quantity": st.decimals("0.00001", "1000", places=5).map(str),
            "unit_price": st.decimals("0.01", "9999.99", places=2).map(str),
            "taxable": st.booleans(),
        }
    ),
    min_size=1,
    max_size=12,
)


@given(LINES, st.decimals("0.01", "99", places=2))
def test_d8_figures_always_add_up(lines: list[dict[str, Any]], percent: Decimal) -> None:
    """The subtotal is the sum of rounded lines, and the taxable part never leaves the net amount."""
    raw = changed("lines", [{"description": "x", **line} for line in lines]) | {"discount": {"percent": str(percent)}}
    try:
        order = parse_order(raw)
    except InvalidOrder as error:
        order = None
        refused = [problem.field for problem in error.problems]
    if order is None:
        assert refused == ["lines"]
        return
    assert total((line.amount for line in order.lines), "USD") == order.subtotal == order.net + order.discount_amount
    assert Money.zero("USD") <= order.taxable_net <= order.net
    assert parse_order(json.loads(json.dumps(raw))) == order


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_a18_any_json_value_is_an_order_or_refused(raw: object) -> None:
    """A stranger's form never ends in a bug."""
    with pytest.raises(InvalidOrder):
        parse_order(raw)
    for field in GOOD:
        with contextlib.suppress(InvalidOrder):
            parse_order(GOOD | {field: raw})


@pytest.mark.parametrize(
    ("change", "reachable"),
    [
        ({"total": "60.00"}, True),
        ({"total": "60.01"}, False),
        ({"total": "59.99"}, False),
        ({"taxable": True, "total": "64.95"}, True),
        ({"taxable": True, "total": "120.00"}, True),
        ({"taxable": True, "total": "120.01"}, False),
        ({"taxable": True, "total": "59.99"}, False),
        ({"tax": {"amount": "3.00"}}, False),
        ({"tax": {"amount": "0.00"}}, True),
        ({"tax": {"percent": "8.25"}}, True),
        ({"taxable": True, "tax": {"amount": "60.01"}}, False),
    ],
)
def test_a_total_that_no_tax_leads_to_is_refused(change: dict[str, Any], reachable: bool) -> None:
    """60.00 net: untaxed it comes to that, taxed to 60.00 at least and to twice as much at most."""
    line = {"sku": "CONSULT", "quantity": "0.5", "unit_price": "120.00", "taxable": change.pop("taxable", False)}
    raw = {**{name: GOOD[name] for name in ("number", "currency", "due", "customer")}, "lines": [line], **change}
    if reachable:
        parse_order(raw)
        return
    with pytest.raises(InvalidOrder) as refused:
        parse_order(raw)
    (problem,) = refused.value.problems
    assert problem.field in change
    assert "60.00 USD" in problem.expected
    assert order_json(parse_order(raw, kept=True)), "an invoice that stands is read all the same"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("US", "US"),
        ("us", "US"),
        ("USA", "US"),
        ("U.S.", "US"),
        ("United States", "US"),
        ("de", "DE"),
        ("Deutschland", "Deutschland"),
    ],
)
def test_a_country_in_words_refuses_no_sale(written: str, read: str) -> None:
    """A code in any letters and our own country's names are the code; other words stay as they are."""
    address = parse_order(changed("customer.address.country", written)).customer.address
    assert address is not None
    assert address.country == read


@pytest.mark.parametrize("sku", ["5901234123457", "4902505139314", "6901028075763"])
def test_a_barcode_is_a_sku_and_no_card(sku: str) -> None:
    """Thirteen digits with the check digit of an EAN, although one in ten passes a card's check as well."""
    assert parse_order(changed("lines.0.sku", sku)).lines[0].sku == sku


@pytest.mark.parametrize(
    ("place", "text"),
    [("lines.0.sku", "4242424242424242"), ("lines.0.sku", "4222222222222"), ("memo", "4902505139314")],
)
def test_a_card_number_stays_refused(place: str, text: str) -> None:
    """Sixteen digits, thirteen without an EAN's check digit, and a number that passes both outside a SKU."""
    with pytest.raises(InvalidOrder, match="card number ending in"):
        parse_order(changed(place, text))


def test_a_price_below_a_cent_is_multiplied_before_it_is_rounded() -> None:
    """7000 kWh at 0.1648 are 1153.60; the order keeps the price, and other prices as they were written before."""
    line = {"sku": "KWH", "quantity": "7000", "unit_price": "0.1648"}
    order = parse_order({**GOOD, "lines": [line, {**line, "unit_price": "25"}], "discount": None})
    assert [one.amount.text for one in order.lines] == ["1153.60", "175000.00"]
    texts = [one["unit_price"] for one in json.loads(order_json(order))["lines"]]
    assert texts == ["0.1648", "25.00"]
    assert parse_order(json.loads(order_json(order))) == order
