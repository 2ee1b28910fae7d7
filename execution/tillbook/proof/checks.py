"""The checks of check_setup.py: each looks at one thing and says what to do when it is not in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from stat import S_IMODE
from typing import TYPE_CHECKING

from tillbook.kit.clock import rfc3339
from tillbook.kit.errors import TillbookError
from tillbook.kit.troubles import Troubles
from tillbook.proof import invariants
from tillbook.rules.matching import of_unreadable
from tillbook.sales import company
from tillbook.vendors.providers import declared

if TYPE_CHECKING:
    from tillbook.till import Till

ENOUGH_DAYS = 14
CHECKED = "checked"
"""The cursor that holds the last seal of the last full check."""
MOST_SENTENCES = 5
OTHERS_CAN_READ = 0o077


@dataclass(frozen=True, slots=True)
class Check:
    """`hint` says what was found when ok, and what to do when not."""

    name: str
    ok: bool
    hint: str


def run(till: Till, *, full: bool = False, progress: Callable[[int], None] = lambda _: None) -> Iterator[Check]:
    """Every check, in the order in which a person would mend them. `full` reads the whole ledger again."""
    yield Check("settings", True, f"{till.settings.mode} mode, ledger {till.settings.ledger}")
    looks = {**_LOOKS, "invariants": partial(_all_invariants, progress) if full else _invariants}
    for name, look in looks.items():
        yield _checked(name, look, till)
    for provider in till.settings.providers:
        yield _checked(f"{provider} account", partial(_account, provider), till)
        yield _checked(f"{provider} permissions", partial(_permissions, provider), till)
        yield _checked(f"{provider} webhooks", partial(_webhook, provider), till)


def _checked(name: str, look: Callable[[Till], str], till: Till) -> Check:
    """A look returns what it found, or raises what is wrong."""
    try:
        return Check(name, True, look(till))
    except TillbookError as error:
        return Check(name, False, f"{error.message}. {error.hint}".strip())


def _private(till: Till) -> str:
    readable = [
        path.name
        for path in (till.settings.home, till.settings.ledger)
        if path.exists() and S_IMODE(path.stat().st_mode) & OTHERS_CAN_READ
    ]
    if readable:
        raise TillbookError(f"other users can read {', '.join(readable)}", hint=f"chmod -R go-rwx {till.settings.home}")
    return "only its owner can read the ledger"


def _invariants(till: Till) -> str:
    """What is new since the last full check."""
    seal = till.ledger.activity.cursor(CHECKED)
    _require_whole(invariants.broken_after(till.ledger, seal))
    number = till.ledger.facts.count() - till.ledger.facts.sealed_until(seal)
    return f"all hold over {number} facts{' since the last full check' if seal else '; no --full check was made yet'}"


def _all_invariants(progress: Callable[[int], None], till: Till) -> str:
    seal = till.ledger.facts.last_seal()
    _require_whole(invariants.broken(till.ledger, progress))
    with till.ledger.transaction():
        till.ledger.activity.set_cursor(CHECKED, seal)
    return f"all hold over {till.ledger.facts.count()} facts"


def _require_whole(sentences: Iterator[str]) -> None:
    if first := list(islice(sentences, MOST_SENTENCES)):
        raise TillbookError("; ".join(first), hint="Stop and keep a copy: back up the ledger, then report this.")


def _operations(till: Till) -> str:
    if unfinished := till.ledger.operations.unfinished(MOST_SENTENCES):
        names = ", ".join(f"{operation.kind} {operation.subject} ({operation.state})" for operation in unfinished)
        raise TillbookError(f"unfinished: {names}", hint="Run `python execution/run_pending.py`.")
    return "none is unfinished"


def _documents(till: Till) -> str:
    if failed := till.ledger.documents.failed():
        first = failed[0]
        raise TillbookError(
            f"{len(failed)} failed; {first.key}: {first.reason}",
            hint=f"Mend it in QuickBooks, then: python execution/post_to_books.py --again {first.key}",
        )
    noted = "".join(f"; {document.key}: {document.reason}" for document in till.ledger.documents.noted())
    return f"{till.ledger.documents.count_waiting()} wait, none failed{noted}"


def _invoices(till: Till) -> str:
    if unsound := till.ledger.sales.unsound(MOST_SENTENCES):
        first = unsound[0]
        raise TillbookError(
            "; ".join(f"invoice {invoice.number}: {invoice.problem}" for invoice in unsound),
            hint="Choose one: correct it in QuickBooks, then python execution/run_pending.py; or void it, so that the "
            f"corrected order takes its number: python execution/void_invoice.py {first.number}",
        )
    return "none differs from its order"


def _forms(till: Till) -> str:
    if refused := till.ledger.forms.refused():
        first = refused[0]
        raise TillbookError(
            f"{len(refused)} submitted orders were refused; {first['number']}: {first['reason']}",
            hint="A corrected form takes the same number. Choose one: mend what it says, then python "
            f"execution/issue_forms.py --again {first['number']}; or answer the customer, then python "
            f"execution/issue_forms.py --dismiss {first['number']} --because REASON",
        )
    return f"{till.ledger.forms.count().get('waiting', 0)} wait"


def _events(till: Till) -> str:
    if parked := till.ledger.inbox.parked():
        first = parked[0]
        raise TillbookError(
            f"{len(parked)} parked; {first['event']}: {first['reason']}", hint="run_pending.py tries them again."
        )
    newest = till.ledger.inbox.newest()
    return ", ".join(f"last of {name} at {rfc3339(at)}" for name, at in newest.items()) or "none came yet"


def _unreadable(till: Till) -> str:
    found = [of_unreadable(one, seen_at) for one, seen_at in till.ledger.reconciliation.unreadable()]
    if left := [one for one in found if not till.ledger.reconciliation.is_accepted(one)]:
        first = left[0]
        raise TillbookError(
            f"{len(left)} cannot be understood; {first.provider} {first.subject}: {first.note}",
            hint="Look at it there, then: python execution/reconcile_payments.py --accept SUBJECT --because REASON",
        )
    return "every record was understood"


def _company(till: Till) -> str:
    found = till.company
    if not found.custom_numbers:
        raise TillbookError(
            f"{found.name} numbers its invoices by itself",
            hint="In QuickBooks: Account and settings, Sales, turn on 'Custom transaction numbers'.",
        )
    return f"{found.name}, {found.home_currency}"


def _connection(till: Till) -> str:
    days = till.books.days_left(till.clock.now())
    if days is not None and days < ENOUGH_DAYS:
        raise TillbookError(
            f"the connection ends in {days} days", hint="Run `python execution/connect_quickbooks.py` soon."
        )
    return "connected" if days is None else f"good for {days} days without use"


def _accounts(till: Till) -> str:
    currency = company.known(till).home_currency
    wanted = [declared(name).clearing.in_books(currency) for name in till.settings.providers]
    if missing := [name for name in wanted if till.ledger.sales.account(name) is None]:
        raise TillbookError(f"not ready: {', '.join(missing)}", hint="Run `python execution/connect_quickbooks.py`.")
    return ", ".join(wanted)


def _mail(till: Till) -> str:
    missing = [
        name
        for name, value in (("SMTP_URL", till.settings.smtp_url), ("MAIL_FROM", till.settings.mail_from))
        if not value
    ]
    if missing:
        raise TillbookError(f"{' and '.join(missing)} not set", hint="Set it in .env, as .env.example shows.")
    if stale := till.ledger.messages.stale(till.clock.now()):
        raise TillbookError(
            f"{len(stale)} mails are older than seven days and are not sent by themselves",
            hint="python execution/send_messages.py lists them.",
        )
    return f"from {till.settings.mail_from}"


def _public_address(till: Till) -> str:
    return till.settings.base_url or "none: events come by polling (run_pending.py)"


def _providers(till: Till) -> str:
    return ", ".join(till.provider_names)


def _account(provider: str, till: Till) -> str:
    account = till.provider(provider).account()
    if account.livemode != (till.settings.mode == "live"):
        raise TillbookError(f"{account.id} is of another mode than {till.settings.mode}", hint="Use the other key.")
    return account.id


def _permissions(provider: str, till: Till) -> str:
    """What a restricted key must not lack: one read of each kind, each tried."""
    troubles, reads = Troubles(), till.provider(provider).needed_reads()
    for name, read in reads.items():
        with troubles.looking_at(name):
            read()
    if troubles.names:
        raise TillbookError(
            f"{len(troubles.names)} of {len(reads)} reads do not work: {'; '.join(troubles.sentences)}",
            hint=f"Give the key permission to read: {', '.join(troubles.names)}.",
        )
    return f"may read {', '.join(reads)}"


def _webhook(provider: str, till: Till) -> str:
    till.provider(provider).webhook_ready()
    return "set"


_LOOKS: dict[str, Callable[[Till], str]] = {
    "file rights": _private,
    "invariants": _invariants,
    "operations": _operations,
    "documents": _documents,
    "invoices": _invoices,
    "forms": _forms,
    "events": _events,
    "odd records": _unreadable,
    "quickbooks company": _company,
    "quickbooks connection": _connection,
    "quickbooks accounts": _accounts,
    "mail": _mail,
    "public address": _public_address,
    "providers": _providers,
}
