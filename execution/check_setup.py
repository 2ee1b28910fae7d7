"""Settings, credentials, ledger, invariants: ok, or what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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


def check_setup(*, till: Till) -> Checked:
    """Look at everything that must be in order before a sale; nothing is changed anywhere."""
    from tillbook.proof import checks  # noqa: PLC0415  start-up time

    return Checked(list(checks.run(till)))


@cli.command
def app(till: Till) -> Checked:
    """Check settings, credentials, ledger and invariants; each line is ok or says what to do."""
    return check_setup(till=till)


if __name__ == "__main__":
    app()
