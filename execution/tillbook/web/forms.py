"""A submitted form, from the wire to an order: signature, the field names of other form products, validation.

`form.json` in TILLBOOK_HOME, when it is there, says how another form product names things:

    {"signature_header": "typeform-signature", "encoding": "base64",
     "fields": {"number": "form_response.token", "customer.email": "form_response.hidden.email",
                "lines": "form_response.items", "lines.sku": "ref"},
     "fixed": {"currency": "USD", "due": "2027-01-31"}}

`fields` maps each of our names to the place of its value. `lines.NAME` is looked up inside each line. `fixed` are
values that the form does not ask for, `lines.NAME` for every line. Whole numbers become decimal strings, for form
products know no other way to send them. Numbers with a point stay refused. Without the file the body is the order
form itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tillbook.kit.errors import Forged, Refused
from tillbook.kit.strict_json import loads
from tillbook.rules.orders import Order, parse_order

HEADER = "x-tillbook-signature"
ENCODINGS = ("hex", "base64")
PREFIX = "sha256="
LINES = "lines."
FIELDS = ("number", "currency", "due", "memo", "customer", "lines", "discount", "tax", "total")


@dataclass(frozen=True, slots=True)
class FormProduct:
    """How a form product signs and names things. Header names are lower case."""

    header: str = HEADER
    encoding: str = "hex"
    fields: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)


def read_product(file: Path) -> FormProduct:
    """The form product that `form.json` describes, or ours when there is no such file. Raises Refused."""
    if not file.exists():
        return FormProduct()
    try:
        return _product(loads(file.read_bytes()))
    except Refused as error:
        raise Refused(f"{file}: {error.message}", hint="Correct the file, or remove it to take our own form.") from None


def _product(raw: object) -> FormProduct:
    if not isinstance(raw, dict) or not raw.keys() <= {"signature_header", "encoding", "fields", "fixed"}:
        raise Refused("this is not a form mapping; expected signature_header, encoding, fields, fixed")
    product = FormProduct(
        str(raw.get("signature_header", HEADER)).lower(),
        str(raw.get("encoding", "hex")),
        raw.get("fields", {}),
        raw.get("fixed", {}),
    )
    if product.encoding not in ENCODINGS:
        raise Refused(f"encoding is {product.encoding!r}; expected one of {', '.join(ENCODINGS)}")
    for part in ("fields", "fixed"):
        if not isinstance(getattr(product, part), dict):
            raise Refused(f"{part} is not an object")
    for name, place in product.fields.items():
        if not isinstance(place, str) or not place:
            raise Refused(f"fields.{name} is not the place of a value; expected a text like answers.3.text")
    _require_names([*product.fields, *product.fixed])
    return product


def _require_names(names: list[str]) -> None:
    """Each name is one of the order form's, is given once, and is no part of another one that is given."""
    for name in names:
        if name.partition(".")[0] not in FIELDS:
            raise Refused(f"{name!r} is not a field of the order form; expected one of {', '.join(FIELDS)}")
        if names.count(name) > 1:
            raise Refused(f"{name!r} is both in fields and in fixed")
        whole = name.rpartition(".")[0]
        while whole:
            if whole in names and whole != "lines":
                raise Refused(f"{whole!r} is mapped as a whole and in part ({name!r})")
            whole = whole.rpartition(".")[0]


def read_form(headers: Mapping[str, str], body: bytes, *, secret: str, product: FormProduct) -> Order:
    """The order in a signed form. Raises Forged, or Refused naming every field that is wrong."""
    require_signature(headers.get(product.header, ""), body, secret, product.encoding)
    raw = loads(body)
    return parse_order(translated(raw, product) if product.fields or product.fixed else raw)


def require_signature(given: str, body: bytes, secret: str, encoding: str) -> None:
    """HMAC-SHA256 of the raw body under the shared secret: `sha256=...`. Raises Forged, also without a secret."""
    if not secret:
        raise Forged("FORM_SECRET is empty, so no form can be verified")
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    expected = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    if not hmac.compare_digest(given.removeprefix(PREFIX).encode(), expected.encode()):
        raise Forged("the form's signature is missing or wrong")


def translated(raw: object, product: FormProduct) -> dict[str, Any]:
    """The form in our own names. A place that the form does not have is left out: validation says what is missing."""
    order: dict[str, Any] = {}
    for ours, theirs in product.fields.items():
        if not ours.startswith(LINES):
            _put(order, ours, _lines(_at(raw, theirs), product) if ours == "lines" else _exact(_at(raw, theirs)))
    for ours, value in product.fixed.items():
        if not ours.startswith(LINES):
            _put(order, ours, value)
    return order


def _lines(found: object, product: FormProduct) -> object:
    places = {name.removeprefix(LINES): place for name, place in product.fields.items() if name.startswith(LINES)}
    fixed = {name.removeprefix(LINES): value for name, value in product.fixed.items() if name.startswith(LINES)}
    if not isinstance(found, list) or not (places or fixed):
        return found
    return [_line(line, places, fixed) for line in found]


def _line(line: object, places: Mapping[str, str], fixed: Mapping[str, Any]) -> dict[str, Any]:
    given = {ours: value for ours, place in places.items() if (value := _exact(_at(line, place))) is not None}
    return {**given, **fixed}


def _exact(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _at(raw: object, place: str) -> object:
    """The value at a dotted place, or None when there is nothing. Numbers step into lists."""
    for part in place.split("."):
        if isinstance(raw, dict):
            raw = raw.get(part)
        elif isinstance(raw, list) and part.isascii() and part.isdigit() and int(part) < len(raw):
            raw = raw[int(part)]
        else:
            return None
    return raw


def _put(order: dict[str, Any], name: str, value: object) -> None:
    if value is None:
        return
    *holders, last = name.split(".")
    for holder in holders:
        order = order.setdefault(holder, {})
    order[last] = value
