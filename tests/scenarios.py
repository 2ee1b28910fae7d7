"""The table of everything that must survive a crash, a bad vendor or seven copies of itself: one row a step.

A new step is a new row: how the situation comes about, and the command that is tried in it. `Stage` sets a
situation up once and puts it back for every trial.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from boundaries import Death, Watch
from sale import Json, Ran, Till
from tillbook.simulator.server import Photograph
from tillbook.workshop import open_workshop

READ_LAG = 61  # longer than any vendor's read lag and than the first pause after a failure
ALL_GOES_WELL, UNCERTAIN, BUSY = 0, 5, 4


@dataclass(frozen=True)
class Scenario:
    """`prepare` makes the situation, `command` is the step. `mails`: whether the step itself may send any."""

    name: str
    command: tuple[str, ...]
    prepare: Callable[[Till], object]


def _nothing(till: Till) -> None:
    """A new home beside a company that was never used."""


def _order(till: Till) -> None:
    till.order("INV-1")


def _order_of_a_known_customer(till: Till) -> None:
    till.invoiced("INV-0")
    till.order("INV-1")


def _invoice(till: Till) -> None:
    till.invoiced("INV-1")


def _expired_page(till: Till) -> None:
    till.opened_page("INV-1")
    till.later(25 * 3600)


def _page_of_another_amount(till: Till) -> None:
    """25.00 of 60.00 were paid at the counter and entered in QuickBooks by hand."""
    till.opened_page("INV-1")
    till.paid_at_the_counter("INV-1", "25.00")


def _paid(till: Till) -> None:
    page = till.opened_page("INV-1")
    till.pay(page["checkout_id"])
    till.later(60)


def _polled(till: Till) -> None:
    _paid(till)
    assert till.run("poll_events").code == 0


def _processed(till: Till) -> None:
    _polled(till)
    assert till.run("process_inbox").code == 0


def _posted(till: Till) -> None:
    _processed(till)
    assert till.run("post_to_books").code == 0


def _everything(till: Till) -> None:
    """One sale is paid and unheard of, one is waiting to be posted and mailed, one page is open."""
    _processed(till)
    till.opened_page("INV-3")
    till.pay(till.opened_page("INV-2")["checkout_id"])
    till.later(60)


SCENARIOS = (
    Scenario("connect_quickbooks", ("connect_quickbooks",), _nothing),
    Scenario("create_invoice, new customer", ("create_invoice", "{home}/INV-1.json"), _order),
    Scenario("create_invoice, known customer", ("create_invoice", "{home}/INV-1.json"), _order_of_a_known_customer),
    Scenario("create_checkout, the first", ("create_checkout", "INV-1"), _invoice),
    Scenario("create_checkout, after an expiry", ("create_checkout", "INV-1"), _expired_page),
    Scenario("create_checkout, another balance", ("create_checkout", "INV-1"), _page_of_another_amount),
    Scenario("send_invoice", ("send_invoice", "INV-1"), _invoice),
    Scenario("poll_events", ("poll_events",), _paid),
    Scenario("process_inbox", ("process_inbox",), _polled),
    Scenario("post_to_books, a new company", ("post_to_books",), _processed),
    Scenario("send_messages", ("send_messages",), _posted),
    Scenario("run_pending, everything waits", ("run_pending",), _everything),
)
NAMES = [scenario.name for scenario in SCENARIOS]


@dataclass
class Stage:
    """One scenario in one world. `set_up` once; `back` before every trial."""

    till: Till
    scenario: Scenario
    _world: Photograph = field(init=False)
    _home: Path = field(init=False)

    @staticmethod
    def of(till: Till, scenario: Scenario) -> Stage:
        stage = Stage(till, scenario)
        scenario.prepare(till)
        till.shop.close()
        stage._home = till.home.with_name("home as prepared")
        shutil.copytree(till.home, stage._home)
        stage._world = till.simulator.photograph()
        return stage

    def back(self) -> None:
        """The prepared situation again, in the vendors' world and on our disk."""
        self.till.shop.close()
        shutil.rmtree(self.till.home)
        shutil.copytree(self._home, self.till.home)
        self.till.simulator.restore(self._world)

    @property
    def command(self) -> list[str]:
        return [part.format(home=self.till.home) for part in self.scenario.command]

    def watched(self, *command: str, end_at: int = -1) -> Watch:
        """Run a command (the step, unless another is named) and say what it passed; it may die on its way."""
        watch = Watch(self.till.home, end_at)
        try:
            with watch.on_duty():
                ran = self.till.run(*(command or self.command))
        except Death:
            return watch
        assert end_at < 0, f"there was no boundary {end_at}: {watch.passed}"
        assert ran.code == 0, ran.err
        return watch

    def step(self) -> Ran:
        return self.till.run(*self.command)

    def finish_by_repeating(self) -> None:
        """The same command again, and once more after the read lag when it could not be sure."""
        self._within_two_rounds(self.step)

    def finish_by_rounds(self) -> None:
        """What cron does; then the person repeats the command, which may have died before it was written down."""
        self._within_two_rounds(lambda: self.till.run("run_pending"))
        last = self.step()
        assert last.code == ALL_GOES_WELL, last.err

    def quiet(self) -> Json:
        """Let two more rounds pass, so that whatever was owed is done; the state of the world then."""
        from final_state import final_state

        for _ in range(2):
            self.till.later(READ_LAG)
            ran = self.till.run("run_pending")
            assert ran.code == ALL_GOES_WELL, ran.err + ran.out
        self.till.shop = open_workshop()
        return final_state(self.till)

    def _within_two_rounds(self, act: Callable[[], Ran]) -> None:
        first = act()
        assert first.code in (ALL_GOES_WELL, BUSY, UNCERTAIN), first.err
        if first.code != ALL_GOES_WELL:
            self.till.later(READ_LAG)
            second = act()
            assert second.code == ALL_GOES_WELL, second.err + second.out


def recorded(stage: Stage) -> tuple[list[str], Json]:
    """The boundaries of an undisturbed run, and the state that it leads to."""
    stage.back()
    passed = stage.watched().passed
    return passed, stage.quiet()


def dumped(state: Json) -> str:
    """A state as text, for a difference that people can read."""
    return json.dumps(state, indent=1, sort_keys=True, default=str)
