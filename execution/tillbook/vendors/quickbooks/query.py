"""QuickBooks' query language: one encoder for every literal, and pages of a thousand.

Intuit's lexer refuses curly quotes and many other characters beyond ASCII, or silently finds nothing. So a query
of ours is always plain ASCII: a value that is more is searched by its plain parts with LIKE, which finds too much
and never too little. The caller compares every row with the exact value in any case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PAGE = 1000
"""The most rows that QuickBooks puts into one answer."""

_BEYOND_PLAIN = re.compile(r"[^A-Za-z0-9 .,@()/&+-]+")


def literal(value: str) -> str:
    """A quoted value. The backslash is Intuit's escape for a quote and for itself.

    >>> literal("O'Brien")
    "'O\\\\'Brien'"
    """
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def matching(field: str, value: str) -> str:
    """A condition that holds for every row whose field is the value, and perhaps for more rows."""
    if value.isascii() and value.isprintable():
        return f"{field} = {literal(value)}"
    return f"{field} LIKE '{_BEYOND_PLAIN.sub('%', value)}'"


def beginning(field: str, start: str) -> str:
    """A condition that holds for every row whose field begins so, and perhaps for more rows."""
    return f"{field} LIKE '{_BEYOND_PLAIN.sub('%', start)}%'"


def any_of(field: str, values: Iterable[str]) -> str:
    """A condition that holds for every row whose field is one of the values (plain ASCII), in a stable order."""
    return f"{field} IN ({', '.join(literal(value) for value in sorted(values))})"


def select(entity: str, where: str, start: int) -> bytes:
    """One page of rows, `start` counting from 1. Ordered by Id: without an order, pages may lose rows."""
    return f"SELECT * FROM {entity} WHERE {where} ORDERBY Id STARTPOSITION {start} MAXRESULTS {PAGE}".encode("ascii")


def newest(entity: str, where: str) -> bytes:
    """The thousand rows that were made last, the newest first. An empty condition means all."""
    condition = f" WHERE {where}" if where else ""
    return f"SELECT * FROM {entity}{condition} ORDERBY MetaData.CreateTime DESC MAXRESULTS {PAGE}".encode("ascii")
