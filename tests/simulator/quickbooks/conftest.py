"""A client of the simulated QuickBooks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from quickbooks import QuickBooks

from helpers.vendors.quickbooks_company import fresh_books
from simulator.server import Simulator


@pytest.fixture
def books(simulator: Simulator) -> Iterator[QuickBooks]:
    """A connected client on a fresh company file."""
    with fresh_books(simulator) as client:
        yield client
