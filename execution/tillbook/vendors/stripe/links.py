"""Stripe's Payment Links: pages that last, for mails of an installation without an address of its own.

A link takes one completed payment. Every customer who opens it gets a session of his own, and a session outlives its
link's deactivation: so closing a link expires its open sessions too, and only its completed ones say what was paid.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from tillbook.kit.errors import Refused, Unavailable, Uncertain, Unreadable
from tillbook.kit.money import Money
from tillbook.operations.kinds.sales.close_checkout import CheckoutClosed
from tillbook.operations.kinds.sales.create_checkout import CheckoutOpened
from tillbook.rules.operations import Json, Operation
from tillbook.vendors.protocols import CheckoutState
from tillbook.vendors.stripe.amounts import from_stripe
from tillbook.vendors.stripe.calls import PAGE_SIZE, StripeCalls
from tillbook.vendors.stripe.objects import checkout_state, closed_checkout, number, text, written
from tillbook.vendors.stripe.requests import idempotency_key, link_params

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.params import PaymentLinkListParams
    from stripe.params.checkout import SessionListParams

    from tillbook.operations.kinds.sales.close_checkout import CloseCheckout
    from tillbook.operations.kinds.sales.create_checkout import CreateCheckout


def is_link(checkout_id: str) -> bool:
    """Whether this is the id of a Payment Link."""
    return checkout_id.startswith("plink_")


class StripeLinks:
    """The Payment Links of one account."""

    def __init__(self, calls: StripeCalls) -> None:
        self._calls = calls

    def create(self, operation: Operation[CreateCheckout]) -> CheckoutOpened:
        """Make a link."""
        params, key = link_params(operation), idempotency_key(operation)
        return self._calls.change(
            lambda stripe: stripe.v1.payment_links.create(params, {"idempotency_key": key}),
            _made,
        )

    def find_created(self, operation: Operation[CreateCheckout]) -> CheckoutOpened | None:
        """A link that was made."""
        link = next((one for one in self.all() if written(one, "operation") == operation.id), None)
        return _made(link) if link else None

    def all(self) -> Iterator[Json]:
        """Every link, for Stripe cannot narrow their list by time."""

        def page(stripe: StripeClient, after: str) -> Any:
            params: PaymentLinkListParams = {"limit": PAGE_SIZE}
            if after:
                params["starting_after"] = after
            return stripe.v1.payment_links.list(params)

        return self._calls.pages(page)

    def close(self, operation: Operation[CloseCheckout]) -> CheckoutClosed:
        """Close a link. Raises Refused (code `complete`) when the customer was faster."""
        link_id, key = operation.params.checkout_id, idempotency_key(operation)
        self._calls.change(
            lambda stripe: stripe.v1.payment_links.update(link_id, {"active": False}, {"idempotency_key": key}),
            dict,
        )
        try:
            for session in self._sessions(link_id, "open"):
                self._expire(text(session, "id"), operation)
            state = self.state(link_id)
        except Unavailable as error:
            raise Uncertain(
                f"the link is deactivated, its open sessions are not all closed: {error.message}"
            ) from error
        if state.status != "expired":
            raise Refused(f"the payment link {link_id} has been paid", code="complete")
        return CheckoutClosed(link_id, state.status)

    def find_closed(self, operation: Operation[CloseCheckout]) -> CheckoutClosed | None:
        """A link that was closed, or None while the link or one of its sessions is open, and when it was paid."""
        state = self.state(operation.params.checkout_id)
        if state.status != "expired" or any(self._sessions(state.id, "open")):
            return None
        return CheckoutClosed(state.id, state.status)

    def state(self, link_id: str) -> CheckoutState:
        """A link as the state of a page: what its completed sessions brought, else whether it can still be paid."""
        # The link is read before its sessions: one that is completed in between is then seen in either order.
        link = self._calls.read(lambda stripe: stripe.v1.payment_links.retrieve(link_id, {"expand": ["line_items"]}))
        completed = [checkout_state(session) for session in self._sessions(link_id, "complete")]
        paid = next((state for state in completed if state.status == "paid"), None)
        ended = paid or next((state for state in completed if state.status == "processing"), None)
        return CheckoutState(
            id=text(link, "id"),
            status=ended.status if ended else _status(link),
            url=text(link, "url"),
            amount=_amount(link),
            expires_at=None,
            payment=ended.payment if ended else "",
        )

    def _sessions(self, link_id: str, status: Literal["open", "complete"]) -> Iterator[Json]:
        def page(stripe: StripeClient, after: str) -> Any:
            params: SessionListParams = {
                "payment_link": link_id,
                "status": status,
                "limit": PAGE_SIZE,
                "expand": ["data.payment_intent"],
            }
            if after:
                params["starting_after"] = after
            return stripe.v1.checkout.sessions.list(params)

        return self._calls.pages(page)

    def _expire(self, session_id: str, operation: Operation[CloseCheckout]) -> None:
        """Close a session of a link. One that ended by itself in the meantime is no trouble."""
        key = f"{operation.id}:{session_id}"
        try:
            self._calls.change(
                lambda stripe: stripe.v1.checkout.sessions.expire(session_id, options={"idempotency_key": key}),
                closed_checkout,
            )
        except Refused:
            session = self._calls.read(lambda stripe: stripe.v1.checkout.sessions.retrieve(session_id))
            if text(session, "status") == "open":
                raise


def _made(link: Json) -> CheckoutOpened:
    """A link by its id. What it lacks beside that is the result's problem."""
    key = text(link, "id")
    try:
        return CheckoutOpened(key, text(link, "url"), expires_at=None)
    except Unreadable as error:
        return CheckoutOpened(key, "", expires_at=None, problem=error.message)


def _status(link: Json) -> str:
    """`open` while a customer who opens the link can pay."""
    restrictions = link.get("restrictions")
    sessions = restrictions.get("completed_sessions") if isinstance(restrictions, dict) else None
    used_up = isinstance(sessions, dict) and number(sessions, "count") >= number(sessions, "limit")
    return "open" if link.get("active") is True and not used_up else "expired"


def _amount(link: Json) -> Money:
    lines = link.get("line_items")
    lines = lines.get("data") if isinstance(lines, dict) else None
    if not isinstance(lines, list) or not lines:
        raise Unavailable("Stripe did not expand the line items of the payment link")
    return from_stripe(sum(number(line, "amount_total") for line in lines), text(link, "currency"))
