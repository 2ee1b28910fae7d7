"""How one door carries out the kinds of operations that are its own. Here typed values meet the JSON of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused

if TYPE_CHECKING:
    from tillbook.rules.operations import Evidence, Json, Stored


@dataclass(frozen=True, slots=True)
class Handler:
    """One kind at one door. It is made by `Kind.handler`, which holds its functions to the kind's own types."""

    kind: str
    send: Callable[[Stored], Json]
    find: Callable[[Stored], Json | None]
    evidence: Evidence
    marks: Callable[[Stored], Iterable[str]] | None = None


class Handlers:
    """Every kind that one vendor carries out. Each method raises Refused for another kind."""

    def __init__(self, vendor: str, handlers: Iterable[Handler]) -> None:
        self._vendor = vendor
        self._handlers = {handler.kind: handler for handler in handlers}

    def send(self, operation: Stored) -> Json:
        """Carry an operation out and say what it made."""
        return self._handler(operation.kind).send(operation)

    def find(self, operation: Stored) -> Json | None:
        """What an operation made as it is read back, or None when a complete read lacks it."""
        return self._handler(operation.kind).find(operation)

    def latest(self, operation: Stored) -> int | None:
        """The newest generation from this one on whose mark the vendor shows, or None."""
        marks, generations = self._handler(operation.kind).marks, operation.generations
        shown = marks(operation) if marks else ()
        return max((generations[mark] for mark in shown if mark in generations), default=None)

    def evidence(self, kind: str) -> Evidence:
        """How an operation of a kind is found again."""
        return self._handler(kind).evidence

    def _handler(self, kind: str) -> Handler:
        if kind not in self._handlers:
            known = ", ".join(sorted(self._handlers))
            raise Refused(f"{self._vendor} cannot carry out {kind!r}; expected one of {known}")
        return self._handlers[kind]
