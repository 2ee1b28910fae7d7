"""Rules: facts become documents for QuickBooks, and names that QuickBooks can hold.

Everything that Intuit has not confirmed stands here behind one rule, so that a correction is one line.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from tillbook.kit.money import Money
from tillbook.rules.allocation import Return, Use, Uses
from tillbook.rules.facts import Fact, PaymentRefunded, PaymentSucceeded, RefundFailed
from tillbook.rules.orders import Order, plain

LONGEST_NAME = 100  # QuickBooks allows 500; shorter ones survive its reports, exports and searches

_OURS = re.compile(r"\(customer(?: [0-9]+)?\)$|~[a-z2-7]{10}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Document:
    """A QuickBooks record that facts call for. `key` never changes; `facts` are the keys of the facts it records."""

    key: str
    kind: str
    provider: str
    invoice: str
    payment: str
    amount: Money
    occurred_at: int
    facts: tuple[str, ...]


class Stocked(Protocol):
    """An item as the stock rule sees it; `on_hand` is None when no stock is kept of it."""

    @property
    def on_hand(self) -> Decimal | None: ...


def documents_for(facts: Sequence[Fact], invoice: str, uses: Uses) -> list[Document]:
    """The documents that the facts of one invoice call for; with no invoice ("") they wait.

    A payment becomes a Payment of its gross amount. A refund becomes a RefundReceipt for what it gives back of the
    sale and a Purchase for what it gives back of credit or of a payment whose sale stands; one that failed becomes
    their mirrors, a SalesReceipt and a Deposit. Fees are documents of their own, made per day.
    """
    if not invoice:
        return []
    documents = []
    for fact in facts:
        if isinstance(fact, PaymentSucceeded):
            documents.append(_document("Payment", fact, invoice, fact.amount))
        elif isinstance(fact, PaymentRefunded | RefundFailed):
            documents += _returns(fact, invoice, uses.get((fact.provider, fact.key)))
    return documents


def _returns(fact: PaymentRefunded | RefundFailed, invoice: str, use: Use) -> list[Document]:
    if not isinstance(use, Return):
        return []
    failed = isinstance(fact, RefundFailed)
    given = -use if failed else use
    parts = {
        "SalesReceipt" if failed else "RefundReceipt": given.sale + given.tax,
        "Deposit" if failed else "Purchase": given.credit + given.reopened,
    }
    return [_document(kind, fact, invoice, amount) for kind, amount in parts.items() if amount]


def document_key(kind: str, provider: str, fact: str) -> str:
    """What a document of this kind is known by, made of the key of its first fact."""
    return f"{kind.lower()}:{provider}:{fact}"


def _document(
    kind: str, fact: PaymentSucceeded | PaymentRefunded | RefundFailed, invoice: str, amount: Money
) -> Document:
    return Document(
        key=document_key(kind, fact.provider, fact.key),
        kind=kind,
        provider=fact.provider,
        invoice=invoice,
        payment=fact.payment,
        amount=amount,
        occurred_at=fact.occurred_at,
        facts=(fact.key,),
    )


def stock_problems(order: Order, items: Mapping[str, Stocked]) -> list[str]:
    """A sentence for every item of which the order's lines together ask for more than there is."""
    asked: dict[str, Decimal] = {}
    for line in order.lines:
        asked[line.sku] = asked.get(line.sku, Decimal(0)) + line.quantity
    return [
        f"{sku}: {plain(quantity)} asked for, {plain(on_hand)} in stock"
        for sku, quantity in asked.items()
        if sku in items and (on_hand := items[sku].on_hand) is not None and quantity > on_hand
    ]


def display_name(name: str, attempt: int = 0) -> str:
    """The customer's name as QuickBooks can hold it: no colon, no control character, at most 100 characters.

    Two different (name, attempt) never give the same result: what was changed, cut, or looks like one of ours, carries
    a hash of the name. `attempt` above 0 makes another one when a vendor, an employee or another customer has the name.
    """
    legal = re.sub(r"\s*:\s*", " - ", name)
    legal = "".join(character if character.isprintable() or character == "\u200d" else " " for character in legal)
    suffix = "" if attempt == 0 else " (customer)" if attempt == 1 else f" (customer {attempt})"
    legal = legal.strip()
    if legal != name or len(legal) + len(suffix) > LONGEST_NAME or _OURS.search(legal):
        suffix = f" ~{_hash(name)}{suffix}"
        legal = legal[: LONGEST_NAME - len(suffix)].rstrip(" \u200d\ufe0f")
    return (legal + suffix).strip()


def _hash(name: str) -> str:
    return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:10]
