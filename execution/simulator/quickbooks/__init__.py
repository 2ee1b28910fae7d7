"""QuickBooks Online on localhost: OAuth, the accounting API, and a company file with figures to start from."""

from __future__ import annotations

from starlette.routing import BaseRoute

from simulator.quickbooks.api import api_routes
from simulator.quickbooks.connect import oauth_routes
from simulator.quickbooks.limits import forget_requests, set_limits
from simulator.quickbooks.oauth import Tokens
from simulator.world import World

__all__ = ["Tokens", "forget_requests", "routes", "set_limits"]


def routes(world: World, tokens: Tokens) -> list[BaseRoute]:
    """Every page and endpoint, to be mounted under `/quickbooks`."""
    return [*oauth_routes(world, tokens), *api_routes(world, tokens)]
