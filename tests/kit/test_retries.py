"""Patience: how often a call is made, how long is waited, and which error comes out of several."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tillbook.kit.errors import NotAllowed, Refused, Throttled, TillbookError, Unavailable, Uncertain
from tillbook.kit.retries import ATTEMPTS, LONGEST_PAUSE_SECONDS, patiently


class Waiting:
    """A clock whose waiting takes no time and is written down."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


class Vendor:
    """Answers each call with the next of these; `takes` is how long an attempt lasts."""

    def __init__(self, clock: Waiting, *answers: TillbookError | str, takes: float = 0.0) -> None:
        self._clock, self._answers, self._takes = clock, list(answers), takes
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        self._clock.at += self._takes
        answer = self._answers.pop(0)
        if isinstance(answer, TillbookError):
            raise answer
        return answer


def ask(
    *answers: TillbookError | str, deadline: float = 60.0, takes: float = 0.0
) -> tuple[Vendor, Waiting, Callable[[], str]]:
    clock = Waiting()
    vendor = Vendor(clock, *answers, takes=takes)
    return vendor, clock, lambda: patiently(vendor, clock, deadline_seconds=deadline)


def test_an_answer_is_returned_at_once() -> None:
    """No waiting where nothing went wrong."""
    vendor, clock, call = ask("yes")
    assert (call(), vendor.calls, clock.slept) == ("yes", 1, [])


def test_what_may_go_away_is_tried_three_times_with_growing_pauses() -> None:
    """Twice nothing, then an answer: 0.4 and 0.8 seconds lie between."""
    vendor, clock, call = ask(Unavailable("gone"), Uncertain("cut"), "yes")
    assert call() == "yes"
    assert vendor.calls == ATTEMPTS == 3
    assert clock.slept == pytest.approx([0.4, 0.8])


def test_after_three_attempts_the_error_goes_up() -> None:
    """Cron comes back; no script hangs."""
    vendor, clock, call = ask(*[Unavailable(str(number)) for number in range(3)])
    with pytest.raises(Unavailable, match="2"):
        call()
    assert (vendor.calls, len(clock.slept)) == (3, 2)


@pytest.mark.parametrize("pause", [1.0, 7.0, LONGEST_PAUSE_SECONDS])
def test_c23_the_pause_that_the_vendor_asks_for_is_kept(pause: float) -> None:
    """Retry-After to the second, not our own rhythm."""
    _, clock, call = ask(Throttled("slowly", retry_after_seconds=pause), "yes")
    assert (call(), clock.slept) == ("yes", [pause])


def test_c32_a_long_pause_is_not_slept_through() -> None:
    """A vendor that wants a minute gets it from cron, not from a hanging script."""
    vendor, clock, call = ask(Throttled("slowly", retry_after_seconds=60.0), "yes")
    with pytest.raises(Throttled) as caught:
        call()
    assert (vendor.calls, clock.slept, caught.value.retry_after_seconds) == (1, [], 60.0)


def test_c24_no_attempt_starts_after_the_deadline() -> None:
    """Attempts of nine seconds within a deadline of ten: the second would start at 9.4, the third never does."""
    vendor, clock, call = ask(*[Unavailable("slow")] * 3, deadline=10.0, takes=9.0)
    with pytest.raises(Unavailable):
        call()
    assert vendor.calls == 2
    assert clock.slept == pytest.approx([0.4])


@pytest.mark.parametrize("later", [Unavailable("down"), Throttled("slowly"), NotAllowed("the key was revoked")])
def test_c2_a_doubt_is_not_cleared_by_a_later_refusal_to_listen(later: TillbookError) -> None:
    """The first attempt may have acted: 'unavailable', a throttle or a revoked key after it say nothing of it."""
    vendor, _, call = ask(Uncertain("the answer was cut off"), later, later)
    with pytest.raises(Uncertain, match="cut off"):
        call()
    assert vendor.calls >= 2


def test_c2_a_doubt_at_the_end_makes_the_whole_call_uncertain() -> None:
    """Unavailable twice, then a time-out: uncertain."""
    _, _, call = ask(Unavailable("down"), Unavailable("down"), Uncertain("cut"))
    with pytest.raises(Uncertain, match="cut"):
        call()


@pytest.mark.parametrize("answer", [Refused("no"), NotAllowed("not you")])
def test_a_refusal_is_not_repeated(answer: TillbookError) -> None:
    """Asking again unchanged gives the same answer, and a wrong key asked often gets an account locked."""
    vendor, clock, call = ask(answer, "yes")
    with pytest.raises(type(answer)):
        call()
    assert (vendor.calls, clock.slept) == (1, [])


def test_a_bug_is_not_repeated() -> None:
    """Only what errors.py foresees is tried again."""
    clock, calls = Waiting(), []

    def call() -> str:
        calls.append(1)
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        patiently(call, clock, deadline_seconds=60)
    assert len(calls) == 1
