"""Strict JSON for a door that is in a hurry: the usual body of a webhook, several times faster."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tillbook.strict_json import DEEPEST, LIMIT_BYTES, loads


def loads_quickly(data: bytes) -> object:
    """The value that `strict_json.loads` gives, or its refusal.

    A name that stands twice is lost in decoding, so the text has more quotation marks than the value written anew.
    What has escapes, deep nesting or anything unusual goes the slow way, which says what is wrong. A number with a
    point is a float here: only for bodies of which no such number is read.
    """
    decode, encode = _codec()
    if b"\\" not in data and len(data) <= LIMIT_BYTES and data.count(b"{") + data.count(b"[") <= DEEPEST:
        try:
            value = decode(data)
        except (ValueError, RecursionError):  # also bytes that are not UTF-8
            return loads(data)
        if encode(value).count(b'"') == data.count(b'"'):
            return value
    return loads(data)


@cache
def _codec() -> tuple[Callable[[bytes], object], Callable[[object], bytes]]:
    """A decoder and an encoder that are made once: making them anew costs a quarter of a webhook's decoding."""
    import msgspec  # noqa: PLC0415  the receiver's alone: start-up time

    return msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
