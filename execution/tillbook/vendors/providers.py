"""Who moves the money. A provider is a door that makes checkouts and reads facts; add one by naming it in PROVIDERS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.rules.events import Event
from tillbook.rules.matching import Movement
from tillbook.rules.operations import Door, Plan
from tillbook.rules.readings import Reading

if TYPE_CHECKING:
    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings


@dataclass(frozen=True, slots=True)
class Account:
    """Whose keys these are."""

    id: str
    livemode: bool


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


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What is to be given back. `purpose` is one of uses.PURPOSES; `reference` tells refunds of one payment apart."""

    payment: str
    invoice: str
    amount: Money
    reason: str
    reference: str
    purpose: str


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
    """Everything a step may ask of a provider; the conformance suite holds each one to it.

    Every method raises Refused, Unavailable or Uncertain as in `errors.py`; a read is never Uncertain.
    """

    name: str
    statement_lag_seconds: int
    """How long a movement may be missing from the statement."""
    lasting: bool
    """Whether it has pages that last, for mails of an installation without an address of its own."""
    captures: bool
    """Whether an approved page brings no money until we capture it."""

    @property
    def key_fingerprint(self) -> str:
        """A hash of the key: another key may lead to another account, so the ledger asks whose it is."""
        ...

    def account(self) -> Account:
        """Read the account behind the key."""
        ...

    def plan_checkout(self, request: CheckoutRequest) -> Plan:
        """The operation that opens a page: kind `create_checkout`, subject `provider/invoice` (`.../lasting`).

        Its params name the `invoice`, the `amount` (decimal text) and the `currency`.

        Its result has the keys `checkout_id`, `url`, `expires_at` (None for a page that lasts). Raises Refused
        where the provider has no page of the kind that is asked for.
        """
        ...

    def plan_close(self, checkout_id: str) -> Plan:
        """The operation that closes an open page for good: kind `close_checkout`, subject the checkout id."""
        ...

    def plan_refund(self, request: RefundRequest) -> Plan:
        """The operation that gives money back: kind `refund_payment`, subject `provider/payment/reference`.

        Its params name `payment`, `invoice`, `amount` (decimal text), `amount_minor`, `currency`, `reason`, `purpose`.
        Its result has the keys `refund` and `status` (`succeeded`, `pending`, `failed` or `canceled`).
        """
        ...

    def dispute(self, payment: str) -> str:
        """Why a payment must not be refunded now: the status of its open dispute; empty when there is none.

        An inquiry is no obstacle: a full refund is a normal way to end one.
        """
        ...

    def checkout(self, checkout_id: str) -> CheckoutState:
        """Read a page by id."""
        ...

    def settle(self, state: CheckoutState) -> Plan | None:
        """The operation still missing between an approved page and money: kind `capture_checkout`, subject the
        checkout id; None when nothing is missing, or the provider moves the money by itself."""
        ...

    def webhook_ready(self) -> None:
        """Raise Refused when no event could be verified: a receiver asks before it starts."""
        ...

    def asks_first(self, headers: Mapping[str, str]) -> bool:
        """Whether `verify` would ask the vendor before it can answer, and so must not run in an event loop."""
        ...

    def verify(self, headers: Mapping[str, str], body: bytes) -> Event:
        """Check the signature over the raw bytes, then read the envelope.

        `headers` have lower-case names. Raises Forged; raises Refused when the body is not an event.
        """
        ...

    def events(self, since: int, pages: Iterable[str] = ()) -> Iterator[Event]:
        """Events created at or after `since` (UTC seconds), newest first, read page by page.

        `pages` are ids of our checkouts that are open: where no list may tell of them, what each shows now follows.
        """
        ...

    def read(self, object_id: str) -> Reading:
        """Read the object of an event by id and return every fact that it proves now."""
        ...

    def statement(self, since: int, until: int) -> Iterator[Movement]:
        """What moved our money from `since` to before `until` (UTC seconds), in any order, by the keys of facts."""
        ...

    def balance(self) -> dict[str, Money]:
        """What the provider holds for us now, by currency: the sum of its whole statement."""
        ...


class ProviderName(StrEnum):
    """What `--provider` may say."""

    stripe = "stripe"
    paypal = "paypal"


def refund_subject(provider: str, payment: str, reference: str) -> str:
    """What tells one refund from another: its payment and its reference."""
    return f"{provider}/{payment}/{reference}"


PROVIDERS: dict[str, str] = {
    ProviderName.stripe.value: "tillbook.vendors.stripe.provider:StripeProvider",
    ProviderName.paypal.value: "tillbook.vendors.paypal.provider:PayPalProvider",
}


def open_provider(name: str, settings: Settings, clock: Clock) -> Provider:
    """The provider of that name, imported only now (an SDK takes longer to import than most steps to run)."""
    if name not in PROVIDERS:
        raise Refused(f"no provider {name!r}", hint=f"One of: {', '.join(sorted(PROVIDERS))}")
    module, _, factory = PROVIDERS[name].partition(":")
    provider: Provider = getattr(import_module(module), factory)(settings, clock)
    return provider
