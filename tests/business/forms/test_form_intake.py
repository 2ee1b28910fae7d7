"""Submitted forms: from the wire to a mailed invoice, once, whatever the form product calls things."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from helpers.sale import Shop
from helpers.web.receiving import Receiver, receiving
from tillbook.kit.errors import Forged, Refused
from tillbook.web.forms import read_form
from tillbook.web.mapping import FormProduct, read_product

Json = dict[str, Any]
SECRET = "form_secret_of_the_tests"
CARD = "4242 4242 4242 4242"
ORDER: Json = {
    "number": "WEB-1",
    "currency": "USD",
    "due": "2027-01-31",
    "customer": {"name": "Grace Ltd", "email": "grace@example.com"},
    "lines": [{"description": "Consulting", "sku": "CONSULT", "quantity": "0.5", "unit_price": "120.00"}],
}
TYPEFORM: Json = {
    "signature_header": "Typeform-Signature",
    "encoding": "base64",
    "fields": {
        "number": "form_response.token",
        "customer.name": "form_response.answers.0.text",
        "customer.email": "form_response.answers.1.email",
        "lines": "form_response.variables",
        "lines.sku": "key",
        "lines.quantity": "number",
        "lines.unit_price": "price",
    },
    "fixed": {"currency": "USD", "due": "2027-01-31", "lines.taxable": False},
}
JOTFORM: Json = {
    "signature_header": "X-Jotform-Hmac",
    "fields": {
        "number": "submissionID",
        "customer.name": "answers.3.answer.first",
        "customer.email": "answers.4.answer",
        "memo": "answers.9.answer",
        "lines": "answers.5.products",
        "lines.description": "name",
        "lines.sku": "sku",
        "lines.quantity": "item.qty",
        "lines.unit_price": "item.price",
        "discount.percent": "answers.6.answer",
    },
    "fixed": {"currency": "USD", "due": "2027-01-31"},
}


def typeform(**line: object) -> Json:
    """A response as Typeform sends it, with much that nobody asked for."""
    variable = {"key": "CONSULT", "type": "number", "number": 2, "price": "60.00", **line}
    answers = [{"type": "text", "text": "Grace Ltd"}, {"type": "email", "email": "grace@example.com"}]
    response = {"form_id": "lT4Z3j", "token": "TF-7", "landed_at": "2026-11-23T20:00:00Z"}
    return {
        "event_id": "01HG",
        "event_type": "form_response",
        "form_response": {**response, "answers": answers, "variables": [variable]},
    }


def jotform() -> Json:
    """A submission as Jotform keeps it: answers by number."""
    product = {"name": "Consulting", "sku": "CONSULT", "item": {"qty": 1, "price": 120}}
    answers = {
        "3": {"name": "name", "answer": {"first": "Grace Ltd"}},
        "4": {"answer": "grace@example.com"},
        "5": {"products": [product]},
        "6": {"answer": 50},
    }
    return {"submissionID": "5123", "formID": 123456789012345, "answers": answers}


def signature(body: bytes, *, encoding: str = "hex", secret: str = SECRET) -> str:
    """What the sender puts into its header."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256)
    return digest.hexdigest() if encoding == "hex" else base64.b64encode(digest.digest()).decode()


def written(home: Path, mapping: object) -> Path:
    """A `form.json` in a folder."""
    file = home / "form.json"
    file.write_text(mapping if isinstance(mapping, str) else json.dumps(mapping))
    return file


def read(mapping: Json, form: Json, tmp_path: Path) -> Any:
    """A form that was signed as its product does it, read through its mapping."""
    product, body = read_product(written(tmp_path, mapping)), json.dumps(form).encode()
    header = {product.header: signature(body, encoding=product.encoding)}
    return read_form(header, body, secret=SECRET, product=product)


# -- signatures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "sha256="])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_signature_in_each_spelling(encoding: str, prefix: str) -> None:
    """Hex or base64, with or without its prefix: the order is read."""
    body = json.dumps(ORDER).encode()
    headers = {"x-tillbook-signature": prefix + signature(body, encoding=encoding)}
    order = read_form(headers, body, secret=SECRET, product=FormProduct(encoding=encoding))
    assert (order.number, order.net.text) == ("WEB-1", "60.00")


@pytest.mark.parametrize("given", ["", "sha256=", "0" * 64, "ü", "sha1=" + "0" * 40])
def test_a1_a_wrong_signature_is_forged(given: str) -> None:
    """Missing, empty or another one: Forged, and its words repeat nothing of it."""
    with pytest.raises(Forged, match="missing or wrong"):
        read_form({"x-tillbook-signature": given}, b"{}", secret=SECRET, product=FormProduct())


def test_a_signature_in_the_other_encoding_is_forged() -> None:
    """What the mapping does not say is not tried."""
    body = json.dumps(ORDER).encode()
    headers = {"x-tillbook-signature": signature(body, encoding="base64")}
    with pytest.raises(Forged):
        read_form(headers, body, secret=SECRET, product=FormProduct())


