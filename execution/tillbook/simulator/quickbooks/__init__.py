"""QuickBooks Online on localhost: OAuth, the accounting API, and a company file with figures to start from."""

from __future__ import annotations

from starlette.routing import BaseRoute

from tillbook.simulator.quickbooks.api import api_routes
from tillbook.simulator.quickbooks.connect import oauth_routes
from tillbook.simulator.quickbooks.limits import set_limits
from tillbook.simulator.quickbooks.oauth import Tokens
from tillbook.simulator.world import World

__all__ = ["routes", "set_limits"]


def routes(world: World) -> list[BaseRoute]:
    """Every page and endpoint, to be mounted under `/quickbooks`."""
    tokens = Tokens(world)
    return [*oauth_routes(world, tokens), *api_routes(world, tokens)]
