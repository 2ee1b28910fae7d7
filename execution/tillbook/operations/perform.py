"""The one way to change something outside: write the operation down, call, record, settle.

The intent row is committed before the call. Its key is the same for every attempt. An outcome that nobody
knows stays `unknown` until the vendor's own evidence ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from tillbook.kit.errors import Refused, Unavailable, Uncertain
from tillbook.operations.kinds.registry import kind_of
from tillbook.rules import operations as rules
from tillbook.rules.operations import Json, Move, Operation, Plan, Stored

if TYPE_CHECKING:
    from tillbook.kit.clock import Clock
    from tillbook.ledger import Ledger
    from tillbook.rules.operations import Door

Result = TypeVar("Result")


class Desk(Protocol):
    """What carrying out an operation needs: a ledger, a clock, whoever asks, and the doors by name."""

    ledger: Ledger
    clock: Clock
    asked_by: str

    def door(self, name: str) -> Door:
        """The door of that name. Raises Refused when it is not set up."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """A done operation. `already_done` is true when this run changed nothing at the vendor."""

    operation: Stored
    already_done: bool

    @property
    def result(self) -> Result:
        """What it made."""
        result: Result = kind_of(self.operation).result_of(self.operation)
        return result


def perform(desk: Desk, plan: Plan[Result], *, renew: str = "") -> Outcome[Result]:
    """Carry out a plan once, whoever else is doing the same at this moment.

    Finishes the unfinished operation of this kind and subject, or returns the last done one, or opens a new
    generation (when the last was refused, or `renew` says why another is due). Raises Refused, Unavailable
    (nothing happened) or Uncertain (the operation stays unknown).
    """
    with desk.ledger.lock(f"{plan.kind}:{plan.subject}"):
        last = desk.ledger.operations.last(plan.kind, plan.subject)
        if last is not None and last.unfinished:
            last = finish(desk, last)  # what was begun is finished first, with its own parameters
            if last.state == "done" and last.params_hash == plan.params_hash:
                return Outcome(last, already_done=False)
        generation = rules.next_generation(last, plan, renew=renew)
        if last is not None and generation is None:
            return Outcome(last, already_done=True)
        return _begin(desk, plan, generation or 1, renew)


def settle(desk: Desk, operation: Operation[object]) -> Stored:
    """Finish one unfinished operation that some other run left behind, as `perform` does it."""
    with desk.ledger.lock(f"{operation.kind}:{operation.subject}"):
        fresh = desk.ledger.operations.get(operation.id)
        assert fresh is not None, "operations are never deleted"
        return finish(desk, fresh) if fresh.unfinished else fresh


def withdraw(desk: Desk, operation: Operation[object]) -> Stored:
    """End an operation that is not wanted any more, without sending it: refused when nothing left us yet, else by the
    vendor's own evidence. Returns it done or refused. Raises Uncertain while nobody can tell."""
    with desk.ledger.lock(f"{operation.kind}:{operation.subject}"):
        fresh = desk.ledger.operations.get(operation.id)
        assert fresh is not None, "operations are never deleted"
        if fresh.state != "prepared":
            return _look(desk, desk.door(fresh.door), fresh) if fresh.unfinished else fresh
        with desk.ledger.transaction():
            desk.ledger.operations.mark_refused(fresh, "not wanted any more", desk.clock.now())
        ended = desk.ledger.operations.get(operation.id)
    assert ended is not None, "operations are never deleted"
    return ended


def finish(desk: Desk, operation: Stored) -> Stored:
    """Send or look, by the rules of `rules/operations.py`. The caller holds the lock of this kind and subject.

    Returns the operation done, or refused because it is proven absent. Raises as `perform`.
    """
    door = desk.door(operation.door)
    if operation.state == "prepared":
        shown = door.latest(operation)
        return _send(desk, door, operation) if shown is None else _adopt(desk, door, operation, shown)
    if rules.next_move(operation, door.evidence(operation.kind), desk.clock.now()) is Move.SEND:
        return _send(desk, door, operation)
    return _look(desk, door, operation)


