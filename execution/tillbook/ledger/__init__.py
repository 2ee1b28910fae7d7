"""The ledger: Tillbook's memory, one SQLite file, and the one place that speaks SQL.

    ledger.operations  what we asked the outside world to do      ledger.documents  what the books must still hear
    ledger.outflows    what refunds take of a payment              ledger.reconciliation  what a person accepted
    ledger.inbox       what vendors told us                        ledger.messages   what customers must still hear
    ledger.facts       what happened, with its entries and seals   ledger.activity   commands and cursors
    ledger.forms       what customers asked for through a form
    ledger.sales       customers, invoices, checkouts, matches
    ledger.binding     whose ledger this is                        ledger.chain      all of it, for a person who looks

Every change happens inside `with ledger.transaction():`, and no transaction spans a vendor call, a mail or a prompt.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tillbook.ledger.sqlite.database import BUSY_TIMEOUT_MS, Database
from tillbook.ledger.sqlite.migrate import migrate

if TYPE_CHECKING:
    from tillbook.ledger.activity import Activity
    from tillbook.ledger.binding import Binding
    from tillbook.ledger.chain import Chain
    from tillbook.ledger.documents import Documents
    from tillbook.ledger.facts import Facts
    from tillbook.ledger.forms import Forms
    from tillbook.ledger.inbox import Inbox
    from tillbook.ledger.messages import Messages
    from tillbook.ledger.operations import Operations
    from tillbook.ledger.outflows import Outflows
    from tillbook.ledger.reconciliation import Reconciliation
    from tillbook.ledger.sales import Sales
    from tillbook.rules.accounts import Clearing


class Ledger:
    """An open ledger. Raises Refused for a file that is not ours or too new, Unavailable when it is kept busy.

    `clearing` names the accounts of its entries that hold a provider's money.
    """

    def __init__(self, file: Path, clearing: Clearing, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        database = Database(file, busy_timeout_ms=busy_timeout_ms)
        migrate(database)
        self.database = database
        self.clearing = clearing

    # Each is imported when it is first asked for: a command that only looks uses half of them (start-up time).

    @cached_property
    def binding(self) -> Binding:
        """Which vendor accounts this ledger belongs to."""
        from tillbook.ledger.binding import Binding  # noqa: PLC0415

        return Binding(self.database)

    @cached_property
    def chain(self) -> Chain:
        """What is linked with a name, across all drawers."""
        from tillbook.ledger.chain import Chain  # noqa: PLC0415

        return Chain(self.database)

    @cached_property
    def operations(self) -> Operations:
        """The calls that change something outside."""
        from tillbook.ledger.operations import Operations  # noqa: PLC0415

        return Operations(self.database)

    @cached_property
    def outflows(self) -> Outflows:
        """What refunds take of a payment."""
        from tillbook.ledger.outflows import Outflows  # noqa: PLC0415

        return Outflows(self.database)

    @cached_property
    def reconciliation(self) -> Reconciliation:
        """What a proof compares, and what a person accepted."""
        from tillbook.ledger.reconciliation import Reconciliation  # noqa: PLC0415

        return Reconciliation(self.database)

    @cached_property
    def forms(self) -> Forms:
        """Order forms that came by web."""
        from tillbook.ledger.forms import Forms  # noqa: PLC0415

        return Forms(self.database)

    @cached_property
    def inbox(self) -> Inbox:
        """What vendors told us, as it came."""
        from tillbook.ledger.inbox import Inbox  # noqa: PLC0415

        return Inbox(self.database)

    @cached_property
    def facts(self) -> Facts:
        """What happened to money, and its entries."""
        from tillbook.ledger.facts import Facts  # noqa: PLC0415

        return Facts(self.database)

    @cached_property
    def sales(self) -> Sales:
        """The company, customers, invoices and pages."""
        from tillbook.ledger.sales import Sales  # noqa: PLC0415

        return Sales(self.database)

    @cached_property
    def documents(self) -> Documents:
        """What facts call for in QuickBooks."""
        from tillbook.ledger.documents import Documents  # noqa: PLC0415

        return Documents(self.database)

    @cached_property
    def messages(self) -> Messages:
        """Mails that are owed or sent."""
        from tillbook.ledger.messages import Messages  # noqa: PLC0415

        return Messages(self.database)

    @cached_property
    def activity(self) -> Activity:
        """Which scripts ran, and how far readers got."""
        from tillbook.ledger.activity import Activity  # noqa: PLC0415

        return Activity(self.database)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One commit with full sync, of everything or nothing. Facts appended in it are sealed by it."""
        with self.database.transaction():
            yield

    def lock(self, name: str, *, wait: bool = True) -> AbstractContextManager[None]:
        """The one lock of that name between processes. The system frees it when its process dies.

        Raises Unavailable when it is held and `wait` is false.
        """
        return self.database.lock(name, wait=wait)

    def file_problems(self) -> list[str]:
        """What SQLite's own full check finds wrong with the file."""
        return self.database.problems()

    def snapshot(self) -> AbstractContextManager[None]:
        """What is read and copied inside is of one moment. Others go on writing meanwhile."""
        return self.database.snapshot()

    def copy_to(self, target: Path) -> None:
        """A copy of the whole ledger as it is now, readable by its owner only. Raises Unavailable on a full disk."""
        self.database.copy_to(target)

    def schema_version(self) -> int:
        """The number of the last migration that this file went through."""
        return int(self.database.pragma("user_version"))

    def never_wait(self) -> None:
        """From now on a busy ledger raises Unavailable at once: for an event loop, which must not block."""
        self.database.set_busy_timeout(0)

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def forgetful(self) -> Ledger:
        """This ledger as it is now, for a dry run. What is written to it is forgotten."""
        other = Ledger.__new__(Ledger)
        other.database = self.database.forgetful()
        other.clearing = self.clearing
        return other
