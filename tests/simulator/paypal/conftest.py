"""A simulated world whose PayPal is judged by PayPal's own schema, and a seller's program in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.vendors.simulated_paypal import Seller, control, judged
from simulator.server import Simulator


@pytest.fixture(scope="session")
def judged_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """One for each worker."""
    with judged(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def simulator(judged_world: Simulator) -> Simulator:
    """The world without objects and faults, at the machine's time."""
    control(judged_world, "reset", {})
    return judged_world


@pytest.fixture
def seller(simulator: Simulator) -> Seller:
    """A seller's program at an empty account."""
    return Seller(simulator)
