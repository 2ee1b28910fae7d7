"""docs/simulator.md says what `/_control` can do: its table is equal to the routes and to the fields that they take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from simulator.control.verbs import Control
from simulator.rough.habits import HABITS
from simulator.server import Simulator
from simulator.vendor import Options
from simulator.vendors import VENDORS
from simulator.wire.exchange import RequestLog
from simulator.wire.faults import AFTER, BEFORE, Faults
from simulator.world import World

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(GET|POST|DELETE) (/\w+)` \| (.*?) \|", re.MULTILINE)
TABLE = {(method, path): re.findall(r"`(\w+)`", fields) for method, path, fields in ROW.findall(PAGE)}
WITH_FIELDS = [path for (method, path), fields in TABLE.items() if fields]


def test_the_table_has_every_verb(tmp_path: Path) -> None:
    """A verb that is added or removed is added to the page or removed from it."""
    world = World(tmp_path)
    control = Control(world, [vendor(world, Options()) for vendor in VENDORS], RequestLog(), Faults([], []), print)
    routes = {(method, route.path) for route in control.routes() for method in route.methods - {"HEAD"}}
    world.close()
    assert set(TABLE) == routes


@pytest.mark.parametrize("path", WITH_FIELDS)
def test_the_table_has_every_field(simulator: Simulator, path: str) -> None:
    """The refusal of an unknown field names those that there are. A fault names none, so it gets them all."""
    if path == "/faults":
        known = {"vendor": "stripe", "method": "*", "path": "*", "kind": "500", "times": 1, "seconds": 1, "skip": 0}
        taken = requests.post(f"{simulator.url}/_control{path}", json=known, timeout=10).json()
        assert set(TABLE["POST", path]) == set(taken)
        return
    refusal = requests.post(f"{simulator.url}/_control{path}", json={"nonsense": 1}, timeout=10)
    assert refusal.json()["error"] == f"there is no field 'nonsense' here; there are {', '.join(TABLE['POST', path])}"


def test_the_page_names_every_kind_of_fault() -> None:
    """Each kind stands on the page, and with it whether the vendor acted."""
    before, after = PAGE.split("Kinds of faults:")[1].split("happen before the vendor")[0:2]
    assert set(re.findall(r"`(\w+)`", before)) == BEFORE
    assert set(re.findall(r"`(\w+)`", after.split("## ")[0])) == AFTER


def test_the_table_of_habits_has_every_habit() -> None:
    """A habit that is added or removed is added to the page or removed from it."""
    rows = re.findall(r"^\| `(\w+)` \| [^`]", PAGE.partition("## Habits")[2].partition("## How")[0], re.MULTILINE)
    assert sorted(rows) == sorted(HABITS)
