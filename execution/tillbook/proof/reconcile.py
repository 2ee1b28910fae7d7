"""Processor, ledger and books, compared: gather, match, prove, repair, and look again.

Without `repair` and `accept` nothing is changed anywhere. What cannot be read is named and proves nothing, and the rest
is proven all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tillbook.kit.clock import business_date, day_begins, rfc3339
from tillbook.kit.errors import DISCREPANCIES_FOUND, Refused, Unavailable, worst_exit_code
from tillbook.kit.troubles import Troubles
from tillbook.proof import acceptances, figures, repairs, standing, statements
from tillbook.proof.duplicates import duplicates
from tillbook.proof.figures import Proof, Proofs
from tillbook.proof.standing import DAY_SECONDS
from tillbook.rules import matching
from tillbook.rules.events import UnreadableRecord
from tillbook.rules.matching import Discrepancy, Movement, Tally, Window
from tillbook.sales import company
from tillbook.vendors.providers import PROVIDERS, declared

if TYPE_CHECKING:
    from tillbook.till import Till

QUICKBOOKS = "QuickBooks"
DEFAULT_DAYS = 35
_YEARS = (2000, 2999)
_LEDGER_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for. Dates are YYYY-MM-DD, both included. Empty ones mean the last 35 days up to now."""

    first: str = ""
    last: str = ""

    @property
    def options(self) -> str:
        """The window as options of a command."""
        return (f" --from {self.first}" if self.first else "") + (f" --to {self.last}" if self.last else "")


@dataclass(frozen=True, slots=True)
class Compared:
    """How much of whom was compared, and until when (RFC 3339): what is younger may still come."""

    whom: str
    what: str
    number: int
    until: str


