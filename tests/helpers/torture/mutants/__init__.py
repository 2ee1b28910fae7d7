"""Small mistakes, each made in the adapter of one provider: the conformance suite must see every one of them.

Those of a provider stand in a file beside this one, as blocks with an empty line between them. A block names a kind of
mistake and a file of the provider's folder, then the lines that are there (`-`) and what stands there instead (`+`).
The first and the last line may be a part of one.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from helpers.sale import ROOT

FOLDERS = {
    "acorn": ROOT / "tests/helpers/providers/acorn",
    "stripe": ROOT / "execution/tillbook/vendors/stripe",
    "paypal": ROOT / "execution/tillbook/vendors/paypal",
}

KINDS = {
    "amount, net": "the payment is recorded less its fee, or another figure of it",
    "amount, scale": "every currency has two decimals",
    "amount, refund": "a refund loses its cents",
    "amount, fee": "the fee is another figure",
    "sign": "what comes back goes out once more, or a fee comes in",
    "currency": "everything is in dollars",
    "status, payment": "money on its way is money",
    "status, page": "a page whose money is on its way is paid",
    "status, refund": "a refund that failed succeeded",
    "released": "a refund that moved money frees its operation when it fails, or none does",
    "paging": "a list ends with its first page",
    "window": "the statement or the events begin or end elsewhere",
    "signature": "nobody compares it",
    "signature, part": "a part of it is enough, or what was signed is not all",
    "secret": "one of two secrets counts, or an empty one",
    "key": "each attempt has a key of its own",
    "id, page": "any page is taken for ours",
    "id, refund": "any refund is taken for ours",
    "id, fact": "two movements have one key",
    "operation": "the operation is not written on the vendor's object, or not read from it",
    "time": "another time than that at which money moved",
    "account": "another id than the account's",
    "mode": "live money is taken for test money",
    "dispute": "an inquiry forbids a refund, or a dispute does not",
    "closing": "a page that is open is taken for closed",
    "missing": "what is not there has no code, or is asked for with an id that is none",
    "doubt": "a change without an answer did not happen",
    "time-out": "a server decides how long we wait, and a redirect where we go",
    "secrets": "the vendor's words come through as they are",
    "address": "the customer does not come back to us",
}
"""Every kind, and the mistake in words."""


class Mutant(NamedTuple):
    """In `file`, the one place that reads `right` is made to read `wrong`."""

    provider: str
    number: int
    kind: str
    file: Path
    right: str
    wrong: str

    def __str__(self) -> str:
        return f"{self.provider} {self.number}: {self.kind} in {self.file.name}"

    @property
    def source(self) -> str:
        """The file without the mistake."""
        return self.file.read_text(encoding="utf-8")

    @property
    def mutated(self) -> str:
        """The file with it."""
        return self.source.replace(self.right, self.wrong)


def mutants() -> list[Mutant]:
    """Every mutant of every provider."""
    return [
        _read(name, number, block.splitlines())
        for name in FOLDERS
        for number, block in enumerate((Path(__file__).parent / f"{name}.txt").read_text().split("\n\n"), 1)
    ]


def _read(provider: str, number: int, lines: list[str]) -> Mutant:
    kind, _, file = lines[0].partition(" @ ")
    right, wrong = ("\n".join(line[1:] for line in lines[1:] if line[0] == mark) for mark in "-+")
    return Mutant(provider, number, kind, FOLDERS[provider] / file, right, wrong)
