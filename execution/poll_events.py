"""Events as a webhook brings them, without a public address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class Polled:
    new: int
    seen: int


def poll_events(*, till: Till, provider: str = "") -> Polled:
    """Ask one provider, or each that this ledger works with, for its events since the last time.

    Raises Refused or Unavailable. What was read until then is kept.
    """
    from tillbook.money_in import inbox  # noqa: PLC0415  start-up time

    new = seen = 0
    for name in [provider] if provider else till.polled_providers:
        found = inbox.poll(till, name)
        new, seen = new + found[0], seen + found[1]
    return Polled(new, seen)


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
