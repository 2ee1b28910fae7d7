"""`close_checkout`: an open page is closed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tillbook.operations.kinds.base import Kind

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Plan, Stored


class CheckoutClosed(msgspec.Struct, frozen=True):
    """A page that brings no money any more, and its status at the provider."""

    checkout_id: str
    status: str


class CloseCheckout(Kind[CheckoutClosed], frozen=True):
    """Close a page."""

    checkout_id: str

    @staticmethod
    def subject(checkout_id: str) -> str:
        """A page is its id."""
        return checkout_id

    def plan(self, provider: str) -> Plan[CheckoutClosed]:
        """The plan to close it."""
        return self.planned(self.subject(self.checkout_id), provider)

    def assumed(self, operation: Stored) -> CheckoutClosed:
        """A closed page."""
        return CheckoutClosed(self.checkout_id, "expired")

    def record(self, ledger: Ledger, operation: Stored, result: CheckoutClosed, now: int) -> None:
        """The customer of an approved page may believe that it is paid, so the reason is kept."""
        page = ledger.sales.checkout(self.checkout_id)
        approved = page is not None and page.status == "processing"
        reason = "not captured: it asked for more than was open" if approved else ""
        ledger.sales.set_checkout_status(self.checkout_id, "expired", reason)
