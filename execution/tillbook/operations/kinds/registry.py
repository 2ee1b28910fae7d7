"""Every kind of operation, by the name that the ledger stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tillbook.operations.kinds.books.create_account import CreateAccount
from tillbook.operations.kinds.books.create_item import CreateItem
from tillbook.operations.kinds.books.delete_document import DeleteDocument
from tillbook.operations.kinds.books.post_payment import PostPayment
from tillbook.operations.kinds.books.void_document import VoidDocument
from tillbook.operations.kinds.refunds.apply_credit import ApplyCredit
from tillbook.operations.kinds.refunds.post_deposit import PostDeposit
from tillbook.operations.kinds.refunds.post_purchase import PostPurchase
from tillbook.operations.kinds.refunds.post_refund_receipt import PostRefundReceipt
from tillbook.operations.kinds.refunds.post_sales_receipt import PostSalesReceipt
from tillbook.operations.kinds.refunds.refund_payment import RefundPayment
from tillbook.operations.kinds.sales.capture_checkout import CaptureCheckout
from tillbook.operations.kinds.sales.close_checkout import CloseCheckout
from tillbook.operations.kinds.sales.create_checkout import CreateCheckout
from tillbook.operations.kinds.sales.create_customer import CreateCustomer
from tillbook.operations.kinds.sales.create_invoice import CreateInvoice

if TYPE_CHECKING:
    from tillbook.operations.kinds.base import Kind
    from tillbook.operations.kinds.quickbooks import Posting
    from tillbook.rules.documents import Purpose
    from tillbook.rules.operations import Operation


def registered(*kinds: type[Kind[Any]]) -> dict[str, type[Kind[Any]]]:
    """Kinds by name. Type checkers take no class that lacks a part."""
    return {one.kind: one for one in kinds}


KINDS = registered(
    CreateAccount,
    CreateCustomer,
    CreateItem,
    CreateInvoice,
    CreateCheckout,
    CloseCheckout,
    CaptureCheckout,
    PostPayment,
    RefundPayment,
    PostRefundReceipt,
    PostSalesReceipt,
    PostPurchase,
    PostDeposit,
    ApplyCredit,
    DeleteDocument,
    VoidDocument,
)

POSTINGS: dict[Purpose, type[Posting[Any]]] = {
    one.purpose(): one for one in (PostPayment, PostRefundReceipt, PostSalesReceipt, PostPurchase, PostDeposit)
}
"""The kinds that post a document of ours, by its purpose."""

MARKS = {one.entity(): one.mark() for one in POSTINGS.values()}
"""The field that carries our operation id in each record that a document becomes in QuickBooks."""


def kind_of(operation: Operation[object]) -> type[Kind[Any]]:
    """The kind of a stored operation."""
    return KINDS[operation.kind]
