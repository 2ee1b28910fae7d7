"""Records of QuickBooks read completely: by id, by an exact value, page after page, or since a moment.

Rows of a query are compared once more with the exact value: a query finds too much (see `query.py`), and QuickBooks
itself compares without regard to case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar

from tillbook.kit.clock import rfc3339
from tillbook.kit.errors import Refused, Unreadable
from tillbook.rules.operations import Json
from tillbook.vendors.quickbooks import query, read
from tillbook.vendors.quickbooks.session import Connection

Value = TypeVar("Value")

EVERYBODY = "Active IN (true, false)"
"""Queries leave inactive names out unless they are asked for, too."""

_NOT_FOUND = "610"


class Records:
    """What one company's books hold."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def home_currency(self) -> str:
        """The currency of a record that names none. It is asked for once."""
        return self._home

    @cached_property
    def _home(self) -> str:
        preferences = self.connection.call(
            lambda client: client.get(f"{client.api_url}/company/{client.company_id}/preferences")
        )
        with readable():
            return str(preferences["Preferences"]["CurrencyPrefs"]["HomeCurrency"]["value"])

    def by_id(
        self,
        entity: str,
        quickbooks_id: str,
        read: Callable[[Json, read.HomeCurrency], Value],
    ) -> Value | None:
        """One record by id as `read` makes a value of it, or None when there is none any more."""
        raw = self.raw(entity, quickbooks_id)
        with readable():
            return None if raw is None else read(raw, self.home_currency)

    def raw(self, entity: str, quickbooks_id: str) -> Json | None:
        """One record by id, or None when there is none any more."""
        if not (quickbooks_id.isascii() and quickbooks_id.isdigit()):
            return None
        try:
            answer = self.connection.call(lambda client: client.get_single_object(entity, quickbooks_id))
        except Refused as error:
            if error.code == _NOT_FOUND:
                return None
            raise
        raw = read.entity(answer, entity)
        return None if raw.get("status") == "Deleted" else raw

    def exact(self, entity: str, field: str, value: str, *, also: str = "") -> list[Json]:
        """Every record whose field is exactly this value."""
        where = query.matching(field, value) + (f" AND {also}" if also else "")
        return [raw for raw in self.rows(entity, where) if raw.get(field) == value]

    def rows(self, entity: str, where: str) -> list[Json]:
        """Every row of a query, page after page, each id once."""
        rows: dict[str, Json] = {}
        start = 1
        while True:
            page = self._page(entity, where, start)
            with readable():
                rows.update((raw["Id"], raw) for raw in page)
            if len(page) < query.PAGE:
                return list(rows.values())
            start += query.PAGE

    def newest(self, entity: str, where: str = "") -> list[Json]:
        """The thousand rows that were made last."""
        return self._answer(entity, query.newest(entity, where))

    def _page(self, entity: str, where: str, start: int) -> list[Json]:
        return self._answer(entity, query.select(entity, where, start))

    def _answer(self, entity: str, asked: bytes) -> list[Json]:
        answer = self.connection.call(lambda client: client.query(asked))
        with readable():
            page: list[Json] = answer["QueryResponse"].get(entity, [])
        return page

    def captured(self, entity: str, since: int) -> list[Json]:
        """What Change Data Capture tells: records as they are now, of deleted ones only the id."""
        answer = self.connection.call(lambda client: client.change_data_capture(entity, rfc3339(since)))
        with readable():
            pages = [page for response in answer["CDCResponse"] for page in response["QueryResponse"]]
            return [raw for page in pages for raw in page.get(entity, [])]

    def only(self, what: str, rows: list[Json]) -> Json | None:
        """The one row, None when there is none. Raises Refused for more of them."""
        if len(rows) > 1:
            raise Refused(
                f"QuickBooks holds {len(rows)} records for {what}: ids {', '.join(str(raw['Id']) for raw in rows)}",
                hint="Look at them in QuickBooks and delete or renumber what should not be there.",
            )
        return rows[0] if rows else None


@contextmanager
def readable() -> Iterator[None]:
    """A record without a field that it must have is no answer."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(
            f"QuickBooks' answer cannot be read ({type(error).__name__}: {error})",
            field=str(error.args[0]) if isinstance(error, KeyError) else "",
            hint="Run the same command again later; if it stays, the record was changed by hand in an odd way.",
        ) from error
