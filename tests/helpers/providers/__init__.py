"""Every provider on its stage. A stage is the simulated vendor, with what a customer or a sender of events does there.

The stage of a provider is the class STAGE in `helpers/providers/NAME/stage.py`. One that is not part of the product has
its whole folder there, and its line below.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from helpers.settings import loaded
from simulator.server import Simulator
from tillbook.kit import settings as settings_room
from tillbook.kit.settings import Settings
from tillbook.vendors.providers import PROVIDERS, declared_settings

MORE: dict[str, str] = {
    # As in PROVIDERS: a name, and the folder.
    "acorn": "helpers.providers.acorn",
}
"""The providers of the tests alone."""

NAMES = [*PROVIDERS, *MORE]


@contextmanager
def more_providers() -> Iterator[None]:
    """Every provider of the tests stands in PROVIDERS meanwhile."""
    PROVIDERS.update(MORE)
    try:
        yield
    finally:
        for name in MORE:
            del PROVIDERS[name]


def stage_of(name: str) -> Any:
    """The stage of a provider."""
    return import_module(f"helpers.providers.{name}.stage").STAGE


@contextmanager
def set_stage(name: str, home: Path) -> Iterator[Any]:
    """Start a simulator in `home` and put a provider on its stage there."""
    stage = stage_of(name)
    simulator = Simulator(home / "simulator", record=_record(), vendors=stage.vendors)
    simulator.start()
    try:
        yield stage(simulator, simulated_settings(home))
    finally:
        simulator.stop()


def simulated_settings(home: Path) -> Settings:
    """The settings of a home folder with a simulator in it, untouched by this machine's environment."""
    empty = home / "empty.env"
    empty.touch()
    with pytest.MonkeyPatch.context() as patch:
        for name in settings_room.names(declared_settings()):
            patch.delenv(name, raising=False)
        patch.setenv("TILLBOOK_ENV", str(empty))
        patch.setenv("TILLBOOK_HOME", str(home))
        return loaded()


def _record() -> Path | None:
    """The file of this worker that the referee reads at the end of the run; None where there is no referee."""
    folder = os.environ.get("TILLBOOK_TEST_WIRE")
    return Path(folder) / f"providers-{os.getpid()}.jsonl" if folder else None