def test_a2_an_empty_secret_takes_nothing() -> None:
    """Without FORM_SECRET nothing is a form, also when it is signed with the empty key."""
    headers = {"x-tillbook-signature": signature(b"{}", secret="")}
    with pytest.raises(Forged, match="FORM_SECRET is empty"):
        read_form(headers, b"{}", secret="", product=FormProduct())


# -- mappings ---------------------------------------------------------------------------------------


def test_a_typeform_response_is_an_order(tmp_path: Path) -> None:
    """Its own header, base64, places in lists, a whole number as quantity: 2 x 60.00."""
    order = read(TYPEFORM, typeform(), tmp_path)
    assert (order.number, order.customer.email, order.net.text) == ("TF-7", "grace@example.com", "120.00")
    assert [(line.sku, str(line.quantity), line.taxable) for line in order.lines] == [("CONSULT", "2", False)]


def test_a_jotform_submission_is_an_order(tmp_path: Path) -> None:
    """Answers by number, whole numbers as price and percentage: 1 x 120 less half."""
    order = read(JOTFORM, jotform(), tmp_path)
    assert (order.number, order.customer.name, order.net.text) == ("5123", "Grace Ltd", "60.00")


@pytest.mark.parametrize("price", [59.99, True, None, "59.99999", [60], {"value": 60}])
def test_d6_other_numbers_stay_refused(price: object, tmp_path: Path) -> None:
    """A number with a point may have been a float at the sender: it is named, as is everything else that is wrong."""
    with pytest.raises(Refused, match=r"lines\[0\]\.unit_price"):
        read(TYPEFORM, typeform(price=price), tmp_path)


def test_d6_without_a_mapping_whole_numbers_are_refused_too() -> None:
    """Our own form says strings, and whoever writes for it can send them."""
    body = json.dumps({**ORDER, "lines": [{**ORDER["lines"][0], "quantity": 2}]}).encode()
    with pytest.raises(Refused, match="is the number 2"):
        read_form({"x-tillbook-signature": signature(body)}, body, secret=SECRET, product=FormProduct())


@pytest.mark.parametrize(
    ("mapping", "word"),
    [
        ("{", "this is not JSON"),
        ([], "not a form mapping"),
        ({"field": {}}, "not a form mapping"),
        ({"encoding": "hex2"}, "encoding is 'hex2'"),
        ({"fields": ["number"]}, "fields is not an object"),
        ({"fixed": "USD"}, "fixed is not an object"),
        ({"fields": {"number": 3}}, "fields.number is not the place"),
        ({"fields": {"number": ""}}, "fields.number is not the place"),
        ({"fields": {"nummer": "a"}}, "'nummer' is not a field"),
        ({"fields": {"customer": "a", "customer.email": "b"}}, "as a whole and in part"),
        ({"fields": {"customer.address": "a"}, "fixed": {"customer.address.country": "US"}}, "as a whole and in part"),
        ({"fields": {"currency": "a"}, "fixed": {"currency": "USD"}}, "both in fields and in fixed"),
    ],
)
def test_with_a_wrong_mapping_the_receiver_does_not_start(shop: Shop, mapping: object, word: str) -> None:
    """Exit 3 with the file and what is wrong in it, instead of refusing every customer's form later."""
    file = written(shop.home, mapping)
    ran = shop.run("receive_webhooks", "--port", "0")
    assert ran.code == 3
    assert str(file) in ran.err
    assert word in ran.err


# -- through the server -----------------------------------------------------------------------------


