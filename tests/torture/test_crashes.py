"""Every step dies once at each boundary that it passes, and the world ends as if nothing had happened."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import apsw
import pytest

from helpers.running.tally import LONG, SEED, Tally
from helpers.sale import Shop
from helpers.torture.boundaries import Watch
from helpers.torture.scenarios import DONE, NAMES, SCENARIOS, Scenario, Stage, dumped

# The last boundary after which the world or the disk is another one than before it.
CHANGES = ("after commit", "after file", "after mail", "answer arrives: POST")
TRIES = 3
SHARE = 18
"""One in so many commits, files and mails is a place to die in the short form; the scenarios take turns."""
SCENARIO_SHARE = 1 if LONG else 5
"""One in so many scenarios has its second crash in the short form."""
READS = ("/query", "/bearer", "/oauth2/token")  # asked by POST, but nothing changes
each_step = pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES, scope="module")  # one after the other


@each_step
@pytest.mark.timeout(1800 if LONG else 120)
def test_c1_a_crash_at_any_boundary_changes_nothing_in_the_end(shop: Shop, scenario: Scenario, tally: Tally) -> None:
    """The step dies at each boundary; run again, or finished by cron's round, it leads to the undisturbed end.

    The short form dies after every change at a vendor, and after a share of the commits, files and mails. A death at
    any other boundary leaves what the one before it left. It goes once to the end from where a recovery led.
    """
    stage = Stage(shop, scenario)
    for attempt in range(TRIES):  # a second that ends in the middle of a run may lead it another way: then once more
        passed, end = stage.undisturbed(again=attempt > 0)
        chosen = list(enumerate(passed)) if LONG else _short(passed, scenario)
        if list(_crashed(stage, chosen, end, tally)) == chosen:
            break
    else:
        pytest.fail("a boundary exists where it was not crashed")
    tally(scenario.name, "boundaries", len(passed))


def _short(passed: list[str], scenario: Scenario) -> list[tuple[int, str]]:
    """The boundaries of the short form: every change at a vendor, and a share of the commits, files and mails."""
    changes = [(number, text) for number, text in enumerate(passed) if text.startswith(CHANGES)]
    changes = [(number, text) for number, text in changes if not text.endswith(READS)]
    turn = NAMES.index(scenario.name)
    return [
        (number, text)
        for place, (number, text) in enumerate(changes)
        if text.startswith("answer") or (place + turn) % SHARE == 0
    ]


def _crashed(stage: Stage, chosen: list[tuple[int, str]], end: str, tally: Tally) -> Iterator[tuple[int, str]]:
    """Die at each chosen boundary and recover; the boundaries at which it really died, until one is another."""
    ways = itertools.cycle(stage.recoveries)
    for number, boundary in chosen:
        for _ in stage.recoveries if LONG else (1,):
            stage.back()
            watch = stage.watched(stage.command, end_at=number)
            assert watch.died, f"it did not come to {boundary}"
            command = next(ways)
            stage.finish(command)
            if LONG or stage.is_new("recovered"):
                assert dumped(stage.end()) == end, f"died at {number}, {boundary}, then {command[0]}"
            tally(stage.scenario.name, "crashes", 1)
        yield number, watch.passed[number]
        if watch.passed[number] != boundary:
            return


@pytest.mark.parametrize("scenario", SCENARIOS[::SCENARIO_SHARE], ids=NAMES[::SCENARIO_SHARE], scope="module")
@pytest.mark.timeout(7200 if LONG else 120)
def test_c1_a_second_crash_during_recovery_changes_nothing(shop: Shop, scenario: Scenario, tally: Tally) -> None:
    """The recovery dies too, at each of its own boundaries (a sample in the short form), and the next one ends it."""
    stage = Stage(shop, scenario)
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


@each_step
def test_c3_nothing_leaves_before_its_operation_is_committed(shop: Shop, scenario: Scenario) -> None:
    """Whenever a request that changes something leaves, another connection reads that the operation was sent."""
    stage = Stage(shop, scenario)
    stage.back()
    auditor = Auditor(shop.home)
    with auditor.on_duty():
        assert stage.step().code == DONE
    assert auditor.committed == [1] * len(auditor.committed)
    changes = [row for row in shop.requests() if row["method"] == "POST" and not row["path"].endswith(READS)]
    assert len(auditor.committed) == len(changes)


class Auditor(Watch):
    """Counts the operations that are under way, each time that a change leaves."""

    def __call__(self, kind: str, what: str) -> None:
        super().__call__(kind, what)
        if kind == "request leaves" and what.startswith("POST") and not what.endswith(READS):
            connection = apsw.Connection(str(self.home / "ledger.db"), flags=apsw.SQLITE_OPEN_READONLY)
            self.committed.append(connection.execute("select count(*) from operation where state = 'sent'").get)
            connection.close()

    @cached_property
    def committed(self) -> list[int]:
        return []


def _sample(dice: random.Random, things: Sequence[Any], most: int) -> list[Any]:
    """All of them in the long form, a few in the short one."""
    return list(things) if LONG or len(things) <= most else dice.sample(list(things), most)
