"""Fields of a submitted form: each check notes what was wrong and goes on, so that all problems are told at once."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tillbook.kit.addresses import ascii_address
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money, parse, parse_price
from tillbook.kit.text import hidden_character, printable

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct in a form."""

    field: str
    wrong: str
    expected: str

    def __str__(self) -> str:
        return f"{self.field}: {self.wrong}; expected {self.expected}"


@dataclass(slots=True)
class Fields:
    """The fields of one JSON object of a form. `path` is its place ("" for the form itself)."""

    values: dict[str, object]
    path: str
    problems: list[Problem] = field(repr=False)

    @classmethod
    def of(cls, raw: object, path: str, known: tuple[str, ...], problems: list[Problem]) -> Fields:
        """Take an object apart. Fields that are not known are problems of their own."""
        fields = cls(raw if isinstance(raw, dict) else {}, path, problems)
        if not isinstance(raw, dict):
            problems.append(Problem(path or "the order", f"is {described(raw)}", "an object"))
        for name in fields.values:
            if name not in known:
                nearest = difflib.get_close_matches(str(name), known, n=1)
                wanted = f"{nearest[0]!r}" if nearest else f"one of {', '.join(known)}"
                fields.wrong(printable(str(name)), "is not a known field", wanted)
        return fields

    def has(self, name: str) -> bool:
        """Whether the field is given. Null counts as not given."""
        return self.values.get(name) is not None

    def place(self, name: str) -> str:
        """Where a field stands in the form."""
        return f"{self.path}.{name}" if self.path else name

    def wrong(self, name: str, wrong: str, expected: str) -> None:
        """Note a problem of a field."""
        self.problems.append(Problem(self.place(name), wrong, expected))

    def string(self, name: str, expected: str) -> str | None:
        """The raw string, or None after noting that it is missing or of another type."""
        value = self.values.get(name)
        if isinstance(value, str):
            return value
        if value is None:
            self.wrong(name, "is missing", expected)
        elif isinstance(value, int | Decimal) and not isinstance(value, bool):
            self.wrong(name, f"is the number {str(value)[:24]}", f'it as a string, "{str(value)[:24]}"')
        else:
            self.wrong(name, f"is {described(value)}", expected)
        return None

    def text(self, name: str, longest: int, *, required: bool = True, multiline: bool = False) -> str:
        """Text in normal form (NFC) without spaces around it, or empty when it is not required and not given."""
        if not required and not self.has(name):
            return ""
        expected = f"text of {1 if required else 0} to {longest} characters"
        raw = self.string(name, expected)
        if raw is None:
            return ""
        lines = raw.replace("\r\n", "\n") if multiline else raw
        hidden = hidden_character(lines, allowed="\n\t" if multiline else "")
        if hidden:
            self.wrong(name, f"holds the hidden character {hidden}", "plain text")
            return ""
        text = unicodedata.normalize("NFC", lines).strip()
        if len(text) > longest or (required and not text):
            self.wrong(name, f"has {len(text)} characters", expected)
            return ""
        return text

    def checked(self, name: str, check: Callable[[str], bool], expected: str, longest: int) -> str:
        """Text that must also pass a check."""
        text = self.text(name, longest)
        if text and not check(text):
            self.wrong(name, f"is {printable(text)!r}", expected)
        return text

    def amount(self, name: str, currency: str) -> Money:
        """Money of zero or more, from a decimal string. Zero after a problem."""
        expected = f'a decimal string like "{parse("60", currency).text}"'
        raw = self.string(name, expected)
        try:
            return Money.zero(currency) if raw is None else parse(raw, currency)
        except Refused as error:
            self.wrong(name, error.message.partition("; ")[0], expected)
            return Money.zero(currency)

    def price(self, name: str, currency: str) -> Decimal:
        """The price of one piece, zero or more, from a decimal string. Zero after a problem."""
        expected = f'a decimal string like "{parse("60", currency).text}"'
        raw = self.string(name, expected)
        try:
            return Decimal(0) if raw is None else parse_price(raw, currency)
        except Refused as error:
            self.wrong(name, error.message.partition("; ")[0], expected)
            return Decimal(0)

    def decimal(self, name: str, *, above: int | None, most: int, places: int) -> Decimal:
        """An exact number above (or, with None, from) zero to `most` with at most `places` decimals, else 1."""
        lower = "0 or more" if above is None else f"more than {above}"
        expected = f"a decimal string, {lower} and at most {most}, with at most {places} decimals"
        raw = self.string(name, expected)
        if raw is None:
            return Decimal(1)
        match = _DECIMAL.fullmatch(raw)
        value = Decimal(raw) if match else Decimal(-1)
        if match and len(match[2] or "") <= places and value <= most and (above is None or value > above):
            return value
        self.wrong(name, f"is {printable(raw)!r}", expected)
        return Decimal(1)

    def boolean(self, name: str) -> bool:
        """True or false. False after a problem."""
        value = self.values.get(name)
        if not isinstance(value, bool):
            self.wrong(name, "is missing" if value is None else f"is {described(value)}", "true or false")
        return value is True

    def day(self, name: str) -> date:
        """A date. The first of all days after a problem."""
        expected = "a date like 2027-01-31"
        raw = self.string(name, expected)
        try:
            if raw is not None and _DATE.fullmatch(raw):
                return date.fromisoformat(raw)
        except ValueError:
            pass
        if raw is not None:
            self.wrong(name, f"is {printable(raw)!r}", expected)
        return date.min


def is_mail_address(text: str) -> bool:
    """One plain public address in ASCII: an international domain is written in its xn-- form."""
    return text.isascii() and bool(ascii_address(text, public=True))


def described(value: object) -> str:
    """What kind of JSON value this is, in words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds = {dict: "an object", list: "a list", str: "a string", int: "a number", Decimal: "a number"}
    return "null" if value is None else kinds.get(type(value), f"a {type(value).__name__}")
