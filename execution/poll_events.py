"""Events as a webhook brings them, without a public address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tillbook import cli
from tillbook.kit.errors import DISCREPANCIES_FOUND

if TYPE_CHECKING:
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class Polled:
    new: int
    seen: int
    unreadable: int = 0
    exit_code: int = 0


def poll_events(*, till: Till, provider: str = "") -> Polled:
    """Ask one provider, or each that this ledger works with, for its events since the last time.

    Raises Refused or Unavailable. What was read until then is kept.
    """
    from tillbook.money_in import inbox  # noqa: PLC0415  start-up time

    kept = inbox.Kept()
    for name in [provider] if provider else till.polled_providers:
        kept += inbox.poll(till, name)
    return Polled(kept.new, kept.seen, kept.unreadable, DISCREPANCIES_FOUND if kept.unreadable else 0)


@cli.command
def app(
    till: Till,
    provider: Annotated[str | None, cli.provider_option("Only this provider.")] = None,
    dry_run: cli.DryRun = False,
) -> Polled:
    """Fetch events from the providers into the inbox: what a webhook would have brought."""
    return poll_events(till=till, provider=provider or "")


if __name__ == "__main__":
    app()
