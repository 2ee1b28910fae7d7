"""Give money back: which payment, how much, of what, never more than came in, never twice for one reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.cards import contains_card_number
from tillbook.kit.errors import Refused, Unavailable, Unreadable
from tillbook.kit.money import Money, parse
from tillbook.kit.text import hidden_character
from tillbook.operations.kinds.refunds.refund_payment import RefundMade, RefundPayment, RefundRequest
from tillbook.operations.perform import perform
from tillbook.recording.facts import record_facts, record_reading
from tillbook.refunds import purposes
from tillbook.rules.facts import PaymentRefunded, PaymentSucceeded
from tillbook.rules.operations import generations_from

if TYPE_CHECKING:
    from tillbook.ledger.outflows import Refundable
    from tillbook.operations.perform import Outcome
    from tillbook.rules.events import Reading
    from tillbook.rules.operations import Operation
    from tillbook.till import Till

LONGEST_REASON = 500  # as much as every provider can keep beside a refund
LONGEST_REFERENCE = 100
ENDED_WITHOUT_MONEY = ("failed", "canceled")


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund as its provider knows it. `remaining` is what can still be given back of the payment."""

    refund: str
    payment: str
    amount: Money
    status: str
    remaining: Money
    already_done: bool


@dataclass(frozen=True, slots=True)
class Captured:
    """One payment that brought money, and the invoice that it is for (empty when none is known)."""

    provider: str
    payment: str
    amount: Money
    invoice: str


def refund(
    till: Till, anything: str, *, amount: str, reason: str, reference: str, purpose: str, again: bool
) -> Refunded:
    """Give back `amount` (decimal text, all that remains when empty) of the one payment that `anything` names.

    The same reference again (default: the amount and the reason) returns the same refund. Raises Refused (no such
    payment, too much, in dispute, what it gives back is not clear, the reference stands for other parameters, the
    refund came to nothing), Unavailable, Uncertain.
    """
    _require_plain("--reason", reason, LONGEST_REASON)
    if reference:
        _require_plain("--reference", reference, LONGEST_REFERENCE)
    paid = find_payment(till, anything)
    asked = parse(amount, paid.amount.currency) if amount else None
    # One at a time for a payment: what a refund may give back is known only when the one before it has ended.
    with till.ledger.lock(f"refunds:{paid.provider}:{paid.payment}"):
        _require_understood(reread(till, paid))  # what was refunded in the dashboard counts, too
        request = _request(till, paid, asked, reason, reference, purpose, again=again)
        plan = till.provider(paid.provider).plan_refund(request)
        outcome = perform(till, plan, renew="--again" if again else "")
        _take_in(till, paid, request, outcome)
    status = _status(till, paid, outcome)
    left = till.ledger.outflows.refundable(paid.provider, paid.payment, request.amount.currency)
    return Refunded(
        refund=outcome.result.refund,
        payment=paid.payment,
        amount=request.amount,
        status=status,
        remaining=left.remaining,
        already_done=outcome.already_done,
    )


def find_payment(till: Till, anything: str) -> Captured:
    """The one payment that this names: its own ids, its refunds', its document's, its page's, its invoice's, or the
    mail address of its customer. Raises Refused."""
    ledger = till.ledger
    names = ledger.sales.invoices_of_email(anything) if "@" in anything else [anything]
    found = {(row["provider"], row["payment"]) for name in names for row in ledger.sales.payments_named(name)}
    if not found:
        raise Refused(
            f"no payment in the ledger is known as {anything!r}",
            hint="Pass an invoice number or an id of the payment; a payment of today may need run_pending.py first.",
        )
    if len(found) > 1:
        payments = ", ".join(sorted(payment for _, payment in found))
        raise Refused(f"{anything!r} names {len(found)} payments: {payments}", hint="Name one of them.")
    provider, payment = found.pop()
    facts = [fact for fact in ledger.facts.of_payment(provider, payment) if isinstance(fact, PaymentSucceeded)]
    amount = sum((fact.amount for fact in facts[1:]), facts[0].amount)
    return Captured(provider, payment, amount, ledger.sales.match_of(provider, payment))


def reread(till: Till, paid: Captured) -> Reading:
    """Take in what the provider knows of a payment now."""
    reading = till.provider(paid.provider).read(paid.payment)
    with till.ledger.transaction():
        record_reading(till.ledger, paid.provider, reading, till.clock.now())
    return reading


def _require_understood(reading: Reading) -> None:
    """More may have gone back than the ledger counts. Raises Unreadable."""
    if reading.unreadable:
        first = reading.unreadable[0]
        raise Unreadable(
            f"what was given back of {reading.object_id} is not known: {first.id} cannot be understood, {first.reason}",
            field=first.field,
        )


