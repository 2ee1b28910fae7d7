"""The checks of check_setup.py: each looks at one thing and says what to do when it is not in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from stat import S_IMODE
from typing import TYPE_CHECKING

from tillbook import bookkeeping, invariants, invoices
from tillbook.clock import rfc3339
from tillbook.errors import TillbookError

if TYPE_CHECKING:
    from tillbook.workshop import Workshop

ENOUGH_DAYS = 14
MOST_SENTENCES = 5
OTHERS_CAN_READ = 0o077


@dataclass(frozen=True, slots=True)
class Check:
    """`hint` says what was found when ok, and what to do when not."""

    name: str
    ok: bool
    hint: str


def run(shop: Workshop) -> Iterator[Check]:
    """Every check, in the order in which a person would mend them."""
    yield Check("settings", True, f"{shop.settings.mode} mode, ledger {shop.settings.ledger}")
    for name, look in _LOOKS.items():
        yield _checked(name, look, shop)
    for provider in shop.settings.providers:
        yield _checked(f"{provider} account", partial(_account, provider), shop)
        yield _checked(f"{provider} webhooks", partial(_webhook, provider), shop)


def _checked(name: str, look: Callable[[Workshop], str], shop: Workshop) -> Check:
    """A look returns what it found, or raises what is wrong."""
    try:
        return Check(name, True, look(shop))
    except TillbookError as error:
        return Check(name, False, f"{error.message}. {error.hint}".strip())


def _private(shop: Workshop) -> str:
    readable = [
        path.name
        for path in (shop.settings.home, shop.settings.ledger)
        if path.exists() and S_IMODE(path.stat().st_mode) & OTHERS_CAN_READ
    ]
    if readable:
        raise TillbookError(f"other users can read {', '.join(readable)}", hint=f"chmod -R go-rwx {shop.settings.home}")
    return "only its owner can read the ledger"


def _invariants(shop: Workshop) -> str:
    if sentences := list(islice(invariants.broken(shop.ledger), MOST_SENTENCES)):
        raise TillbookError("; ".join(sentences), hint="Stop and keep a copy: back up the ledger, then report this.")
    return f"all hold over {shop.ledger.facts.count()} facts"


def _operations(shop: Workshop) -> str:
    if unfinished := shop.ledger.operations.unfinished(MOST_SENTENCES):
        names = ", ".join(f"{operation.kind} {operation.subject} ({operation.state})" for operation in unfinished)
        raise TillbookError(f"unfinished: {names}", hint="Run `python execution/run_pending.py`.")
    return "none is unfinished"


def _documents(shop: Workshop) -> str:
    if failed := shop.ledger.documents.failed():
        first = failed[0]
        raise TillbookError(
            f"{len(failed)} failed; {first.key}: {first.reason}",
            hint=f"Mend it in QuickBooks, then: python execution/post_to_books.py --again {first.key}",
        )
    noted = "".join(f"; {document.key}: {document.reason}" for document in shop.ledger.documents.noted())
    return f"{shop.ledger.documents.count_waiting()} wait, none failed{noted}"


def _forms(shop: Workshop) -> str:
    if refused := shop.ledger.forms.refused():
        first = refused[0]
        raise TillbookError(
            f"{len(refused)} submitted orders were refused; {first['number']}: {first['reason']}",
            hint="Answer the customer; a corrected order needs a number of its own.",
        )
    return f"{shop.ledger.forms.count().get('waiting', 0)} wait"


def _events(shop: Workshop) -> str:
    if parked := shop.ledger.inbox.parked():
        first = parked[0]
        raise TillbookError(
            f"{len(parked)} parked; {first['event']}: {first['reason']}", hint="run_pending.py tries them again."
        )
    newest = shop.ledger.inbox.newest()
    return ", ".join(f"last of {name} at {rfc3339(at)}" for name, at in newest.items()) or "none came yet"


def _company(shop: Workshop) -> str:
    company = invoices.read_company(shop)
    if not company.custom_numbers:
        raise TillbookError(
            f"{company.name} numbers its invoices by itself",
            hint="In QuickBooks: Account and settings, Sales, turn on 'Custom transaction numbers'.",
        )
    return f"{company.name}, {company.home_currency}"


def _connection(shop: Workshop) -> str:
    days = shop.books.days_left(shop.clock.now())
    if days is not None and days < ENOUGH_DAYS:
        raise TillbookError(
            f"the connection ends in {days} days", hint="Run `python execution/connect_quickbooks.py` soon."
        )
    return "connected" if days is None else f"good for {days} days without use"


def _accounts(shop: Workshop) -> str:
    currency = invoices.company(shop).home_currency
    wanted = [bookkeeping.clearing_account(name, currency)["name"] for name in shop.settings.providers]
    if missing := [name for name in wanted if shop.ledger.sales.account(name) is None]:
        raise TillbookError(f"not ready: {', '.join(missing)}", hint="Run `python execution/connect_quickbooks.py`.")
    return ", ".join(wanted)


def _mail(shop: Workshop) -> str:
    missing = [
        name
        for name, value in (("SMTP_URL", shop.settings.smtp_url), ("MAIL_FROM", shop.settings.mail_from))
        if not value
    ]
    if missing:
        raise TillbookError(f"{' and '.join(missing)} not set", hint="Set it in .env, as .env.example shows.")
    if stale := shop.ledger.messages.stale(shop.clock.now()):
        raise TillbookError(
            f"{len(stale)} mails are older than seven days and are not sent by themselves",
            hint="python execution/send_messages.py lists them.",
        )
    return f"from {shop.settings.mail_from}"


def _public_address(shop: Workshop) -> str:
    return shop.settings.base_url or "none: events come by polling (run_pending.py)"


def _providers(shop: Workshop) -> str:
    return ", ".join(shop.provider_names)


def _account(provider: str, shop: Workshop) -> str:
    account = shop.provider(provider).account()
    if account.livemode != (shop.settings.mode == "live"):
        raise TillbookError(f"{account.id} is of another mode than {shop.settings.mode}", hint="Use the other key.")
    return account.id


def _webhook(provider: str, shop: Workshop) -> str:
    shop.provider(provider).webhook_ready()
    return "set"


_LOOKS: dict[str, Callable[[Workshop], str]] = {
    "file rights": _private,
    "invariants": _invariants,
    "operations": _operations,
    "documents": _documents,
    "forms": _forms,
    "events": _events,
    "quickbooks company": _company,
    "quickbooks connection": _connection,
    "quickbooks accounts": _accounts,
    "mail": _mail,
    "public address": _public_address,
    "providers": _providers,
}
