"""The account of the money that a provider holds for us, which ledger and books call by different names."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class ClearingAccount(NamedTuple):
    """`ledger` is its name in our entries, for all currencies. QuickBooks has one for each, named `books` and the
    currency. Neither name ever changes: entries and documents refer to them."""

    ledger: str
    books: str

    def in_books(self, currency: str) -> str:
        """Its name in QuickBooks: "Acorn (USD)"."""
        return f"{self.books} ({currency})"


Clearing = Callable[[str], ClearingAccount]
"""The clearing account of the provider of that name. Raises Refused for one that is not known."""
