"""Eight processes take the same step on the same subject at the same moment."""

from __future__ import annotations

import pytest

from helpers.running.processes import Processes
from helpers.running.tally import LONG, Tally
from helpers.sale import Shop
from helpers.torture.scenarios import DONE, SCENARIOS, UNAVAILABLE, Scenario, Stage, dumped

AT_ONCE = 8
ROUNDS = 10 if LONG else 1


def _raced() -> list[Scenario]:
    """All of them in the long form. In the short one each command in its first situation: the commands differ."""
    return list(SCENARIOS) if LONG else list({one.command: one for one in reversed(SCENARIOS)}.values())


@pytest.mark.parametrize("scenario", _raced(), ids=lambda scenario: scenario.name)
@pytest.mark.timeout(1800 if LONG else 120)
def test_f19_eight_processes_at_once_do_a_step_once(
    shop: Shop, scenario: Scenario, processes: Processes, tally: Tally
) -> None:
    """One object at the vendor, one set of records; each process did it, found it done, or was told to come later."""
    stage = Stage(shop, scenario)
    _, end = stage.undisturbed()
    for _ in range(ROUNDS):
        stage.back()
        ran = processes.run(*[stage.command] * AT_ONCE)
        assert {one.code for one in ran} <= {DONE, UNAVAILABLE}, [one.err for one in ran]
        assert DONE in [one.code for one in ran]
        assert dumped(stage.end()) == end
        tally(scenario.name, "races", 1)
