"""Settings, credentials, ledger, invariants: ok, or what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.proof.checks import Check
    from tillbook.till import Till


@dataclass(frozen=True, slots=True)
class Checked:
    checks: list[Check]

    @property
    def exit_code(self) -> int:
        """3 when something must be changed."""
        return 0 if all(check.ok for check in self.checks) else 3


def check_setup(*, till: Till, full: bool = False) -> Checked:
    """Look at everything that must be in order before a sale. Nothing is changed at any vendor.

    `full` reads the whole ledger again, else what is new since the last full check.
    """
    from tillbook.proof import checks  # noqa: PLC0415  start-up time

    with cli.progress("Checking invoices", till.ledger.sales.count_invoices() if full else 0) as advance:
        return Checked(list(checks.run(till, full=full, progress=advance)))


@cli.command
def app(
    till: Till,
    full: Annotated[bool, typer.Option("--full", help="Read the whole ledger again, not only what is new.")] = False,
) -> Checked:
    """Check settings, credentials, ledger and invariants. Each line is ok or says what to do."""
    return check_setup(till=till, full=full)


if __name__ == "__main__":
    app()
