"""kill -9 of the real process at each kind of boundary, and recovery by the real command."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from helpers.running.processes import Processes
from helpers.running.tally import LONG, SEED, Tally
from helpers.sale import SCRIPTS, Shop
from helpers.torture.boundaries import KINDS
from helpers.torture.scenarios import DONE, NAMES, READ_LAG, SCENARIOS, UNAVAILABLE, UNCERTAIN, Scenario, Stage, dumped

KILLED = -signal.SIGKILL
TRIES = 3


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
@pytest.mark.timeout(1800 if LONG else 120)
def test_c1_kill_9_at_each_kind_of_boundary_loses_nothing(
    shop: Shop, scenario: Scenario, processes: Processes, tally: Tally
) -> None:
    """The process is killed there, the command is run again by another process: the undisturbed end."""
    stage = Stage(shop, scenario)
    passed, end = stage.undisturbed()
    dice = random.Random(f"{SEED} {scenario.name}")
    for kind in KINDS if LONG else _one_kind(passed, NAMES.index(scenario.name)):
        places = [number for number, boundary in enumerate(passed) if boundary.startswith(kind)]
        for number in places if LONG else dice.sample(places, min(1, len(places))):
            _kill(stage, processes, number, passed[number])
            _recover(stage, processes)
            assert dumped(stage.end()) == end, f"killed at {passed[number]}"
            tally(scenario.name, "kills", 1)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_f18_a_signal_while_a_vendor_acts_loses_nothing(shop: Shop, number: int, code: int, tally: Tally) -> None:
    """Stopped while Stripe makes the page and its answer is on the way: the page is found, and is the only one."""
    stage = Stage(shop, next(scenario for scenario in SCENARIOS if scenario.name == "create_checkout, the first"))
    _, end = stage.undisturbed()
    stage.back()
    shop.fail("stripe", "*/checkout/sessions", "timeout_after", method="POST", seconds=2)
    script, *arguments = stage.command
    with subprocess.Popen(
        [sys.executable, str(SCRIPTS / f"{script}.py"), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
    ) as running:
        while not shop.requests("stripe", "POST", "/checkout/sessions"):
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(number)
        _, words = running.communicate(timeout=30)
    assert running.returncode == code
    assert b"Traceback" not in words
    stage.finish(stage.command)
    assert dumped(stage.end()) == end
    tally(stage.scenario.name, "kills", 1)


def _kill(stage: Stage, processes: Processes, number: int, boundary: str) -> None:
    """End the process there. A second that ends in the middle of a run may make it shorter: then once more."""
    for _ in range(TRIES):
        stage.back()
        (killed,) = processes.run(stage.command, end_at=number)
        if killed.code != DONE:
            break
    assert killed.code == KILLED, f"it was not killed at {boundary}: {killed.err}"


def _one_kind(passed: list[str], turn: int) -> list[str]:
    """The short form: one kind for each step, so that all steps together have each kind."""
    kinds = [kind for kind in KINDS if any(boundary.startswith(kind) for boundary in passed)]
    return [kinds[turn % len(kinds)]]


def _recover(stage: Stage, processes: Processes) -> None:
    """The same command, and once more after the read lag when the first could not be sure."""
    for codes in ((DONE, UNAVAILABLE, UNCERTAIN), (DONE,)):
        (ran,) = processes.run(stage.command)
        assert ran.code in codes, ran.err
        if ran.code == DONE:
            return
        stage.shop.later(READ_LAG)
