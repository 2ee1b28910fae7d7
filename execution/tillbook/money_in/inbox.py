"""Events in, facts out: what vendors tell us is kept, read by id, and recorded.

An event is only a hint. Its object is read at the vendor, once for all events of the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.errors import DISCREPANCIES_FOUND, Refused, Unavailable, Unforeseen, apart, worst_exit_code
from tillbook.kit.retries import next_attempt
from tillbook.recording.facts import record_reading
from tillbook.vendors.one_by_one import parted

if TYPE_CHECKING:
    from tillbook.ledger.inbox import Waiting
    from tillbook.rules.events import Event, UnreadableRecord
    from tillbook.till import Till

POLL_OVERLAP_SECONDS = 300
FIRST_POLL_SECONDS = 30 * 24 * 3600  # as far back as a provider lists events


@dataclass(frozen=True, slots=True)
class Processed:
    """How many events one round applied, parked and ignored, and how many wait. `unreadable` is how many records of
    what was read could not be understood, and were not known for it."""

    applied: int
    parked: int
    ignored: int
    remaining: int
    unreadable: int = 0
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """How many events of a poll were new, how many were seen, and how many new ones could not be understood.
    `newest` is the vendor's time of the newest of them, 0 without any."""

    new: int = 0
    seen: int = 0
    unreadable: int = 0
    newest: int = 0

    def __add__(self, other: Kept) -> Kept:
        newest = max(self.newest, other.newest)
        return Kept(self.new + other.new, self.seen + other.seen, self.unreadable + other.unreadable, newest)


Ended = tuple[list["Waiting"], str, int]
"""Events, what became of them, and how many records of their object could not be understood."""


def process(till: Till, *, limit: int, progress: Callable[[int], None] = lambda _: None) -> Processed:
    """Apply up to `limit` waiting events, one vendor read for all events of the same object.

    What cannot be read now is parked with its reason and tried again later. Nothing is dropped.
    """
    counts, exit_code = {"applied": 0, "parked": 0, "ignored": 0, "unreadable": 0}, 0
    seen: set[int] = set()
    for event in till.ledger.inbox.due(till.clock.now(), limit):
        if event.id not in seen:
            try:
                with apart():
                    group, state, odd = _process_group(till, event)
            except Unforeseen as bug:
                group, state, odd = _park(till, _group(till, event), bug.message)
                exit_code = bug.exit_code
            seen.update(waiting.id for waiting in group)
            counts[state] += len(group)
            counts["unreadable"] += odd
            progress(len(group))
    remaining, _ = till.ledger.inbox.waiting()
    exit_code = worst_exit_code([exit_code, DISCREPANCIES_FOUND if counts["unreadable"] else 0])
    return Processed(**counts, remaining=remaining, exit_code=exit_code)


def poll(till: Till, provider: str) -> Kept:
    """Fetch a provider's events since the last poll, and what its open pages show, into the inbox.

    An overlap is read again, for an event may be listed late. The cursor moves only when the whole list was kept. What
    cannot be understood is kept as such, and does not come again.
    """
    name = f"events:{provider}"
    # From the newest event that was seen: its time is the vendor's, whatever our clock says.
    since = till.ledger.activity.cursor(name) or till.clock.now() - FIRST_POLL_SECONDS
    pages = [page.id for page in till.ledger.sales.unpaid_checkouts(provider)]
    kept = _keep_polled(till, till.provider(provider).events(since - POLL_OVERLAP_SECONDS, pages))
    if kept.newest:
        with till.ledger.transaction():
            till.ledger.activity.set_cursor(name, kept.newest)
    return kept


def _keep_polled(till: Till, events: Iterable[Event | UnreadableRecord]) -> Kept:
    kept = Kept()
    batch: list[Event | UnreadableRecord] = []
    for event in events:
        batch.append(event)
        if len(batch) == 100:  # noqa: PLR2004  a write transaction stays short
            kept, batch = kept + _keep(till, batch), []
    return kept + _keep(till, batch)


def _keep(till: Till, batch: Sequence[Event | UnreadableRecord]) -> Kept:
    if not batch:
        return Kept()
    (events, odd), now = parted(batch), till.clock.now()
    with till.ledger.transaction():
        unknown = till.ledger.reconciliation.note_unreadable(odd, now)
        new = sum(till.ledger.inbox.add(event, source="poll", now=now) for event in events)
    return Kept(new, len(events), unknown, max((event.created_at for event in events), default=0))


def _group(till: Till, event: Waiting) -> list[Waiting]:
    """Everything that waits for the object of an event."""
    return till.ledger.inbox.same_object(event) if event.object else [event]


def _process_group(till: Till, event: Waiting) -> Ended:
    """Read the object of an event once and end everything that waits for it. What is odd of it is kept as such."""
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
        odd = record_reading(ledger, event.provider, reading, now)
        ledger.inbox.end(group, "applied", "", now)
    return group, "applied", odd


def _stranger(till: Till, event: Waiting) -> str:
    """Why an event is not for this ledger: another mode or another account. Empty when it is."""
    if event.livemode != (till.settings.mode == "live"):
        return f"a {'live' if event.livemode else 'test'} event in a ledger of {till.settings.mode} mode"
    account = till.ledger.binding.bound().get(event.provider, "")
    if event.account and account and event.account != account:
        return f"belongs to account {event.account}, not to {account}"
    return ""


def _end(till: Till, group: list[Waiting], state: str, reason: str) -> Ended:
    with till.ledger.transaction():
        till.ledger.inbox.end(group, state, reason, till.clock.now())
    return group, state, 0


def _park(till: Till, group: list[Waiting], reason: str) -> Ended:
    with till.ledger.transaction():
        attempts = max(event.attempts for event in group)
        till.ledger.inbox.park(group, reason, next_attempt(till.clock.now(), attempts))
    return group, "parked", 0
