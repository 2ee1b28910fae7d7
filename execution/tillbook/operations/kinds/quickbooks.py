"""What is common to the kinds of operations that QuickBooks carries out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Self, TypeVar

import msgspec

from tillbook.operations.kinds.base import Kind, note_problem
from tillbook.rules.documents import RECORDS, Purpose
from tillbook.rules.operations import Evidence, Operation, Plan

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.operations.kinds.handlers import Handler
    from tillbook.rules.operations import Stored

DOOR = "quickbooks"
LONGEST_NOTE = 4000
_READ_LAG_SECONDS = 30

Result = TypeVar("Result")


class Made(msgspec.Struct, frozen=True):
    """A record of QuickBooks, by its id there."""

    id: str


class Posted(Made, frozen=True):
    """A record and the total that QuickBooks made of it, as decimal text. `problem` is why it cannot be understood."""

    total: str
    problem: str = ""


class InQuickBooks(Kind[Result], frozen=True):
    """A kind that QuickBooks carries out."""

    @classmethod
    @abstractmethod
    def evidence(cls) -> Evidence:
        """How an operation of this kind is found again."""

    @classmethod
    def in_quickbooks(
        cls,
        send: Callable[[Operation[Self]], Result],
        find: Callable[[Operation[Self]], Result | None],
        marks: Callable[[Operation[Self]], Iterable[str]] | None = None,
    ) -> Handler:
        """How QuickBooks carries this kind out, finds it again, and shows which ones it holds."""
        return cls.handler(send, find, cls.evidence(), marks)


class Posting(InQuickBooks[Result], frozen=True):
    """A kind that posts a document of ours, about one customer. Its subject is the document's key."""

    customer_id: str

    @classmethod
    @abstractmethod
    def purpose(cls) -> Purpose:
        """The purpose of the documents that it posts."""

    @classmethod
    def entity(cls) -> str:
        """The kind of record that it makes in QuickBooks."""
        return RECORDS[cls.purpose()]

    @classmethod
    def mark(cls) -> str:
        """The field of the record that carries our operation id."""
        return "DocNumber"

    @classmethod
    def evidence(cls) -> Evidence:
        """Found by the field that carries the operation's id. QuickBooks or a person may replace that: then by the note
        of the newest ones."""
        return found_by(
            f"query `{cls.entity()}` by `{cls.mark()}`, then the newest ones by `PrivateNote`",
            f"`{cls.mark()}` and `PrivateNote`",
        )

    @staticmethod
    def subject(document: str) -> str:
        """One posting of a document."""
        return document

    def plan(self, document: str) -> Plan[Result]:
        """The plan to post the document of that key."""
        return self.planned(self.subject(document), DOOR)


def found_by(call: str, carried_in: str) -> Evidence:
    """The evidence of a kind. How long QuickBooks repeats an answer is not documented, so after any doubt we look."""
    return Evidence(carried_in=carried_in, found_by=call, window_seconds=0, read_lag_seconds=_READ_LAG_SECONDS)


def mark_posted(ledger: Ledger, operation: Stored, made: Made, now: int, *, problem: str = "") -> None:
    """The document of a posting stands in the books. A `problem` of it is for a person. In a transaction."""
    document = ledger.documents.get(operation.subject)
    assert document is not None, "a document is opened before it is posted"
    ledger.documents.mark_posted(document.key, made.id, now, note=problem)
    note_problem(ledger, DOOR, f"{document.kind} {made.id}", problem, now)


def new(operation: Stored) -> str:
    """The id that a dry run assumes."""
    return f"(new) {operation.subject}"
