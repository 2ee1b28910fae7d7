"""What shops send, and how a mapping reads it: rows of a grid, names in two parts, entities, states of an order."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
import requests

from helpers.sale import Shop
from helpers.web.receiving import receiving
from tillbook.kit.errors import Refused
from tillbook.rules.orders import Order
from tillbook.web.forms import NotBilled, read_form
from tillbook.web.mapping import read_product

Json = dict[str, Any]
SECRET = "form_secret_of_the_tests"
FIXED: Json = {"currency": "USD", "due": "2027-01-31"}
LINE: Json = {"sku": "SUPPORT", "unit_price": "60.00", "quantity": "1"}
GRID: Json = {
    "fields": {
        "number": "id",
        "customer.name": "name",
        "customer.email": "email",
        "discount.percent": "coupon",
        "lines": "items",
        "lines.sku": "sku",
        "lines.quantity": "qty",
        "lines.unit_price": "price",
    },
    "fixed": FIXED,
}
MARA: Json = {"id": "g7", "name": "Mara", "email": "mara@example.com"}


def signed(body: bytes) -> dict[str, str]:
    return {"x-tillbook-signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


def read(mapping: Json, form: Json, tmp_path: Path) -> Order | NotBilled:
    """A signed form, read through its mapping."""
    (tmp_path / "form.json").write_text(json.dumps(mapping))
    body = json.dumps(form).encode()
    return read_form(signed(body), body, secret=SECRET, product=read_product(tmp_path / "form.json"))


def order_of(mapping: Json, form: Json, tmp_path: Path) -> Order:
    found = read(mapping, form, tmp_path)
    assert isinstance(found, Order)
    return found


def named(name: str, **more: Any) -> Json:
    """A mapping whose customer's name stands at a place."""
    fields = {"number": "id", "customer.email": "email", "customer.name": name}
    return {"fields": fields, "fixed": {**FIXED, "lines": [LINE]}, **more}


def test_a_row_of_which_nothing_was_asked_is_left_out(tmp_path: Path) -> None:
    """Zero or an empty text asks for nothing, and an empty coupon is no discount: 60.00 in one line."""
    rows = [("SUPPORT", "1"), ("MUG", "0"), ("POSTER", ""), ("MUG", 0), ("MUG", "0.00")]
    items = [{"sku": sku, "qty": quantity, "price": "60.00"} for sku, quantity in rows]
    order = order_of(GRID, {**MARA, "coupon": "", "items": items}, tmp_path)
    assert ([line.sku for line in order.lines], order.net.text, order.discount) == (["SUPPORT"], "60.00", None)


@pytest.mark.parametrize("row", [{}, {"qty": None}, {"qty": "two"}])
def test_a_row_with_a_quantity_that_is_no_number_refuses_the_form(tmp_path: Path, row: Json) -> None:
    """What is missing or is no number may be something that was asked for: nothing is dropped on a guess."""
    items = [{"sku": "SUPPORT", "qty": "1", "price": "60.00"}, {"sku": "MUG", "price": "14.00", **row}]
    with pytest.raises(Refused, match="quantity"):
        read(GRID, {**MARA, "items": items}, tmp_path)


@pytest.mark.parametrize(
    ("billing", "name"),
    [
        ({"company": "", "first": "Mara", "last": "Lindqvist"}, "Mara Lindqvist"),
        ({"company": "Lindqvist AB", "first": "Mara", "last": "Lindqvist"}, "Lindqvist AB"),
        ({"first": "Mara", "last": ""}, "Mara"),
    ],
)
def test_a_name_of_two_parts_and_the_company_before_it(tmp_path: Path, billing: Json, name: str) -> None:
    """The company where it is filled, else both names joined by a space."""
    mapping = named("billing.company | billing.first + billing.last")
    assert order_of(mapping, {**MARA, "billing": billing}, tmp_path).customer.name == name


@pytest.mark.parametrize(
    ("switch", "name"), [(True, "Acme & O\u2019Brien Ltd"), (False, "Acme &amp; O&#8217;Brien Ltd")]
)
def test_entities_are_characters_where_the_mapping_says_so(tmp_path: Path, switch: bool, name: str) -> None:
    """A shop that stores entities sends them; what a person typed stays what it is."""
    form = {**MARA, "name": "Acme &amp; O&#8217;Brien Ltd"}
    assert order_of(named("name", html_entities=switch), form, tmp_path).customer.name == name


def test_only_the_forms_that_are_to_be_billed(tmp_path: Path) -> None:
    """By their state: what is paid, cancelled or given back is left out with the reason."""
    mapping = named("name", only={"status": ["on-hold", "pending"], "date_paid": [None]})
    for status, paid, billed in (
        ("completed", "2026-11-20T16:55:01", False),
        ("cancelled", None, False),
        ("on-hold", "2026-11-20T16:55:01", False),
        ("on-hold", None, True),
        ("pending", None, True),
    ):
        found = read(mapping, {**MARA, "status": status, "date_paid": paid}, tmp_path)
        assert isinstance(found, Order) is billed
        if isinstance(found, NotBilled):
            assert found.number == "g7"
            assert "not to be billed: " in found.reason


@pytest.mark.parametrize(
    ("fields", "fixed", "words"),
    [
        ({"lines.quantity": "qty"}, {"lines": [LINE]}, "'lines' is fixed as a whole and mapped in part"),
        ({}, {"lines": [LINE], "lines.taxable": False}, "'lines' is fixed as a whole and mapped in part"),
        ({"lines.quantity": "qty"}, {}, "expected 'lines' in fields"),
        ({"memo": "a | "}, {}, "is not the place of a value"),
        ({"memo": "a + "}, {}, "is not the place of a value"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(tmp_path: Path, fields: Json, fixed: Json, words: str) -> None:
    """Two were asked for and the fixed one would be billed: the file is refused when it is read."""
    (tmp_path / "form.json").write_text(json.dumps({"fields": {"number": "id", **fields}, "fixed": fixed}))
    with pytest.raises(Refused, match=words):
        read_product(tmp_path / "form.json")


@pytest.mark.parametrize("part", [{"only": {"status": "pending"}}, {"only": {"status": []}}, {"html_entities": "yes"}])
def test_a_switch_of_another_kind_is_refused(tmp_path: Path, part: Json) -> None:
    """A list of values, true or false: nothing else is guessed at."""
    (tmp_path / "form.json").write_text(json.dumps(part))
    with pytest.raises(Refused):
        read_product(tmp_path / "form.json")


def test_a_form_that_is_left_out_is_answered_and_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 for all; the paid one is dismissed with the reason, and a later state of the other changes nothing."""
    monkeypatch.setenv("FORM_SECRET", SECRET)
    mapping = named("name", only={"status": ["on-hold"]})
    (shop.home / "form.json").write_text(json.dumps(mapping))
    with receiving(shop, monkeypatch, deliver=False) as receiver:
        for number, status in (("4750", "completed"), ("4753", "on-hold"), ("4753", "completed")):
            body = json.dumps({**MARA, "id": number, "status": status}).encode()
            answer = requests.post(f"{receiver.url}/forms/sales", data=body, headers=signed(body), timeout=10)
            assert answer.status_code == 200
    assert shop.run("issue_forms").json == {"invoiced": 1, "waiting": 0, "refused": 0}
    (link,) = shop.run("show_payment", "4750").json["chain"]
    assert (link["status"], link["detail"]) == ("dismissed", "not to be billed: status is 'completed'")
