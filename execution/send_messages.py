"""Messages not yet sent -> SMTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.correspondence import Sent
    from tillbook.workshop import Workshop


def send_messages(*, shop: Workshop, limit: int = 1000) -> Sent:
    """Send the mails that are owed, each at least once and with one Message-ID."""
    from tillbook import correspondence  # noqa: PLC0415  start-up time

    with cli.progress("Sending mail", min(shop.ledger.messages.count_waiting(), limit)) as advance:
        return correspondence.send_messages(shop, limit=limit, progress=advance)


@cli.command
def app(shop: Workshop, limit: cli.Limit = 1000, dry_run: cli.DryRun = False) -> Sent:
    """Send the mails that are owed. Those older than seven days are listed, not sent."""
    return send_messages(shop=shop, limit=limit)


if __name__ == "__main__":
    app()
