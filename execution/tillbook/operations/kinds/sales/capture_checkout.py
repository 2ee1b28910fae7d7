"""`capture_checkout`: the money that a customer approved is moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from tillbook.operations.kinds.base import Kind

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Plan, Stored


class CheckoutCaptured(msgspec.Struct, frozen=True):
    """A page and its capture, by their ids, and the capture's status at the provider."""

    checkout_id: str
    capture: str
    status: str


class CaptureCheckout(Kind[CheckoutCaptured], frozen=True):
    """Capture an approved page. It may not be due any more when it was left unfinished."""

    settled_with_pages: ClassVar[bool] = True

    checkout_id: str

    @staticmethod
    def subject(checkout_id: str) -> str:
        """A page is captured once."""
        return checkout_id

    def plan(self, provider: str) -> Plan[CheckoutCaptured]:
        """The plan to capture it."""
        return self.planned(self.subject(self.checkout_id), provider)

    def assumed(self, operation: Stored) -> CheckoutCaptured:
        """A capture of which nothing is known yet."""
        return CheckoutCaptured(self.checkout_id, "(new)", "(new)")

    def record(self, ledger: Ledger, operation: Stored, result: CheckoutCaptured, now: int) -> None:
        """Nothing follows: a capture becomes a fact by its own movement, read from the provider."""
