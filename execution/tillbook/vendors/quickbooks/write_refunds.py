"""Money that went back, as the JSON that QuickBooks expects: receipts for the sale, Purchase and Deposit for credit.

A RefundReceipt cannot be voided and an Inventory item would restock, so its lines use one Service item.
"""

from __future__ import annotations

from decimal import Decimal

from tillbook.rules.operations import Json, Operation


def item_body(operation: Operation) -> Json:
    """The Service item that refund lines use."""
    params = operation.params
    return {"Name": params["name"], "Type": "Service", "IncomeAccountRef": _ref(params["income_account_id"])}


def receipt_body(operation: Operation) -> Json:
    """A `RefundReceipt`, or the `SalesReceipt` that mirrors one: both pay through the clearing account."""
    params = operation.params
    return {
        "DocNumber": operation.id,
        "CustomerRef": _ref(params["customer_id"]),
        "CurrencyRef": _ref(params["currency"]),
        "TxnDate": params["date"],
        "DepositToAccountRef": _ref(params["account_id"]),
        "PrivateNote": params["note"],
        "Line": [_line(line, number) for number, line in enumerate(params["lines"], 1)],
    }


def purchase_body(operation: Operation) -> Json:
    """A `Purchase` out of the clearing account that takes the money from what we owe the customer."""
    params = operation.params
    return {
        "DocNumber": operation.id,
        "PaymentType": "Cash",
        "AccountRef": _ref(params["account_id"]),
        "EntityRef": {"value": params["customer_id"], "type": "Customer"},
        "CurrencyRef": _ref(params["currency"]),
        "TxnDate": params["date"],
        "PrivateNote": params["note"],
        "Line": [
            {
                "DetailType": "AccountBasedExpenseLineDetail",
                "Amount": Decimal(params["amount"]),
                "Description": params["description"],
                "AccountBasedExpenseLineDetail": {
                    "AccountRef": _ref(params["receivable_account_id"]),
                    "CustomerRef": _ref(params["customer_id"]),
                },
            }
        ],
    }


def deposit_body(operation: Operation) -> Json:
    """A `Deposit` into the clearing account that owes the customer the money again."""
    params = operation.params
    return {
        "DocNumber": operation.id,
        "DepositToAccountRef": _ref(params["account_id"]),
        "CurrencyRef": _ref(params["currency"]),
        "TxnDate": params["date"],
        "PrivateNote": params["note"],
        "Line": [
            {
                "DetailType": "DepositLineDetail",
                "Amount": Decimal(params["amount"]),
                "Description": params["description"],
                "DepositLineDetail": {
                    "AccountRef": _ref(params["receivable_account_id"]),
                    "Entity": {"value": params["customer_id"], "type": "CUSTOMER"},
                },
            }
        ],
    }


def _line(line: Json, number: int) -> Json:
    amount = Decimal(line["amount"])
    return {
        "LineNum": number,
        "DetailType": "SalesItemLineDetail",
        "Description": line["description"],
        "Amount": amount,
        "SalesItemLineDetail": {
            "ItemRef": _ref(line["item_id"]),
            "Qty": Decimal(1),
            "UnitPrice": amount,
            "TaxCodeRef": _ref("TAX" if line["taxable"] else "NON"),
        },
    }


def _ref(value: str) -> Json:
    return {"value": value}
