"""All that the ledger knows of a sale, as links of one shape: for a person who looks."""

from __future__ import annotations

from tillbook.ledger.sqlite.database import Database, Row


class Chain:
    """What belongs to a name: an invoice, a payment, an event, a mail address or a QuickBooks id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def named(self, name: str) -> list[str]:
        """The invoices that a number, a mail address, or an id of any vendor or of ours leads to."""
        return [row["invoice"] for row in self._database.all("chain.named", name=name)]

    def links(self, invoice: str) -> list[Row]:
        """Every link of an invoice: `what, id, status, amount_minor, currency, at, detail`."""
        return self._database.all("chain.links", invoice=invoice)

    def strays(self, name: str) -> list[Row]:
        """What is known by this name and belongs to no invoice."""
        return self._database.all("chain.strays", name=name)