def _request(
    till: Till, paid: Captured, asked: Money | None, reason: str, reference: str, purpose: str, *, again: bool
) -> RefundRequest:
    """What is to be given back. A refund that stands for this reference keeps what it was asked for, and so does one
    that the provider shows and the ledger has forgotten. A new one must be possible."""
    name = reference or f"{'everything' if asked is None else asked.text} {reason}"
    last = RefundPayment.last(till.ledger, RefundPayment.subject(paid.provider, paid.payment, name))
    if last is not None and _stands(last, again=again):
        wanted = last.params.money if asked is None else asked
        purpose = purpose or last.params.purpose
    elif forgotten := _forgotten(till, paid, name, last):
        wanted = _as_it_was(forgotten, asked)
        purpose = purpose or purposes.of_fact(till.ledger, paid.invoice, forgotten)
    else:
        left = till.ledger.outflows.refundable(paid.provider, paid.payment, paid.amount.currency)
        wanted = left.remaining if asked is None else asked
        _require_possible(till, paid, wanted, left)
        purpose = purposes.decided(till.ledger, paid.provider, paid.payment, paid.invoice, wanted, purpose)
    return RefundRequest(paid.payment, paid.invoice, wanted, reason, name, purpose)


def _forgotten(till: Till, paid: Captured, name: str, last: Operation[RefundPayment] | None) -> PaymentRefunded | None:
    """The newest refund for this reference by an operation that a restored ledger does not hold any more."""
    first = last.generation + 1 if last else 1
    subject = RefundPayment.subject(paid.provider, paid.payment, name)
    ours = generations_from(RefundPayment.kind, subject, first)
    facts = till.ledger.facts.of_payment(paid.provider, paid.payment)
    found = [fact for fact in facts if isinstance(fact, PaymentRefunded) and fact.operation in ours]
    return max(found, key=lambda fact: ours[fact.operation], default=None)


def _as_it_was(forgotten: PaymentRefunded, asked: Money | None) -> Money:
    """The amount of a refund that was made. Raises Refused when another one is asked for."""
    if asked not in (None, forgotten.amount):
        raise Refused(
            f"{forgotten.amount} was given back for this reference, and not {asked}",
            hint="Use a new reference for another refund, or pass what was passed the first time.",
        )
    return forgotten.amount


def _stands(last: Operation[RefundPayment], *, again: bool) -> bool:
    """Whether the last refund of a reference is the one that is meant. An unfinished one always is."""
    return last.unfinished or (last.state == "done" and not again)


def _require_plain(option: str, text: str, longest: int) -> None:
    """These words go to the provider and into the ledger."""
    if digits := contains_card_number(text):
        raise Refused(f"{option} holds what looks like a card number ending in {digits}; expected no card number")
    if hidden := hidden_character(text):
        raise Refused(f"{option} holds the hidden character {hidden}; expected plain text")
    if not 1 <= len(text.strip()) <= longest:
        raise Refused(f"{option} has {len(text.strip())} characters; expected 1 to {longest}")


def _require_possible(till: Till, paid: Captured, wanted: Money, left: Refundable) -> None:
    """What can be said before the database has the last word on the bound."""
    see = f"See what was given back: python execution/show_payment.py {paid.payment}"
    if left.remaining.minor <= 0:
        raise Refused(f"nothing remains to be given back of {paid.payment}: all of {left.captured} is", hint=see)
    if wanted.minor <= 0:
        raise Refused(f"{wanted} cannot be given back; expected an amount above zero")
    if wanted > left.remaining:
        raise Refused(f"{wanted} is more than remains of {paid.payment}: {left.remaining} of {left.captured}", hint=see)
    if status := till.provider(paid.provider).dispute(paid.payment):
        raise Refused(
            f"{paid.payment} is in dispute ({status}): a refund now would pay the customer twice",
            hint="Answer the dispute, or accept it, in the processor's dashboard.",
        )


def _status(till: Till, paid: Captured, outcome: Outcome[RefundMade]) -> str:
    """What the refund is now: one that was done earlier may have ended since. Raises Refused when it moved no money."""
    now = till.provider(paid.provider).find(outcome.operation) if outcome.already_done and not till.dry_run else None
    status = str(now["status"]) if now else outcome.result.status
    if status in ENDED_WITHOUT_MONEY:
        raise Refused(
            f"the refund {outcome.result.refund} {'failed' if status == 'failed' else 'was cancelled'}:"
            " the customer did not get the money",
            hint="With --again it is tried once more.",
        )
    return status


def _take_in(till: Till, paid: Captured, request: RefundRequest, outcome: Outcome[RefundMade]) -> None:
    """Make facts of the refund. It is done all the same when it cannot be read now: its event, too, leads to them, and
    until then the operation counts."""
    if till.dry_run:
        _try_out(till, paid, request, outcome)
        return
    try:
        reread(till, paid)
    except Unavailable:
        return


def _try_out(till: Till, paid: Captured, request: RefundRequest, outcome: Outcome[RefundMade]) -> None:
    """The debits and credits that would follow, in the ledger that forgets them."""
    fact = PaymentRefunded(
        provider=paid.provider,
        key=f"(new) {outcome.operation.id}",
        occurred_at=till.clock.now(),
        payment=paid.payment,
        refund=outcome.result.refund,
        operation=outcome.operation.id,
        amount=request.amount,
    )
    if outcome.already_done:
        return
    with till.ledger.transaction():
        record_facts(till.ledger, [fact], till.clock.now())
