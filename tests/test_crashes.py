"""Every step dies once at each boundary that it passes, and the world ends as if nothing had happened."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from sale import Till
from scenarios import NAMES, SCENARIOS, Scenario, Stage, dumped
from tally import LONG, SEED, Tally

# The last boundary after which the world or the disk is another one than before it.
CHANGES = ("after commit", "after file", "after mail", "answer arrives: POST")
each_step = pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)


@each_step
@pytest.mark.timeout(1800 if LONG else 120)
def test_c1_a_crash_at_any_boundary_changes_nothing_in_the_end(till: Till, scenario: Scenario, tally: Tally) -> None:
    """The step dies at each boundary; run again, or finished by cron's round, it leads to the undisturbed end."""
    stage = Stage(till, scenario)
    passed, end = stage.undisturbed()
    crashed = []
    for number, boundary in enumerate(passed):
        for command in _recoveries(stage, number):
            stage.back()
            watch = stage.watched(stage.command, end_at=number)
            assert watch.died, f"it did not come to {boundary}"
            stage.finish(command)
            assert dumped(stage.end()) == end, f"died at {number}, {boundary}, then {command[0]}"
            tally(scenario.name, "crashes", 1)
        crashed.append(watch.passed[number])
    tally(scenario.name, "boundaries", len(passed))
    assert crashed == passed, "a boundary exists where it was not crashed"


@each_step
@pytest.mark.timeout(7200 if LONG else 120)
def test_c1_a_second_crash_during_recovery_changes_nothing(till: Till, scenario: Scenario, tally: Tally) -> None:
    """The recovery dies too, at each of its own boundaries (a sample in the short form), and the next one ends it."""
    stage = Stage(till, scenario)
    passed, end = stage.undisturbed()
    dice = random.Random(f"{SEED} {scenario.name}")
    for number in _sample(dice, [n for n, boundary in enumerate(passed) if boundary.startswith(CHANGES)], 1):
        stage.back()
        stage.watched(stage.command, end_at=number)
        crashed = stage.kept()
        for command in stage.recoveries if LONG else _sample(dice, stage.recoveries, 1):
            stage.back(crashed)
            again = stage.watched(command).passed
            for second in _sample(dice, range(len(again)), 1):
                stage.back(crashed)
                stage.watched(command, end_at=second)
                stage.finish(command)
                assert dumped(stage.end()) == end, f"died at {passed[number]}, then {command[0]} at {again[second]}"
                tally(scenario.name, "double crashes", 1)


def _recoveries(stage: Stage, number: int) -> tuple[tuple[str, ...], ...]:
    """Both ways to recover; in the short form they take turns."""
    ways = stage.recoveries
    return ways if LONG else (ways[number % len(ways)],)


def _sample(dice: random.Random, things: Sequence[Any], most: int) -> list[Any]:
    """All of them in the long form, a few in the short one."""
    return list(things) if LONG or len(things) <= most else dice.sample(list(things), most)