@dataclass(slots=True)
class Look:
    """What one comparison found. `accepted` counts discrepancies that a person has taken as they are.

    `unproven` names what could not be looked at. `waiting` waits for a person and is no discrepancy yet.
    """

    matched: int = 0
    accepted: int = 0
    compared: list[Compared] = field(default_factory=list)
    found: list[Discrepancy] = field(default_factory=list)
    waiting: list[Discrepancy] = field(default_factory=list)
    proven: Proofs = field(default_factory=Proofs)
    unproven: Troubles = field(default_factory=Troubles)
    documents: int = 0
    books_answer: bool = True


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The result. `verdict` says in a line what was compared and how it ended, `repaired` what is gone since the first
    look, `trouble` what could not be looked at or done."""

    verdict: str
    since: str
    until: str
    compared: tuple[Compared, ...]
    matched: int
    discrepancies: tuple[dict[str, Any], ...]
    accepted: int
    waiting: tuple[dict[str, Any], ...]
    proofs: tuple[Proof, ...]
    open_items: tuple[dict[str, Any], ...]
    repaired: tuple[str, ...]
    trouble: tuple[str, ...]
    exit_code: int


def reconcile(till: Till, asked: Asked, *, repair: bool, accept: str, because: str) -> Reconciled:
    """Compare, repair or accept what was asked for, and compare again.

    Raises Refused (a wrong date, nothing to accept, an acceptance without a reason), Unavailable (another one is at
    work).
    """
    if bool(accept) != bool(because.strip()):
        raise Refused(
            "--accept and --because go together",
            hint="Say what a person decided, and on whose word: --accept SUBJECT --because REASON.",
        )
    with till.ledger.lock("reconciliation", wait=False):
        window, troubles = window_of(till, asked), Troubles()
        first = seen = look(till, window)
        if accept:
            acceptances.accept(till, [*first.found, *first.waiting], accept, because)
        if repair:
            repairs.repair_all(till, first.found, troubles)
        if (repair or accept) and not till.dry_run:
            window = window_of(till, asked)
            seen = look(till, window)
    left, now = {_name(one) for one in seen.found}, till.clock.now()
    codes = [*troubles.exit_codes, *seen.unproven.exit_codes, DISCREPANCIES_FOUND if seen.found else 0]
    return Reconciled(
        verdict=_verdict(seen),
        since=rfc3339(window.since),
        until=rfc3339(window.until),
        compared=tuple(seen.compared),
        matched=seen.matched,
        discrepancies=tuple(_shown(one, asked, now) for one in seen.found),
        accepted=seen.accepted,
        waiting=tuple(_waits(one, now) for one in seen.waiting),
        proofs=tuple(seen.proven.proofs),
        open_items=tuple(seen.proven.open_items),
        repaired=tuple(matching.words(one) for one in first.found if _name(one) not in left),
        trouble=(*seen.unproven.sentences, *troubles.sentences),
        exit_code=worst_exit_code(codes),
    )


def window_of(till: Till, asked: Asked) -> Window:
    """The moments of the business dates. Raises Refused for what is no date, or an end before its beginning."""
    zone, now = _zone(till), till.clock.now()
    first = _date(asked.first) or business_date(now, zone) - timedelta(days=DEFAULT_DAYS)
    last = _date(asked.last)
    until = min(day_begins(last + timedelta(days=1), zone), now) if last else now
    since = day_begins(first, zone)
    if since >= until:
        raise Refused(
            f"nothing lies from {first} to {last or 'now'}", hint="--from is a day in the past, --to not before it."
        )
    return Window(since, until, now)


def look(till: Till, window: Window) -> Look:
    """One pass over each statement and the books. What cannot be read does not hide the rest."""
    seen = Look()
    for name in _providers(till):
        with seen.unproven.looking_at(declared(name).title):
            seen.found += _compare(till, name, window, seen)
        with seen.unproven.looking_at(f"the disputes at {declared(name).title}"):
            seen.waiting += standing.disputed(till, name)
        if declared(name).captures:
            with seen.unproven.looking_at(f"the pages of {declared(name).title}"):
                seen.found += standing.approved(till, name)
    if seen.books_answer:
        _count(seen, QUICKBOOKS, "documents", seen.documents, window.settled)
        with seen.unproven.looking_at("duplicates in QuickBooks"):
            seen.found += duplicates(till, window, _zone(till))
        with seen.unproven.looking_at("what customers owe in QuickBooks"):
            figures.receivables(till, seen.proven, seen.found)
            _count(seen, QUICKBOOKS, "customers", seen.proven.customers, window.settled)
    now, is_accepted = till.clock.now(), till.ledger.reconciliation.is_accepted
    late = [one for one in seen.waiting if one.at < now - DAY_SECONDS]
    found = _each_once([*seen.found, *seen.proven.discrepancies, *late, *standing.found(till.ledger, now)])
    seen.found = [one for one in found if not is_accepted(one)]
    seen.accepted = len(found) - len(seen.found)
    seen.waiting = [one for one in (*seen.waiting, *standing.waiting(till.ledger)) if not is_accepted(one)]
    return seen


def _each_once(found: list[Discrepancy]) -> list[Discrepancy]:
    """An odd record may have been met on the statement and by its id: it is named once."""
    odd = {one.subject: one for one in reversed(found) if one.type == "unreadable_record"}
    return [one for one in found if one.type != "unreadable_record" or odd[one.subject] is one]


def _compare(till: Till, name: str, window: Window, seen: Look) -> list[Discrepancy]:
    """The four streams of one provider in one pass, repeated while the ledger is being written to."""
    provider, now, zone = till.provider(name), window.settled, _zone(till)  # one judgement reads the clock once
    begin, end = window.since - statements.MARGIN_SECONDS, window.until + statements.MARGIN_SECONDS
    told = statements.statement(provider, window, now)
    settled = min(window.settled, now - declared(name).statement_lag_seconds)
    # Up to now means to the last row that was read: what came while we looked explains a balance, too.
    judged = replace(window, settled=settled, until=window.until if told.balance is None else end)
    wanted, held, odd = _books(till, name, window, zone, seen)
    for _ in range(_LEDGER_ATTEMPTS):
        tally, count = Tally(), till.ledger.facts.last_entry()
        facts = till.ledger.reconciliation.facts(name, begin, end)
        differences = [
            replace(one, provider=name)
            for one in matching.match(told.rows, facts, wanted, held, judged, tally)
            if not told.may_hold(one)
        ]
        if till.ledger.facts.last_entry() == count:
            break
    else:
        raise Unavailable("the ledger is being written to all the time", hint="Run it again at a quiet time.")
    if not told.rows and any(one.type == "missing_at_processor" for one in differences):
        raise Refused(
            f"the statement of {name} is empty, yet the ledger has payments there; nothing is repaired on such a word",
            hint="Look whether these are the right keys: python execution/check_setup.py",
        )
    figures.holdings(till, seen.proven, name, tally, told.balance, window.since)
    _count(seen, declared(name).title, "movements", tally.movements, min(settled, window.until))
    seen.matched += tally.matched
    seen.documents += tally.documents
    unread = [one for one in (*told.unreadable, *odd) if not one.at or one.at >= window.since]
    return [*differences, *(matching.of_unreadable(one, window.since) for one in unread)]


def _books(
    till: Till, name: str, window: Window, zone: str, seen: Look
) -> tuple[list[Movement], list[Movement], list[UnreadableRecord]]:
    """What the facts of one provider call for, what QuickBooks holds of it, and what of that cannot be understood.
    Nothing while QuickBooks is silent."""
    begin, end = window.since - statements.MARGIN_SECONDS, window.until + statements.MARGIN_SECONDS
    wanted = till.ledger.reconciliation.documents(name, begin, end)
    if seen.books_answer:
        with seen.unproven.looking_at(QUICKBOOKS) as read:
            held, odd = statements.records(till, wanted, window, zone)
        if read.ok:
            return wanted, held, odd
        seen.books_answer = False
    return [], [], []


def _count(seen: Look, whom: str, what: str, number: int, until: int) -> None:
    seen.compared.append(Compared(whom, what, number, rfc3339(until)))


def _verdict(seen: Look) -> str:
    """What was compared, of whom, until when, and how it ended."""
    counted = ", ".join(f"{one.number} {one.what} of {one.whom} until {one.until}" for one in seen.compared)
    ends = [f"{len(seen.found)} discrepancies"] if seen.found else []
    ends += [f"not looked at: {'; '.join(seen.unproven.names)}"] if seen.unproven.names else []
    if not ends:
        ends = [f"all agree, with {seen.accepted} accepted by a person" if seen.accepted else "all agree"]
    return f"{counted or 'nothing'}: {', '.join(ends)}"


def _providers(till: Till) -> list[str]:
    """Every provider that is set up, that this ledger is bound to, or has money at: each is asked every time."""
    known = {*till.settings.providers, *till.ledger.reconciliation.providers(), *till.ledger.binding.bound()}
    return sorted(known & set(PROVIDERS))


def _shown(found: Discrepancy, asked: Asked, now: int) -> dict[str, Any]:
    command = matching.command(found, asked.options)
    shown = {**_waits(found, now), "payment": found.payment, "repair": command, "needs_person": not command}
    return shown | _odd(found) if found.type == "unreadable_record" else shown


def _odd(found: Discrepancy) -> dict[str, Any]:
    """Which record a person must look at, and where."""
    record = {"vendor": found.provider, "id": found.subject, "field": found.kind, "reason": found.note}
    return {**record, "currency": found.currency}


def _waits(found: Discrepancy, now: int) -> dict[str, Any]:
    sentence = matching.remedy(found).sentence
    return {
        "type": found.type,
        "amount": found.amount,
        "subject": found.subject,
        "age_days": max(0, now - found.at) // DAY_SECONDS,
        "because": f"{sentence} ({found.note})" if found.note else sentence,
    }


def _name(found: Discrepancy) -> tuple[str, str, str]:
    return found.type, found.place, found.subject


def _zone(till: Till) -> str:
    """The zone of business dates, UTC while no company is known."""
    known = till.settings.timezone or till.ledger.sales.company(till.ledger.binding.bound().get("quickbooks", ""))
    return company.zone(till) if known else "UTC"


def _date(text: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"{text[:24]!r} is not a date; expected YYYY-MM-DD") from error
    if not _YEARS[0] <= found.year <= _YEARS[1]:
        raise Refused(f"{text} lies outside the years {_YEARS[0]} to {_YEARS[1]}; expected a day of your business")
    return found