def _begin(desk: Desk, plan: Plan[Result], generation: int, renew: str) -> Outcome[Result]:
    """Write a new operation down and send it, unless the vendor shows it.

    A ledger that was restored from a copy has forgotten what was done since, and the vendor its keys. So what the
    vendor shows for the subject is read before anything is sent for the first time.
    """
    door, now = desk.door(plan.door), desk.clock.now()
    shown = door.latest(plan.operation(generation, now))
    operation = _prepare(desk, plan, shown or generation, renew)
    if shown is None:
        return Outcome(_send(desk, door, operation), already_done=False)
    return Outcome(_adopt(desk, door, operation, shown), already_done=True)


def _adopt(desk: Desk, door: Door, operation: Stored, shown: int) -> Stored:
    """End an operation by what the vendor shows of it, or of a later generation, which then stands in its place.

    It was sent at a time that the ledger has forgotten, and the vendor its key, perhaps. So it is looked for from now
    on and never sent, also when this look fails.
    """
    if operation.generation != shown:
        plan: Plan[object] = kind_of(operation).read(operation.params).planned(operation.subject, operation.door)
        with desk.ledger.transaction():
            desk.ledger.operations.mark_refused(operation, "the vendor shows a later one", desk.clock.now())
        operation = _prepare(desk, plan, shown, "")
    with desk.ledger.transaction():
        operation = desk.ledger.operations.mark_sent(operation, rules.FORGOTTEN)
    return _look(desk, door, operation)


def _prepare(desk: Desk, plan: Plan[object], generation: int, renew: str) -> Stored:
    now = desk.clock.now()
    with desk.ledger.transaction():
        return desk.ledger.operations.prepare(plan, generation, renew=renew, asked_by=desk.asked_by, now=now)


def _send(desk: Desk, door: Door, operation: Stored) -> Stored:
    first_time = operation.state == "prepared"
    with desk.ledger.transaction():
        operation = desk.ledger.operations.mark_sent(operation, desk.clock.now())
    try:
        result = door.send(operation)
    except Unavailable as error:
        raise _nothing_happened(desk, operation, error, first_time) from error
    except Refused as error:
        with desk.ledger.transaction():
            desk.ledger.operations.mark_refused(operation, error.message, desk.clock.now())
        raise
    except Uncertain as error:
        if first_time:
            raise _unknown(desk, operation, error.message) from error
        return _look(desk, door, operation)  # an error may stay pinned to its key: then only a look brings an end
    return _done(desk, operation, result)


def _look(desk: Desk, door: Door, operation: Stored) -> Stored:
    evidence, now = door.evidence(operation.kind), desk.clock.now()
    try:
        found = door.find(operation)
    except (Unavailable, Refused) as error:
        raise _unknown(desk, operation, f"could not look at {operation.door}: {error.message}") from error
    if found is not None:
        return _done(desk, operation, found)
    if rules.proven_absent(operation, evidence, now):
        with desk.ledger.transaction():
            desk.ledger.operations.mark_refused(operation, "absent in two complete reads", now)
            ended = desk.ledger.operations.get(operation.id)
        assert ended is not None, "operations are never deleted"
        return ended
    with desk.ledger.transaction():
        desk.ledger.operations.mark_absent(operation, now)
    wait = evidence.read_lag_seconds + 1
    raise _unknown(desk, operation, f"{operation.door} does not show it; a second look after {wait} s decides")


def _done(desk: Desk, operation: Stored, result: Json) -> Stored:
    """Done, and what follows from it, in one commit."""
    now = desk.clock.now()
    with desk.ledger.transaction():
        done = desk.ledger.operations.mark_done(operation, result, now)
        kind = kind_of(done)
        kind.read(done.params).record(desk.ledger, done, kind.result_of(done), now)
    return done


def _nothing_happened(desk: Desk, operation: Stored, error: Unavailable, first_time: bool) -> Unavailable | Uncertain:
    """This attempt did nothing. Only if it was the first one does that end the matter."""
    if not first_time:
        return _unknown(desk, operation, error.message)
    with desk.ledger.transaction():
        desk.ledger.operations.mark_prepared(operation, error.message)
    return error


def _unknown(desk: Desk, operation: Stored, reason: str) -> Uncertain:
    with desk.ledger.transaction():
        desk.ledger.operations.mark_unknown(operation, reason)
    return Uncertain(
        f"{operation.kind} for {operation.subject} may or may not have happened: {reason}",
        hint="Run `python execution/run_pending.py`, or exactly the same command again.",
    )
