"""What goes wrong in a round that goes on all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tillbook.kit.errors import TillbookError, Unavailable, apart


@dataclass
class Troubles:
    """The troubles of one round: a sentence and an exit code for each."""

    sentences: list[str] = field(default_factory=list)
    exit_codes: list[int] = field(default_factory=list)

    @contextmanager
    def noted(self, what: str) -> Iterator[None]:
        """Note a trouble instead of raising it, also one that nobody foresaw."""
        try:
            with apart():
                yield
        except TillbookError as error:
            self.sentences.append(f"{what}: {error.message}")
            self.exit_codes.append(error.exit_code)

    def held_up(self, what: str, reasons: Mapping[str, int]) -> None:
        """Note how many things wait because an attempt failed, for each reason."""
        for reason, number in reasons.items():
            self.sentences.append(f"{number} {what} wait: {reason}")
            self.exit_codes.append(Unavailable.exit_code)
