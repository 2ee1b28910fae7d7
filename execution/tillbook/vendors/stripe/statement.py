"""Stripe's statement: each balance transaction as movements with the keys of the facts that they should have become.

A charge is two movements: the payment by its charge, and the fee by its own row. A refund, one that failed and a payout
are known by their rows. A category that becomes no fact yet is a movement of the kind OTHER with its net amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tillbook.kit.errors import Unavailable
from tillbook.kit.money import Money
from tillbook.rules.facts import PaymentRefunded, PaymentSucceeded, PayoutPaid, ProcessorFee, RefundFailed
from tillbook.rules.matching import OTHER, Movement
from tillbook.rules.operations import Json
from tillbook.vendors.stripe.amounts import from_stripe
from tillbook.vendors.stripe.calls import PAGE_SIZE, StripeCalls
from tillbook.vendors.stripe.objects import money, number, reference, text

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.params import BalanceTransactionListParams

# How a reporting category is a fact's kind, and the sign of its amounts on the statement.
_FACTS = {
    "charge": (PaymentSucceeded.kind, 1),
    "refund": (PaymentRefunded.kind, -1),
    "refund_failure": (RefundFailed.kind, 1),
    "payout": (PayoutPaid.kind, -1),
}
_PARTS_OF_BALANCE = ("available", "pending", "connect_reserved")


def statement(calls: StripeCalls, since: int, until: int) -> Iterator[Movement]:
    """Every row created from `since` to before `until` (UTC seconds), newest first, read page by page."""

    def page(stripe: StripeClient, after: str) -> Any:
        params: BalanceTransactionListParams = {
            "created": {"gte": since, "lt": until},
            "limit": PAGE_SIZE,
            "expand": ["data.source"],
        }
        if after:
            params["starting_after"] = after
        return stripe.v1.balance_transactions.list(params)

    for row in calls.pages(page):
        # What Stripe keeps apart (Issuing, Capital) is not in the balance that is proven.
        if row.get("balance_type", "payments") == "payments":
            yield from movements(row)


def balance(calls: StripeCalls) -> dict[str, Money]:
    """What Stripe holds for us now, by currency: all of it, whether it may be paid out yet or not."""
    answer = calls.read(lambda stripe: stripe.v1.balance.retrieve())
    sums: dict[str, Money] = {}
    for part in (one for name in _PARTS_OF_BALANCE for one in _listed(answer, name)):
        amount = money(part, "amount")
        sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount
    return sums


def movements(row: Json) -> Iterator[Movement]:
    """One balance transaction (its source expanded). Raises Unavailable for one without its documented fields."""
    key, at, category = text(row, "id"), number(row, "created"), text(row, "reporting_category")
    currency = text(row, "currency").upper()
    source = row.get("source")
    payment = _read_by(category, source) if isinstance(source, dict) else ""
    fee = from_stripe(number(row, "fee"), currency)
    if category not in _FACTS or not payment or not isinstance(source, dict):
        yield Movement(
            key, OTHER, from_stripe(number(row, "net"), currency).minor, currency, at, payment, "", "", category
        )
        return
    kind, sign = _FACTS[category]
    name = text(source, "id") if kind == PaymentSucceeded.kind else key
    yield Movement(name, kind, sign * money(row, "amount").minor, currency, at, payment)
    if fee and kind == PaymentSucceeded.kind:
        yield Movement(f"{key}:fee", ProcessorFee.kind, fee.minor, currency, at, payment)
    elif fee:  # no fact has the fee of a refund yet
        yield Movement(f"{key}:fee", OTHER, -fee.minor, currency, at, payment, "", "", f"fee of a {category}")


def _read_by(category: str, source: Json) -> str:
    """The id of the object that proves a row: the payment, or the payout itself."""
    return reference({"payout": source}, "payout") if category == "payout" else reference(source, "payment_intent")


def _listed(answer: Json, name: str) -> Iterable[Json]:
    found = answer.get(name) or []
    if not isinstance(found, list):
        raise Unavailable(f"Stripe's balance lacks a readable `{name}`")
    return found
