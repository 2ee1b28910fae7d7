"""Real processes, started fast: one process that has imported everything makes a copy of itself for each command.

Run as a program it is that process: it reads a line of JSON with commands, lets one child run each of them as
`python execution/SCRIPT.py ...` would, all at the same moment, and answers with a line about how they ended.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tillbook
from helpers.sale import ROOT, SCRIPTS, Ran
from helpers.torture.boundaries import Watch

Json = dict[str, Any]
# What the steps import when they need it, besides our own.
LAZY = ("dotenv", "email.policy", "intuitlib.client", "jinja2.sandbox", "quickbooks.client", "rich.console", "stripe")


@dataclass
class Processes:
    """The process that makes processes, seen from the tests."""

    mother: subprocess.Popen[str]

    def run(self, *commands: tuple[str, ...], end_at: int = -1) -> list[Ran]:
        """Run every command at once, each in a process of its own; with `end_at` each kills itself (-9) there."""
        assert self.mother.stdin
        assert self.mother.stdout
        ask = {"commands": commands, "end_at": end_at, "environment": dict(os.environ)}
        self.mother.stdin.write(json.dumps(ask) + "\n")
        self.mother.stdin.flush()
        return [Ran(**ended) for ended in json.loads(self.mother.stdout.readline())]


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    """One mother process for all tests of a worker."""
    path = os.pathsep.join((str(SCRIPTS), str(ROOT / "tests")))
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as mother:
        yield Processes(mother)
        assert mother.stdin
        mother.stdin.close()


def serve() -> None:
    """Answer until the tests hang up."""
    for name in (*LAZY, *(module.name for module in pkgutil.walk_packages(tillbook.__path__, "tillbook."))):
        importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        ask: Json = json.loads(line)
        with tempfile.TemporaryDirectory() as folder:
            answer = _together(ask, Path(folder))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _together(ask: Json, folder: Path) -> list[Json]:
    """Start a child for each command, let all go at once, and wait for every one."""
    gate, opener = os.pipe()
    children = []
    for number, command in enumerate(ask["commands"]):
        child = os.fork()
        if child == 0:
            os.close(opener)
            os.read(gate, 1)  # until the mother closes her end
            _become(command, ask, folder / str(number))
        children.append(child)
    os.close(gate)
    os.close(opener)
    return [_ended(child, folder / str(number)) for number, child in enumerate(children)]


def _become(command: list[str], ask: Json, file: Path) -> None:
    """In the child: the script as a program. Never returns."""
    os.environ.clear()
    os.environ.update(ask["environment"])
    for stream, name in ((0, os.devnull), (1, f"{file}.out"), (2, f"{file}.err")):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), stream)
    script = SCRIPTS / f"{command[0]}.py"
    sys.argv = [str(script), *command[1:]]
    watch = Watch(
        Path(ask["environment"]["TILLBOOK_HOME"]), ask["end_at"], lambda: os.kill(os.getpid(), signal.SIGKILL)
    )
    code = 1
    try:
        with watch.on_duty():
            runpy.run_path(str(script), run_name="__main__")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _ended(child: int, file: Path) -> Json:
    _, status = os.waitpid(child, 0)
    texts = {name: Path(f"{file}.{name}").read_text() for name in ("out", "err")}
    return {"code": os.waitstatus_to_exitcode(status), **texts}


if __name__ == "__main__":
    serve()
