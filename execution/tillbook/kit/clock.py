"""The one reader of time.

In simulator mode the clock adds the offset that the simulator wrote into its state folder. In test and live
mode there is no offset. Deadlines and backoff use `monotonic`, which no one can set.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path

LOOK_AGAIN_SECONDS = 0.001  # a look at the file for every webhook would cost a tenth of it


class Clock:
    """Time for one process. `offset_file` is given in simulator mode only, and looked at once a millisecond at most."""

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file
        self._known: tuple[tuple[int, int], int] | None = None
        self._found = 0
        self._looked_at = float("-inf")

    def now(self) -> int:
        """UTC seconds."""
        return int(time.time()) + self._offset()

    def monotonic(self) -> float:
        """Seconds that only ever grow: for deadlines, never for records."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait so many real seconds."""
        time.sleep(seconds)

    def _offset(self) -> int:
        """Seconds that the simulator added. There are none outside simulator mode."""
        if self._offset_file is None:
            return 0
        moment = self.monotonic()
        if moment - self._looked_at >= LOOK_AGAIN_SECONDS:
            self._found, self._looked_at = self._look(self._offset_file), moment
        return self._found

    def _look(self, file: Path) -> int:
        """What the file says now. It is read again only when it is another one than before."""
        try:
            written = file.stat()
            version = (written.st_ino, written.st_mtime_ns)
            if self._known is None or self._known[0] != version:
                self._known = (version, int(json.loads(file.read_text())["offset_seconds"]))
        except FileNotFoundError:
            return 0
        return self._known[1]


def rfc3339(seconds: int) -> str:
    """UTC seconds as people and machines read them: 2026-11-23T20:59:37Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def business_date(seconds: int, zone: str) -> date:
    """The day a moment belongs to in the company's zone: the one rule for every TxnDate."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415  start-up time

    return datetime.fromtimestamp(seconds, ZoneInfo(zone)).date()


def day_begins(day: date, zone: str) -> int:
    """UTC seconds of the first moment of a business date. A day has 23 to 25 hours."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415  start-up time

    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp())


def parse_rfc3339(text: str) -> int:
    """UTC seconds of a vendor's time stamp with any offset."""
    return int(datetime.fromisoformat(text).timestamp())
