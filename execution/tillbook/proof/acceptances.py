"""What a person took as it is: written down with the name and the reason, listed, and taken back again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.clock import rfc3339
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.rules import matching
from tillbook.rules.matching import Discrepancy

if TYPE_CHECKING:
    from tillbook.ledger.sqlite.database import Row
    from tillbook.till import Till

MOST = 500
"""So many acceptances are listed, the newest."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One acceptance that stands. `id` is what --withdraw takes."""

    id: int
    type: str
    subject: str
    amount: Money | None
    because: str
    accepted_by: str
    accepted_at: str


@dataclass(frozen=True, slots=True)
class Acceptances:
    """The acceptances that stand, the newest first."""

    acceptances: tuple[Acceptance, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An acceptance that was taken back: what it was about is a discrepancy again."""

    withdrawn: Acceptance
    because: str


def accept(till: Till, found: Sequence[Discrepancy], subject: str, because: str) -> None:
    """Write down that a person takes the discrepancies of this subject as they are. Raises Refused."""
    by_person = list(
        {(one.type, one.place, one.subject): one for one in found if matching.remedy(one).by_person}.values()
    )
    taken = [one for one in by_person if one.subject == subject]
    if not taken:
        raise Refused(
            f"no discrepancy {subject!r} is there that a person may accept",
            hint=f"Those that may be accepted: {', '.join(one.subject for one in by_person) or 'none'}.",
        )
    with till.ledger.transaction():
        for one in taken:
            till.ledger.reconciliation.accept(one, reason=because, accepted_by=till.asked_by, now=till.clock.now())


def listed(till: Till) -> Acceptances:
    """What persons accepted and nobody took back. No vendor is asked."""
    return Acceptances(tuple(map(_acceptance, till.ledger.reconciliation.acceptances(MOST))))


def withdraw(till: Till, acceptance: int, because: str) -> Withdrawn:
    """Take an acceptance back, with a reason. Raises Refused for one that does not stand, or without a reason."""
    if not because.strip():
        raise Refused("--withdraw needs --because", hint="Say why: --withdraw ID --because REASON.")
    with till.ledger.transaction():
        row = till.ledger.reconciliation.withdraw(
            acceptance, reason=because, withdrawn_by=till.asked_by, now=till.clock.now()
        )
    if row is None:
        raise Refused(
            f"no acceptance {acceptance} stands",
            hint="List them: python execution/reconcile_payments.py --acceptances",
        )
    return Withdrawn(_acceptance(row), because)


def _acceptance(row: Row) -> Acceptance:
    return Acceptance(
        id=row["id"],
        type=row["type"],
        subject=row["subject"],
        amount=None if row["amount_minor"] is None else Money(row["amount_minor"], row["currency"]),
        because=row["reason"],
        accepted_by=row["accepted_by"],
        accepted_at=rfc3339(row["accepted_at"]),
    )
