"""How long a step takes that asks the ledger only, beside the least that a Typer command can do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench_intake import Row
from stage import ROOT, Stage

RUNS = 25
HELLO = """
import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def hello(name: str) -> None:
    typer.echo(f"hello {name}")


app()
"""


def rows(stage: Stage) -> list[Row]:
    """Alternating runs, medians of pairs: show_payment.py into a pipe, without a .env and with one."""
    hello = stage.folder / "hello.py"
    hello.write_text(HELLO)
    file = stage.folder / "env"
    file.write_text((ROOT / ".env.example").read_text())
    script = ROOT / "execution" / "show_payment.py"
    bare = stage.environment
    seconds = [
        (
            _seconds(hello, bare),
            _seconds(script, bare),
            _seconds(script, {**bare, "TILLBOOK_ENV": str(file)}),
        )
        for _ in range(RUNS)
    ]
    plain = median(shown / least for least, shown, _ in seconds)
    with_file = median(shown / least for least, _, shown in seconds)
    return [
        Row("Typer hello, ms", f"{1000 * median(least for least, _, _ in seconds):.0f}", "", True),
        Row("show_payment.py, ms", f"{1000 * median(shown for _, shown, _ in seconds):.0f}", "", True),
        Row("  to the hello", f"{plain:.2f} x", "<= 1.3", plain <= 1.3),
        Row("  to the hello, with a .env", f"{with_file:.2f} x", "<= 1.5", with_file <= 1.5),
    ]


def _seconds(script: Path, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    command = [sys.executable, str(script), "INV-1001"]
    subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, cwd=os.sep)
    return time.perf_counter() - started
