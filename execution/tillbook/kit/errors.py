"""What can go wrong. The class says what to do next, and its number is the exit code of every script.

    TillbookError (1)            foreseen, yet nothing better is known: treat it as a bug
    |-- Unforeseen (1)           a bug at one thing of many: the others go on
    |-- Refused (3)              a rule or a vendor said no: change something, then ask again
    |   `-- Forged (3)           a message that its sender did not sign
    |-- Unavailable (4)          nothing happened: run the same command again later
    |   |-- Throttled (4)        the vendor asked for a pause
    |   |-- Unreadable (3)       a field of its answer cannot be understood: a person must look at that record
    |   `-- NotAllowed (3)       credentials or a setting at the vendor are wrong: mend them, run it again
    |-- Uncertain (5)            it may have happened: run_pending.py, or exactly the same command
    `-- NeedsApproval (6)        a person must allow this exact operation first

Discrepancies (7) are results, not exceptions. Usage errors (2) belong to Typer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class TillbookError(Exception):
    """Something went wrong that we foresaw.

    `message` says what was wrong and what was expected. `hint` names what to do next, a command where there is one.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Refused(TillbookError):
    """A rule or a vendor said no. Asking again unchanged gives the same answer.

    `code` is the vendor's own word for it, where a vendor spoke.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class Forged(Refused):
    """The signature is missing, wrong, or not of this time."""


class Unavailable(TillbookError):
    """Nothing happened. The same command may be run again."""

    exit_code = 4


class Throttled(Unavailable):
    """The vendor did nothing and asked for a pause of `retry_after_seconds`."""

    def __init__(self, message: str, *, hint: str = "", retry_after_seconds: float = 1.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class NotAllowed(Unavailable):
    """The vendor does not take our credentials, or is not set up for us, so this attempt did nothing.

    An earlier attempt may have done something. It is an outage, and no refusal of what was asked: that waits until a
    person mends the credentials or the setting. `code` is the vendor's own word.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class Unreadable(Unavailable):
    """A field of a record that came whole cannot be understood. What hangs on it waits, and nothing is guessed.

    `field` is the vendor's own name of it.
    """

    exit_code = 3

    def __init__(self, message: str, *, field: str, hint: str = "Look at that record at the vendor.") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class Uncertain(TillbookError):
    """A change may or may not have happened. Only the vendor's evidence ends that."""

    exit_code = 5


class NeedsApproval(TillbookError):
    """A person must allow this exact operation first."""

    exit_code = 6


class Unforeseen(TillbookError):
    """A bug of ours, met at one thing. It is written down with its place, and the things behind it go on."""


@contextmanager
def apart() -> Iterator[None]:
    """One thing of many. What nobody foresaw becomes Unforeseen, so that it does not stop the others."""
    try:
        yield
    except TillbookError:
        raise
    except Exception as error:
        raise Unforeseen(f"bug: {type(error).__name__} at {place_of(error)}", hint=REPORT_HINT) from error


def place_of(error: BaseException) -> str:
    """The file and line where an error was raised, without any value, which could be a secret."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "an unknown place"


REPORT_HINT = "Please report it with the command that you ran."
DISCREPANCIES_FOUND = 7
WORST_FIRST = (1, 5, 6, 7, 3, 4, 0)


def worst_exit_code(codes: list[int]) -> int:
    """The one exit code of a run in which several apply."""
    return min([*codes, 0], key=WORST_FIRST.index)
