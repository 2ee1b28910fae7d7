"""One simulated world for each worker, a new home and ledger for each test, and the referee at the end."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.running import referee
from helpers.sale import Shop
from simulator.server import Simulator

pytest_plugins = ["helpers.running.processes", "helpers.running.tally"]
WIRE = "TILLBOOK_TEST_WIRE"
OURS = ("TILLBOOK_", "STRIPE_", "PAYPAL_", "QUICKBOOKS_", "SMTP_", "MAIL_", "FORM_")
KEPT = (WIRE, "TILLBOOK_ACCEPT", "TILLBOOK_CONTRACTS")
MEMORY = Path("/dev/shm")  # noqa: S108  where Linux keeps files in memory
ROOM_BYTES = 4 * 2**30


def pytest_configure(config: pytest.Config) -> None:
    """Nothing of the person who runs the tests leaks into them; every worker records into one folder."""
    for name in [name for name in os.environ if name.startswith(OURS) and name not in KEPT]:
        del os.environ[name]
    os.environ["TILLBOOK_ENV"] = os.devnull
    # A shell without job control starts what is in the background deaf to Ctrl-C, and our processes would be, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        _keep_files_in_memory()
        os.environ[WIRE] = tempfile.mkdtemp(prefix="tillbook-wire-")


def _keep_files_in_memory() -> None:
    """Ledgers sync with every commit, and no test pulls the plug: files in memory are written and forgotten faster."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # ask again


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The vendors' schemas judge every request and answer of the whole run, once, when all workers are done."""
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    verdict = referee.judge(Path(os.environ[WIRE]))
    shutil.rmtree(os.environ.pop(WIRE), ignore_errors=True)
    session.config.stash[_VERDICT] = verdict
    if verdict.problems:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    verdict = config.stash.get(_VERDICT, None)
    if verdict is not None:
        terminalreporter.section("referee: the vendors' own schemas")
        terminalreporter.write_line(verdict.sentence)
        for problem in verdict.problems[:40]:
            terminalreporter.write_line(f"  {problem}", red=True)


_VERDICT = pytest.StashKey[referee.Verdict]()


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A running world, shared by the tests of one worker; `till` resets it."""
    record = Path(os.environ[WIRE]) / f"{os.getpid()}.jsonl"
    with Simulator(tmp_path_factory.mktemp("world") / "simulator", record=record) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A new home in the reset world, and every step as a person or cron would take it."""
    with Shop.opened(simulator, tmp_path / "home", monkeypatch) as opened:
        yield opened
