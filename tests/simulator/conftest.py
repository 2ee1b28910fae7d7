"""One simulated world for the simulator's own tests of a worker, and a client of Stripe's in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from helpers.vendors.simulated_stripe import client, control
from simulator.server import Simulator


@pytest.fixture(scope="session")
def world_of_mistakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A world that no referee judges: many requests here are wrong on purpose."""
    with Simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def simulator(world_of_mistakes: Simulator) -> Simulator:
    """The world without objects and faults, at the machine's time."""
    control(world_of_mistakes, "reset", {})
    return world_of_mistakes


@pytest.fixture
def api(simulator: Simulator) -> stripe.StripeClient:
    """Stripe's own SDK."""
    return client(simulator)
