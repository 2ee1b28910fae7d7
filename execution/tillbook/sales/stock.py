"""Whether there is enough of what an order asks for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from tillbook.rules.orders import Order, plain


class Stocked(Protocol):
    """An item as the stock rule sees it. `on_hand` is None when no stock is kept of it."""

    @property
    def on_hand(self) -> Decimal | None:
        """How many there are in stock, or None for what is not counted."""
        ...


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
