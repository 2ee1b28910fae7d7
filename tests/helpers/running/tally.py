"""How much was tried: counted by the tests, added up over the workers, printed as a table at the end.

`TORTURE=1` is the long form, `TORTURE_SEED` chooses what the random parts try; both are set by `make torture`.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest

LONG = bool(os.environ.get("TORTURE"))
SEED = int(os.environ.get("TORTURE_SEED", "1"))
COLUMNS = ("boundaries", "crashes", "double crashes", "faults", "kills", "races", "disorders")
_PROPERTY = "tried"

Tally = Callable[[str, str, int], None]


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Count what a test tried: `tally(step, column, number)`."""

    def count(step: str, column: str, number: int = 1) -> None:
        assert column in COLUMNS
        request.node.user_properties.append((_PROPERTY, (step, column, number)))

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: Counter[str] = Counter()
    for report in [*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())]:
        tried = [value for name, value in report.user_properties if name == _PROPERTY]
        for step, column, number in tried:
            rows[step][column] += number
        if tried and report.when == "call":
            seconds[tried[0][0]] += report.duration
    if rows:
        terminalreporter.section(f"torture, {'long' if LONG else 'short'} form, TORTURE_SEED={SEED}")
        for line in _table(rows, seconds):
            terminalreporter.write_line(line)


def _table(rows: dict[str, Counter[str]], seconds: Counter[str]) -> list[str]:
    total: Counter[str] = sum(rows.values(), Counter())
    shown = {**(rows if LONG else {}), f"{len(rows)} steps": total}
    times = {**seconds, f"{len(rows)} steps": sum(seconds.values())}
    head = f"{'':<34}" + "".join(f"{column:>15}" for column in COLUMNS) + f"{'seconds':>10}"
    lines = [
        f"{step:<34}" + "".join(f"{counts[column]:>15}" for column in COLUMNS) + f"{times[step]:>10.0f}"
        for step, counts in shown.items()
    ]
    return [head, *lines]
