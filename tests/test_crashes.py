"""Every step dies once at each boundary that it passes, and the world ends as if nothing had happened."""

from __future__ import annotations

import pytest

from sale import Till
from scenarios import NAMES, SCENARIOS, Scenario, Stage, dumped, recorded
import time


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_c1(till: Till, scenario: Scenario) -> None:
    """x"""
    t = time.perf_counter()
    stage = Stage.of(till, scenario)
    passed, end = recorded(stage)
    crashed = []
    for number, boundary in enumerate(passed):
        stage.back()
        crashed.append(stage.watched(end_at=number).passed[number])
        [stage.finish_by_repeating, stage.finish_by_rounds][number % 2]()
        assert dumped(stage.quiet()) == dumped(end), f"died at {boundary}"
    assert crashed == passed
    print(scenario.name, len(passed), time.perf_counter() - t)
