"""One call of PayPal's API, as the handlers get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from simulator.world import Json

# What a handler answers: the HTTP status, and an object as JSON, text as it is, or nothing.
Reply = tuple[int, "Json | str | None"]


@dataclass(frozen=True)
class Call:
    """What a client asks for.

    `path` is without the `/paypal` prefix and without the query. `key` is the variable part of the path ("" where
    there is none). `params` is the query (the last value of each name). `body` is the JSON object that was sent ({}
    when there is none), `raw` its bytes. `headers` have lower-case names. `now` is in UTC seconds of simulated time.
    """

    method: str
    path: str
    now: int
    key: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    body: Json = field(default_factory=dict)
    raw: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def wants_all(self) -> bool:
        """Whether the client asked for the whole representation: without it the answers are minimal."""
        return "return=representation" in self.headers.get("prefer", "").replace(" ", "").lower()

    def of(self, key: str, body: Json) -> Call:
        """This call with what its path and its body say."""
        return replace(self, key=key, body=body)
