"""Who moves the money: every payment provider, by its name.

To add one, write its folder and name it in PROVIDERS: everything else reads what the folder declares.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused

if TYPE_CHECKING:
    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Declared, Settings
    from tillbook.rules.accounts import ClearingAccount
    from tillbook.vendors.declaration import Declaration
    from tillbook.vendors.protocols import Provider

# The first one that is set up is meant where none is named.
PROVIDERS: dict[str, str] = {
    "stripe": "tillbook.vendors.stripe",
    "paypal": "tillbook.vendors.paypal",
}
"""Each provider with its folder, which has a `declaration.py` with its DECLARATION."""


def declared(name: str) -> Declaration:
    """What a provider's folder says about it. Raises Refused for a name that is not in PROVIDERS."""
    if name not in PROVIDERS:
        raise Refused(f"no provider {name!r}", hint=f"One of: {', '.join(sorted(PROVIDERS))}")
    return _declaration(PROVIDERS[name])


def declared_settings() -> Declared:
    """The settings of every provider, by its name: what `settings.load` wants."""
    return {name: declared(name).settings for name in PROVIDERS}


def clearing(name: str) -> ClearingAccount:
    """The account of the money that a provider holds for us. Raises Refused for a name that is not in PROVIDERS."""
    return declared(name).clearing


def open_provider(name: str, settings: Settings, clock: Clock) -> Provider:
    """The provider of that name, imported only now (an SDK takes longer to import than most steps to run)."""
    module, _, adapter = declared(name).adapter.partition(":")
    provider: Provider = getattr(import_module(module), adapter)(settings, clock)
    return provider


@cache
def _declaration(folder: str) -> Declaration:
    declaration: Declaration = import_module(f"{folder}.declaration").DECLARATION
    return declaration
