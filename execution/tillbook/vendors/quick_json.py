"""Strict JSON for a door that is in a hurry: the usual body of a webhook, several times faster."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tillbook.kit.strict_json import DEEPEST, LIMIT_BYTES, loads

_NO_MARKS = bytes(set(range(256)) - set(b'"\\{['))  # what says nothing of names, escapes or depth


def loads_quickly(data: bytes) -> object:
    """The value that `strict_json.loads` gives, or its refusal.

    A name that stands twice is lost in decoding, so the text has more quotation marks than the value written anew.
    What has escapes, deep nesting or anything unusual goes the slow way, which says what is wrong. A number with a
    point is a float here: only for bodies of which no such number is read.
    """
    decode, encode = _codec()
    marks = data.translate(None, _NO_MARKS)
    if b"\\" not in marks and len(data) <= LIMIT_BYTES and marks.count(b"{") + marks.count(b"[") <= DEEPEST:
        try:
            value = decode(data)
        except (ValueError, RecursionError):  # also bytes that are not UTF-8
            return loads(data)
        if encode(value).count(b'"') == marks.count(b'"'):
            return value
    return loads(data)


@cache
def _codec() -> tuple[Callable[[bytes], object], Callable[[object], bytes]]:
    """A decoder and an encoder that are made once, not for each webhook."""
    import msgspec  # noqa: PLC0415  the receiver's alone: start-up time

    return msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
