"""The one way to a vendor: a session for its SDK, in which every exchange is bounded, quiet and ours alone.

Whatever the SDK asks for: the answer comes whole, in time and within a size, from the address that was named, with the
credentials that were given. Import it only where something is asked: start-up time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, ProxyManager
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tillbook.kit.errors import Refused
from tillbook.kit.retries import CONNECT_TIMEOUT_SECONDS, patiently
from tillbook.kit.settings import LOOPBACK
from tillbook.vendors.errors import LARGEST_BYTES, NoAnswer
from tillbook.vendors.exchange import POOLS, Exchange, keep_quiet

if TYPE_CHECKING:
    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings

Answer = TypeVar("Answer")

_PIECE_BYTES = 65_536
_NO_ADDRESS = (exceptions.InvalidURL, exceptions.InvalidSchema, exceptions.MissingSchema, exceptions.InvalidHeader)
_end: ContextVar[float | None] = ContextVar("end", default=None)


def ask(call: Callable[[], Answer], settings: Settings, clock: Clock) -> Answer:
    """Make a call with up to three attempts, all within the time-out of the settings. Raises what `patiently` raises.

    `call` may make several exchanges, over any number of sessions.
    """
    seconds = settings.timeout_seconds
    with within(seconds, clock):
        return patiently(call, clock, deadline_seconds=seconds)


@contextmanager
def within(seconds: float, clock: Clock) -> Iterator[None]:
    """Let every exchange that this thread makes meanwhile be over in so many seconds from now."""
    end, sooner = clock.monotonic() + seconds, _end.get()
    token = _end.set(end if sooner is None else min(end, sooner))
    try:
        yield
    finally:
        _end.reset(token)


class Session(requests.Session):
    """One vendor's connections, kept open between calls. Threads may share one of these.

    Every request raises NoAnswer when there is no whole answer, and Refused when it would leave this machine in
    simulator mode. No redirect is followed, no cookie kept, no `.netrc` read.
    """

    def __init__(
        self, settings: Settings, clock: Clock, *, seconds: float = 0, largest_bytes: int = LARGEST_BYTES
    ) -> None:
        """`seconds` bound an exchange outside `within`. By default the time-out of the settings does."""
        super().__init__()
        self._clock = clock
        self._seconds = seconds or settings.timeout_seconds
        self._local_only = settings.mode == "simulator"
        # Nothing leaves the machine in simulator mode, so no proxy is asked there.
        self.trust_env = not self._local_only
        # With no authentication of its own, requests would let a password of `.netrc` replace our credentials.
        self.auth = _unchanged
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(largest_bytes))
        keep_quiet()

    def seconds_left(self) -> float:
        """How long an exchange that begins now may take, never negative."""
        end = _end.get()
        return self._seconds if end is None else max(0, end - self._clock.monotonic())

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """One request and its whole answer."""
        try:
            return super().request(*args, **kwargs)
        except _NO_ADDRESS as error:
            failure = _no_answer(error, sent=False)
        raise failure

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """One prepared request and its whole answer."""
        host = urlsplit(str(request.url)).hostname
        if self._local_only and host not in LOOPBACK:
            raise Refused(f"{host} is not on this machine, but TILLBOOK_MODE is simulator")
        return super().send(request, **{**kwargs, "timeout": self.seconds_left()})

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Proxies and certificate authorities: the same for every SDK, whatever it brings along."""
        return super().merge_environment_settings(url, {}, stream, None, None)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: an answer that redirects is no answer, so where to is not even looked at."""
        return


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authentication that adds nothing."""
    return request


class _Adapter(HTTPAdapter):
    """requests' own way of sending, as one exchange that ends with the last byte of the answer."""

    def __init__(self, largest_bytes: int) -> None:
        self._largest_bytes = largest_bytes
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        if proxy.lower().startswith("socks"):
            raise exceptions.InvalidSchema("a SOCKS proxy is not supported")
        manager: ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        seconds = kwargs["timeout"]
        kwargs |= {"stream": True, "timeout": (min(CONNECT_TIMEOUT_SECONDS, seconds), seconds)}
        exchange = Exchange()
        try:
            return exchange.carry_out(partial(super().send, request, *args, **kwargs), seconds)
        except (exceptions.RequestException, HTTPError, OSError, ValueError) as error:
            failure = _no_answer(error, sent=exchange.sent)
        raise failure  # outside the handler, without a cause: requests' errors hold what was sent

    def build_response(self, req: requests.PreparedRequest, resp: BaseHTTPResponse) -> requests.Response:
        content = self._whole(resp)
        response = super().build_response(req, resp)
        response.raw = BytesIO(content)
        return response

    def _whole(self, answer: BaseHTTPResponse) -> bytes:
        """The unpacked body, piece by piece as it comes, up to the largest that an answer may be."""
        content = bytearray()
        while piece := answer.read1(_PIECE_BYTES, decode_content=True):
            content += piece
            if len(content) > self._largest_bytes:
                answer.close()
                raise NoAnswer(f"sent more than {self._largest_bytes} bytes", sent=True)
        return bytes(content)


def _no_answer(error: Exception, *, sent: bool) -> NoAnswer:
    """What became of an exchange, in words that hold nothing of it."""
    kind = type(getattr(next(iter(error.args), None), "reason", None) or error).__name__
    if not sent:
        return NoAnswer(f"cannot be reached ({kind}); nothing was sent", sent=False)
    if isinstance(error, TimeoutError | exceptions.Timeout | ReadTimeoutError):
        return NoAnswer("did not answer in time", sent=True)
    return NoAnswer(f"broke its answer off ({kind})", sent=True)
