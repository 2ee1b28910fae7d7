"""The table of how each kind of operation is found again, made of what the kinds and the doors declare.

Write it anew with `python tests/helpers/house/operations_table.py`. It stands in whichever document has the two MARKS.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from tillbook.kit import settings as settings_room
from tillbook.kit.clock import Clock
from tillbook.kit.errors import Refused
from tillbook.operations.kinds.registry import KINDS
from tillbook.rules.operations import Door
from tillbook.vendors.books import open_books
from tillbook.vendors.providers import PROVIDERS, declared_settings, open_provider

ROOT = Path(__file__).parents[3]
MARKS = (
    "<!-- operations: written by tests/helpers/house/operations_table.py -->\n",
    "<!-- end of operations -->\n",
)
HEAD = """\
| kind | door | carries our operation id in | found by | window | read lag |
|---|---|---|---|---|---|
"""


def doors() -> list[Door]:
    """Every door of the product. Nothing is asked of them, so no account needs to be set up."""
    settings = settings_room.load(declared_settings())
    clock = Clock(settings.clock_file)
    books = open_books(settings, clock, lambda _: nullcontext())
    return [*(open_provider(name, settings, clock) for name in PROVIDERS), books]


def table() -> str:
    """The table in Markdown: a row for each kind at each door that carries it out."""
    return HEAD + "".join(_rows(doors()))


def document() -> Path:
    """The one document that holds the table."""
    (found,) = (file for file in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")] if MARKS[0] in file.read_text("utf-8"))
    return found


def written() -> str:
    """The table as it stands in its document."""
    return document().read_text("utf-8").partition(MARKS[0])[2].partition(MARKS[1])[0]


def _rows(doors: list[Door]) -> Iterator[str]:
    for kind in KINDS:
        for door in doors:
            try:
                one = door.evidence(kind)
            except Refused:
                continue  # another door's
            window, lag = f"{one.window_seconds} s", f"{one.read_lag_seconds} s"
            cells = (f"`{kind}`", f"`{door.name}`", one.carried_in, one.found_by, window, lag)
            yield f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    os.environ["TILLBOOK_MODE"] = "test"
    file = document()
    file.write_text(file.read_text("utf-8").replace(written(), table()), "utf-8")
