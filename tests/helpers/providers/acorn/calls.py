"""Every call to Acorn: JSON over HTTPS with a bearer key, lists in pages, errors in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from helpers.providers.acorn.declaration import API_BASE, API_KEY
from tillbook.kit.errors import NotAllowed, TillbookError, Unavailable, Uncertain
from tillbook.rules.operations import Json
from tillbook.vendors.errors import CHECK_SETUP, Fault, NoAnswer, Vendor, json_object, vendor_text

if TYPE_CHECKING:
    import requests

    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings
    from tillbook.vendors.http import Session

ACORN = Vendor("Acorn")
PAGE_SIZE = 50

Result = TypeVar("Result")


class AcornCalls:
    """One account's connection, kept open between calls."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def read(self, path: str, query: Mapping[str, str | int] | None = None) -> Json:
        """What a reading call answers. Raises Refused (code `resource_missing`: no such thing) or Unavailable."""
        return self._call("GET", path, query=query or {}, change=False)

    def change(self, path: str, body: Json, key: str, result: Callable[[Json], Result]) -> Result:
        """The `result` of a call that changes something, under this key. Raises Refused, Unavailable or Uncertain."""
        answer = self._call("POST", path, body=body, key=key, change=True)
        try:
            return result(answer)
        except Unavailable as error:
            raise Uncertain(f"Acorn acted, but {error.message}") from error

    def pages(self, path: str, **query: str | int) -> Iterator[Json]:
        """Every object of a list, page by page. A list that breaks off raises Unavailable."""
        after, more = "", True
        while more:
            page = self.read(path, {**query, "limit": PAGE_SIZE, "after": after})
            items, more = page.get("items"), page.get("more") is not False
            if not isinstance(items, list) or (more and not items):
                raise Unavailable("Acorn's list broke off before its end")
            yield from items
            after = str(items[-1]["id"]) if items else ""

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Json | None = None,
        key: str = "",
        change: bool,
    ) -> Json:
        from tillbook.vendors.http import ask

        if not self._settings[API_KEY]:
            raise NotAllowed("ACORN_API_KEY is empty", hint=f"Set it, then run: {CHECK_SETUP}")
        headers = {"Authorization": f"Bearer {self._settings[API_KEY]}", **({"Acorn-Key": key} if key else {})}
        address = self._settings[API_BASE] + path

        def attempt() -> Json:
            try:
                told = self._session.request(method, address, params=query, json=body, headers=headers)
                if told.ok:
                    return json_object(told.content)
                failure = self._refusal(told, change=change)
            except NoAnswer as error:
                failure = ACORN.silence(error, change=change)
            raise failure  # outside the handler, without a cause

        return ask(attempt, self._settings, self._clock)

    def _refusal(self, told: requests.Response, *, change: bool) -> TillbookError:
        try:
            problem = json_object(told.content).get("problem")
        except NoAnswer:
            problem = None
        fault = None
        if isinstance(problem, dict):
            words = vendor_text(str(problem.get("words") or "no reason given"), self._settings.secrets)
            fault = Fault(str(problem.get("code") or ""), words)
        return ACORN.refusal(told.status_code, told.headers, fault, change=change)

    @cached_property
    def _session(self) -> Session:
        from tillbook.vendors.http import Session

        return Session(self._settings, self._clock)
