"""Whether the total of an order can be that of its invoice, and whether it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.kit.money import Money
from tillbook.rules.forms.fields import Problem

if TYPE_CHECKING:
    from tillbook.rules.orders import Order


def out_of_reach(order: Order) -> Problem | None:
    """What is wrong with a total that no tax from 0 to 100 percent of the taxable lines leads to, or None.

    QuickBooks computes the tax, but a total that it cannot come to is known before it is asked.
    """
    if order.total is None and order.tax is None:
        return None
    total = order.expected_total(Money.zero(order.currency))
    most = order.net + order.taxable_net
    if order.net <= total <= most:
        return None
    reach = f"{order.net} to {most}, by its taxable lines" if order.taxable_net else f"{order.net}: no line is taxable"
    return Problem("total" if order.total is not None else "tax", f"makes {total}", reach)


def total_problem(order: Order, booked_total: Money, booked_tax: Money) -> str:
    """Empty when QuickBooks' figures are what the customer was shown, else a sentence with both."""
    if booked_total.currency != order.currency:
        return f"the order is in {order.currency} and QuickBooks booked {booked_total}"
    expected = order.expected_total(booked_tax)
    if expected == booked_total:
        return ""
    tax = order.expected_tax(booked_tax)
    return f"the order comes to {expected} (tax {tax}) and QuickBooks booked {booked_total} (tax {booked_tax})"
