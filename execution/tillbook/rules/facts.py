"""What happened, in our words, whoever told us.

A fact is a movement of money, or a lasting change, that the vendor can never take back. It is read from the vendor by
id and holds no personal data. `key` is unique per provider: facts of the same key are one fact. Amounts are `Money`,
`occurred_at` is the vendor's own time in UTC seconds. What follows from each kind stands in `bookkeeping.RULES`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple, get_args

from tillbook.kit.money import Money


class AboutInvoice(NamedTuple):
    """An invoice by its number."""

    invoice: str


class AboutPayment(NamedTuple):
    """A payment at a provider. Which invoice it is for may not be known yet."""

    provider: str
    payment: str


class AboutAccount(NamedTuple):
    """A provider's account as a whole."""

    provider: str


About = AboutInvoice | AboutPayment | AboutAccount
"""What a fact, a document or a message is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceIssued:
    """QuickBooks holds an invoice. Key: `invoice:<quickbooks id>`."""

    kind: ClassVar[str] = "InvoiceIssued"
    provider: str
    key: str
    occurred_at: int
    invoice: str
    total: Money
    tax: Money

    @property
    def about(self) -> AboutInvoice:
        """The invoice."""
        return AboutInvoice(self.invoice)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceChanged:
    """QuickBooks holds another total than before: `total` and `tax` are the differences.

    Key: `invoice:<quickbooks id>:<sync token>`, the books' own sequence.
    """

    kind: ClassVar[str] = "InvoiceChanged"
    provider: str
    key: str
    occurred_at: int
    invoice: str
    total: Money
    tax: Money

    @property
    def about(self) -> AboutInvoice:
        """The invoice."""
        return AboutInvoice(self.invoice)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSucceeded:
    """A customer's money reached the processor. Key: the charge or capture, for its balance transaction comes later."""

    kind: ClassVar[str] = "PaymentSucceeded"
    provider: str
    key: str
    occurred_at: int
    payment: str
    charge: str
    amount: Money

    @property
    def about(self) -> AboutPayment:
        """The payment."""
        return AboutPayment(self.provider, self.payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorFee:
    """What the processor kept of a payment. Key: the balance transaction + `:fee`."""

    kind: ClassVar[str] = "ProcessorFee"
    provider: str
    key: str
    occurred_at: int
    payment: str
    amount: Money

    @property
    def about(self) -> AboutPayment:
        """The payment."""
        return AboutPayment(self.provider, self.payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded:
    """Money went back to the customer. Key: the refund's balance transaction.

    `operation` is ours when we asked for it, empty for one made in the processor's dashboard.
    """

    kind: ClassVar[str] = "PaymentRefunded"
    provider: str
    key: str
    occurred_at: int
    payment: str
    refund: str
    operation: str
    amount: Money

    @property
    def about(self) -> AboutPayment:
        """The payment."""
        return AboutPayment(self.provider, self.payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFailed:
    """A refund came back: the customer's bank did not take it. Key: its own balance transaction."""

    kind: ClassVar[str] = "RefundFailed"
    provider: str
    key: str
    occurred_at: int
    payment: str
    refund: str
    amount: Money

    @property
    def about(self) -> AboutPayment:
        """The payment."""
        return AboutPayment(self.provider, self.payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutPaid:
    """The processor took money out of what it holds for us, on its way to our bank. Key: the payout's own row."""

    kind: ClassVar[str] = "PayoutPaid"
    provider: str
    key: str
    occurred_at: int
    payout: str
    amount: Money

    @property
    def about(self) -> AboutAccount:
        """The provider's account."""
        return AboutAccount(self.provider)


InvoiceFact = InvoiceIssued | InvoiceChanged
PaymentFact = PaymentSucceeded | ProcessorFee | PaymentRefunded | RefundFailed
AccountFact = PayoutPaid
Fact = InvoiceFact | PaymentFact | AccountFact
KINDS: dict[str, type[Fact]] = {cls.kind: cls for cls in get_args(Fact)}


def to_json(fact: Fact) -> str:
    """The fact as canonical JSON: the same fact gives the same bytes for ever, for its hash."""
    return json.dumps(asdict(fact), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def from_json(kind: str, text: str) -> Fact:
    """A fact back from `to_json`."""
    raw: dict[str, Any] = json.loads(text)
    values: dict[str, Any] = {name: Money(**value) if isinstance(value, dict) else value for name, value in raw.items()}
    return KINDS[kind](**values)


def fingerprint(kind: str, text: str) -> str:
    """SHA-256 of a stored fact: what its row and the seals keep."""
    import hashlib  # noqa: PLC0415  start-up time: only needed to write and to prove facts

    return hashlib.sha256(f"{kind}\n{text}".encode()).hexdigest()
