"""Templates of a vendor, beside those that all vendors share, and the answers that bring them to a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

_SHARED = Path(__file__).parent
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# A head and a sentence.
Words = tuple[str, str]
UNKNOWN: Words = ("This page does not exist", "Check the link, or ask the seller for a new one.")
PAID: Words = ("This has been paid", "Thank you. There is nothing more to do here.")
EXPIRED: Words = ("This page has expired", "Nothing was charged. Ask the seller for a new link.")


class Templates:
    """The templates in `folder`. They write an amount with the filter `money`."""

    def __init__(self, folder: Path, money: Callable[..., str]) -> None:
        loader = FileSystemLoader([folder, _SHARED])
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._templates.filters["money"] = money

    def page(self, name: str, *, status: int = 200, **values: Any) -> Response:
        """A template as the answer to a browser."""
        return HTMLResponse(self._templates.get_template(name).render(values), status, _HEADERS)


def go(address: str) -> Response:
    """Send the browser to another address."""
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})


async def typed(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    """The fields of a form, each at most 500 characters. One that is missing is empty."""
    sent = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return {name: sent.get(name, [""])[0][:500] for name in names}
