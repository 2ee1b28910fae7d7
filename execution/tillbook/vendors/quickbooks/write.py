"""The parameters of an operation as the JSON that QuickBooks expects: exact numbers, nothing empty, our mark inside.

The SDK's own objects send decimals as strings and empty texts that Intuit's schema forbids, so we write the JSON.
The mark is the operation's id, in a field that people rarely edit: by it an operation is found again.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tillbook.kit.errors import Refused
from tillbook.operations.kinds.quickbooks import LONGEST_NOTE
from tillbook.rules.operations import marks_in

if TYPE_CHECKING:
    from tillbook.operations.kinds.books.create_account import CreateAccount
    from tillbook.operations.kinds.books.create_item import CreateItem
    from tillbook.operations.kinds.books.post_payment import PostPayment
    from tillbook.operations.kinds.sales.create_customer import CreateCustomer
    from tillbook.operations.kinds.sales.create_invoice import CreateInvoice, InvoiceDiscount, InvoiceLine
    from tillbook.rules.operations import Json, Operation
    from tillbook.rules.orders import Address

_KEPT_DECIMALS = 2
_LONGEST_COMPANY = 100
_LONGEST_NOTES = 1024
_ADDRESS = {
    "line1": "Line1",
    "line2": "Line2",
    "city": "City",
    "state": "CountrySubDivisionCode",
    "postal_code": "PostalCode",
    "country": "Country",
}


def account_body(operation: Operation[CreateAccount]) -> Json:
    """An `Account`. It carries no mark: the account of that name is the right one, whoever made it."""
    params = operation.params
    return {
        "Name": params.name,
        "AccountType": params.type,
        "AccountSubType": params.subtype,
        "CurrencyRef": _ref(params.currency),
    }


def customer_body(operation: Operation[CreateCustomer]) -> Json:
    """A `Customer`: the unique display name, and the full name wherever it fits whole."""
    params = operation.params
    full_name = params.full_name
    fits = len(full_name) <= _LONGEST_COMPANY and full_name.isprintable() and ":" not in full_name
    notes = mark(operation) if fits else f"{mark(operation)}\n{full_name}"
    return {
        "DisplayName": params.name,
        "CompanyName": full_name if fits else None,
        "PrintOnCheckName": full_name if fits else None,
        "Notes": notes[:_LONGEST_NOTES],
        "PrimaryEmailAddr": {"Address": params.email},
        "CurrencyRef": _ref(params.currency),
        "BillAddr": _address(params.address),
    }


def item_body(operation: Operation[CreateItem]) -> Json:
    """The Service `Item` that refund lines use. It carries no mark: the item of that name is the right one."""
    params = operation.params
    return {"Name": params.name, "Type": "Service", "IncomeAccountRef": _ref(params.income_account_id)}


def invoice_body(operation: Operation[CreateInvoice]) -> Json:
    """An `Invoice` that is paid on our page only: QuickBooks' own payment buttons are off, else it is paid twice.

    Tax is left to QuickBooks, which knows the rates. It is computed on what remains after the discount.
    """
    params = operation.params
    lines = [_sale(line, number) for number, line in enumerate(params.lines, 1)]
    discount = params.discount
    if discount:
        lines.append(_discount(discount))
    return {
        "DocNumber": params.number,
        "CustomerRef": _ref(params.customer_id),
        "CurrencyRef": _ref(params.currency),
        "TxnDate": params.date,
        "DueDate": params.due,
        "PrivateNote": mark(operation),
        "CustomerMemo": _ref(params.memo) if params.memo else None,
        "BillEmail": {"Address": params.email},
        "BillAddr": _address(params.address),
        "Line": lines,
        "ApplyTaxAfterDiscount": True if discount else None,
        "AllowOnlineCreditCardPayment": False,
        "AllowOnlineACHPayment": False,
    }


def payment_body(operation: Operation[PostPayment]) -> Json:
    """A `Payment`, gross, into the processor's clearing account. What no line applies stays the customer's credit."""
    params = operation.params
    return {
        "CustomerRef": _ref(params.customer_id),
        "CurrencyRef": _ref(params.currency),
        "TotalAmt": amount(params.amount),
        "TxnDate": params.date,
        "DepositToAccountRef": _ref(params.deposit_account_id),
        "PaymentRefNum": operation.id,
        "PrivateNote": noted(params.note, operation),
        "Line": [
            {
                "Amount": amount(applied.amount),
                "LinkedTxn": [{"TxnId": applied.invoice_id, "TxnType": "Invoice"}],
            }
            for applied in params.applied
        ],
    }


def mark(operation: Operation[object]) -> str:
    """The words by which a document is known as ours."""
    return f"Tillbook {operation.id}"


def noted(note: str, operation: Operation[object]) -> str:
    """A document's note with our mark in a line of its own."""
    words = mark(operation)
    return f"{note[: LONGEST_NOTE - len(words) - 1]}\n{words}"


def bears_mark(text: object, operation: Operation[object]) -> bool:
    """Whether a note holds our mark, whatever a person or QuickBooks ("Voided") has written around it."""
    return operation.id in marks_in(text)


def amount(text: str) -> Decimal:
    """An amount as an exact number. Raises Refused for a third decimal, which QuickBooks would not keep."""
    value = Decimal(text)
    if value != round(value, _KEPT_DECIMALS):
        raise Refused(f"{text} does not fit: QuickBooks keeps {_KEPT_DECIMALS} decimals")
    return value


def to_bytes(body: Json) -> bytes:
    """JSON in UTF-8 without empties. A Decimal is written digit for digit (60.00, never 60.0 or "60.00")."""
    return _text(_filled(body)).encode()


def _sale(line: InvoiceLine, number: int) -> Json:
    return {
        "LineNum": number,
        "DetailType": "SalesItemLineDetail",
        "Description": line.description,
        "Amount": amount(line.amount),
        "SalesItemLineDetail": {
            "ItemRef": _ref(line.item_id),
            "Qty": Decimal(line.quantity),
            "UnitPrice": Decimal(line.unit_price),
            "TaxCodeRef": _ref("TAX" if line.taxable else "NON"),
        },
    }


def _discount(discount: InvoiceDiscount) -> Json:
    percent = discount.percent
    detail = {
        "PercentBased": bool(percent),
        "DiscountPercent": Decimal(percent) if percent else None,
    }
    return {
        "DetailType": "DiscountLineDetail",
        "Amount": amount(discount.amount),
        "DiscountLineDetail": detail,
    }


def _address(address: Address | None) -> Json | None:
    return {theirs: getattr(address, ours) for ours, theirs in _ADDRESS.items()} if address else None


def _ref(value: str) -> Json:
    return {"value": value}


def _filled(value: Any) -> Any:
    """The value without None, empty texts, lists and objects. False and 0 say something and stay."""
    if isinstance(value, dict):
        pairs = ((key, _filled(one)) for key, one in value.items())
        return {key: one for key, one in pairs if one is not None and one not in ("", [], {})}
    return [_filled(one) for one in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_text(one) for one in value) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
