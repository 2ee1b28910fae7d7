"""What a customer asked for: the submitted form, validated, and the figures that follow from it.

An `Order` holds only what passed every rule: text in normal form (NFC), exact amounts, no card number anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tillbook.kit import strict_json
from tillbook.kit.cards import contains_card_number, is_barcode, mask_card_numbers
from tillbook.kit.errors import Refused
from tillbook.kit.money import EXPONENTS, Money, percentage, rounded_product, share
from tillbook.kit.money import total as total_of
from tillbook.kit.text import hidden_character, printable
from tillbook.rules.forms.fields import Fields, Problem, is_mail_address
from tillbook.rules.forms.totals import out_of_reach

HINT = "Correct the order file and run the same command again."
LONGEST_NUMBER = 21  # QuickBooks' DocNumber
MOST_LINES = 500
_ADDRESS = {"line1": 500, "line2": 500, "city": 255, "state": 255, "postal_code": 30, "country": 100}
_UNITED_STATES = ("US", "USA", "UNITED STATES", "UNITED STATES OF AMERICA")
_SKU = re.compile(r"lines\[[0-9]+\]\.sku")
_MOST_DIGITS = 12  # before the point, as of every single amount
_MOST_DECIMALS = "CLF"  # stands in for a wrong currency, so that no amount is blamed for it


class InvalidOrder(Refused):
    """The form breaks rules. `problems` has all of them at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(map(str, problems)) if len(problems) == 1 else _listed(problems), hint=HINT)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Address:
    """Where the customer is. `country` is an ISO 3166 code, or as it was written. Any part may be empty."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    """Who asked. `id` is a QuickBooks id that the form's sender has stored, or empty."""

    name: str
    email: str
    address: Address | None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing asked for. `amount` is quantity times unit price, half a minor unit rounded up.

    The price is in major units, with the decimals of the currency or more.
    """

    description: str
    sku: str
    quantity: Decimal
    unit_price: Decimal
    taxable: bool
    amount: Money


@dataclass(frozen=True, slots=True)
class Discount:
    """What is taken off the subtotal: one of the two."""

    percent: Decimal | None
    amount: Money | None


@dataclass(frozen=True, slots=True)
class StatedTax:
    """The tax that the form showed the customer: one of the two. Compared with QuickBooks' figure, never sent."""

    percent: Decimal | None
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Order:
    """A valid order. `total` is what the form showed the customer, if it did."""

    number: str
    currency: str
    due: date
    memo: str
    customer: Customer
    lines: tuple[Line, ...]
    discount: Discount | None
    tax: StatedTax | None
    total: Money | None

    @property
    def subtotal(self) -> Money:
        """The sum of the lines before discount and tax."""
        return total_of((line.amount for line in self.lines), self.currency)

    @property
    def discount_amount(self) -> Money:
        """What the discount takes off the subtotal."""
        if self.discount is None:
            return Money.zero(self.currency)
        if self.discount.percent is not None:
            return percentage(self.discount.percent, self.subtotal)
        return self.discount.amount or Money.zero(self.currency)

    @property
    def net(self) -> Money:
        """Subtotal less discount, before tax."""
        return self.subtotal - self.discount_amount

    @property
    def taxable_net(self) -> Money:
        """The taxable lines less their share of the discount."""
        taxable = total_of((line.amount for line in self.lines if line.taxable), self.currency)
        untaxed = self.subtotal - taxable
        return taxable - share(self.discount_amount, [taxable.minor, untaxed.minor])[0]

    def expected_tax(self, quickbooks_tax: Money) -> Money:
        """The tax as the form stated it, else QuickBooks' own figure when anything is taxable, else zero."""
        if self.tax is not None and self.tax.percent is not None:
            return percentage(self.tax.percent, self.taxable_net)
        if self.tax is not None and self.tax.amount is not None:
            return self.tax.amount
        return quickbooks_tax if any(line.taxable for line in self.lines) else Money.zero(self.currency)

    def expected_total(self, quickbooks_tax: Money) -> Money:
        """What the invoice must come to: the stated total, else net plus the expected tax."""
        return self.total if self.total is not None else self.net + self.expected_tax(quickbooks_tax)


def read_order(text: str | bytes) -> Order:
    """The order in a JSON document of at most 1 MiB. Raises InvalidOrder, or Refused when it is not strict JSON."""
    try:
        raw = strict_json.loads(text)
    except Refused as error:
        raise Refused(error.message, hint=HINT) from None
    return parse_order(raw)


