"""Everything that some run left unfinished, brought to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tillbook.kit.errors import TillbookError
from tillbook.operations.perform import settle
from tillbook.sales import captures, invoices

if TYPE_CHECKING:
    from tillbook.till import Till


@dataclass
class Troubles:
    """What went wrong in a round that goes on all the same."""

    sentences: list[str] = field(default_factory=list)
    exit_codes: list[int] = field(default_factory=list)

    @contextmanager
    def noted(self, what: str) -> Iterator[None]:
        """Note a foreseen trouble instead of raising it."""
        try:
            yield
        except TillbookError as error:
            self.sentences.append(f"{what}: {error.message}")
            self.exit_codes.append(error.exit_code)


def settle_all(till: Till, troubles: Troubles, *, limit: int) -> int:
    """Settle unfinished operations and look at every open page; says how many reached their end."""
    settled = 0
    for operation in till.ledger.operations.unfinished(limit):
        if operation.kind == captures.CAPTURE:
            continue  # with the pages of its invoice, below: its money may not be due any more
        with troubles.noted(f"{operation.kind} {operation.subject}"):
            settle(till, operation)
            settled += 1
    with troubles.noted("what changed in QuickBooks"):
        invoices.learn_of_changes(till)
    for number in till.ledger.sales.doubtful_checkouts(limit):
        with troubles.noted(f"pages of invoice {number}"):
            settled += captures.settle_pages(till, number)
    return settled
