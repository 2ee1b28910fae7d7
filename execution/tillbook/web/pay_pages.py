"""The customer's pages of ours: what is owed with a button to pay it, and the page after paying.

A GET only shows (mail scanners open every link). The button POSTs, and only then is a checkout opened or minted.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tillbook.books import connecting
from tillbook.kit.errors import Refused, TillbookError
from tillbook.ledger.sales import Invoice
from tillbook.sales import captures, checkouts
from tillbook.sales.balance import BELOW_MINIMUM, open_by_ledger, paid_by_ledger
from tillbook.till import Till, open_till
from tillbook.vendors.providers import declared

WORKERS = 4
TEMPLATES = Path(__file__).parent / "templates"

Result = TypeVar("Result")


class PayPages:
    """`till` is the receiver's, for reading. A worker thread that acts has a till of its own."""

    def __init__(self, till: Till, providers: list[str]) -> None:
        self._till = till
        self._providers = providers
        self._workers = anyio.CapacityLimiter(WORKERS)
        self._templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)

    async def show(self, request: Request) -> Response:
        """What is owed, and a button for each way to pay it."""
        invoice = self._invoice(request)
        if invoice is None:
            return self._page("unknown.html", 404)
        cancelled = request.url.path.endswith("/cancelled")
        return self._page("pay.html", 200, **self._facts(invoice), cancelled=cancelled, token=invoice.token)

    async def open(self, request: Request) -> Response:
        """Open or mint the checkout and send the customer there."""
        invoice = self._invoice(request)
        if invoice is None:
            return self._page("unknown.html", 404)
        provider = request.query_params.get("provider", self._providers[0])
        try:
            opened = await self._apart(lambda till: checkouts.open_checkout(till, invoice.number, provider))
        except Refused as refusal:
            note = "too_small" if refusal.code == BELOW_MINIMUM else "refused"
            return self._page("pay.html", 409, **self._facts(invoice), **{note: True}, token=invoice.token)
        except TillbookError:
            return self._page("pay.html", 503, **self._facts(invoice), trouble=True, token=invoice.token)
        return RedirectResponse(opened.checkout.url, status_code=303)

    async def paid(self, request: Request) -> Response:
        """The customer comes back: what was only approved is captured now. Thanks, unless no page was paid after all.

        It says nothing about the money: only the vendor's own record does. Trouble is left to run_pending.py.
        """
        invoice = self._invoice(request)
        if invoice is None:
            return self._page("unknown.html", 404)
        try:
            await self._apart(lambda till: captures.settle_pages(till, invoice.number))
        except TillbookError:
            return self._page("paid.html", 200, **self._facts(invoice))
        pages = self._till.ledger.sales.checkouts_of_invoice(invoice.number)
        if pages and not any(page.status in ("processing", "paid") for page in pages):
            return self._page("pay.html", 200, **self._facts(invoice), unpaid=True, token=invoice.token)
        return self._page("paid.html", 200, **self._facts(invoice))

    async def connect_quickbooks(self, request: Request) -> Response:
        """The owner comes back from Intuit: finish the connection that connect_quickbooks.py began."""
        try:
            await self._apart(lambda till: connecting.connect(till, str(request.url)))
        except TillbookError as error:
            return self._page("connected.html", 400, problem=f"{error.message}. {error.hint}")
        return self._page("connected.html", 200, problem="")

    async def _apart(self, act: Callable[[Till], Result]) -> Result:
        """Do something in a worker thread, in a till of its own: the event loop waits for no vendor."""
        return await anyio.to_thread.run_sync(_in_a_till, act, limiter=self._workers)

    def _invoice(self, request: Request) -> Invoice | None:
        """The invoice of the link, once it stands in the books."""
        invoice = self._till.ledger.sales.invoice_by_token(request.path_params["token"])
        return invoice if invoice is not None and invoice.total is not None else None

    def _page(self, name: str, status: int, **context: object) -> Response:
        notes = dict.fromkeys(("cancelled", "refused", "too_small", "trouble", "unpaid"), False)
        defaults = {**notes, "providers": {name: declared(name).title for name in self._providers}}
        html = self._templates.get_template(name).render({**defaults, **context, "company": self._company()})
        headers = {
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        }
        return HTMLResponse(html, status_code=status, headers=headers)

    def _company(self) -> str:
        """The company's name as the ledger knows it: a page asks no vendor."""
        known = self._till.ledger.sales.company(self._till.ledger.binding.bound().get("quickbooks", ""))
        return str(known["name"]) if known else ""

    def _facts(self, invoice: Invoice) -> dict[str, object]:
        assert invoice.total is not None, "an invoice in the books has a total"
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


def _in_a_till(act: Callable[[Till], Result]) -> Result:
    with closing(open_till()) as till:
        return act(till)
