"""The accounts and items in the books that our documents use: found by name, or made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.operations.perform import perform
from tillbook.rules import documents
from tillbook.rules.operations import Json, Plan

if TYPE_CHECKING:
    from tillbook.till import Till

REFUND_ITEM = "Refund"


def clearing_account(till: Till, provider: str, currency: str) -> str:
    """The QuickBooks id of a processor's clearing account, found by name and type or created."""
    wanted = documents.clearing_account(provider, currency)
    known = till.ledger.sales.account(wanted["name"])
    if known is not None:
        return known
    found = till.books.account_named(wanted["name"], wanted["type"])
    if found is not None:
        with till.ledger.transaction():
            till.ledger.sales.add_account(wanted["name"], found["id"], currency)
        return str(found["id"])
    plan = Plan("create_account", wanted["name"], "quickbooks", wanted)
    return str(perform(till, plan).result["id"])


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
    params: Json = {"name": REFUND_ITEM, "income_account_id": till.books.income_account()}
    return str(perform(till, Plan("create_item", REFUND_ITEM, "quickbooks", params)).result["id"])
