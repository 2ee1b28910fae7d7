"""What stands in QuickBooks: the records that documents of ours became, and what customers owe there.

Read in pages by date, or exactly by id; and taken back where one must not stand: voided where QuickBooks can, deleted
where it cannot.
"""

from __future__ import annotations

from collections.abc import Iterator

from tillbook.kit.money import Money, from_decimal
from tillbook.rules.operations import Json, Operation
from tillbook.vendors.books import RECORD_KINDS, Record
from tillbook.vendors.quickbooks import query, read
from tillbook.vendors.quickbooks.records import Records, readable
from tillbook.vendors.quickbooks.write import to_bytes

_MARKS = {"Payment": "PaymentRefNum"}  # every other kind bears it as its number
_OWED = ("Invoice", "Payment", "CreditMemo")
_EVERYBODY = "Active IN (true, false)"
_VOID = {"operation": "update", "include": "void"}


class Standing(Records):
    """What one company's books hold of ours."""

    def records_between(self, first: str, last: str) -> Iterator[Record]:
        """Every record of the RECORD_KINDS that is dated from `first` to `last`, in pages of a thousand."""
        where = f"TxnDate >= {query.literal(first)} AND TxnDate <= {query.literal(last)}"
        for kind in RECORD_KINDS:
            for raw in self._rows(kind, where):
                yield self._record(kind, raw)

    def record(self, kind: str, quickbooks_id: str) -> Record | None:
        """One record by id; None when it was deleted."""
        raw = self._raw(kind, quickbooks_id)
        return None if raw is None else self._record(kind, raw)

    def receivables(self) -> dict[str, Money]:
        """What each customer owes, by QuickBooks id, active or not."""
        with readable():
            return {
                raw["Id"]: from_decimal(raw.get("Balance", 0), read.currency_of(raw, self._home_currency))
                for raw in self._rows("Customer", _EVERYBODY)
            }

    def receivable_records(self, customer_id: str) -> list[Record]:
        """Every Invoice, Payment and CreditMemo of a customer."""
        where = f"CustomerRef = {query.literal(customer_id)}"
        return [self._record(kind, raw) for kind in _OWED for raw in self._rows(kind, where)]

    def withdraw(self, operation: Operation) -> Json:
        """Void or delete one record of ours; one that is gone is withdrawn already."""
        entity, name = operation.params["entity"], operation.params["id"]
        raw = self._raw(entity, name)
        if raw is not None and operation.kind == "void_document":
            body = to_bytes({"Id": name, "SyncToken": raw["SyncToken"], "sparse": True})
            self.connection.call(
                lambda client: client.update_object(entity, body, request_id=operation.id, params=dict(_VOID))
            )
        elif raw is not None:
            body = to_bytes({"Id": name, "SyncToken": raw["SyncToken"]})
            self.connection.call(lambda client: client.delete_object(entity, body, request_id=operation.id))
        return {"id": name}

    def withdrawn(self, operation: Operation) -> Json | None:
        """The result of a withdrawal that was carried out; None while the record still stands."""
        found = self.record(operation.params["entity"], operation.params["id"])
        gone = found is None or (found.voided and operation.kind == "void_document")
        return {"id": operation.params["id"]} if gone else None

    def _record(self, kind: str, raw: Json) -> Record:
        with readable():
            amount = from_decimal(raw["TotalAmt"], read.currency_of(raw, self._home_currency))
            note = str(raw.get("PrivateNote", ""))
            payee = "EntityRef" if kind == "Purchase" else "CustomerRef"
            return Record(
                kind=kind,
                id=str(raw["Id"]),
                mark=str(raw.get(_MARKS.get(kind, "DocNumber"), "")),
                note=note,
                amount=amount,
                date=str(raw["TxnDate"]),
                customer_id=str(read.part(raw, payee).get("value", "")),
                voided=not amount and note.startswith("Void"),
            )
