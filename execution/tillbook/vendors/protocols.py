"""What every payment provider keeps: the protocol, and the values that it is asked with and answers with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tillbook.kit.money import Money
from tillbook.rules.events import Event, Reading, UnreadableRecord
from tillbook.rules.matching import Movement
from tillbook.rules.operations import Door

if TYPE_CHECKING:
    from tillbook.operations.kinds.refunds.refund_payment import RefundMade, RefundRequest
    from tillbook.operations.kinds.sales.capture_checkout import CheckoutCaptured
    from tillbook.operations.kinds.sales.close_checkout import CheckoutClosed
    from tillbook.operations.kinds.sales.create_checkout import CheckoutOpened, CheckoutRequest
    from tillbook.rules.operations import Plan


DISPUTED_SECONDS = 179 * 86_400
"""So far back disputes are listed: no provider lists less than half a year."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose keys these are."""

    id: str
    livemode: bool


@dataclass(frozen=True, slots=True)
class OpenDispute:
    """A payment that a customer questions, and that waits for the seller's answer.

    `opened_at` and `due_at` are UTC seconds. `due_at` is None where the provider names no end.
    """

    id: str
    status: str
    amount: Money
    opened_at: int
    due_at: int | None


@dataclass(frozen=True, slots=True)
class CheckoutState:
    """A page as the provider sees it: `open`, `approved` (the customer agreed, we must still move the money),
    `processing` (money on its way), `paid` or `expired`.

    `expires_at` is None for a page that lasts. `gone` is a page that its provider does not know any more.
    """

    id: str
    status: str
    url: str
    amount: Money
    expires_at: int | None
    payment: str
    gone: bool = False


class Provider(Door, Protocol):
    """Everything a step may ask of a provider. The conformance suite holds each one to it.

    Every method raises Refused, Unavailable or Uncertain as in `errors.py`. A read is never Uncertain.
    """

    name: str

    @property
    def key_fingerprint(self) -> str:
        """A hash of the key: another key may lead to another account, so the ledger asks whose it is."""
        ...

    def account(self) -> Account:
        """Read the account behind the key."""
        ...

    def needed_reads(self) -> Mapping[str, Callable[[], object]]:
        """One small read of each kind that a step may need, by the provider's word for it.

        A key may be allowed some of them only."""
        ...

    def plan_checkout(self, request: CheckoutRequest) -> Plan[CheckoutOpened]:
        """The CreateCheckout of a request. Raises Refused where the provider has no such page, or cannot charge the
        amount exactly."""
        ...

    def plan_close(self, checkout_id: str) -> Plan[CheckoutClosed]:
        """The CloseCheckout of an open page."""
        ...

    def plan_refund(self, request: RefundRequest) -> Plan[RefundMade]:
        """The RefundPayment of a request. Raises Refused where the provider cannot pay the amount exactly."""
        ...

    def dispute(self, payment: str) -> str:
        """Why a payment must not be refunded now: the status of its open dispute, or empty when there is none.

        An inquiry is no obstacle: a full refund is a normal way to end one.
        """
        ...

    def open_disputes(self) -> Iterator[OpenDispute]:
        """Every dispute and inquiry of the last half year that waits for our answer."""
        ...

    def checkout(self, checkout_id: str) -> CheckoutState:
        """Read a page by id."""
        ...

    def settle(self, state: CheckoutState) -> Plan[CheckoutCaptured] | None:
        """The CaptureCheckout that is missing between an approved page and money.

        None when nothing is missing, or when the provider moves the money by itself.
        """
        ...

    def webhook_ready(self) -> None:
        """Raise Refused when no event could be verified: a receiver asks before it starts."""
        ...

    def asks_first(self, headers: Mapping[str, str]) -> bool:
        """Whether `verify` would ask the vendor before it can answer, and so must not run in an event loop."""
        ...

    def verify(self, headers: Mapping[str, str], body: bytes) -> Event:
        """Check the signature over the raw bytes, then read the envelope.

        `headers` have lower-case names. Raises Forged, and Refused when the body is not an event.
        """
        ...

    def events(self, since: int, pages: Iterable[str] = ()) -> Iterator[Event | UnreadableRecord]:
        """Events created at or after `since` (UTC seconds), newest first, read page by page.

        One that cannot be understood is named in its place, here as in every read of many.

        `pages` are ids of our checkouts that are open: where no list may tell of them, what each shows now follows.
        """
        ...

    def read(self, object_id: str) -> Reading:
        """Read the object of an event by id and return every fact that it proves now, and what of it is odd."""
        ...

    def statement(self, since: int, until: int) -> Iterator[Movement | UnreadableRecord]:
        """What moved our money from `since` to before `until` (UTC seconds), in any order, by the keys of facts."""
        ...

    def balance(self) -> dict[str, Money | UnreadableRecord]:
        """What the provider holds for us now, by currency: the sum of its whole statement. Only asked of a provider
        that declares that it tells one."""
        ...
