"""Every call of every step to a vendor fails once in every way, and the world ends as if it had not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from helpers.running.tally import LONG, Tally
from helpers.sale import Json, Shop
from helpers.torture.scenarios import DONE, FORESEEN, NAMES, SCENARIOS, Scenario, Stage, dumped
from tillbook.kit.clock import Clock

ALWAYS = ("drop_after", "500", "429", "html_502")
SLOWER = ("drop_before", "timeout", "slow")
TIMEOUT_SECONDS, HOLD_SECONDS = "0.25", 0.3
SCENARIO_SHARE = 1 if LONG else 3
READ_SHARE, CHANGE_SHARE = 6, 3
ATTEMPTS = 3  # so often a call is made within one step: all of them fail


@dataclass(frozen=True)
class Call:
    """The call of a step that is to fail; `skip` calls to the same path go well before it."""

    vendor: str
    method: str
    path: str
    skip: int

    @property
    def changes(self) -> bool:
        return self.method == "POST" and not self.path.endswith(("/query", "/bearer", "/oauth2/token"))

    def kinds(self, number: int) -> tuple[str, ...]:
        """How it fails. In the short form every change loses its answer; every third also fails in another way.

        One read in six fails in one way.
        """
        once = ("timeout_after", "409") if self.vendor == "stripe" else ("timeout_after",)
        if LONG:
            return ALWAYS + SLOWER + (once if self.changes else ())
        if self.changes:
            others = ALWAYS[1:] + once
            return (ALWAYS[0], others[number // CHANGE_SHARE % len(others)])[: 1 + (number % CHANGE_SHARE == 0)]
        return (ALWAYS[number // READ_SHARE % len(ALWAYS)],) if number % READ_SHARE == 0 else ()


@pytest.fixture(autouse=True)
def _pauses_take_no_real_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause between two attempts passes in the simulated world."""
    monkeypatch.setattr(Clock, "sleep", lambda _, seconds: shop.later(math.ceil(seconds)))


@pytest.mark.parametrize("scenario", SCENARIOS[::SCENARIO_SHARE], ids=NAMES[::SCENARIO_SHARE], scope="module")
@pytest.mark.timeout(1800 if LONG else 120)
def test_c2_a_vendor_that_fails_at_any_call_changes_nothing_in_the_end(
    shop: Shop, scenario: Scenario, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost answers, time-outs, 500, 429, 409 and HTML: when they stop, two rounds lead to the undisturbed end.

    The short form recovers once from what a failure left, and goes once to the end from where a recovery led.
    """
    stage = Stage(shop, scenario)
    _, end = stage.undisturbed()
    stage.back()
    assert stage.step().code == DONE
    for number, call in enumerate(_calls(shop.requests()), start=NAMES.index(scenario.name)):
        for turn, kind in enumerate(call.kinds(number)):
            stage.back()
            _fail(shop, call, kind)
            with monkeypatch.context() as hurried:
                if kind.startswith("timeout"):
                    hurried.setenv("TILLBOOK_TIMEOUT_SECONDS", TIMEOUT_SECONDS)
                ran = stage.step()
            assert ran.code in FORESEEN, f"{kind} at {call}: {ran.err}"
            assert _clear(shop) < ATTEMPTS, f"{kind} at {call} was never met"
            if LONG or stage.is_new("failed"):
                stage.finish(stage.recoveries[(number + turn) % len(stage.recoveries)])
                if LONG or stage.is_new("recovered"):
                    assert dumped(stage.end()) == end, f"{kind} at {call}"
            tally(scenario.name, "faults", 1)


def _calls(log: list[Json]) -> Iterator[Call]:
    seen: list[tuple[str, str, str]] = []
    for row in log:
        place = (row["vendor"], row["method"], row["path"])
        yield Call(*place, skip=seen.count(place))
        seen.append(place)


def _fail(shop: Shop, call: Call, kind: str) -> None:
    """All attempts of a call fail, but a time-out, which takes real time, hits one."""
    once = kind.startswith("timeout") or kind == "slow"
    held = {"seconds": HOLD_SECONDS} if once else {}
    times = 1 if once else ATTEMPTS
    shop.fail(call.vendor, call.path, kind, method=call.method, times=times, skip=call.skip, **held)


def _clear(shop: Shop) -> int:
    """End the fault; how many of its failures nobody met."""
    left = requests.get(f"{shop.simulator.url}/_control/faults", timeout=10).json()["faults"]
    requests.delete(f"{shop.simulator.url}/_control/faults", timeout=10)
    return int(left[0]["times"]) if left else 0