def parse_order(raw: object, *, kept: bool = False) -> Order:
    """The order in a JSON value (numbers with a point as Decimal). Raises InvalidOrder with every problem.

    A card number anywhere is reported alone, before anything that could repeat it. One that was `kept` has an invoice
    already: whether its total can be reached is not asked again.
    """
    cards = tuple(_card_problems(raw, ""))
    if cards:
        raise InvalidOrder(cards)
    problems: list[Problem] = []
    order = _order(raw, problems)
    if order is not None and not problems and not kept and (problem := out_of_reach(order)):
        problems.append(problem)
    if order is None or problems:
        raise InvalidOrder(tuple(problems))
    return order


def order_number(raw: object) -> str:
    """The number in a JSON value that need not be an order, or empty when none could be kept."""
    number = raw.get("number") if isinstance(raw, dict) else None
    text = number.strip() if isinstance(number, str) else ""
    fits = len(text) <= LONGEST_NUMBER and not contains_card_number(text) and not hidden_character(text)
    return text if fits else ""


def order_json(order: Order) -> str:
    """Everything that was asked, as canonical JSON: equal orders give equal text, however their files were laid out.

    `parse_order` reads it back into an equal order. What was left empty is left out.
    """
    customer = order.customer
    address = _filled({name: getattr(customer.address, name) for name in _ADDRESS}) if customer.address else None
    content = {
        "number": order.number,
        "currency": order.currency,
        "due": order.due.isoformat(),
        "memo": order.memo,
        "customer": _filled({"name": customer.name, "email": customer.email, "id": customer.id, "address": address}),
        "lines": [_line_json(line) for line in order.lines],
        "discount": _part_json(order.discount),
        "tax": _part_json(order.tax),
        "total": order.total.text if order.total else None,
    }
    return json.dumps(_filled(content), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def plain(value: Decimal) -> str:
    """A number without exponent and without zeros at the end: 0.50 is "0.5"."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _line_json(line: Line) -> dict[str, Any]:
    return _filled(
        {
            "description": line.description,
            "sku": line.sku,
            "quantity": plain(line.quantity),
            "unit_price": format(line.unit_price, "f"),
            "taxable": line.taxable,
        }
    )


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None)}


def _part_json(part: Discount | StatedTax | None) -> dict[str, str] | None:
    if part is None:
        return None
    if part.percent is not None:
        return {"percent": plain(part.percent)}
    return {"amount": part.amount.text if part.amount is not None else "0"}


def _listed(problems: tuple[Problem, ...]) -> str:
    return f"the order has {len(problems)} problems:\n" + "\n".join(f"  {problem}" for problem in problems)


def _card_problems(raw: object, place: str) -> Iterator[Problem]:
    """A problem for every text, name or number that holds a card number. None of them repeats it."""
    if isinstance(raw, dict):
        for name, value in raw.items():
            inner = f"{place}.{name}" if place else str(name)
            if contains_card_number(str(name)):
                yield _card_problem(f"a field name in {place or 'the order'}", str(name))
            else:
                yield from _card_problems(value, inner)
    elif isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from _card_problems(value, f"{place}[{index}]")
    elif contains_card_number(str(raw)) and not (_SKU.fullmatch(place) and is_barcode(str(raw))):
        yield _card_problem(printable(mask_card_numbers(place)) or "the order", str(raw))


def _card_problem(place: str, text: str) -> Problem:
    wrong = f"holds what looks like a card number ending in {contains_card_number(text)}"
    return Problem(place, wrong, "no card number: remove it")


def _order(raw: object, problems: list[Problem]) -> Order | None:
    """The order, or None after noting every problem."""
    known = ("number", "currency", "due", "memo", "customer", "lines", "discount", "tax", "total")
    fields = Fields.of(raw, "", known, problems)
    if not isinstance(raw, dict):
        return None
    currency = fields.checked("currency", EXPONENTS.__contains__, "an ISO 4217 code in capitals, like USD", 40)
    currency = currency if currency in EXPONENTS else _MOST_DECIMALS
    number, due = _number(fields), fields.day("due")
    memo = fields.text("memo", 1000, required=False, multiline=True)
    customer = _customer(fields, problems)
    order = Order(
        number=number,
        currency=currency,
        due=due,
        memo=memo,
        customer=customer,
        lines=_lines(fields, currency),
        discount=_discount(fields, currency),
        tax=_tax(fields, currency),
        total=fields.amount("total", currency) if fields.has("total") else None,
    )
    return None if problems or _totals_wrong(order, fields) else order


def _totals_wrong(order: Order, fields: Fields) -> bool:
    """Whether the figures of an order whose fields are right make no invoice. Their problems are noted."""
    try:
        if order.discount_amount > order.subtotal:
            fields.wrong("discount.amount", f"is {order.discount_amount}", f"at most the subtotal, {order.subtotal}")
        elif not order.net:
            fields.wrong("lines", f"come to {order.net} after discount", "an amount above zero")
        elif order.net.minor >= 10 ** (_MOST_DIGITS + EXPONENTS[order.currency]):
            fields.wrong("lines", f"come to {order.net}", f"at most {_MOST_DIGITS} digits before the point")
        if order.total is not None and not order.total:
            fields.wrong("total", f"is {order.total}", "an amount above zero")
    except Refused as error:
        fields.wrong("lines", error.message, "smaller amounts")
    return bool(fields.problems)


def _number(fields: Fields) -> str:
    """The invoice number, exactly as given: a space at its ends would make a second invoice that looks the same."""
    raw = fields.values.get("number")
    if isinstance(raw, str) and raw and raw != raw.strip():
        fields.wrong("number", "begins or ends with a space", f"1 to {LONGEST_NUMBER} characters without")
        return ""
    return fields.text("number", LONGEST_NUMBER)


def _customer(form: Fields, problems: list[Problem]) -> Customer:
    raw = form.values.get("customer")
    if not isinstance(raw, dict):
        form.wrong("customer", "is missing or not an object", 'an object with "name" and "email"')
        return Customer("", "", None)
    fields = Fields.of(raw, "customer", ("name", "email", "address", "id"), problems)
    return Customer(
        name=fields.text("name", 500),
        email=fields.checked("email", is_mail_address, "one plain mail address like ada@example.com", 100),
        address=_address(fields.values["address"], problems) if fields.has("address") else None,
        id=fields.checked("id", _is_id, "a QuickBooks id, digits only", 20) if fields.has("id") else "",
    )


def _address(raw: object, problems: list[Problem]) -> Address:
    fields = Fields.of(raw, "customer.address", tuple(_ADDRESS), problems)
    parts = {name: fields.text(name, longest, required=False) for name, longest in _ADDRESS.items()}
    return Address(**{**parts, "country": _country(parts["country"])})


def _country(text: str) -> str:
    """Two capital letters where it is a code or our own country's name, else as it was written: no country in words
    refuses a sale."""
    letters = text.replace(".", "").upper()
    if letters in _UNITED_STATES or (len(letters) == len("US") and letters.isascii() and letters.isalpha()):
        return "US" if letters in _UNITED_STATES else letters
    return text


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _lines(fields: Fields, currency: str) -> tuple[Line, ...]:
    raw = fields.values.get("lines")
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_LINES:
        wrong = f"has {len(raw)} lines" if isinstance(raw, list) else "is missing or not a list"
        fields.wrong("lines", wrong, f"a list of 1 to {MOST_LINES} lines")
        return ()
    return tuple(_line(value, f"lines[{index}]", currency, fields.problems) for index, value in enumerate(raw))


def _line(raw: object, path: str, currency: str, problems: list[Problem]) -> Line:
    known = ("description", "sku", "quantity", "unit_price", "taxable")
    fields = Fields.of(raw, path, known, problems)
    if not isinstance(raw, dict):
        return Line("", "", Decimal(1), Decimal(0), False, Money.zero(currency))
    quantity = fields.decimal("quantity", above=0, most=1_000_000, places=5)
    unit_price = fields.price("unit_price", currency)
    try:
        amount = rounded_product(quantity, unit_price, currency)
    except Refused as error:
        fields.wrong("unit_price", error.message, "a smaller price or quantity")
        amount = Money.zero(currency)
    return Line(
        description=fields.text("description", 4000, required=False, multiline=True),
        sku=fields.text("sku", 100),
        quantity=quantity,
        unit_price=unit_price,
        taxable=fields.boolean("taxable") if fields.has("taxable") else False,
        amount=amount,
    )


def _discount(fields: Fields, currency: str) -> Discount | None:
    part = _one_of_two(fields, "discount")
    if part is None:
        return None
    if part.has("percent"):
        return Discount(part.decimal("percent", above=0, most=100, places=2), None)
    return Discount(None, part.amount("amount", currency))


def _tax(fields: Fields, currency: str) -> StatedTax | None:
    part = _one_of_two(fields, "tax")
    if part is None:
        return None
    if part.has("percent"):
        return StatedTax(part.decimal("percent", above=None, most=100, places=5), None)
    return StatedTax(None, part.amount("amount", currency))


def _one_of_two(fields: Fields, name: str) -> Fields | None:
    """The object that states either a percentage or an amount, or None when it is not given or neither one."""
    if not fields.has(name):
        return None
    part = Fields.of(fields.values[name], fields.place(name), ("percent", "amount"), fields.problems)
    if part.has("percent") == part.has("amount"):
        fields.wrong(name, "states both or neither of percent and amount", "exactly one of them")
        return None
    return part
