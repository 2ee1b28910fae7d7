"""What each step costs on an empty ledger, on 10,000 payments and on 100,000: time and memory must not follow.

`bench_growth.py [SIZE...]` measures other sizes than these.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests
from bench_intake import Row
from rich.console import Console
from rich.table import Table
from stage import ORDER, ROOT, Stage, stage

SIZES = (0, 10_000, 100_000)
RUNS = 3
MANY = 100
DAY = 86_400
REST_SECONDS = 61
"""QuickBooks takes so many requests a minute, in the simulator by the real clock."""
GROW = Path(__file__).parent / "grow.py"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run: seconds, and bytes of memory at its peak."""

    seconds: float
    peak: int


def main(sizes: tuple[int, ...]) -> int:
    """Print the table. 7 when a limit does not hold."""
    with stage() as world:
        rows = list(_rows(world, sizes))
    table = Table("measured", "figure", "limit", "")
    for row in rows:
        table.add_row(row.what, row.figure, row.limit, "" if not row.limit else "ok" if row.ok else "MISSED")
    Console().print(table)
    return 0 if all(row.ok for row in rows) else 7


def _rows(world: Stage, sizes: tuple[int, ...]) -> Iterator[Row]:
    costs: list[dict[str, Cost]] = []
    for before, size in itertools.pairwise((0, *sizes)):
        _grow(world, size - before)
        costs.append(_costs(world))
    least, most = costs[0], costs[-1]
    for what, cost in most.items():
        times = cost.seconds / least[what].seconds
        figures = ", ".join(f"{one[what].seconds * 1000:.0f}" for one in costs)
        if "--full" in what:  # linear, not constant
            yield Row(f"{what}, ms ({figures})", f"{times:.1f} x", "", True)
            continue
        limit = 2.0 if what.startswith("reconcile_payments") else 1.25
        yield Row(f"{what}, ms ({figures})", f"{times:.2f} x", f"<= {limit}", times <= limit)
        peak = cost.peak / least[what].peak
        yield Row("  peak memory", f"{peak:.2f} x", f"<= {limit}", peak <= limit)


def _grow(world: Stage, number: int) -> None:
    if number:
        command = [sys.executable, str(GROW), str(world.home / "ledger.db"), str(number)]
        subprocess.run(command, check=True, env=world.environment)
        os.sync()  # what was grown is on the disk before a step waits for it


def _costs(world: Stage) -> dict[str, Cost]:
    """Medians of every step on the ledger as it is."""
    steps: dict[str, Callable[[], Cost]] = {
        "show_payment.py": lambda: _cost(world, "show_payment", "INV-1001"),
        "create_invoice.py": lambda: _cost(world, "create_invoice", "-", order=_order()),
        "create_invoice.py --dry-run": lambda: _cost(world, "create_invoice", "-", "--dry-run", order=_order()),
        "create_checkout.py": lambda: _cost(world, "create_checkout", _invoiced(world)),
        "refund_payment.py": lambda: _refunded(world),
        "process_inbox.py, 100 events": lambda: _processed(world),
        "post_to_books.py, 100 documents": lambda: _posted(world),
        "run_pending.py, nothing due": lambda: _settled(world),
        "check_setup.py --full": lambda: _cost(world, "check_setup", "--full"),
        "check_setup.py": lambda: _cost(world, "check_setup"),
        "reconcile_payments.py, a day": lambda: _cost(world, "reconcile_payments", "--from", _yesterday()),
    }
    found = {}
    for what, step in steps.items():
        _later(world)
        if what.startswith("reconcile"):
            time.sleep(REST_SECONDS)
        costs = [step() for _ in range(1 if "100" in what else RUNS)]
        found[what] = Cost(median(one.seconds for one in costs), max(one.peak for one in costs))
    return found


def _cost(world: Stage, script: str, *arguments: str, order: str = "") -> Cost:
    """One run of a step, as a process of its own."""
    command = [sys.executable, str(ROOT / "execution" / f"{script}.py"), *arguments]
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=world.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(order.encode())
    process.stdin.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    assert process.stderr is not None
    words = process.stderr.read().decode()
    process.stderr.close()
    assert process.returncode in ((0, 3) if script == "check_setup" else (0, 7)), (
        f"{script} ended with {process.returncode}: {words}"
    )
    return Cost(seconds, used.ru_maxrss * 1024)


_numbers = itertools.count(1)


def _order() -> str:
    return json.dumps({**ORDER, "number": f"NEW-{next(_numbers)}"})


def _invoiced(world: Stage) -> str:
    order = _order()
    world.script("create_invoice", "-", stdin=order)
    return str(json.loads(order)["number"])


def _paid(world: Stage, number: int) -> list[str]:
    """New invoices that were paid at Stripe; their events wait in the inbox."""
    url = json.loads((world.home / "simulator" / "addresses.json").read_text())["url"]
    numbers = [_invoiced(world) for _ in range(number)]
    for invoice in numbers:
        page = json.loads(world.script("create_checkout", invoice))
        requests.post(f"{url}/_control/pay", json={"checkout_id": page["checkout_id"]}, timeout=10).raise_for_status()
    _later(world)
    world.script("poll_events")
    return numbers


def _refunded(world: Stage) -> Cost:
    (number,) = _paid(world, 1)
    world.script("process_inbox")
    return _cost(world, "refund_payment", number, "--amount", "1.00")


def _later(world: Stage) -> None:
    """A minute passes in the simulated world: QuickBooks takes so many requests a minute."""
    url = json.loads((world.home / "simulator" / "addresses.json").read_text())["url"]
    requests.post(f"{url}/_control/clock", json={"advance_seconds": 60}, timeout=10).raise_for_status()


def _processed(world: Stage) -> Cost:
    _paid(world, MANY // 4)  # each of them has some four events
    return _cost(world, "process_inbox", "--limit", str(MANY))


def _posted(world: Stage) -> Cost:
    for _ in range(4):
        _paid(world, MANY // 4)
        time.sleep(REST_SECONDS / 2)
    world.script("process_inbox")
    time.sleep(REST_SECONDS)
    return _cost(world, "post_to_books", "--limit", str(MANY))


def _settled(world: Stage) -> Cost:
    world.script("run_pending")
    return _cost(world, "run_pending")


def _yesterday() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - DAY))


if __name__ == "__main__":
    sys.exit(main(tuple(map(int, sys.argv[1:])) or SIZES))
