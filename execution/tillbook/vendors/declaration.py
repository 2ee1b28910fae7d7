"""What a provider's folder declares about itself, for everybody who is not its adapter."""

from __future__ import annotations

from dataclasses import dataclass

from tillbook.kit.declared import Setting
from tillbook.rules.accounts import ClearingAccount


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Declaration:
    """A provider as everything else knows it. Its module imports no SDK, because every script reads it.

    `name` is the provider's folder, and how options, addresses, the ledger and the simulator call it. `title` is how
    people write it. `adapter` is `module:class` of what keeps the `Provider` protocol.
    """

    name: str
    title: str
    clearing: ClearingAccount
    adapter: str
    settings: tuple[Setting, ...]