@pytest.fixture
def receiver(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that knows the secret of the forms."""
    monkeypatch.setenv("FORM_SECRET", SECRET)
    with receiving(shop, monkeypatch, deliver=False) as running:
        yield running


def submitted(receiver: Receiver, form: object, header: str = "X-Tillbook-Signature", **how: str) -> requests.Response:
    """Send a form as its product would."""
    body = json.dumps(form).encode()
    headers = {header: "sha256=" + signature(body, **how)}
    return requests.post(receiver.url + "/forms/sales", data=body, headers=headers, timeout=10)


def test_a_form_becomes_a_mailed_invoice(shop: Shop, receiver: Receiver) -> None:
    """Durable before its 200; the next round makes the invoice and mails it, with the link to pay."""
    answer = submitted(receiver, ORDER)
    assert (answer.status_code, answer.json()) == (200, {"received": True, "number": "WEB-1"})
    assert [row["number"] for row in shop.till.ledger.forms.waiting(9)] == ["WEB-1"]
    assert shop.run("run_pending").code == 0
    assert [(invoice["DocNumber"], invoice["TotalAmt"]) for invoice in shop.books("Invoice")] == [("WEB-1", "60.00")]
    mails = shop.mails()
    assert len(mails) == 1
    assert "WEB-1" in mails[0]["subject"]
    assert f"{receiver.url}/pay/" in mails[0]["text"]


def test_the_same_form_twice_is_one_invoice_and_one_mail(shop: Shop, receiver: Receiver) -> None:
    """Sent again before the round and after it, also laid out differently: 200 each time, and nothing new."""
    for form in (ORDER, ORDER, dict(reversed(ORDER.items()))):
        assert submitted(receiver, form).status_code == 200
    assert shop.run("issue_forms").json == {"invoiced": 1, "waiting": 0, "refused": 0}
    assert submitted(receiver, ORDER).status_code == 200
    assert shop.run("issue_forms").json == {"invoiced": 0, "waiting": 0, "refused": 0}
    shop.run("send_messages")
    assert (len(shop.books("Invoice")), len(shop.mails())) == (1, 1)


def test_the_same_number_with_other_content_is_409(shop: Shop, receiver: Receiver) -> None:
    """Two customers, one number: the second hears that it needs another one, and the first is kept as it was."""
    assert submitted(receiver, ORDER).status_code == 200
    other = submitted(receiver, {**ORDER, "memo": "another"})
    assert other.status_code == 409
    assert "number of its own" in other.json()["error"]
    assert [json.loads(row["order_json"]).get("memo") for row in shop.till.ledger.forms.waiting(9)] == [None]


def test_every_problem_is_told_at_once(shop: Shop, receiver: Receiver) -> None:
    """The 400 names each field, what was wrong and what is expected; nothing is kept."""
    wrong = {**ORDER, "due": "tomorrow", "lines": [{"sku": "CONSULT", "quantity": 0.5, "unit_price": "-1"}]}
    answer = submitted(receiver, {**wrong, "currency": "EURO", "colour": "red"})
    assert answer.status_code == 400
    problems = {problem["field"]: problem for problem in answer.json()["problems"]}
    assert {"due", "currency", "colour", "lines[0].quantity", "lines[0].unit_price"} <= problems.keys()
    assert all(problem["wrong"] and problem["expected"] for problem in problems.values())
    assert shop.till.ledger.forms.count() == {"waiting": 0, "refused": 0}


@pytest.mark.parametrize("place", ["memo", "name", "description"])
def test_a_card_number_is_refused_and_kept_nowhere(shop: Shop, receiver: Receiver, place: str) -> None:
    """Not in the answer, not in any file of the home folder: only its last four digits are named."""
    form = json.loads(json.dumps(ORDER))
    {"memo": form, "name": form["customer"], "description": form["lines"][0]}[place][place] = f"pay with {CARD}"
    answer = submitted(receiver, form)
    assert answer.status_code == 400
    assert "card number ending in 4242" in answer.text
    kept = b"".join(file.read_bytes() for file in shop.home.rglob("*") if file.is_file())
    for spelling in (CARD, CARD.replace(" ", "")):
        assert spelling not in answer.text
        assert spelling.encode() not in kept


def test_an_unknown_sku_is_kept_with_its_reason(shop: Shop, receiver: Receiver) -> None:
    """QuickBooks does not sell it: no invoice, no mail, and check_setup shows a person why; the next form goes on."""
    unknown = {**ORDER, "number": "WEB-2", "lines": [{**ORDER["lines"][0], "sku": "NO-SUCH"}]}
    for form in (unknown, ORDER):
        assert submitted(receiver, form).status_code == 200
    assert shop.run("issue_forms").json == {"invoiced": 1, "waiting": 0, "refused": 1}
    assert [invoice["DocNumber"] for invoice in shop.books("Invoice")] == ["WEB-1"]
    checks = {check["name"]: check for check in shop.run("check_setup").json["checks"]}
    assert not checks["forms"]["ok"]
    assert "WEB-2" in checks["forms"]["hint"]
    assert "NO-SUCH" in checks["forms"]["hint"]


def test_a_form_waits_while_quickbooks_is_away(shop: Shop, receiver: Receiver) -> None:
    """An outage refuses nobody: the form stays, exit 4, and the round after the outage makes the invoice."""
    assert submitted(receiver, ORDER).status_code == 200
    shop.fail("quickbooks", "*", "500", times=50)
    ran = shop.run("issue_forms")
    assert ran.code in (4, 5)
    assert ran.json["waiting"] == 1
    requests.delete(f"{shop.simulator.url}/_control/faults", timeout=5)
    shop.later(120)
    assert shop.run("run_pending").code == 0
    assert [invoice["DocNumber"] for invoice in shop.books("Invoice")] == ["WEB-1"]


def test_a_form_product_by_its_mapping(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """form.json in the home folder: its header, its encoding, its names, all the way to the invoice."""
    written(shop.home, TYPEFORM)
    monkeypatch.setenv("FORM_SECRET", SECRET)
    with receiving(shop, monkeypatch, deliver=False) as receiver:
        assert submitted(receiver, typeform()).status_code == 400
        answer = submitted(receiver, typeform(), "Typeform-Signature", encoding="base64")
        assert (answer.status_code, answer.json()["number"]) == (200, "TF-7")
    assert shop.run("issue_forms").json["invoiced"] == 1
    assert [invoice["TotalAmt"] for invoice in shop.books("Invoice")] == ["120.00"]
