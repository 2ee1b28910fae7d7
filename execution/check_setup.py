"""Settings, credentials, ledger, invariants: ok, or what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook import cli

if TYPE_CHECKING:
    from tillbook.checks import Check
    from tillbook.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Checked:
    checks: list[Check]

    @property
    def exit_code(self) -> int:
        """3 when something must be changed."""
        return 0 if all(check.ok for check in self.checks) else 3


def check_setup(*, shop: Workshop) -> Checked:
    """Look at everything that must be in order before a sale; nothing is changed anywhere."""
    from tillbook import checks  # noqa: PLC0415  start-up time

    return Checked(list(checks.run(shop)))


@cli.command
def app(shop: Workshop) -> Checked:
    """Check settings, credentials, ledger and invariants; each line is ok or says what to do."""
    return check_setup(shop=shop)


if __name__ == "__main__":
    app()
