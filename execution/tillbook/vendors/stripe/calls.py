"""Every call to Stripe goes through here: the SDK's client, repeated attempts, and its errors in our words.

The SDK is used as it is and imported only when something is asked: that takes longer than most steps run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from tillbook.kit.errors import NotAllowed, Refused, TillbookError, Unavailable, Uncertain
from tillbook.kit.settings import forget
from tillbook.rules.operations import Json
from tillbook.vendors.errors import CHECK_SETUP, json_object, unreadable
from tillbook.vendors.stripe.declaration import API_BASE, SECRET_KEY
from tillbook.vendors.stripe.errors import STRIPE, translated
from tillbook.vendors.stripe.objects import text

if TYPE_CHECKING:
    import requests
    from stripe import StripeClient

    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings

STRIPE_VERSION = "2026-10-28.endive"
"""The API version that every call names: the one that the objects here were written for."""

PAGE_SIZE = 100

Call = Callable[["StripeClient"], Any]
Result = TypeVar("Result")
ListPage = Callable[["StripeClient", str], Any]


class StripeCalls:
    """One account's connection, kept open between calls."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def read(self, call: Call) -> Json:
        """What a reading call answers, as a plain dict. Raises Refused or Unavailable."""
        return self._patiently(call, change=False)

    def change(self, call: Call, result: Callable[[Json], Result]) -> Result:
        """The `result` of a call that changes something. Raises Refused, Unavailable or Uncertain."""
        answer = self._patiently(call, change=True)
        try:
            return result(answer)
        except Unavailable as error:
            raise Uncertain(f"Stripe acted, but {error.message}") from error

    def pages(self, list_page: ListPage) -> Iterator[Json]:
        """Every object of a list, page by page. `list_page` takes the id after which to go on, empty at first.

        Ends only when Stripe says that there is no more: a list that breaks off raises Unavailable.
        """
        after, more = "", True
        while more:
            page = self.read(partial(_page_after, list_page, after))
            objects, more = page.get("data"), page.get("has_more") is not False
            last = text(objects[-1], "id") if isinstance(objects, list) and objects else after
            if not isinstance(objects, list) or (more and last == after):
                raise Unavailable("Stripe's list broke off before its end")
            yield from objects
            after = last

    def _patiently(self, call: Call, *, change: bool) -> Json:
        from tillbook.vendors.http import ask  # noqa: PLC0415  imported where it is used: start-up time

        client, hidden = self._client, self._settings.secrets
        return ask(lambda: _asked(call, client, change=change, hidden=hidden), self._settings, self._clock)

    @cached_property
    def _client(self) -> StripeClient:
        return _connect(self._settings, self._clock)


def _page_after(list_page: ListPage, after: str, client: StripeClient) -> Any:
    return list_page(client, after)


def _asked(call: Call, client: StripeClient, *, change: bool, hidden: Collection[str]) -> Json:
    """One attempt: the answer as a plain dict, or one of our errors."""
    import stripe  # noqa: PLC0415  imported where it is used: start-up time

    failure: TillbookError
    try:
        answer = call(client)
        if isinstance(answer, stripe.StripeObject):
            return answer.to_dict()
        failure = STRIPE.silence(unreadable("it is no object"), change=change)
    except stripe.StripeError as error:
        failure = translated(error, change=change, hidden=hidden)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # The SDK takes the shape of an answer for granted, so one from something between us and Stripe breaks it.
        failure = STRIPE.silence(unreadable(type(error).__name__), change=change)
    # Raised outside the handlers, without a cause: the SDK's error holds the whole body and prints it in tracebacks.
    raise failure


def _connect(settings: Settings, clock: Clock) -> StripeClient:
    """The SDK's client, bound to our key, address, version and session, and kept from talking about them."""
    if not settings[SECRET_KEY]:
        raise NotAllowed("STRIPE_SECRET_KEY is empty", hint=f"Set it, then run: {CHECK_SETUP}")
    forget("STRIPE_LOG")  # the SDK looks at it once, when it is imported
    import stripe  # noqa: PLC0415  imported where it is used: start-up time

    from tillbook.vendors.http import Session  # noqa: PLC0415

    if _series(stripe.api_version) != _series(STRIPE_VERSION):
        raise Refused(f"the installed stripe package is for API version {stripe.api_version}, not {STRIPE_VERSION}")
    stripe.enable_telemetry = False
    stripe.log = None
    logging.getLogger("stripe").addFilter(_serious)
    session = Session(settings, clock)
    session.hooks["response"].append(_require_json)
    base = settings[API_BASE]
    return stripe.StripeClient(
        settings[SECRET_KEY],
        stripe_version=STRIPE_VERSION,
        # Stripe's own other services have hosts of their own; a stand-in has one address for all of them.
        base_addresses={}
        if base == API_BASE.addresses["live"]
        else {"api": base, "files": base, "connect": base, "meter_events": base},
        max_network_retries=0,
        http_client=stripe.RequestsClient(session=session),
    )


def _series(version: str) -> str:
    """The name in an API version: versions of one name differ only by additions."""
    return version.rpartition(".")[2]


def _require_json(response: requests.Response, **_: Any) -> None:
    """Raise NoAnswer where the SDK is content with less: it takes a name that is given twice, and NaN."""
    if response.ok:
        json_object(response.content)


def _serious(record: logging.LogRecord) -> bool:
    """No request or answer in any log: they hold names and addresses of customers."""
    return record.levelno >= logging.WARNING
