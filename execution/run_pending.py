"""One bounded round for cron: settle, poll, process, post, send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from issue_forms import issue_forms
from poll_events import Polled, poll_events
from post_to_books import post_to_books
from process_inbox import process_inbox
from send_messages import send_messages
from tillbook import cli
from tillbook.kit.errors import DISCREPANCIES_FOUND, Refused, worst_exit_code
from tillbook.kit.troubles import Troubles

if TYPE_CHECKING:
    from tillbook.books.posting import Posted
    from tillbook.letters.sending import Sent
    from tillbook.money_in.inbox import Processed
    from tillbook.sales.forms import Issued
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: operations and pages that reached their end, and the results of the five steps.

    `trouble` has a sentence for everything that must wait for another round or a person.
    """

    settled: int
    issue_forms: Issued
    poll_events: Polled
    process_inbox: Processed
    post_to_books: Posted
    send_messages: Sent
    trouble: tuple[str, ...]
    exit_code: int


def run_pending(*, till: Till, limit: int = 1000) -> Round:
    """Bring everything that is unfinished nearer to its end. Trouble in one part does not stop the next.

    What an earlier round could not do, and this one did not try again yet, is a trouble, too.
    Raises Unavailable when another round is at work.
    """
    from tillbook.sales.rounds import settle_all  # noqa: PLC0415  start-up time

    with till.ledger.lock("round", wait=False):
        troubles, odd = Troubles(), set(till.ledger.reconciliation.unreadable())
        settled = settle_all(till, troubles, limit=limit)
        issued = issue_forms(till=till, limit=limit)
        polled = Polled(0, 0)
        with troubles.noted("polling"):
            polled = poll_events(till=till)
        processed = process_inbox(till=till, limit=limit)
        posted = post_to_books(till=till, limit=limit)
        sent = send_messages(till=till, limit=limit)
        for row in till.ledger.forms.refused():
            troubles.note(f"form {row['number']} was refused: {row['reason']}", Refused.exit_code)
        for record, _ in set(till.ledger.reconciliation.unreadable()) - odd:
            troubles.note(f"{record.vendor} {record.id} cannot be understood: {record.reason}", DISCREPANCIES_FOUND)
        troubles.held_up("forms", till.ledger.forms.held_up())
        troubles.held_up("documents", till.ledger.documents.held_up())
        troubles.held_up("mails", till.ledger.messages.held_up(till.clock.now()))
    parts = (issued, polled, processed, posted, sent)
    exit_code = worst_exit_code([*troubles.exit_codes, *(part.exit_code for part in parts)])
    return Round(settled, issued, polled, processed, posted, sent, tuple(troubles.sentences), exit_code)


@cli.command
def app(till: Till, limit: cli.Limit = 1000, dry_run: cli.DryRun = False) -> Round:
    """Finish what is unfinished: settle, issue forms, poll, process, post, send. For cron, every minute."""
    return run_pending(till=till, limit=limit)


if __name__ == "__main__":
    app()
