"""Processor, ledger and books, compared: gather, match, prove, repair, and look again.

Without `repair` and `accept` nothing is changed anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tillbook.kit.clock import business_date, day_begins, rfc3339
from tillbook.kit.errors import Refused, Unavailable, worst_exit_code
from tillbook.kit.money import Money
from tillbook.kit.troubles import Troubles
from tillbook.operations.kinds.refunds.refund_payment import RefundPayment
from tillbook.operations.kinds.registry import kind_of
from tillbook.proof import figures, repairs, statements
from tillbook.proof.duplicates import duplicates
from tillbook.proof.figures import Proof, Proofs
from tillbook.rules import matching
from tillbook.rules.matching import Discrepancy, Tally, Window
from tillbook.sales import company, pages
from tillbook.vendors.providers import PROVIDERS, declared

if TYPE_CHECKING:
    from tillbook.ledger.sales import Checkout
    from tillbook.till import Till

DEFAULT_DAYS = 35
DISCREPANCIES_FOUND = 7
_YEARS = (2000, 2999)
_DAY_SECONDS = 86_400
_UNFINISHED_SECONDS = 300
_PARKED_SECONDS = _DAY_SECONDS
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
class Look:
    """What one comparison found. `accepted` counts discrepancies that a person has taken as they are."""

    matched: int
    found: tuple[Discrepancy, ...]
    accepted: int
    proofs: tuple[Proof, ...]
    open_items: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The result. `repaired` says what is gone since the first look, `trouble` what could not be done."""

    since: str
    until: str
    matched: int
    discrepancies: tuple[dict[str, Any], ...]
    accepted: int
    proofs: tuple[Proof, ...]
    open_items: tuple[dict[str, Any], ...]
    repaired: tuple[str, ...]
    trouble: tuple[str, ...]
    exit_code: int


