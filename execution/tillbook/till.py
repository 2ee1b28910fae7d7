"""One run of a script: settings, clock, ledger and the doors, each opened when it is first needed."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING

from tillbook.kit import settings as settings_room
from tillbook.kit.clock import Clock
from tillbook.kit.errors import Refused
from tillbook.kit.settings import Settings
from tillbook.ledger import Ledger
from tillbook.vendors.providers import clearing, declared_settings

if TYPE_CHECKING:
    from pathlib import Path

    from tillbook.operations.dry_run import DryRun
    from tillbook.rules.operations import Door
    from tillbook.vendors.books import Books, Company
    from tillbook.vendors.protocols import Provider
    from tillbook.vendors.smtp import Mailer


class Till:
    """What a step works with. In a dry run the ledger forgets and nothing is sent."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ledger: Ledger,
        asked_by: str,
        dry_run: DryRun | None = None,
        *,
        is_new: bool = False,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.ledger = ledger
        self.asked_by = asked_by
        self.dry_run = dry_run
        self.is_new = is_new
        """Whether this run made the ledger: who expected another one must hear of it."""
        self._providers: dict[str, Provider] = {}
        self.accounts: dict[str, str] = {}
        """The accounts and items of ours in the books that this run has looked at: QuickBooks ids by name."""

    def provider(self, name: str) -> Provider:
        """The provider of that name, which must be the account that this ledger belongs to. Raises Refused."""
        if name not in self._providers:
            from tillbook.vendors.providers import open_provider  # noqa: PLC0415  start-up time

            provider = open_provider(name, self.settings, self.clock)
            if not self.ledger.binding.is_proven(name, provider.key_fingerprint):
                account = provider.account()
                with self.ledger.transaction():
                    self.ledger.binding.bind(name, account.id)
                    self.ledger.binding.prove(name, provider.key_fingerprint)
            self._providers[name] = provider
        return self._providers[name]

    @property
    def provider_names(self) -> tuple[str, ...]:
        """The providers that are set up. Where a step names none the first is meant. Raises Refused when none is."""
        if not self.settings.providers:
            raise Refused(
                "no provider is set up",
                hint=f"Set {', or '.join(self._needed_settings())}, as .env.example shows.",
            )
        return self.settings.providers

    def _needed_settings(self) -> Iterator[str]:
        """The names that each provider needs, joined as in a sentence."""
        for settings in self.settings.declared.values():
            yield " and ".join(setting.name for setting in settings if setting.needed)

    @property
    def polled_providers(self) -> list[str]:
        """The providers that are set up and that this ledger works with. While it knows none, all that are set up."""
        bound = self.ledger.binding.bound()
        return [name for name in self.provider_names if name in bound] or list(self.provider_names)

    @cached_property
    def books(self) -> Books:
        """The company's books. The ledger must belong to that company. Raises Refused."""
        from tillbook.vendors.books import open_books  # noqa: PLC0415  start-up time

        books = open_books(self.settings, self.clock, self.ledger.lock)
        if self.ledger.binding.bound().get("quickbooks") != books.realm:
            with self.ledger.transaction():
                self.ledger.binding.bind("quickbooks", books.realm)
        return books

    @cached_property
    def company(self) -> Company:
        """The company and its settings, read once in this run: its owner may change them on any day."""
        found = self.books.company()
        with self.ledger.transaction():
            self.ledger.sales.save_company(found.realm, asdict(found), self.clock.now())
        return found

    @cached_property
    def mailer(self) -> Mailer:
        """The door to the mail server."""
        from tillbook.vendors.smtp import Mailer  # noqa: PLC0415  start-up time

        return Mailer(self.settings, self.clock)

    def door(self, name: str) -> Door:
        """Where operations of that door are carried out: the real one, or one that only writes down."""
        real: Door = self.books if name == "quickbooks" else self.provider(name)
        return self.dry_run.of(real) if self.dry_run else real

    def for_dry_run(self) -> tuple[Till, DryRun]:
        """A till whose ledger forgets what is written to it, and the list of what it would send."""
        from tillbook.operations.dry_run import DryRun  # noqa: PLC0415  start-up time

        dry_run = DryRun()
        return Till(self.settings, self.clock, self.ledger.forgetful(), self.asked_by, dry_run), dry_run

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()


def open_till(*, founds: bool = False) -> Till:
    """Read the settings and open the ledger that they name.

    Raises Refused when it belongs to another mode, and when it is not there: whatever was proven against a new ledger
    would be proven against nothing. `founds` makes one, and so does every step in simulator mode.
    """
    settings = settings_room.load(declared_settings())
    is_new = not _is_there(settings.ledger)
    if settings.mode != "simulator" and not founds and is_new:
        raise Refused(
            f"there is no ledger at {settings.ledger}",
            hint="Restore its last copy, or correct TILLBOOK_HOME or TILLBOOK_LEDGER. "
            "A new installation begins with: python execution/connect_quickbooks.py",
        )
    clock = Clock(settings.clock_file)
    ledger = Ledger(settings.ledger, clearing)
    if ledger.binding.bound().get("mode") != settings.mode:
        with ledger.transaction():
            ledger.binding.bind("mode", settings.mode)
    return Till(settings, clock, ledger, getpass.getuser(), is_new=is_new)


def _is_there(file: Path) -> bool:
    """Whether there is a ledger, and not a file that somebody left empty."""
    return file.exists() and file.stat().st_size > 0
