"""Money that went back, as the JSON that QuickBooks expects: receipts for the sale, Purchase and Deposit for credit.

A RefundReceipt cannot be voided and an Inventory item would restock, so its lines use one Service item.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tillbook.vendors.quickbooks.write import amount as amount_of
from tillbook.vendors.quickbooks.write import noted

if TYPE_CHECKING:
    from tillbook.operations.kinds.refunds.apply_credit import ApplyCredit
    from tillbook.operations.kinds.refunds.post_deposit import PostDeposit
    from tillbook.operations.kinds.refunds.post_purchase import PostPurchase
    from tillbook.operations.kinds.refunds.receipt import Receipt, ReceiptLine
    from tillbook.rules.operations import Json, Operation

_EXPENSE = "Expense"  # what QuickBooks calls a Purchase in a link
_NOT_OURS_TO_SEND = ("domain", "MetaData", "UnappliedAmt", "sparse")


def receipt_body(operation: Operation[Receipt]) -> Json:
    """A `RefundReceipt`, or the `SalesReceipt` that mirrors one: both pay through the clearing account."""
    params = operation.params
    return {
        "DocNumber": operation.id,
        "CustomerRef": _ref(params.customer_id),
        "CurrencyRef": _ref(params.currency),
        "TxnDate": params.date,
        "DepositToAccountRef": _ref(params.account_id),
        "PrivateNote": noted(params.note, operation),
        "Line": [_line(line, number) for number, line in enumerate(params.lines, 1)],
    }


def purchase_body(operation: Operation[PostPurchase]) -> Json:
    """A `Purchase` out of the clearing account that takes the money from what we owe the customer."""
    params = operation.params
    return {
        "DocNumber": operation.id,
        "PaymentType": "Cash",
        "AccountRef": _ref(params.account_id),
        "EntityRef": {"value": params.customer_id, "type": "Customer"},
        "CurrencyRef": _ref(params.currency),
        "TxnDate": params.date,
        "PrivateNote": noted(params.note, operation),
        "Line": [
            {
                "DetailType": "AccountBasedExpenseLineDetail",
                "Amount": amount_of(params.amount),
                "Description": params.description,
                "AccountBasedExpenseLineDetail": {
                    "AccountRef": _ref(params.receivable_account_id),
                    "CustomerRef": _ref(params.customer_id),
                },
            }
        ],
    }


def deposit_body(operation: Operation[PostDeposit]) -> Json:
    """A `Deposit` into the clearing account that owes the customer the money again."""
    params = operation.params
    return {
        "DocNumber": operation.id,
        "DepositToAccountRef": _ref(params.account_id),
        "CurrencyRef": _ref(params.currency),
        "TxnDate": params.date,
        "PrivateNote": noted(params.note, operation),
        "Line": [
            {
                "DetailType": "DepositLineDetail",
                "Amount": amount_of(params.amount),
                "Description": params.description,
                "DepositLineDetail": {
                    "AccountRef": _ref(params.receivable_account_id),
                    "Entity": {"value": params.customer_id, "type": "CUSTOMER"},
                },
            }
        ],
    }


def applied_body(raw: Json, asked: ApplyCredit) -> Json:
    """A full update of a `Payment`: everything as it is, and one line more. What is not sent would be cleared."""
    line = {
        "Amount": amount_of(asked.amount),
        "LinkedTxn": [{"TxnId": asked.purchase_id, "TxnType": _EXPENSE}],
    }
    kept = {name: value for name, value in raw.items() if name not in _NOT_OURS_TO_SEND}
    lines = [{"Amount": one["Amount"], "LinkedTxn": one["LinkedTxn"]} for one in raw.get("Line", [])]
    return {**kept, "Line": [*lines, line]}


def is_applied(raw: Json, asked: ApplyCredit) -> bool:
    """Whether the payment holds a line for the Purchase."""
    links = [link for line in raw.get("Line", []) for link in line.get("LinkedTxn", [])]
    return any(link["TxnType"] == _EXPENSE and link["TxnId"] == asked.purchase_id for link in links)


def _line(line: ReceiptLine, number: int) -> Json:
    amount = amount_of(line.amount)
    return {
        "LineNum": number,
        "DetailType": "SalesItemLineDetail",
        "Description": line.description,
        "Amount": amount,
        "SalesItemLineDetail": {
            "ItemRef": _ref(line.item_id),
            "Qty": Decimal(1),
            "UnitPrice": amount,
            "TaxCodeRef": _ref("TAX" if line.taxable else "NON"),
        },
    }


def _ref(value: str) -> Json:
    return {"value": value}
