"""The accounts and items in the books that our documents use: found by name, or made once.

Their ids are kept. Once a run it is read whether they can still be used: people rename, retype and retire them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.kit.errors import NotAllowed
from tillbook.operations.kinds.books.create_account import CreateAccount
from tillbook.operations.kinds.books.create_item import CreateItem
from tillbook.operations.perform import perform
from tillbook.vendors.providers import declared

if TYPE_CHECKING:
    from tillbook.rules.operations import Json
    from tillbook.till import Till

REFUND_ITEM = "Refund"
GONE = "QuickBooks does not hold the last one any more"


def clearing_account(till: Till, provider: str, currency: str) -> str:
    """The QuickBooks id of a processor's clearing account, found by name and type or created.

    Raises NotAllowed when it cannot be posted to any more.
    """
    wanted = CreateAccount.clearing(declared(provider).clearing, currency)
    if wanted.name not in till.accounts:
        till.accounts[wanted.name] = _account(till, wanted)
    return till.accounts[wanted.name]


def refund_item(till: Till) -> str:
    """The QuickBooks id of the Service item of refund lines, found by name or made on the income account of sales."""
    if REFUND_ITEM not in till.accounts:
        till.accounts[REFUND_ITEM] = _refund_item(till)
    return till.accounts[REFUND_ITEM]


def _account(till: Till, wanted: CreateAccount) -> str:
    known = till.ledger.sales.account(wanted.name)
    found = till.books.account(known) if known else None
    if known and found:
        _require_usable(wanted, found)
        return known
    if found := till.books.account_named(wanted.name, wanted.type):
        _require_usable(wanted, found)
        with till.ledger.transaction():
            till.ledger.sales.add_account(wanted.name, found["id"], wanted.currency)
        return str(found["id"])
    return perform(till, wanted.plan(), renew=GONE if known else "").result.id


def _require_usable(wanted: CreateAccount, found: Json) -> None:
    """Nothing else takes the place of an account: what the processor holds is told from this one alone."""
    is_now = (found["active"], found["type"], found["currency"])
    if is_now != (True, wanted.type, wanted.currency):
        state = "active" if found["active"] else "inactive"
        raise NotAllowed(
            f"account {found['name']} in QuickBooks is {state}, {found['type']}, in {found['currency']};"
            f" expected active, {wanted.type}, in {wanted.currency}",
            hint="Make it so again in QuickBooks, then run the same command again.",
        )


def _refund_item(till: Till) -> str:
    known = till.ledger.sales.item(REFUND_ITEM)
    if known and till.books.sells(known):
        return known
    if found := till.books.service_item(REFUND_ITEM):
        with till.ledger.transaction():
            till.ledger.sales.add_item(REFUND_ITEM, found)
        return found
    wanted = CreateItem(REFUND_ITEM, till.books.income_account())
    return perform(till, wanted.plan(), renew=GONE if known else "").result.id
