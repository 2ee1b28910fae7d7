"""What two orders under one number differ in, for the person who must choose between them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_NOTHING = "nothing"


def differences(first: str, second: str) -> list[str]:
    """A clause for each field in which two orders, as `order_json` writes them, differ: its place, before and now."""
    before, now = dict(_fields(json.loads(first), "")), dict(_fields(json.loads(second), ""))
    places = sorted(before.keys() | now.keys())
    return [
        f"{place} is {_shown(now.get(place))} and was {_shown(before.get(place))}"
        for place in places
        if before.get(place) != now.get(place)
    ]


def _fields(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every text of an order by its place, as `lines[0].quantity`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _fields(inner, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _fields(inner, f"{place}[{index}]")
    else:
        yield place, str(value)


def _shown(text: str | None) -> str:
    return _NOTHING if text is None else repr(text)
