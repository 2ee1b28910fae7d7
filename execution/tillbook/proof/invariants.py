"""What must always be true of a ledger, as code: run by check_setup.py and after every simulated step of the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tillbook.kit.money import Money
from tillbook.ledger import Ledger
from tillbook.recording.facts import called_for, message_key
from tillbook.rules.bookkeeping import documents_for, rule_of, target
from tillbook.rules.entries import correction
from tillbook.rules.facts import AboutInvoice, Fact, InvoiceFact
from tillbook.rules.uses import Uses


def broken(ledger: Ledger, progress: Callable[[int], None] = lambda _: None) -> Iterator[str]:
    """A sentence for each invariant that does not hold, or nothing when all is well. Reads the whole ledger.

    `progress` hears of each invoice that was looked at.
    """
    damage = [*_file(ledger), *ledger.facts.broken_seals()]
    yield from damage
    if damage:  # nothing can be said about what rests on facts like these
        return
    yield from _balance(ledger)
    yield from _kept(ledger)
    for number in ledger.sales.invoice_numbers():
        yield from _invoice(ledger, number)
        progress(1)
    yield from _alone(ledger, 0)


def broken_after(ledger: Ledger, seal: int) -> Iterator[str]:
    """A sentence for each broken invariant of what came after a seal. What is under it is taken as it is."""
    damage = [*ledger.facts.broken_seals(seal)]
    yield from damage
    if damage:
        return
    yield from _equal(ledger.facts.balances())
    after = ledger.facts.sealed_until(seal)
    for number in ledger.facts.invoices_after(after):
        yield from _invoice(ledger, number)
    yield from _alone(ledger, after)


def _alone(ledger: Ledger, after: int) -> Iterator[str]:
    """Facts that no invoice is known for, and payments of which too much went back."""
    yield from _wrong_entries(ledger, ledger.facts.of_nobody(after), {})
    for row in ledger.outflows.over_returned():
        yield f"more was given back of {row['provider']} {row['payment']} than was captured"


def _file(ledger: Ledger) -> Iterator[str]:
    for problem in ledger.file_problems():
        yield f"the ledger file is damaged: {problem}"


def _balance(ledger: Ledger) -> Iterator[str]:
    """Debits equal credits in every currency, and the sums that are kept are those of the lines."""
    added_up = ledger.facts.added_up()
    yield from _equal(added_up)
    for name in ledger.facts.wrong_sums(added_up):
        yield f"the balance of {name} is not what its entries add up to"


def _kept(ledger: Ledger) -> Iterator[str]:
    """What is kept of payments is what their facts say."""
    for row in ledger.outflows.wrongly_over_returned():
        yield f"what was given back of {row['provider']} {row['payment']} is not kept as its facts say"
    for row in ledger.reconciliation.wrongly_unmatched():
        yield f"whether {row['provider']} {row['payment']} has an invoice is not kept as its facts say"


def _equal(balances: dict[tuple[str, str], Money]) -> Iterator[str]:
    totals: dict[str, int] = {}
    for (_, currency), amount in balances.items():
        totals[currency] = totals.get(currency, 0) + amount.minor
    for currency, minor in totals.items():
        if minor:
            yield f"debits and credits differ by {Money(minor, currency)}"


def _invoice(ledger: Ledger, number: str) -> Iterator[str]:
    """Entries, documents and mails of an invoice are what its facts call for."""
    facts, view = called_for(ledger, AboutInvoice(number))
    if not any(isinstance(fact, InvoiceFact) for fact in facts):
        return
    yield from _wrong_entries(ledger, facts, view)
    for fact in facts:
        for document in documents_for(fact, number, view.get((fact.provider, fact.key))):
            stored = ledger.documents.get(document.key)
            if stored is None or stored.amount != document.amount:
                yield f"document {document.key} is missing or has another amount"
        for kind in rule_of(fact).messages:
            if ledger.messages.get(message_key(kind, fact)) is None:
                yield f"no {kind} mail is noted for {fact.key}"


def _wrong_entries(ledger: Ledger, facts: Iterable[Fact], view: Uses) -> Iterator[str]:
    for fact in facts:
        wanted = target(fact, view.get((fact.provider, fact.key)), ledger.clearing)
        if correction(wanted, ledger.facts.posted(fact)):
            yield f"the entries of fact {fact.key} are not what the rules say"
