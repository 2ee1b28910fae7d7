"""Whose ledger this is: one mode and one set of vendor accounts, for ever."""

from __future__ import annotations

from tillbook.kit.errors import Refused
from tillbook.ledger.sqlite.database import Database


class Binding:
    """The vendor accounts that this ledger belongs to, one for each vendor."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bound(self) -> dict[str, str]:
        """The mode and the vendor accounts that this ledger belongs to."""
        return {row["name"]: row["value"] for row in self._database.all("binding.bound")}

    def bind(self, name: str, value: str) -> None:
        """Tie the ledger to a mode or a vendor account, for ever. In a transaction. Raises Refused for another one."""
        known = self.bound().get(name)
        if known is None:
            self._database.run("binding.bind", name=name, value=value)
        elif known != value:
            raise Refused(
                f"this ledger belongs to {name} {known}, but the settings lead to {value}",
                hint="Use the keys of that account, or another TILLBOOK_HOME for the other one.",
            )

    def is_proven(self, name: str, fingerprint: str) -> bool:
        """Whether the key of this fingerprint was seen to lead to the account that this ledger belongs to."""
        return self._database.one("binding.proven_key", name=name, fingerprint=fingerprint) is not None

    def prove(self, name: str, fingerprint: str) -> None:
        """Remember a key that leads to the bound account. In a transaction, after `bind`."""
        self._database.run("binding.prove_key", name=name, fingerprint=fingerprint)
