"""Stripe's statement: each balance transaction as movements with the keys of the facts that they should have become.

A charge is two movements: the payment by its charge, and the fee by its own row. A refund, one that failed and a payout
are known by their rows. A category that becomes no fact yet is a movement of the kind OTHER with its net amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tillbook.kit.errors import Unavailable
from tillbook.kit.money import Money
from tillbook.rules.events import UnreadableRecord
from tillbook.rules.facts import PaymentRefunded, PaymentSucceeded, PayoutPaid, ProcessorFee, RefundFailed
from tillbook.rules.matching import OTHER, Movement
from tillbook.rules.operations import Json
from tillbook.vendors.one_by_one import each, parted, plain
from tillbook.vendors.stripe.calls import PAGE_SIZE, StripeCalls
from tillbook.vendors.stripe.objects import money, named, number, reference, text

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


def statement(calls: StripeCalls, since: int, until: int) -> Iterator[Movement | UnreadableRecord]:
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

    return each(calls.pages(page), movements, named)


def balance(calls: StripeCalls) -> dict[str, Money | UnreadableRecord]:
    """What Stripe holds for us now, by currency: all of it, whether it may be paid out yet or not."""
    answer = calls.read(lambda stripe: stripe.v1.balance.retrieve())
    parts = [one for name in _PARTS_OF_BALANCE for one in _listed(answer, name)]
    amounts, odd = parted(each(parts, lambda part: [money(part, "amount")], _named_part))
    sums: dict[str, Money | UnreadableRecord] = {}
    for amount in amounts:
        known = sums.get(amount.currency)
        sums[amount.currency] = known + amount if isinstance(known, Money) else amount
    return sums | {one.currency: one for one in odd}


def movements(row: Json) -> Iterator[Movement]:
    """One balance transaction (its source expanded). Raises Unreadable for one without its documented fields.

    What Stripe keeps apart (Issuing, Capital) is not in the balance that is proven.
    """
    if row.get("balance_type", "payments") != "payments":
        return
    key, at, category = text(row, "id"), number(row, "created"), text(row, "reporting_category")
    currency = text(row, "currency").upper()
    source = row.get("source")
    payment = _read_by(category, source) if isinstance(source, dict) else ""
    if category not in _FACTS or not payment or not isinstance(source, dict):
        yield Movement(key, OTHER, money(row, "net").minor, currency, at, payment, "", "", category)
        return
    kind, sign = _FACTS[category]
    name = text(source, "id") if kind == PaymentSucceeded.kind else key
    yield Movement(name, kind, sign * money(row, "amount").minor, currency, at, payment)
    fee = money(row, "fee")
    if fee and kind == PaymentSucceeded.kind:
        yield Movement(f"{key}:fee", ProcessorFee.kind, fee.minor, currency, at, payment)
    elif fee:  # no fact has the fee of a refund yet
        yield Movement(f"{key}:fee", OTHER, -fee.minor, currency, at, payment, "", "", f"fee of a {category}")


def _read_by(category: str, source: Json) -> str:
    """The id of the object that proves a row: the payment, or the payout itself."""
    return reference({"payout": source}, "payout") if category == "payout" else reference(source, "payment_intent")


def _named_part(part: Any) -> UnreadableRecord:
    """A part of the balance has no id: it is known by its currency."""
    return UnreadableRecord("stripe", "balance", "amount", "", plain(part, "currency").upper())


def _listed(answer: Json, name: str) -> Iterable[Json]:
    found = answer.get(name) or []
    if not isinstance(found, list):
        raise Unavailable(f"Stripe's balance lacks a readable `{name}`")
    return found
