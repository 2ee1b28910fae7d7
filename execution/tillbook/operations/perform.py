"""The one way to change something outside: journal the operation, call, record, settle.

The intent row is committed before the call; its key is the same for every attempt; an outcome that nobody
knows stays `unknown` until the vendor's own evidence ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.errors import NotAllowed, Refused, Unavailable, Uncertain
from tillbook.operations import outcomes
from tillbook.rules import operations as rules
from tillbook.rules.operations import Json, Move, Operation, Plan

if TYPE_CHECKING:
    from tillbook.rules.operations import Door
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class Outcome:
    """A done operation. `already_done` is true when this run asked the vendor for nothing."""

    operation: Operation
    already_done: bool

    @property
    def result(self) -> Json:
        assert self.operation.result is not None, "a done operation has a result"
        return self.operation.result


def perform(till: Till, plan: Plan, *, renew: str = "") -> Outcome:
    """Carry out a plan once, whoever else is doing the same at this moment.

    Finishes the unfinished operation of this kind and subject, or returns the last done one, or opens a new
    generation (when the last was refused, or `renew` says why another is due). Raises Refused, Unavailable
    (nothing happened) or Uncertain (the operation stays unknown).
    """
    with till.ledger.lock(f"{plan.kind}:{plan.subject}"):
        operation = _prepare(till, plan, renew)
        if operation.unfinished and operation.params_hash != plan.params_hash:
            finish(till, operation)  # what was begun is finished first, with its own parameters
            operation = _prepare(till, plan, renew)
        if operation.state == "done":
            return Outcome(operation, already_done=True)
        ended = finish(till, operation)
        if ended.state == "refused":  # proven absent: nothing happened, so the next generation may
            ended = finish(till, _prepare(till, plan, renew))
        return Outcome(ended, already_done=False)


def settle(till: Till, operation: Operation) -> Operation:
    """Finish one unfinished operation that some other run left behind; as `perform` does it."""
    with till.ledger.lock(f"{operation.kind}:{operation.subject}"):
        fresh = till.ledger.operations.get(operation.id)
        assert fresh is not None, "operations are never deleted"
        return finish(till, fresh) if fresh.unfinished else fresh


def withdraw(till: Till, operation: Operation) -> Operation:
    """End an operation that is not wanted any more, without sending it: refused when nothing left us yet, else by the
    vendor's own evidence. Returns it done or refused. Raises Uncertain while nobody can tell."""
    with till.ledger.lock(f"{operation.kind}:{operation.subject}"):
        fresh = till.ledger.operations.get(operation.id)
        assert fresh is not None, "operations are never deleted"
        if fresh.state != "prepared":
            return _look(till, till.door(fresh.door), fresh) if fresh.unfinished else fresh
        with till.ledger.transaction():
            till.ledger.operations.mark_refused(fresh, "not wanted any more", till.clock.now())
        ended = till.ledger.operations.get(operation.id)
    assert ended is not None, "operations are never deleted"
    return ended


def finish(till: Till, operation: Operation) -> Operation:
    """Send or look, by the rules of `operations.py`; the caller holds the lock of this kind and subject.

    Returns the operation done, or refused because it is proven absent. Raises as `perform`.
    """
    door = till.door(operation.door)
    if rules.next_move(operation, door.evidence(operation.kind), till.clock.now()) is Move.SEND:
        return _send(till, door, operation)
    return _look(till, door, operation)


def _prepare(till: Till, plan: Plan, renew: str) -> Operation:
    with till.ledger.transaction():
        return till.ledger.operations.prepare(plan, renew=renew, asked_by=till.asked_by, now=till.clock.now())


def _send(till: Till, door: Door, operation: Operation) -> Operation:
    first_time = operation.state == "prepared"
    with till.ledger.transaction():
        operation = till.ledger.operations.mark_sent(operation, till.clock.now())
    try:
        result = door.send(operation)
    except (Unavailable, NotAllowed) as error:
        raise _nothing_happened(till, operation, error, first_time) from error
    except Refused as error:
        with till.ledger.transaction():
            till.ledger.operations.mark_refused(operation, error.message, till.clock.now())
        raise
    except Uncertain as error:
        if first_time:
            raise _unknown(till, operation, error.message) from error
        return _look(till, door, operation)  # an error may stay pinned to its key: then only a look brings an end
    return _done(till, operation, result)


def _look(till: Till, door: Door, operation: Operation) -> Operation:
    evidence, now = door.evidence(operation.kind), till.clock.now()
    try:
        found = door.find(operation)
    except (Unavailable, Refused) as error:
        raise _unknown(till, operation, f"could not look at {operation.door}: {error.message}") from error
    if found is not None:
        return _done(till, operation, found)
    if rules.proven_absent(operation, evidence, now):
        with till.ledger.transaction():
            till.ledger.operations.mark_refused(operation, "absent in two complete reads", now)
            ended = till.ledger.operations.get(operation.id)
        assert ended is not None, "operations are never deleted"
        return ended
    with till.ledger.transaction():
        till.ledger.operations.mark_absent(operation, now)
    wait = evidence.read_lag_seconds + 1
    raise _unknown(till, operation, f"{operation.door} does not show it; a second look after {wait} s decides")


def _done(till: Till, operation: Operation, result: Json) -> Operation:
    """Done, and what follows from it, in one commit."""
    now = till.clock.now()
    with till.ledger.transaction():
        done = till.ledger.operations.mark_done(operation, result, now)
        outcomes.record(till.ledger, done, now)
    return done


def _nothing_happened(
    till: Till, operation: Operation, error: Unavailable | NotAllowed, first_time: bool
) -> Unavailable | NotAllowed | Uncertain:
    """This attempt did nothing; only if it was the first one does that end the matter."""
    if not first_time:
        return _unknown(till, operation, error.message)
    with till.ledger.transaction():
        till.ledger.operations.mark_prepared(operation, error.message)
    return error


def _unknown(till: Till, operation: Operation, reason: str) -> Uncertain:
    with till.ledger.transaction():
        till.ledger.operations.mark_unknown(operation, reason)
    return Uncertain(
        f"{operation.kind} for {operation.subject} may or may not have happened: {reason}",
        hint="Run `python execution/run_pending.py`, or exactly the same command again.",
    )
