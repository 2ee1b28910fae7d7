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

if TYPE_CHECKING:
    from tillbook.correspondence import Sent
    from tillbook.intake import Processed
    from tillbook.posting import Posted
    from tillbook.submitted import Issued
    from tillbook.workshop import Workshop


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


def run_pending(*, shop: Workshop, limit: int = 1000) -> Round:
    """Bring everything that is unfinished nearer to its end; trouble in one part does not stop the next.

    Raises Unavailable when another round is at work.
    """
    from tillbook import pending  # noqa: PLC0415  start-up time
    from tillbook.errors import worst_exit_code  # noqa: PLC0415

    with shop.ledger.lock("round", wait=False):
        troubles = pending.Troubles()
        settled = pending.settle_all(shop, troubles, limit=limit)
        issued = issue_forms(shop=shop, limit=limit)
        polled = Polled(0, 0)
        with troubles.noted("polling"):
            polled = poll_events(shop=shop)
        processed = process_inbox(shop=shop, limit=limit)
        posted = post_to_books(shop=shop, limit=limit)
        sent = send_messages(shop=shop, limit=limit)
    exit_code = worst_exit_code([*troubles.exit_codes, issued.exit_code, posted.exit_code, sent.exit_code])
    return Round(settled, issued, polled, processed, posted, sent, tuple(troubles.sentences), exit_code)


@cli.command
def app(shop: Workshop, limit: cli.Limit = 1000, dry_run: cli.DryRun = False) -> Round:
    """Finish what is unfinished: settle, issue forms, poll, process, post, send. For cron, every minute."""
    return run_pending(shop=shop, limit=limit)


if __name__ == "__main__":
    app()
