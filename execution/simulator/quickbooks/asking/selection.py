"""Answering a parsed query: which entities match, in what order, which page and columns."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from simulator.quickbooks import faults
from simulator.quickbooks.asking.query import Condition, Query, parse
from simulator.quickbooks.company.company import Company
from simulator.quickbooks.exact import NUMBERS
from simulator.world import Json

_ZONE = timezone(timedelta(hours=-8))


def answer(company: Company, text: str) -> Json:
    """The `QueryResponse` of a query: entities with `startPosition` and `maxResults`, or `totalCount`."""
    query = parse(text)
    found = [one for one in company.all(query.kind.name) if _matches(one, query)]
    if query.count:
        return {"totalCount": len(found)}
    for name, descending in reversed(query.order):
        found.sort(key=lambda one, name=name: _sort_key(one, name), reverse=descending)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    page = found[query.start - 1 : query.start - 1 + query.most]
    if not page:
        return {}
    shown = [_columns(one, query.columns) for one in page]
    return {query.kind.name: shown, "startPosition": query.start, "maxResults": len(page)}


def _matches(entity: Json, query: Query) -> bool:
    asks_activity = any(condition.name == "Active" for condition in query.conditions)
    if not asks_activity and entity.get("Active") is False:
        return False
    return all(_meets(entity, condition) for condition in query.conditions)


def _meets(entity: Json, condition: Condition) -> bool:
    found = _field(entity, condition.name)
    if found is None:
        # Check the literal all the same: a wrong one is refused whatever the company holds.
        for value in condition.values:
            _comparable(condition.name, value)
        return False
    if condition.sign == "like":
        return _like(str(found), condition.values[0])
    own = _comparable(condition.name, found)
    values = [_comparable(condition.name, value) for value in condition.values]
    if condition.sign in ("=", "in"):
        return own in values
    return _ordered(own, condition.sign, values[0])


def _ordered(own: Any, sign: str, value: Any) -> bool:
    if sign == "<":
        return bool(own < value)
    if sign == ">":
        return bool(own > value)
    return bool(own <= value) if sign == "<=" else bool(own >= value)


def _field(entity: Json, name: str) -> Any:
    """A field's plain value: a reference's id, a mail address's text."""
    found: Any = entity
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, dict):
        return next((found[key] for key in ("value", "Address", "FreeFormNumber") if key in found), None)
    return found


def _comparable(name: str, value: Any) -> Any:
    """A value in the form that compares: numbers as such, times as instants, texts without letter case."""
    text = str(value)
    if name in NUMBERS:
        try:
            return Decimal(text)
        except InvalidOperation as error:
            raise faults.query_property(f"{text!r} is not a number for {name}") from error
    if name.startswith("MetaData."):
        return instant(text)
    if name == "Id":
        return (len(text), text)  # ids are numbers without leading zeros
    return text.lower() if isinstance(value, bool) else text.casefold()


def instant(text: str) -> datetime:
    """A time of the query language. A date or a time without an offset is Pacific."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise faults.query_property(f"{text!r} is not a date and time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=_ZONE)


def _like(found: str, pattern: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("%"))
    return re.fullmatch(".*".join(parts), found, re.IGNORECASE | re.DOTALL) is not None


def _sort_key(entity: Json, name: str) -> tuple[bool, Any]:
    found = _field(entity, name)
    return (found is not None, None if found is None else _comparable(name, found))


def _columns(entity: Json, columns: list[str]) -> Json:
    if not columns:
        return entity
    wanted = {"domain", "sparse", *(name.partition(".")[0] for name in columns)}
    return {name: value for name, value in entity.items() if name in wanted}
