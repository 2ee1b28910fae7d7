"""The suite itself: it holds every provider to every method, and none can join without it."""

from __future__ import annotations

import ast
from pathlib import Path

from helpers.providers import NAMES
from helpers.providers.stage import Stage
from helpers.providers.words import raised
from tillbook.kit.errors import Refused
from tillbook.rules.operations import Door
from tillbook.vendors.protocols import Provider
from tillbook.vendors.providers import PROVIDERS, open_provider


def test_every_provider_is_on_its_stage(stage: Stage) -> None:
    """A provider cannot join without being held to this suite; a wrong name is answered with the right ones."""
    assert set(NAMES) == set(PROVIDERS)
    assert stage.usual.name == stage.name == stage.declaration.name
    refusal = raised(Refused, open_provider, "cheque", stage.settings, stage.clock)
    assert all(name in refusal.hint for name in PROVIDERS)


def test_every_method_of_the_protocol_is_held_to_here() -> None:
    """A promise that no file of this folder names is one that nobody keeps."""
    promised = {*vars(Provider), *vars(Door), *Provider.__annotations__, *Door.__annotations__}
    trees = [ast.parse(file.read_text()) for file in Path(__file__).parent.glob("*.py")]
    named = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert {name for name in promised if not name.startswith("_")} - named == set()
