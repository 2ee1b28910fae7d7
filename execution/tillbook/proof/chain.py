"""The whole chain of a sale, from anything that names one part of it. Reads the ledger only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tillbook.kit.clock import rfc3339
from tillbook.kit.errors import Refused

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.ledger.sqlite.database import Row

Link = dict[str, Any]


def of(ledger: Ledger, anything: str) -> list[Link]:
    """Each link with `what`, `id`, `status`, `amount`, `at` and `detail`, from the order to the mails.

    `anything`: an invoice number, a mail address (every invoice of it), a payment, charge, refund, checkout, event,
    operation or QuickBooks id. Raises Refused when nothing is known by it.
    """
    rows = [row for number in ledger.chain.named(anything) for row in ledger.chain.links(number)]
    rows = rows or (ledger.chain.strays(anything) if anything else [])
    if not rows:
        raise Refused(
            f"nothing in the ledger is known as {anything!r}",
            hint="Pass an invoice number, a mail address, or an id of a provider or QuickBooks as it is written there.",
        )
    return [_link(row) for row in rows]


def _link(row: Row) -> Link:
    """An amount as results show Money, made from the row because this command must start fast."""
    minor = row["amount_minor"]
    return {
        "what": row["what"],
        "id": str(row["id"]),
        "status": row["status"],
        "amount": None if minor is None else {"minor": minor, "currency": row["currency"]},
        "at": "" if row["at"] is None else rfc3339(row["at"]),
        "detail": row["detail"],
    }
