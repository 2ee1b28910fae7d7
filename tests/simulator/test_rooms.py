"""The simulator's own order: which of its parts may use which, and that no vendor knows another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SIMULATOR = Path(__file__).parents[2] / "execution" / "simulator"
VENDORS = tuple(sorted(file.parent.name for file in SIMULATOR.glob("*/vendor.py")))
# A part may use those of the lines above its own. `""` orders the simulator, a vendor's name its folder.
ORDERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "": (
        ("authorization", "names", "pages", "world"),
        ("control_input", "deliveries", "mailbox", "rough"),
        ("vendor",),
        VENDORS,
        ("background", "vendors", "wire"),
        ("control",),
        ("server",),
        ("detached",),
    ),
    "stripe": (
        ("wire",),
        ("agenda", "webhooks"),
        ("account",),
        ("operation",),
        ("business",),
        ("balance", "events"),
        ("checkout",),
        ("payments", "refunds"),
        ("due", "expansion", "strangers"),
        ("api", "pages"),
        ("vendor",),
    ),
    "paypal": (
        ("certificates", "wire"),
        ("webhooks",),
        ("account",),
        ("choices", "events", "oauth", "request_ids", "statement"),
        ("payments",),
        ("orders",),
        ("api", "strangers"),
        ("vendor",),
    ),
    "quickbooks": (
        ("faults",),
        ("exact", "limits"),
        ("company",),
        ("entities", "oauth"),
        ("asking",),
        ("api", "strangers"),
        ("vendor",),
    ),
}


def part(path: str) -> str:
    """The first step of a dotted or slashed path."""
    return path.replace("/", ".").partition(".")[0]


def imported(source: str) -> Iterator[str]:
    """Every module of the simulator that a file imports anywhere, without `simulator.`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and part(node.module) == "simulator":
            for alias in node.names:
                yield f"{node.module}.{alias.name}".partition(".")[2]
        elif isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[2] for alias in node.names if part(alias.name) == "simulator")


def wrong(folder: str, place: str, source: str) -> list[str]:
    """The imports of a file (`place` within the folder) that go against the order of its folder."""
    order = {name: number for number, names in enumerate(ORDERS[folder]) for name in names}
    own, inside = (
        part(place.removesuffix(".py")),
        [name for name in imported(source) if not folder or part(name) == folder],
    )
    used = {part(name.removeprefix(f"{folder}.") if folder else name) for name in inside}
    return [f"{place} uses {name}" for name in sorted(used - {own}) if order[name] >= order[own]]


@pytest.mark.parametrize("folder", ORDERS, ids=lambda folder: folder or "simulator")
def test_every_part_uses_only_those_above_it(folder: str) -> None:
    """A file that is in no line of the order is in none of the lists, too: put it where it belongs."""
    root = SIMULATOR / folder
    files = [file for file in root.rglob("*.py") if file.parent != root or file.name != "__init__.py"]
    assert {part(str(file.relative_to(root)).removesuffix(".py")) for file in files} == {
        name for names in ORDERS[folder] for name in names
    }
    assert [arrow for file in files for arrow in wrong(folder, str(file.relative_to(root)), file.read_text())] == []


def test_a_wrong_arrow_is_seen() -> None:
    """One vendor that uses another, a lower part of a vendor that uses a higher one, and an import in a function."""
    assert wrong("", "stripe/api.py", "from simulator.paypal import account") == ["stripe/api.py uses paypal"]
    assert wrong("stripe", "account.py", "from simulator.stripe import api") == ["account.py uses api"]
    assert wrong("paypal", "wire/call.py", "def f():\n    import simulator.paypal.account") == [
        "wire/call.py uses account"
    ]
    assert wrong("paypal", "orders/pages.py", "from simulator.paypal.orders import orders") == []
