"""The accounts and items in the books that our documents use: found by name, or made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook import bookkeeping, effects
from tillbook.operations import Json, Plan

if TYPE_CHECKING:
    from tillbook.workshop import Workshop

REFUND_ITEM = "Refund"


def clearing_account(shop: Workshop, provider: str, currency: str) -> str:
    """The QuickBooks id of a processor's clearing account, found by name and type or created."""
    wanted = bookkeeping.clearing_account(provider, currency)
    known = shop.ledger.sales.account(wanted["name"])
    if known is not None:
        return known
    found = shop.books.account_named(wanted["name"], wanted["type"])
    if found is not None:
        with shop.ledger.transaction():
            shop.ledger.sales.add_account(wanted["name"], found["id"], currency)
        return str(found["id"])
    plan = Plan("create_account", wanted["name"], "quickbooks", wanted)
    return str(effects.perform(shop, plan).result["id"])


def refund_item(shop: Workshop) -> str:
    """The QuickBooks id of the Service item of refund lines, found by name or made on the income account of sales."""
    known = shop.ledger.sales.item(REFUND_ITEM)
    if known is not None:
        return known
    found = shop.books.service_item(REFUND_ITEM)
    if found is not None:
        with shop.ledger.transaction():
            shop.ledger.sales.add_item(REFUND_ITEM, found)
        return found
    params: Json = {"name": REFUND_ITEM, "income_account_id": shop.books.income_account()}
    return str(effects.perform(shop, Plan("create_item", REFUND_ITEM, "quickbooks", params)).result["id"])
