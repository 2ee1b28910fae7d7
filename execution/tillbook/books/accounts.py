"""The accounts and items in the books that our documents use: found by name, or made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.kinds.books.create_account import CreateAccount
from tillbook.operations.kinds.books.create_item import CreateItem
from tillbook.operations.perform import perform
from tillbook.vendors.providers import declared

if TYPE_CHECKING:
    from tillbook.till import Till

REFUND_ITEM = "Refund"


def clearing_account(till: Till, provider: str, currency: str) -> str:
    """The QuickBooks id of a processor's clearing account, found by name and type or created."""
    wanted = CreateAccount.clearing(declared(provider).clearing, currency)
    known = till.ledger.sales.account(wanted.name)
    if known is not None:
        return known
    found = till.books.account_named(wanted.name, wanted.type)
    if found is not None:
        with till.ledger.transaction():
            till.ledger.sales.add_account(wanted.name, found["id"], currency)
        return str(found["id"])
    return perform(till, wanted.plan()).result.id


def refund_item(till: Till) -> str:
    """The QuickBooks id of the Service item of refund lines, found by name or made on the income account of sales."""
    known = till.ledger.sales.item(REFUND_ITEM)
    if known is not None:
        return known
    found = till.books.service_item(REFUND_ITEM)
    if found is not None:
        with till.ledger.transaction():
            till.ledger.sales.add_item(REFUND_ITEM, found)
        return found
    wanted = CreateItem(REFUND_ITEM, till.books.income_account())
    return perform(till, wanted.plan()).result.id
