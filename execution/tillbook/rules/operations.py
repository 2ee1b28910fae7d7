"""One journaled call that changes something outside: its identity, its states, and what may come next.

States: `prepared` (nothing left us yet) -> `sent` -> `done | refused | unknown`. An `unknown` ends only by
the vendor's evidence, never by time. Pure: the ledger stores these rows, `operations/perform.py` acts on them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from tillbook.kit.errors import Refused

Json = dict[str, Any]
_ID = re.compile(r"\bop[a-z2-7]{17}\b", re.ASCII)
Params_co = TypeVar("Params_co", covariant=True)
Result_co = TypeVar("Result_co", covariant=True)
OPENING = "create_checkout"
UNFINISHED = ("prepared", "sent", "unknown")
GENERATIONS_AHEAD = 20
"""How many generations a ledger that was restored from a copy may have forgotten of one kind and subject."""

FORGOTTEN = 0
"""When an operation was sent that the vendor shows and the ledger did not hold: longer ago than any key is known."""


@dataclass(frozen=True, slots=True)
class Plan(Generic[Result_co]):
    """What a step wants done: `kind` at `door`, for `subject`, with `params` frozen from here on.

    `Result_co` is the type of the result. Only the type checker sees it.
    """

    kind: str
    subject: str
    door: str
    params: Json = field(hash=False)

    @property
    def params_hash(self) -> str:
        """SHA-256 of the parameters in their canonical form."""
        return hashlib.sha256(canonical(self.params).encode()).hexdigest()

    def operation(self, generation: int, now: int) -> Stored:
        """The operation that a generation of this plan would be, before it is written down. `now` is UTC seconds."""
        return Operation(
            id=operation_id(self.kind, self.subject, generation),
            kind=self.kind,
            subject=self.subject,
            generation=generation,
            door=self.door,
            params=self.params,
            params_hash=self.params_hash,
            state="prepared",
            result=None,
            reason="",
            prepared_at=now,
            sent_at=None,
            absent_since=None,
        )


@dataclass(frozen=True, slots=True)
class Operation(Generic[Params_co]):
    """A plan that the ledger holds. Times are UTC seconds. `absent_since` is the first complete read that lacked it.

    The ledger's own have plain JSON as `params`, the others an instance of their kind.
    """

    id: str
    kind: str
    subject: str
    generation: int
    door: str
    params: Params_co = field(hash=False)
    params_hash: str
    state: str
    result: Json | None = field(hash=False)
    reason: str
    prepared_at: int
    sent_at: int | None
    absent_since: int | None

    @property
    def key(self) -> str:
        """The idempotency key, the same for every attempt of this operation."""
        return key(self.kind, self.subject, self.generation)

    @property
    def unfinished(self) -> bool:
        """Whether it is not known yet how it ended."""
        return self.state in UNFINISHED

    @property
    def generations(self) -> dict[str, int]:
        """The ids of this operation and of the later ones of its kind and subject, each with its generation."""
        return generations_from(self.kind, self.subject, self.generation)


Stored: TypeAlias = Operation[Json]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a kind of operation is found again at its vendor.

    carried_in: the vendor's field that carries our operation id, in words.
    found_by: the call that finds it, in words.
    window_seconds: how long the vendor replays its answer to a repeated key (0: not documented).
    read_lag_seconds: how long a change may be missing from a complete read.
    """

    carried_in: str
    found_by: str
    window_seconds: int
    read_lag_seconds: int


class Door(Protocol):
    """What can carry out operations: a payment provider, the books."""

    name: str

    def send(self, operation: Stored) -> Json:
        """Carry the operation out with its key and say what it made.

        Raises Refused (the vendor said no), Unavailable (nothing left us, or the vendor did nothing), Uncertain.
        """
        ...

    def find(self, operation: Stored) -> Json | None:
        """What `send` answered, read back from the vendor by our operation id. None when a complete read lacks it."""
        ...

    def latest(self, operation: Stored) -> int | None:
        """The newest generation of its kind and subject, from its own on, whose mark the vendor shows.

        None when a complete read shows none, and for a kind that leaves no mark: sending that twice changes nothing.
        """
        ...

    def evidence(self, kind: str) -> Evidence:
        """How an operation of this kind is found again here. Raises Refused for a kind of another door."""
        ...


class Move(Enum):
    """What to do next with an unfinished operation."""

    SEND = "send"
    LOOK = "look"


def key(kind: str, subject: str, generation: int) -> str:
    """`kind:subject:generation`: never from the clock or a random number."""
    return f"{kind}:{subject}:{generation}"


def operation_id(kind: str, subject: str, generation: int) -> str:
    """19 characters that vendors carry for us (QuickBooks allows 21), made from the key alone."""
    digest = hashlib.sha256(key(kind, subject, generation).encode()).digest()
    return "op" + base64.b32encode(digest).decode().lower()[:17]


def page_subject(provider: str, invoice: str, *, lasting: bool) -> str:
    """The subject of an operation that opens a page: an invoice has one page of each sort at a provider."""
    return f"{provider}/{invoice}{'/lasting' if lasting else ''}"


def opened_page(operation: str, provider: str, invoice: str) -> bool:
    """Whether this is the id of an operation of ours that opened a page of an invoice.

    The id says so itself, so that a ledger which was restored from a copy knows it, too.
    """
    subjects = (page_subject(provider, invoice, lasting=lasting) for lasting in (False, True))
    return any(operation in generations_from(OPENING, subject, 1) for subject in subjects)


def generations_from(kind: str, subject: str, first: int) -> dict[str, int]:
    """The ids of a generation and of those after it, as far as they may be forgotten, each with its generation."""
    return {operation_id(kind, subject, one): one for one in range(first, first + GENERATIONS_AHEAD)}


def marks_in(text: object) -> list[str]:
    """The operation ids that a text of a vendor's holds, whatever a person has written around them."""
    return _ID.findall(text) if isinstance(text, str) else []


def canonical(params: Mapping[str, Any]) -> str:
    """Parameters as the bytes that are hashed and stored."""
    return json.dumps(params, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def next_generation(last: Operation[object] | None, plan: Plan[object], *, renew: str = "") -> int | None:
    """The generation that a plan may open, or None when the last operation stands for it.

    `renew` is the reason for another one although the last is done: its object is proven dead, or a person
    asked with --again. Raises Refused when the last one is done with other parameters.
    """
    if last is None:
        return 1
    if last.unfinished:
        return None
    if last.state == "refused" or renew:
        return last.generation + 1
    if last.params_hash != plan.params_hash:
        raise Refused(
            f"{plan.kind} for {plan.subject} was already done with other content",
            hint="Use a new number or reference for something new, or pass what was passed the first time.",
        )
    return None


def next_move(operation: Operation[object], evidence: Evidence, now: int) -> Move:
    """Send again while the vendor surely remembers the key (half its window). After that, look first.

    A clock that was set back says nothing about the age, so that is a case for looking too. And once a look found
    nothing, nothing more is sent under this key: else a second look could not prove anything.
    """
    if operation.state == "prepared":
        return Move.SEND
    if operation.absent_since is not None:
        return Move.LOOK
    age = now - (operation.prepared_at if operation.sent_at is None else operation.sent_at)
    return Move.SEND if 0 <= age < evidence.window_seconds // 2 else Move.LOOK


def proven_absent(operation: Operation[object], evidence: Evidence, now: int) -> bool:
    """Absent in two complete reads that lie further apart than the read lag."""
    return operation.absent_since is not None and now - operation.absent_since > evidence.read_lag_seconds
