"""One commit for all that wait at the same moment: each is durable before its answer, for the price of one sync."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from tillbook.kit.errors import Unavailable
from tillbook.till import Till

MOST_IN_A_COMMIT = 128
QUIET_TURNS = 32
BUSY_LIMIT_SECONDS = 3.0
BUSY_PAUSE_SECONDS = 0.005

Write = Callable[[int], bool]
"""Changes the ledger inside a transaction, at a time in UTC seconds. Says whether it changed anything."""


class _Waiting(NamedTuple):
    """A write, what its caller waits for, and until when (the loop's time)."""

    write: Write
    kept: asyncio.Future[bool]
    give_up_at: float


class SharedCommit:
    """Puts the writes of one event loop into shared transactions, committed with full sync.

    `till` has a ledger that never waits for a lock.
    """

    def __init__(self, till: Till) -> None:
        self._till = till
        self._waiting: list[_Waiting] = []
        self._scheduled = False

    async def keep(self, write: Write) -> bool:
        """What `write` says, once that is durable. Raises Unavailable when it is not: nothing was kept."""
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(_Waiting(write, kept, loop.time() + BUSY_LIMIT_SECONDS))
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._gather, loop, 0, 0)
        return await kept

    def _gather(self, loop: asyncio.AbstractEventLoop, seen: int, quiet: int) -> None:
        """Commit when QUIET_TURNS of the loop brought no more writes: a sync costs as much as three of them."""
        waiting = len(self._waiting)
        quiet = 0 if waiting > seen else quiet + 1
        if quiet < QUIET_TURNS and waiting < MOST_IN_A_COMMIT:
            loop.call_soon(self._gather, loop, waiting, quiet)
        else:
            self._commit(loop)

    def _commit(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting = self._waiting[:MOST_IN_A_COMMIT], self._waiting[MOST_IN_A_COMMIT:]
        answers: list[bool] = []
        trouble: Unavailable | None = None
        try:
            with self._till.ledger.transaction():
                now = self._till.clock.now()
                answers = [one.write(now) for one in batch]
        except Unavailable as error:
            self._come_back(loop, batch + self._waiting, error)
            return
        except Exception as error:  # noqa: BLE001  whatever it was, everybody who waits must hear of it
            trouble = Unavailable(f"the ledger did not take it: {type(error).__name__}")
        _tell(batch, answers, trouble)
        self._scheduled = bool(self._waiting)
        if self._scheduled:
            loop.call_soon(self._gather, loop, 0, 0)

    def _come_back(self, loop: asyncio.AbstractEventLoop, waiting: list[_Waiting], trouble: Unavailable) -> None:
        """The loop never waits for the lock: it comes back by its timer. Whoever waited long enough is told."""
        now = loop.time()
        _tell([one for one in waiting if one.give_up_at <= now], [], trouble)
        self._waiting = [one for one in waiting if one.give_up_at > now]
        self._scheduled = bool(self._waiting)
        if self._scheduled:
            loop.call_later(BUSY_PAUSE_SECONDS, self._commit, loop)


def _tell(waiting: list[_Waiting], answers: list[bool], trouble: Unavailable | None) -> None:
    for index, (_, kept, _) in enumerate(waiting):
        if kept.done():  # whoever waited has gone
            continue
        if trouble is None:
            kept.set_result(answers[index])
        else:
            kept.set_exception(trouble)
