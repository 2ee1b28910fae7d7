"""Messages not yet sent -> SMTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.letters.sending import Sent
    from tillbook.till import Till


def send_messages(*, till: Till, limit: int = 1000) -> Sent:
    """Send the mails that are owed, each at least once and with one Message-ID."""
    from tillbook.letters import sending  # noqa: PLC0415  start-up time

    with cli.progress("Sending mail", min(till.ledger.messages.count_waiting(), limit)) as advance:
        return sending.send_messages(till, limit=limit, progress=advance)


@cli.command
def app(till: Till, limit: cli.Limit = 1000, dry_run: cli.DryRun = False) -> Sent:
    """Send the mails that are owed. Those older than seven days are listed, not sent."""
    return send_messages(till=till, limit=limit)


if __name__ == "__main__":
    app()
