"""`make bench`: every figure that has a limit, measured on this machine, in one table. Nothing is kept.

Quote the ratios: other machines have other times. Measure when the machine has nothing else to do.
"""

from __future__ import annotations

import sys

import bench_intake
import bench_startup
from load import Missing, client
from rich.console import Console
from rich.table import Table
from stage import stage


def main() -> int:
    """0 when every limit holds, 7 when one does not, 3 when the load client is not installed."""
    missing = ""
    try:
        client()
    except Missing as error:
        missing = str(error)
    with stage() as world:
        found = bench_startup.rows(world)
        if not missing:
            found += bench_intake.rows(world)
    table = Table("measured", "figure", "limit", "")
    for row in found:
        table.add_row(row.what, row.figure, row.limit, "" if not row.limit else "ok" if row.ok else "MISSED")
    console = Console()
    console.print(table)
    if missing:
        console.print(f"The intake was not measured: {missing}.")
        return 3
    return 0 if all(row.ok for row in found) else 7


if __name__ == "__main__":
    sys.exit(main())
