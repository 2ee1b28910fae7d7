"""`--dry-run`: the same step on a copy of the ledger, with doors that only write down what would be sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from tillbook.kit.money import Money, parse
from tillbook.rules.invoices import BookedInvoice
from tillbook.rules.operations import Door, Evidence, Json, Operation


@dataclass
class DryRun:
    """Every operation that the real run would send, in order."""

    planned: list[Operation] = field(default_factory=list)
    mails: list[Json] = field(default_factory=list)

    def of(self, door: Door) -> Door:
        return _DryDoor(door, self)

    @property
    def plan(self) -> list[Json]:
        """The plan for people and machines."""
        return [{"kind": op.kind, "subject": op.subject, "door": op.door, "params": op.params} for op in self.planned]


class _DryDoor:
    """Reads are the real door's; a change is written down and answered with what it would most likely make."""

    def __init__(self, door: Door, dry_run: DryRun) -> None:
        self.name = door.name
        self._door = door
        self._dry_run = dry_run

    def send(self, operation: Operation) -> Json:
        self._dry_run.planned.append(operation)
        return _LIKELY[operation.kind](operation)

    def find(self, operation: Operation) -> Json | None:
        return self._door.find(operation)

    def evidence(self, kind: str) -> Evidence:
        return self._door.evidence(kind)


def _invoice(operation: Operation) -> Json:
    """Tax is QuickBooks' to compute, so the assumed total is without it."""
    params = operation.params
    amounts = [parse(line["amount"], params["currency"]) for line in params["lines"]]
    total = sum(amounts[1:], amounts[0])
    if params["discount"]:
        total -= parse(params["discount"]["amount"], params["currency"])
    booked = BookedInvoice(
        id="(new)",
        number=params["number"],
        customer_id=params["customer_id"],
        email=params["email"],
        total=total,
        tax=Money.zero(total.currency),
        balance=total,
        date=params["date"],
        due=params["due"],
        voided=False,
        created_at=operation.prepared_at,
        version=0,
    )
    return asdict(booked)


def _checkout(operation: Operation) -> Json:
    expires_at = operation.prepared_at if operation.params["success_url"] else None
    return {"checkout_id": f"(new) {operation.subject}", "url": "", "expires_at": expires_at}


def _new(operation: Operation) -> Json:
    return {"id": f"(new) {operation.subject}"}


def _receipt(operation: Operation) -> Json:
    """QuickBooks adds the tax, so the assumed total may be without it."""
    amounts = [parse(line["amount"], operation.params["currency"], negative=True) for line in operation.params["lines"]]
    return {"id": f"(new) {operation.subject}", "total": sum(amounts[1:], amounts[0]).text}


_LIKELY: dict[str, Callable[[Operation], Json]] = {
    "create_account": _new,
    "create_customer": _new,
    "create_invoice": _invoice,
    "create_checkout": _checkout,
    "close_checkout": lambda operation: {"checkout_id": operation.subject, "status": "expired"},
    "capture_checkout": lambda operation: {"checkout_id": operation.subject, "capture": "(new)", "status": "(new)"},
    "create_item": _new,
    "delete_document": _new,
    "void_document": _new,
    "refund_payment": lambda operation: {"refund": "(new)", "status": "(new)"},
    "post_refund_receipt": _receipt,
    "post_sales_receipt": _receipt,
    "post_purchase": lambda operation: {"id": f"(new) {operation.subject}"},
    "apply_credit": lambda operation: {"id": operation.params["payment_id"]},
    "post_deposit": lambda operation: {"id": f"(new) {operation.subject}"},
    "post_payment": lambda operation: {"id": f"(new) {operation.subject}"},
}
