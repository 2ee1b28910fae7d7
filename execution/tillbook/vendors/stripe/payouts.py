"""Stripe's payouts as facts: money that left the balance for our bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.kit.errors import Unavailable
from tillbook.rules.events import Reading
from tillbook.rules.facts import PayoutPaid
from tillbook.vendors.stripe.objects import money, number, text

if TYPE_CHECKING:
    from tillbook.rules.operations import Json

PREFIX = "po_"


def payout_reading(payout: Json) -> Reading:
    """A payout (its balance transaction expanded) as the fact that it left the balance.

    The row exists from the payout's creation on, whatever becomes of it: one that fails comes back by a row of its own.
    Raises Unavailable for a payout without its documented fields.
    """
    name = text(payout, "id")
    row = payout.get("balance_transaction")
    if row is None:
        return Reading(name, (), "", "")
    if not isinstance(row, dict):
        raise Unavailable("Stripe did not expand the payout's balance transaction")
    paid = PayoutPaid(
        provider="stripe",
        key=text(row, "id"),
        occurred_at=number(row, "created"),
        payout=name,
        amount=-money(row, "amount"),
    )
    return Reading(name, (paid,), "", "")
