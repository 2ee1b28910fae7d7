"""What a provider's folder declares about itself, for everybody who is not its adapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tillbook.kit.declared import Setting
from tillbook.rules.accounts import ClearingAccount


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Declaration:
    """A provider as everything else knows it. Its module imports no SDK, because every script reads it.

    `name` is the provider's folder, and how options, addresses, the ledger and the simulator call it. `title` is how
    people write it. `adapter` is `module:class` of what keeps the `Provider` protocol. The other fields are what one
    provider has and another lacks.
    """

    name: str
    title: str
    adapter: str
    settings: tuple[Setting, ...]
    clearing: ClearingAccount
    statement_lag_seconds: int
    """How long a movement may be missing from the statement."""
    captures: bool
    """Whether an approved page brings no money until we capture it."""
    lasting_pages: bool
    """Whether it has pages for mails of an installation without an address of its own: they come back nowhere, and stay
    until they are paid or closed."""
    expiring_pages: bool
    """Whether its other pages end by themselves."""
    tells_balance: bool
    """Whether it says what it holds for us now."""
    signs_time: bool
    """Whether the signature of an event holds its time, so that an old one is not taken again."""
    least: Mapping[str, int] = field(default_factory=dict)
    """The least that a page may ask for, in minor units by currency. One that is not named has no minimum."""
