"""The customer's pages of ours: what is owed with a button to pay it, and the page after paying.

A GET only shows (mail scanners open every link). The button POSTs, and only then is a checkout opened or minted.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tillbook.kit.errors import Refused, TillbookError
from tillbook.ledger.sales import Invoice
from tillbook.sales import captures, checkouts
from tillbook.sales.balance import open_by_ledger, paid_by_ledger
from tillbook.till import Till, open_till
from tillbook.vendors.providers import declared

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.requests import Request

WORKERS = 4
TEMPLATES = Path(__file__).parent / "templates"


class PayPages:
    """`till` is the receiver's, for reading. A worker thread that opens a checkout has a till of its own."""

    def __init__(self, till: Till, providers: list[str]) -> None:
        self._till = till
        self._providers = providers

    async def show(self, request: Request) -> Response:
        """What is owed, and a button for each way to pay it."""
        invoice = self._till.ledger.sales.invoice_by_token(request.path_params["token"])
        if invoice is None or invoice.total is None:
            return self._page("unknown.html", 404)
        cancelled = request.url.path.endswith("/cancelled")
        return self._page("pay.html", 200, **self._facts(invoice), cancelled=cancelled, token=invoice.token)

    async def open(self, request: Request) -> Response:
        """Open or mint the checkout and send the customer there."""
        invoice = self._till.ledger.sales.invoice_by_token(request.path_params["token"])
        if invoice is None or invoice.total is None:
            return self._page("unknown.html", 404)
        provider = request.query_params.get("provider", self._providers[0])
        try:
            url = await anyio.to_thread.run_sync(_open, invoice.number, provider, limiter=self._workers)
        except Refused:
            return self._page("pay.html", 409, **self._facts(invoice), refused=True, token=invoice.token)
        except TillbookError:
            return self._page("pay.html", 503, **self._facts(invoice), trouble=True, token=invoice.token)
        return RedirectResponse(url, status_code=303)

    async def paid(self, request: Request) -> Response:
        """The customer comes back: what was only approved is captured now. Thanks, unless no page was paid after all.

        It says nothing about the money: only the vendor's own record does. Trouble is left to run_pending.py.
        """
        invoice = self._till.ledger.sales.invoice_by_token(request.path_params["token"])
        if invoice is None or invoice.total is None:
            return self._page("unknown.html", 404)
        try:
            await anyio.to_thread.run_sync(_settle, invoice.number, limiter=self._workers)
        except TillbookError:
            return self._page("paid.html", 200, **self._facts(invoice))
        pages = self._till.ledger.sales.checkouts_of_invoice(invoice.number)
        if pages and not any(page.status in ("processing", "paid") for page in pages):
            return self._page("pay.html", 200, **self._facts(invoice), unpaid=True, token=invoice.token)
        return self._page("paid.html", 200, **self._facts(invoice))

    async def connect_quickbooks(self, request: Request) -> Response:
        """The owner comes back from Intuit: finish the connection that connect_quickbooks.py began."""
        try:
            await anyio.to_thread.run_sync(_connect, str(request.url), limiter=self._workers)
        except TillbookError as error:
            return self._page("connected.html", 400, problem=f"{error.message}. {error.hint}")
        return self._page("connected.html", 200, problem="")

    @cached_property
    def _workers(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(WORKERS)

    @cached_property
    def _templates(self) -> Environment:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  start-up time

        return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)

    def _page(self, name: str, status: int, **context: object) -> Response:
        notes = dict.fromkeys(("cancelled", "refused", "trouble", "unpaid"), False)
        defaults = {**notes, "providers": {name: declared(name).title for name in self._providers}}
        html = self._templates.get_template(name).render({**defaults, **context, "company": self._company()})
        headers = {
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
        }
        return HTMLResponse(html, status_code=status, headers=headers)

    def _company(self) -> str:
        """The company's name as the ledger knows it: a page asks no vendor."""
        known = self._till.ledger.sales.company(self._till.ledger.binding.bound().get("quickbooks", ""))
        return str(known["name"]) if known else ""

    def _facts(self, invoice: Invoice) -> dict[str, object]:
        assert invoice.total is not None, "checked by the caller"
        facts = self._till.ledger.facts.of_invoice(invoice.number)
        paid, still_open = paid_by_ledger(facts, invoice.currency), open_by_ledger(invoice.total, facts)
        order = invoice.order()
        return {
            "number": invoice.number,
            "due": invoice.due,
            "currency": invoice.currency,
            "total": invoice.total.text,
            "tax": invoice.tax.text if invoice.tax else "",
            "discount": order.discount_amount.text if order and order.discount else "",
            "lines": [(line.description, line.amount.text) for line in order.lines] if order else [],
            "paid": paid.text if paid else "",
            "open": still_open.text if still_open else "",
        }


def _connect(redirected: str) -> None:
    from tillbook.books import connecting  # noqa: PLC0415  start-up time

    till = open_till()
    try:
        connecting.connect(till, redirected)
    finally:
        till.close()


def _settle(number: str) -> None:
    till = open_till()
    try:
        captures.settle_pages(till, number)
    finally:
        till.close()


def _open(number: str, provider: str) -> str:
    till = open_till()
    try:
        return checkouts.open_checkout(till, number, provider).checkout.url
    finally:
        till.close()
