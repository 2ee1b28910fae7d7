"""How long a million payments take to compare, and how much memory: `python tests/benchmarks/bench_matching.py`.

Four sorted streams are made while they are read, as from sorted files: two movements of each payment at the processor
and in the ledger, one document and one record in the books. Every fiftieth payment has a planted difference.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "execution"))

from tillbook.rules.matching import Movement, Tally, Window, match

START = 1_795_000_000
EVERY = 50


def money(payments: int, missing: int) -> Iterator[Movement]:
    """Payment and fee of each, without every fiftieth, beginning with `missing`."""
    for number in range(payments):
        if number % EVERY != missing:
            key, payment, at = f"ch_{number:09}", f"pi_{number:09}", START + number
            yield Movement(key, "PaymentSucceeded", 6000, "USD", at, payment)
            yield Movement(f"{key}:fee", "ProcessorFee", 204, "USD", at, payment)


def papers(payments: int, missing: int, state: str) -> Iterator[Movement]:
    """One document or record of each payment."""
    for number in range(payments):
        if number % EVERY != missing:
            key = f"ch_{number:09}"
            subject = f"payment:stripe:{key}"
            yield Movement(key, "Payment", 6000, "USD", START + number, "", subject, str(number), state)


def main(payments: int) -> None:
    window, tally = Window(START, START + payments, START + payments), Tally()
    streams = money(payments, 1), money(payments, 2), papers(payments, 2, "posted"), papers(payments, 3, "")
    before = time.perf_counter()
    found = sum(1 for _ in match(*streams, window, tally))
    seconds = time.perf_counter() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(f"{payments} payments: {found} found, {tally.matched} matched, {seconds:.1f} s, {peak} MB\n")


if __name__ == "__main__":
    for number in map(int, sys.argv[1:] or ["100000", "1000000"]):
        main(number)
