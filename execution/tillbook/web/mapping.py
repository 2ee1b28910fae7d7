"""How another form product names things: `form.json` in TILLBOOK_HOME.

    {"signature_header": "typeform-signature", "encoding": "base64",
     "fields": {"number": "form_response.token", "customer.email": "form_response.hidden.email",
                "customer.name": "billing.company | billing.first_name + billing.last_name",
                "lines": "form_response.items", "lines.sku": "ref"},
     "fixed": {"currency": "USD", "due": "2027-01-31"},
     "only": {"status": ["on-hold", "pending"], "date_paid": [null]},
     "html_entities": true}

`fields` maps each of our names to the place of its value: `|` stands before another place for when the first is empty,
`+` joins two by a space. `lines.NAME` is looked up inside each line. A line whose mapped quantity is 0 or an empty text
is left out, and an empty text anywhere is nothing. `fixed` are values that the form does not ask for, `lines.NAME` for
every line. `only` says which forms are to be billed: those that have one of the listed values at each place. With
`html_entities` texts are taken as a shop stores them, with an entity for each odd character. Whole numbers become
decimal strings, for form products know no other way to send them. Numbers with a point stay refused. Without the file
the body is the order form itself.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from tillbook.kit.errors import Refused
from tillbook.kit.strict_json import loads

HEADER = "x-tillbook-signature"
ENCODINGS = ("hex", "base64")
LINES = "lines."
FIELDS = ("number", "currency", "due", "memo", "customer", "lines", "discount", "tax", "total")
_PARTS = ("signature_header", "encoding", "fields", "fixed", "only", "html_entities")


@dataclass(frozen=True, slots=True)
class FormProduct:
    """How a form product signs and names things. Header names are lower case."""

    header: str = HEADER
    encoding: str = "hex"
    fields: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    only: Mapping[str, list[Any]] = field(default_factory=dict)
    html_entities: bool = False


def read_product(file: Path) -> FormProduct:
    """The form product that `form.json` describes, or ours when there is no such file. Raises Refused."""
    if not file.exists():
        return FormProduct()
    try:
        return _product(loads(file.read_bytes()))
    except Refused as error:
        raise Refused(f"{file}: {error.message}", hint="Correct the file, or remove it to take our own form.") from None


def _product(raw: object) -> FormProduct:
    if not isinstance(raw, dict) or not raw.keys() <= set(_PARTS):
        raise Refused(f"this is not a form mapping; expected {', '.join(_PARTS)}")
    product = FormProduct(
        str(raw.get("signature_header", HEADER)).lower(),
        str(raw.get("encoding", "hex")),
        raw.get("fields", {}),
        raw.get("fixed", {}),
        raw.get("only", {}),
        raw.get("html_entities", False),
    )
    if product.encoding not in ENCODINGS:
        raise Refused(f"encoding is {product.encoding!r}; expected one of {', '.join(ENCODINGS)}")
    if not isinstance(product.html_entities, bool):
        raise Refused("html_entities is not true or false")
    for part in ("fields", "fixed", "only"):
        if not isinstance(getattr(product, part), dict):
            raise Refused(f"{part} is not an object")
    for name, place in product.fields.items():
        if not isinstance(place, str) or not all(map(all, _alternatives(place))):
            raise Refused(f"fields.{name} is not the place of a value; expected a text like answers.3.text")
    for place, values in product.only.items():
        if not isinstance(values, list) or not values:
            raise Refused(f"only.{place} is not a list of the values that are to be billed")
    _require_names([*product.fields, *product.fixed])
    _require_lines(product)
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


def _require_lines(product: FormProduct) -> None:
    """A part of each line means something only where the form has the lines: fixed ones would be billed as they are."""
    parts = [name for name in [*product.fields, *product.fixed] if name.startswith(LINES)]
    if parts and "lines" in product.fixed:
        raise Refused(f"'lines' is fixed as a whole and mapped in part ({parts[0]!r})")
    if parts and "lines" not in product.fields:
        raise Refused(f"{parts[0]!r} is mapped, but not where the lines are; expected 'lines' in fields")


def not_billed(raw: object, product: FormProduct) -> str:
    """Why a form is not one of those that are to be billed, or empty."""
    for place, wanted in product.only.items():
        if (value := _at(raw, place)) not in wanted:
            return f"{place} is {value!r}"
    return ""


def translated(raw: object, product: FormProduct) -> dict[str, Any]:
    """The form in our own names. A place that the form does not have is left out: validation says what is missing."""
    order: dict[str, Any] = {}
    for ours, theirs in product.fields.items():
        if not ours.startswith(LINES):
            _put(order, ours, _lines(_at(raw, theirs), product) if ours == "lines" else _found(raw, theirs))
    for ours, value in product.fixed.items():
        if not ours.startswith(LINES):
            _put(order, ours, value)
    return order


def unescaped(value: Any) -> Any:
    """A form with its HTML entities as the characters that they stand for, once."""
    if isinstance(value, dict):
        return {name: unescaped(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [unescaped(inner) for inner in value]
    return html.unescape(value) if isinstance(value, str) else value


def _lines(found: object, product: FormProduct) -> object:
    places = {name.removeprefix(LINES): place for name, place in product.fields.items() if name.startswith(LINES)}
    fixed = {name.removeprefix(LINES): value for name, value in product.fixed.items() if name.startswith(LINES)}
    if not isinstance(found, list) or not (places or fixed):
        return found
    asked = [line for line in found if not ("quantity" in places and _is_none(_at(line, places["quantity"])))]
    return [_line(line, places, fixed) for line in asked]


def _is_none(quantity: object) -> bool:
    """Whether a row of a product grid asks for none: zero or an empty text. A quantity that is missing is a mistake."""
    try:
        return quantity == "" or (isinstance(quantity, str | int | Decimal) and Decimal(quantity) == 0)
    except InvalidOperation:
        return False


def _line(line: object, places: Mapping[str, str], fixed: Mapping[str, Any]) -> dict[str, Any]:
    given = {ours: value for ours, place in places.items() if (value := _found(line, place)) is not None}
    return {**given, **fixed}


def _alternatives(place: str) -> list[list[str]]:
    """The places that a mapping names: `a | b + c` is a, or else b and c joined."""
    return [[part.strip() for part in either.split(" + ")] for either in place.split(" | ")]


def _found(raw: object, place: str) -> object:
    """The value of the first alternative that is filled, or None. Values that are joined become one text."""
    for parts in _alternatives(place):
        values = [value for part in parts if (value := _exact(_at(raw, part))) is not None]
        if values:
            return values[0] if len(values) == 1 else " ".join(map(str, values))
    return None


def _exact(value: object) -> object:
    """Whole numbers as text, an empty text as nothing."""
    if isinstance(value, str) and not value.strip():
        return None
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
