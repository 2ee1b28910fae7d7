"""The rows of the statement: every movement of money, as it moves the balance."""

from __future__ import annotations

from simulator.paypal.account import Account
from simulator.world import Json

ROW = "transaction"
STATUSES = {"S": True, "V": True, "F": True, "P": False, "D": False}
"""Each status of a row, and whether a row that has it moved the balance.

Success, reversed and partially refunded are money that came (a row of its own takes it away again); pending and
denied are none.
"""


def add_row(
    account: Account,
    *,
    transaction_id: str,
    code: str,
    at: int,
    amount_minor: int,
    fee_minor: int = 0,
    currency: str = "USD",
    reference_id: str | None = None,
    reference_type: str | None = None,
    invoice_id: str | None = None,
    custom: str | None = None,
    status: str = "S",
) -> Json:
    """Book a row of the statement that happened at `at` (UTC seconds).

    Amount and fee are minor units, signed as they move the balance: a capture +10000 and -398, a refund -10000. `code`
    is PayPal's (`T0006`). The reference is the order (`ODR`) or transaction (`TXN`) that the row belongs to. Ids need
    not be unique: the World keeps a second row of an id as `<id>:2`.
    """
    number = 1
    while account.find(ROW, key := transaction_id if number == 1 else f"{transaction_id}:{number}"):
        number += 1
    row = {
        "id": key,
        "transaction_id": transaction_id,
        "code": code,
        "at": at,
        "updated": at,
        "amount_minor": amount_minor,
        "fee_minor": fee_minor,
        "currency": currency,
        "reference_id": reference_id,
        "reference_type": reference_type,
        "invoice_id": invoice_id,
        "custom": custom,
        "status": status,
    }
    return account.save(ROW, row)


def set_status(account: Account, transaction_id: str, code: str, status: str, at: int | None = None) -> None:
    """Give the rows of a transaction and code another status, at a time (UTC seconds). No such row: nothing happens."""
    for row in account.all(ROW):
        if (row["transaction_id"], row["code"]) == (transaction_id, code):
            changed = account.world.now() if at is None else at
            account.save(ROW, {**row, "status": status, "updated": changed})
