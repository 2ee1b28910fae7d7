"""What goes wrong in a round that goes on all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tillbook.kit.errors import TillbookError, Unavailable, Unforeseen, apart


@dataclass
class Answer:
    """Whether what was asked within a `with` was answered."""

    ok: bool = True


@dataclass
class Troubles:
    """The troubles of one round: a sentence and an exit code for each. `names` are of what was not looked at."""

    sentences: list[str] = field(default_factory=list)
    exit_codes: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @contextmanager
    def noted(self, what: str) -> Iterator[None]:
        """Note a trouble instead of raising it, also one that nobody foresaw."""
        try:
            with apart():
                yield
        except TillbookError as error:
            self.sentences.append(f"{what}: {error.message}")
            self.exit_codes.append(error.exit_code)

    @contextmanager
    def looking_at(self, what: str) -> Iterator[Answer]:
        """Note what could not be looked at: whatever the reason, a later run may see it. A bug stays a bug."""
        answer = Answer()
        try:
            with apart():
                yield answer
        except TillbookError as error:
            answer.ok = False
            self.names.append(what)
            self.sentences.append(f"{what}: {error.message}. {error.hint}".strip())
            self.exit_codes.append(error.exit_code if isinstance(error, Unforeseen) else Unavailable.exit_code)

    def note(self, sentence: str, exit_code: int) -> None:
        """Note what a person must end."""
        self.sentences.append(sentence)
        self.exit_codes.append(exit_code)

    def held_up(self, what: str, reasons: Mapping[str, int]) -> None:
        """Note how many things wait because an attempt failed, for each reason."""
        for reason, number in reasons.items():
            self.note(f"{number} {what} wait: {reason}", Unavailable.exit_code)
