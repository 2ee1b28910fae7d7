"""The query language: `select * from Invoice where DocNumber = 'INV-1' orderby TxnDate startposition 1 maxresults 9`.

Text literals stand between single quotes, with a backslash before a quote or backslash inside. Conditions
are joined by AND only. A field that the real service cannot filter by is refused (Fault 4001).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from simulator.quickbooks import faults
from simulator.quickbooks.entities.kinds import BY_PATH, Kind

DEFAULT_RESULTS = 100
MOST_RESULTS = 1000

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\['\\%_])*')|(?P<sign><=|>=|<|>|=|\(|\)|,|\*)|(?P<word>[\w.+-]+))""", re.ASCII
)
_COMPARE = ("=", "<", ">", "<=", ">=", "like", "in")


@dataclass(frozen=True)
class Condition:
    """One comparison. `values` has several members for IN only."""

    name: str
    sign: str
    values: tuple[str, ...]


@dataclass
class Query:
    """A parsed query. No `columns` means all of them."""

    kind: Kind
    columns: list[str] = field(default_factory=list)
    count: bool = False
    conditions: list[Condition] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    start: int = 1
    most: int = DEFAULT_RESULTS


def parse(text: str) -> Query:
    """Parse a query. Raises Fault 4000 for broken syntax and 4001 for what cannot be asked."""
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    position = 0
    stripped = text.rstrip().removesuffix(";").rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise faults.query_syntax(f'Encountered an unexpected character at position {position + 1}: "..."')
        kind = str(match.lastgroup)
        tokens.append((kind, match.group(kind)))
        position = match.end()
    return tokens


class _Parser:
    """Reads the tokens from left to right."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        self._expect("select")
        columns, count = self._columns()
        self._expect("from")
        name = self._word()
        kind = BY_PATH.get(name.lower())
        if kind is None:
            raise faults.query_property(f"Entity {name} cannot be queried")
        result = Query(kind, columns, count)
        self._check_columns(result)
        if self._take("where"):
            result.conditions = self._conditions(kind)
        if self._take("orderby") or (self._take("order") and self._expect("by")):
            result.order = self._order(kind)
        if self._take("startposition"):
            result.start = self._count_word("STARTPOSITION", 1, 10**9)
        if self._take("maxresults"):
            result.most = self._count_word("MAXRESULTS", 1, MOST_RESULTS)
        if self._at < len(self._tokens):
            raise self._unexpected()
        return result

    def _columns(self) -> tuple[list[str], bool]:
        if self._take("count"):
            for sign in ("(", "*", ")"):
                self._expect(sign)
            return [], True
        columns = []
        while True:
            columns.append("*" if self._take("*") else self._word())
            if not self._take(","):
                return ([] if "*" in columns else columns), False

    def _check_columns(self, query: Query) -> None:
        for name in query.columns:
            if query.kind.compute is not None and name.partition(".")[0] not in query.kind.fields:
                raise faults.query_property(f"Property {name} not found for Entity {query.kind.name}")

    def _conditions(self, kind: Kind) -> list[Condition]:
        conditions = [self._condition(kind)]
        while self._take("and"):
            conditions.append(self._condition(kind))
        return conditions

    def _condition(self, kind: Kind) -> Condition:
        if self._take("("):  # a bracketed condition, as some clients write it
            condition = self._condition(kind)
            self._expect(")")
            return condition
        name = self._asked(kind)
        sign = self._next()[1].lower()
        if sign not in _COMPARE:
            raise self._unexpected(-1)
        if sign != "in":
            return Condition(name, sign, (self._value(),))
        self._expect("(")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._expect(")")
        return Condition(name, sign, tuple(values))

    def _order(self, kind: Kind) -> list[tuple[str, bool]]:
        order = []
        while True:
            name = self._asked(kind)
            descending = self._take("desc")
            if not descending:
                self._take("asc")
            order.append((name, descending))
            if not self._take(","):
                return order

    def _asked(self, kind: Kind) -> str:
        """A field that may be filtered or sorted by. Its letters' case does not matter."""
        word = self._word()
        for name in kind.asked:
            if word.lower() == name.lower():
                return name
        raise faults.query_property(f"Property {word} not found for Entity {kind.name}")

    def _value(self) -> str:
        kind, text = self._next()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "word" and (text.lower() in ("true", "false") or re.fullmatch(r"[+-]?\d+(\.\d+)?", text)):
            return text
        raise self._unexpected(-1)

    def _count_word(self, name: str, least: int, most: int) -> int:
        text = self._word()
        if not text.isdigit():
            raise self._unexpected(-1)
        if not least <= int(text) <= most:
            raise faults.query_property(f"{name} must lie between {least} and {most}")
        return int(text)

    # -- tokens ------------------------------------------------------------------------------------

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise faults.query_syntax("Encountered <EOF>")
        self._at += 1
        return self._tokens[self._at - 1]

    def _word(self) -> str:
        kind, text = self._next()
        if kind != "word":
            raise self._unexpected(-1)
        return text

    def _take(self, text: str) -> bool:
        if self._at < len(self._tokens):
            kind, found = self._tokens[self._at]
            if kind != "text" and found.lower() == text:
                self._at += 1
                return True
        return False

    def _expect(self, text: str) -> bool:
        if not self._take(text):
            raise self._unexpected()
        return True

    def _unexpected(self, offset: int = 0) -> faults.Fault:
        position = self._at + offset
        found = self._tokens[position][1] if position < len(self._tokens) else "<EOF>"
        return faults.query_syntax(f'Encountered " {found} " at word {position + 1}')
