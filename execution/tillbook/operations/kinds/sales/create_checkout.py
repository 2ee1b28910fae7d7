"""`create_checkout`: a page of a provider's where an invoice is paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money, parse
from tillbook.ledger.sales import Checkout
from tillbook.operations.kinds.base import Kind, note_problem
from tillbook.rules.operations import page_subject

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Plan, Stored


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What a checkout page is made for. `description` is what the customer reads.

    Without a `success_url` the page lasts: it stays until it is paid or closed, and shows its own thanks.
    """

    invoice: str
    amount: Money
    description: str
    email: str
    success_url: str
    cancel_url: str


class CheckoutOpened(msgspec.Struct, frozen=True):
    """An open page. `expires_at` is in UTC seconds, None for a page that lasts.

    `problem` is what could not be understood of it. Its address is empty then, so nobody is sent there.
    """

    checkout_id: str
    url: str
    expires_at: int | None
    problem: str = ""


class CreateCheckout(Kind[CheckoutOpened], frozen=True):
    """Open a page. Without a `success_url` it lasts."""

    invoice: str
    amount: str
    currency: str
    description: str
    email: str
    success_url: str
    cancel_url: str

    @classmethod
    def of(cls, request: CheckoutRequest) -> CreateCheckout:
        """What a request asks for. Raises Refused for an amount of nothing."""
        if request.amount.minor <= 0:
            raise Refused(f"a checkout of {request.amount} cannot be made; expected an amount above zero")
        return CreateCheckout(
            invoice=request.invoice,
            amount=request.amount.text,
            currency=request.amount.currency,
            description=request.description,
            email=request.email,
            success_url=request.success_url,
            cancel_url=request.cancel_url,
        )

    @property
    def money(self) -> Money:
        """The amount that the page asks for."""
        return parse(self.amount, self.currency)

    @property
    def lasting(self) -> bool:
        """Whether the page stays until it is paid or closed."""
        return not self.success_url

    @staticmethod
    def subject(provider: str, invoice: str, *, lasting: bool) -> str:
        """An invoice has one page of each sort at a provider."""
        return page_subject(provider, invoice, lasting=lasting)

    def plan(self, provider: str) -> Plan[CheckoutOpened]:
        """The plan to open it."""
        return self.planned(self.subject(provider, self.invoice, lasting=self.lasting), provider)

    def assumed(self, operation: Stored) -> CheckoutOpened:
        """A page without an address."""
        return CheckoutOpened(f"(new) {operation.subject}", "", None if self.lasting else operation.prepared_at)

    def record(self, ledger: Ledger, operation: Stored, result: CheckoutOpened, now: int) -> None:
        """The page is open."""
        ledger.sales.add_checkout(
            Checkout(
                id=result.checkout_id,
                provider=operation.door,
                invoice=self.invoice,
                operation=operation.id,
                url=result.url,
                amount=self.money,
                expires_at=result.expires_at,
                status="open",
                created_at=now,
            )
        )
        note_problem(ledger, operation.door, result.checkout_id, result.problem, now)