def reconcile(till: Till, asked: Asked, *, repair: bool, accept: str, because: str) -> Reconciled:
    """Compare, repair or accept what was asked for, and compare again.

    Raises Refused (a wrong date, suspicious emptiness, nothing to accept, an acceptance without a reason), Unavailable
    (another one is at work).
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
            _accept(till, first, accept, because)
        if repair:
            repairs.repair_all(till, first.found, troubles)
        if (repair or accept) and not till.dry_run:
            window = window_of(till, asked)
            seen = look(till, window)
    left = {_name(one) for one in seen.found}
    return Reconciled(
        since=rfc3339(window.since),
        until=rfc3339(window.until),
        matched=seen.matched,
        discrepancies=tuple(_shown(one, asked, till.clock.now()) for one in seen.found),
        accepted=seen.accepted,
        proofs=seen.proofs,
        open_items=seen.open_items,
        repaired=tuple(
            f"{one.type} {one.subject} {one.amount or ''}".strip() for one in first.found if _name(one) not in left
        ),
        trouble=tuple(troubles.sentences),
        exit_code=worst_exit_code([*troubles.exit_codes, DISCREPANCIES_FOUND if seen.found else 0]),
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
    """One pass over each statement and the books. Raises Refused, Unavailable."""
    found: list[Discrepancy] = []
    proven, matched = Proofs(), 0
    for name in _providers(till):
        tally, differences = _compare(till, name, window, proven)
        found += differences
        matched += tally.matched
    figures.receivables(till, proven, found)
    found += [*proven.discrepancies, *duplicates(till, window, _zone(till)), *_standing(till), *_approved(till)]
    left = [one for one in found if not till.ledger.reconciliation.is_accepted(one)]
    return Look(matched, tuple(left), len(found) - len(left), tuple(proven.proofs), tuple(proven.open_items))


def _compare(till: Till, name: str, window: Window, proven: Proofs) -> tuple[Tally, list[Discrepancy]]:
    """The four streams of one provider in one pass, repeated while the ledger is being written to."""
    provider, now, zone = till.provider(name), window.settled, _zone(till)  # one judgement reads the clock once
    begin, end = window.since - statements.MARGIN_SECONDS, window.until + statements.MARGIN_SECONDS
    told = statements.statement(provider, window, now)
    settled = min(window.settled, now - declared(name).statement_lag_seconds)
    # Up to now means to the last row that was read: what came while we looked explains a balance, too.
    judged = replace(window, settled=settled, until=window.until if told.balance is None else end)
    wanted = till.ledger.reconciliation.documents(name, begin, end)
    held = statements.records(till, wanted, window, zone)
    for _ in range(_LEDGER_ATTEMPTS):
        tally, count = Tally(), till.ledger.facts.last_entry()
        facts = till.ledger.reconciliation.facts(name, begin, end)
        differences = [
            replace(one, provider=name) for one in matching.match(told.rows, facts, wanted, held, judged, tally)
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
    figures.holdings(till, proven, name, tally, told.balance, window.since)
    return tally, differences


def _standing(till: Till) -> Iterator[Discrepancy]:
    """What needs no comparison: operations without an end, parked events, money of nobody we know, and payments
    of which more was given back than came in."""
    ledger, now = till.ledger, till.clock.now()
    for operation in ledger.operations.unfinished_before(now - _UNFINISHED_SECONDS):
        asked = kind_of(operation).read(operation.params)
        refund = asked if isinstance(asked, RefundPayment) else None
        yield Discrepancy(
            type="uncertain_operation",
            subject=operation.id,
            amount=refund.money if refund else None,
            at=operation.prepared_at,
            payment=refund.payment if refund else "",
            note=f"{operation.kind} for {operation.subject} is {operation.state}",
        )
    for row in ledger.reconciliation.parked_before(now - _PARKED_SECONDS):
        yield Discrepancy(
            type="parked_event", subject=row["event"], amount=None, at=row["received_at"], note=row["reason"]
        )
    for row in ledger.reconciliation.unmatched(now - _DAY_SECONDS):
        yield Discrepancy(
            type="money_of_nobody",
            subject=row["payment"],
            amount=Money(row["amount_minor"], row["currency"]),
            at=row["occurred_at"],
            provider=row["provider"],
            payment=row["payment"],
        )
    for row in ledger.outflows.over_returned():
        yield Discrepancy(
            type="over_returned",
            subject=row["payment"],
            amount=Money(row["returned_minor"] - row["captured_minor"], row["currency"]),
            at=ledger.reconciliation.payment_began(row["provider"], row["payment"]),
            provider=row["provider"],
            payment=row["payment"],
        )


def _approved(till: Till) -> Iterator[Discrepancy]:
    """Pages that a customer approved without any money having moved: those that wait, and those that came to nothing
    while the invoice is still open."""
    for name in _providers(till):
        if not declared(name).captures:
            continue
        for page in till.ledger.sales.unpaid_checkouts(name):
            if pages.seen(till, page).status == "approved":
                yield _approval(page, "", f"invoice {page.invoice}")
        for page in till.ledger.sales.uncaptured_checkouts(name):
            yield _approval(page, "over", f"invoice {page.invoice}, {page.reason or 'approved after it was closed'}")


def _approval(page: Checkout, place: str, note: str) -> Discrepancy:
    return Discrepancy(
        type="approved_not_captured",
        subject=page.id,
        amount=page.amount,
        at=page.created_at,
        provider=page.provider,
        place=place,
        note=note,
    )


def _providers(till: Till) -> list[str]:
    """Every provider that is set up, that this ledger is bound to, or has money at: each is asked every time."""
    known = {*till.settings.providers, *till.ledger.reconciliation.providers(), *till.ledger.binding.bound()}
    return sorted(known & set(PROVIDERS))


def _accept(till: Till, seen: Look, subject: str, because: str) -> None:
    """Write down that a person takes these as they are."""
    found = [one for one in seen.found if one.subject == subject and matching.remedy(one).by_person]
    if not found:
        open_ones = ", ".join(one.subject for one in seen.found if matching.remedy(one).by_person) or "none"
        raise Refused(
            f"no discrepancy {subject!r} is there that a person may accept",
            hint=f"Those that may be accepted: {open_ones}.",
        )
    with till.ledger.transaction():
        for one in found:
            till.ledger.reconciliation.accept(one, reason=because, accepted_by=till.asked_by, now=till.clock.now())


def _shown(found: Discrepancy, asked: Asked, now: int) -> dict[str, Any]:
    sentence = matching.remedy(found).sentence
    command = matching.command(found, asked.options)
    return {
        "type": found.type,
        "amount": found.amount,
        "subject": found.subject,
        "age_days": max(0, now - found.at) // _DAY_SECONDS,
        "because": f"{sentence} ({found.note})" if found.note else sentence,
        "payment": found.payment,
        "repair": command,
        "needs_person": not command,
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
