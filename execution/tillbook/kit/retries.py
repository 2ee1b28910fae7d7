"""Time-outs and bounded retries for every vendor call, in one place.

A door translates its vendor's errors into ours and makes each call through `patiently`. What may be repeated
is safe to repeat: a read, or a change under its idempotency key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from tillbook.kit.errors import NotAllowed, Throttled, Unavailable, Uncertain

Answer = TypeVar("Answer")

CONNECT_TIMEOUT_SECONDS = 5.0
ATTEMPTS = 3
LONGEST_PAUSE_SECONDS = 10.0


class Pause(Protocol):
    """The two things of the clock that waiting needs."""

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        ...


RETRY_SECONDS = (60, 300, 1800, 3600)


def next_attempt(now: int, attempts: int) -> int:
    """When to try again what failed `attempts` times before: after 1, 5, 30 minutes, then every hour."""
    return now + RETRY_SECONDS[min(attempts, len(RETRY_SECONDS) - 1)]


def patiently(call: Callable[[], Answer], clock: Pause, *, deadline_seconds: float) -> Answer:
    """Make a call up to three times within a deadline, pausing as long as the vendor asked.

    A pause longer than ten seconds, or than what the deadline leaves, is not waited for: the error goes up and
    cron comes back. Once an attempt was uncertain, a later 'unavailable' or 'not allowed' says nothing about the
    first: the whole call stays uncertain.
    """
    end = clock.monotonic() + deadline_seconds
    doubt: Uncertain | None = None
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return call()
        except NotAllowed as error:
            raise doubt or error from error
        except (Unavailable, Uncertain) as error:
            if isinstance(error, Uncertain):
                doubt = error
            pause = error.retry_after_seconds if isinstance(error, Throttled) else 0.2 * 2**attempt
            if attempt == ATTEMPTS or pause > LONGEST_PAUSE_SECONDS or clock.monotonic() + pause > end:
                raise doubt or error from error
            clock.sleep(pause)
    raise AssertionError("unreachable: the loop returns or raises")
