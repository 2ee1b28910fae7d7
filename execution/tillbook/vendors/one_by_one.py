"""Many records, each read by itself: one that cannot be understood is named in its place and stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from tillbook.kit.errors import Refused, Unreadable
from tillbook.rules.events import UnreadableRecord

Value = TypeVar("Value")

_LONGEST_NAME = 255
# What a reader raises that takes a documented shape for granted.
_ODD_SHAPE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def each(
    raws: Iterable[Any], read: Callable[[Any], Iterable[Value]], name: Callable[[Any], UnreadableRecord]
) -> Iterator[Value | UnreadableRecord]:
    """What `read` makes of every record. It asks no vendor. What it told before it failed counts.

    `name` says whose record it is, with as much as can be read of it.
    """
    for raw in raws:
        try:
            yield from read(raw)
        except (Unreadable, Refused, *_ODD_SHAPE) as error:
            yield unread(name(raw), error)


def unread(record: UnreadableRecord, error: Exception) -> UnreadableRecord:
    """A record with the field and the reason of an error."""
    reason = getattr(error, "message", "") or f"it has another form than is documented ({type(error).__name__})"
    return replace(record, field=getattr(error, "field", "") or record.field, reason=reason)


def parted(found: Iterable[Value | UnreadableRecord]) -> tuple[list[Value], tuple[UnreadableRecord, ...]]:
    """What could be read, and what could not."""
    values: list[Value] = []
    odd: list[UnreadableRecord] = []
    for one in found:
        if isinstance(one, UnreadableRecord):
            odd.append(one)
        else:
            values.append(one)
    return values, tuple(odd)


def plain(holder: Any, name: str) -> str:
    """A field of anything as a short text of one line, or empty: for the name of a record that is odd."""
    value = holder.get(name) if isinstance(holder, dict) else None
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if text.isprintable() and len(text) <= _LONGEST_NAME else ""
