"""A server before a simulated vendor: it passes on what it gets, but for the calls that a test takes from it."""

from __future__ import annotations

from fnmatch import fnmatchcase

import requests

from helpers.vendors.misbehaving import Behaviour, Line, Misbehaving, Seen, message

_NOT_PASSED_ON = ("host", "connection", "content-length", "accept-encoding")


class GoBetween(Misbehaving):
    """Use it in a `with`. `base` is the address of the vendor's API."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base
        self._orders: list[tuple[str, str, Behaviour]] = []

    def on_call(self, method: str, path: str, behaviour: Behaviour) -> None:
        """From now on behave so with calls of this method whose path matches."""
        self._orders.append((method, path, behaviour))

    def take(self, seen: Seen) -> Behaviour:
        self.seen.append(seen)
        orders = ((order, told) for *order, told in self._orders)
        return next((told for order, told in orders if _is(seen, *order)), self._pass_on)

    def _pass_on(self, line: Line, seen: Seen) -> None:
        address = f"{self._base}{seen.path}" + (f"?{seen.query}" if seen.query else "")
        headers = {name: value for name, value in seen.headers.items() if name not in _NOT_PASSED_ON}
        told = requests.request(seen.method, address, data=seen.body, headers=headers, timeout=20)
        line.send(message(told.content, told.status_code))


def _is(seen: Seen, method: str, path: str) -> bool:
    return seen.method == method and fnmatchcase(seen.path, path)
