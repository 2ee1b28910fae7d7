"""The page of failures: what each id means in a sentence by hand, and the tests that cite it, written by this file.

A test cites an id in its name (`test_c1_c2_...`) or in its docstring. Write the names of the tests anew with
`python tests/helpers/house/failures_page.py`; an id without a sentence of its own is refused.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/failures.md"

_ENTRY = re.compile(r"^### ([A-G]\d+)\n\n(.+?)(?:\n\n|\n?\Z)(.*?)(?=^#|\Z)", re.S | re.M)


def cited() -> dict[str, list[str]]:
    """The tests that cite each id, by name."""
    found = defaultdict(set)
    for file in ROOT.glob("tests/**/test_*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for one in ids_of(node.name, ast.get_docstring(node) or ""):
                    found[one].add(node.name)
    return {one: sorted(names) for one, names in found.items()}


def ids_of(name: str, docstring: str) -> set[str]:
    """The ids that a test cites: those at the head of its name, and those in its docstring."""
    head = re.match(r"test_((?:[a-g]\d{1,2}_)*)", name)
    assert head, f"{name} is no test"
    return {*head[1].upper().split("_")[:-1], *re.findall(r"\b[A-G]\d{1,2}\b", docstring)}


def stated() -> dict[str, tuple[str, list[str]]]:
    """What the page says of each id: its sentence, and the names of its tests."""
    entries = _ENTRY.findall(PAGE.read_text("utf-8"))
    return {one: (sentence, re.findall(r"`(test_\w+)`", names)) for one, sentence, names in entries}


def written() -> str:
    """The page with the tests of today."""
    tests = cited()

    def entry(found: re.Match[str]) -> str:
        names = textwrap.fill(", ".join(f"`{name}`" for name in tests.get(found[1], [])), 120)
        return f"### {found[1]}\n\n{found[2]}\n\n{names}\n\n"

    return _ENTRY.sub(entry, PAGE.read_text("utf-8")).rstrip() + "\n"


if __name__ == "__main__":
    without = sorted(cited().keys() - stated().keys())
    assert not without, f"docs/failures.md has no sentence for {', '.join(without)}"
    PAGE.write_text(written(), "utf-8")
