"""Events in, facts out: what vendors tell us is kept, read by id, and recorded.

An event is only a hint. Its object is read at the vendor, once for all events of the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused, Unavailable, Unforeseen, apart
from tillbook.kit.retries import next_attempt
from tillbook.recording.facts import record_reading

if TYPE_CHECKING:
    from tillbook.ledger.inbox import Waiting
    from tillbook.rules.events import Event
    from tillbook.till import Till

POLL_OVERLAP_SECONDS = 300
FIRST_POLL_SECONDS = 30 * 24 * 3600  # as far back as a provider lists events


@dataclass(frozen=True, slots=True)
class Processed:
    """How many events one round applied, parked and ignored, and how many wait."""

    applied: int
    parked: int
    ignored: int
    remaining: int
    exit_code: int = 0


def process(till: Till, *, limit: int, progress: Callable[[int], None] = lambda _: None) -> Processed:
    """Apply up to `limit` waiting events, one vendor read for all events of the same object.

    What cannot be read now is parked with its reason and tried again later. Nothing is dropped.
    """
    counts, exit_code = {"applied": 0, "parked": 0, "ignored": 0}, 0
    seen: set[int] = set()
    for event in till.ledger.inbox.due(till.clock.now(), limit):
        if event.id not in seen:
            try:
                with apart():
                    group, state = _process_group(till, event)
            except Unforeseen as bug:
                group, state = _park(till, _group(till, event), bug.message)
                exit_code = bug.exit_code
            seen.update(waiting.id for waiting in group)
            counts[state] += len(group)
            progress(len(group))
    remaining, _ = till.ledger.inbox.waiting()
    return Processed(**counts, remaining=remaining, exit_code=exit_code)


def poll(till: Till, provider: str) -> tuple[int, int]:
    """Fetch a provider's events since the last poll, and what its open pages show, into the inbox: how many were new,
    how many were seen.

    An overlap is read again, for an event may be listed late. The cursor moves only when the whole list was kept.
    """
    name, started = f"events:{provider}", till.clock.now()
    since = till.ledger.activity.cursor(name) or started - FIRST_POLL_SECONDS
    pages = [page.id for page in till.ledger.sales.unpaid_checkouts(provider)]
    counted = _keep_polled(till, till.provider(provider).events(since - POLL_OVERLAP_SECONDS, pages))
    with till.ledger.transaction():
        till.ledger.activity.set_cursor(name, started)
    return counted


def _keep_polled(till: Till, events: Iterable[Event]) -> tuple[int, int]:
    new = seen = 0
    batch: list[Event] = []
    for event in events:
        batch.append(event)
        if len(batch) == 100:  # noqa: PLR2004  a write transaction stays short
            new, seen, batch = new + _keep(till, batch), seen + len(batch), []
    return new + _keep(till, batch), seen + len(batch)


def _keep(till: Till, events: Sequence[Event]) -> int:
    if not events:
        return 0
    with till.ledger.transaction():
        return sum(till.ledger.inbox.add(event, source="poll", now=till.clock.now()) for event in events)


def _group(till: Till, event: Waiting) -> list[Waiting]:
    """Everything that waits for the object of an event."""
    return till.ledger.inbox.same_object(event) if event.object else [event]


def _process_group(till: Till, event: Waiting) -> tuple[list[Waiting], str]:
    """Read the object of an event once and end everything that waits for it."""
    ledger = till.ledger
    group = _group(till, event)
    reason = _stranger(till, event)
    try:
        if not event.object:
            return _end(till, group, "ignored", "nothing to read for this type")
        if reason:
            return _park(till, group, reason)
        reading = till.provider(event.provider).read(event.object)
    except Unavailable as error:
        return _park(till, group, error.message)
    except Refused as error:
        page = ledger.sales.checkout(event.object)
        if error.code == "resource_missing" and page is not None and page.status == "expired":
            return _end(till, group, "ignored", "its page is over, and its provider does not know it any more")
        return _park(till, group, f"cannot be read: {error.message}")
    now = till.clock.now()
    with ledger.transaction():
        record_reading(ledger, event.provider, reading, now)
        ledger.inbox.end(group, "applied", "", now)
    return group, "applied"


def _stranger(till: Till, event: Waiting) -> str:
    """Why an event is not for this ledger: another mode or another account. Empty when it is."""
    if event.livemode != (till.settings.mode == "live"):
        return f"a {'live' if event.livemode else 'test'} event in a ledger of {till.settings.mode} mode"
    account = till.ledger.binding.bound().get(event.provider, "")
    if event.account and account and event.account != account:
        return f"belongs to account {event.account}, not to {account}"
    return ""


def _end(till: Till, group: list[Waiting], state: str, reason: str) -> tuple[list[Waiting], str]:
    with till.ledger.transaction():
        till.ledger.inbox.end(group, state, reason, till.clock.now())
    return group, state


def _park(till: Till, group: list[Waiting], reason: str) -> tuple[list[Waiting], str]:
    with till.ledger.transaction():
        attempts = max(event.attempts for event in group)
        till.ledger.inbox.park(group, reason, next_attempt(till.clock.now(), attempts))
    return group, "parked"
