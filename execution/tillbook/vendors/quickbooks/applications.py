"""Money that was given back out of a customer's credit, applied to the payment which left that credit."""

from __future__ import annotations

from decimal import Decimal

from tillbook.rules.operations import Json, Operation

_EXPENSE = "Expense"  # what QuickBooks calls a Purchase in a link
_NOT_OURS_TO_SEND = ("domain", "MetaData", "UnappliedAmt", "sparse")


def applied_body(raw: Json, operation: Operation) -> Json:
    """A full update of a `Payment`: everything as it is, and one line more. What is not sent would be cleared."""
    params = operation.params
    line = {
        "Amount": Decimal(params["amount"]),
        "LinkedTxn": [{"TxnId": params["purchase_id"], "TxnType": _EXPENSE}],
    }
    kept = {name: value for name, value in raw.items() if name not in _NOT_OURS_TO_SEND}
    lines = [{"Amount": one["Amount"], "LinkedTxn": one["LinkedTxn"]} for one in raw.get("Line", [])]
    return {**kept, "Line": [*lines, line]}


def is_applied(raw: Json, operation: Operation) -> bool:
    """Whether the payment holds a line for the operation's Purchase."""
    wanted = operation.params["purchase_id"]
    links = [link for line in raw.get("Line", []) for link in line.get("LinkedTxn", [])]
    return any(link["TxnType"] == _EXPENSE and link["TxnId"] == wanted for link in links)


def result(operation: Operation) -> Json:
    """The result of an `apply_credit`: the payment that it was applied to."""
    return {"id": operation.params["payment_id"]}
