"""What every provider must do, for each method of the protocol. A provider joins by its line and its stage.

These tests run for each provider, on its stage. What a provider may lack is a trait of its declaration. Where vendors
truly differ, an attribute of the stage says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.providers import NAMES, more_providers, set_stage
from helpers.providers.stage import Stage
from tillbook.vendors.protocols import Provider


@pytest.fixture(scope="module", params=NAMES)
def theatre(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One simulator for all tests of a file and a provider."""
    with more_providers(), set_stage(request.param, tmp_path_factory.mktemp("home")) as stage:
        yield stage


@pytest.fixture
def stage(theatre: Stage) -> Stage:
    """The stage without the faults and the slow refunds of the test before."""
    theatre.calm()
    return theatre


@pytest.fixture
def provider(stage: Stage) -> Provider:
    """The provider on its stage."""
    return stage.usual


@pytest.fixture
def payment(stage: Stage) -> str:
    """A payment of 60.00 whose fee is known."""
    payment = stage.paid().payment
    stage.later(60)
    return payment
