"""JSON as strangers may send it, read so that no two readers can understand it differently.

Refused: more bytes than the limit, text that is not UTF-8, a name used twice in one object, NaN and Infinity, numbers
beyond reason, and nesting deeper than 64. Numbers with a point or an exponent come back as Decimal, never as float.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from tillbook.kit.cards import mask_card_numbers
from tillbook.kit.errors import Refused

_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NO_BRACKET = re.compile(r"[^\[\]{}]++")
_BYTE_ORDER_MARK = "\ufeff"
LIMIT_BYTES = 1024 * 1024
DEEPEST = 64


def loads(data: str | bytes, *, limit_bytes: int = LIMIT_BYTES) -> object:
    """The value of a JSON document. Raises Refused with the reason."""
    text = _text(data, limit_bytes)
    if _depth(text) > DEEPEST:
        raise Refused(f"the JSON is nested too deeply; expected at most {DEEPEST} levels")
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Refused(f"this is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError:  # more digits than Python turns into an integer
        raise Refused("a number in the JSON is beyond reason") from None
    return value


def _text(data: str | bytes, limit_bytes: int) -> str:
    """The document without its byte order mark, within the limit, in well-formed UTF-8."""
    try:
        raw = data.encode() if isinstance(data, str) else data
        if len(raw) > limit_bytes:
            raise Refused(f"the JSON has {len(raw)} bytes; expected at most {limit_bytes}")
        return raw.decode().removeprefix(_BYTE_ORDER_MARK)  # the codec that removes it itself is ten times slower
    except UnicodeError:
        raise Refused("the JSON is not UTF-8 text; expected UTF-8") from None


def _depth(text: str) -> int:
    """The deepest nesting of objects and arrays, counted without recursion. Brackets inside strings are no nesting."""
    if text.count("{") + text.count("[") <= DEEPEST:  # the usual case: it cannot be deeper than it has brackets
        return 0
    deepest = depth = 0
    for bracket in _NO_BRACKET.sub("", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused(f"{mask_card_numbers(twice)[:40]!r} is given twice in one object; expected it once")
    return result


def _no_constant(name: str) -> NoReturn:
    raise Refused(f"{name} is not a number of JSON; expected a finite one")


def _decimal(literal: str) -> Decimal:
    try:
        return Decimal(literal)
    except InvalidOperation:
        raise Refused("a number in the JSON is beyond reason") from None


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_decimal)
