"""Whether an entry balances, said independently of the trigger that refuses one that does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tillbook.kit.money import Money
from tillbook.rules.entries import Line


def unbalanced(lines: Iterable[Line]) -> Mapping[str, Money]:
    """What debits and credits differ by, per currency, or empty for an entry that balances."""
    sums: dict[str, Money] = {}
    for line in lines:
        code = line.amount.currency
        sums[code] = sums.get(code, Money.zero(code)) + line.amount
    return {code: amount for code, amount in sums.items() if amount}
