"""What a kind of operation is: its parameters, its result, its subject, and what follows from it.

A subclass is one kind, and an instance is what one operation of it asks for. Its fields are the parameters as the
ledger stores them. The class CreateCheckout is stored as `create_checkout`, so a class keeps its name for ever.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, get_args

import msgspec

from tillbook.operations.kinds.handlers import Handler
from tillbook.rules.events import UnreadableRecord
from tillbook.rules.operations import Json, Operation, Plan

if TYPE_CHECKING:
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Evidence, Stored

Result = TypeVar("Result")


# A Struct is made sixteen times as fast as a dataclass, and each start of a script makes all of these.
class Kind(msgspec.Struct, Generic[Result], frozen=True, forbid_unknown_fields=True):
    """One kind of operation, whose result is a `Result`. Type checkers refuse a subclass that lacks a part."""

    kind: ClassVar[str]
    settled_with_pages: ClassVar[bool] = False
    """Whether an unfinished one is settled with all pages of its invoice: its money may not be due any more."""

    def __init_subclass__(cls) -> None:
        cls.kind = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @property
    @abstractmethod
    def subject(self) -> Callable[..., str]:
        """What tells one operation of this kind from another, made of the arguments that it needs."""

    @abstractmethod
    def assumed(self, operation: Stored) -> Result:
        """The result that a dry run goes on with."""

    @abstractmethod
    def record(self, ledger: Ledger, operation: Stored, result: Result, now: int) -> None:
        """Write what follows from a done operation. In its transaction."""

    def planned(self, subject: str, door: str) -> Plan[Result]:
        """The plan to have this done at a door."""
        return Plan(self.kind, subject, door, to_json(self))

    @classmethod
    def last(cls, ledger: Ledger, subject: str) -> Operation[Self] | None:
        """The newest operation of this kind for a subject, whatever its state."""
        found = ledger.operations.last(cls.kind, subject)
        return None if found is None else cls.typed(found)

    @classmethod
    def typed(cls, operation: Stored) -> Operation[Self]:
        """An operation with its parameters as an instance of this kind."""
        untyped: Operation[Any] = operation
        return replace(untyped, params=cls.read(operation.params))

    @classmethod
    def read(cls, params: Json) -> Self:
        """Parameters as the ledger stores them. Raises ValueError for those of another kind."""
        return msgspec.convert(params, cls)

    @classmethod
    def result_of(cls, operation: Operation[object]) -> Result:
        """The result of a done operation."""
        assert operation.result is not None, "a done operation has a result"
        result: Result = msgspec.convert(operation.result, get_args(cls.__orig_bases__[0])[0])  # type: ignore[attr-defined]  # each class with a generic base has it
        return result

    @classmethod
    def handler(
        cls,
        send: Callable[[Operation[Self]], Result],
        find: Callable[[Operation[Self]], Result | None],
        evidence: Evidence,
        marks: Callable[[Operation[Self]], Iterable[str]] | None = None,
    ) -> Handler:
        """How a door carries this kind out, finds it again, and by what evidence.

        `marks` reads the operation ids that the vendor shows for a subject. Without it a second `send` changes
        nothing: the vendor refuses it, or it reads first.
        """

        def found(operation: Stored) -> Json | None:
            result = find(cls.typed(operation))
            return None if result is None else to_json(result)

        def shown(operation: Stored) -> Iterable[str]:
            return marks(cls.typed(operation)) if marks else ()

        return Handler(
            cls.kind,
            lambda operation: to_json(send(cls.typed(operation))),
            found,
            evidence,
            shown if marks else None,
        )


def note_problem(ledger: Ledger, vendor: str, record: str, problem: str, now: int) -> None:
    """Keep what could not be understood of a record that was made, for a person to look at. In a transaction."""
    if problem:
        ledger.reconciliation.note_unreadable([UnreadableRecord(vendor, record, "", problem)], now)


def to_json(value: object) -> Json:
    """Parameters or a result as the ledger stores them. Of a result without a problem nothing is said about one."""
    plain: Json = msgspec.json.decode(msgspec.json.encode(value))
    if plain.get("problem") == "":
        del plain["problem"]
    return plain
