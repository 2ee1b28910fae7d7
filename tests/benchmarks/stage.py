"""A world for measuring: a simulator, a home folder with one sale, and servers, each a process; gone at the end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from simulator.server import free_port

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
OURS = ("TILLBOOK_", "STRIPE_", "PAYPAL_", "QUICKBOOKS_", "SMTP_", "MAIL_", "FORM_")
ORDER = {
    "number": "INV-1001",
    "currency": "USD",
    "due": "2027-01-31",
    "customer": {"name": "Grace Ltd", "email": "grace@example.com"},
    "lines": [{"description": "Consulting", "sku": "CONSULT", "quantity": "0.5", "unit_price": "120.00"}],
}


class Stage:
    """`folder` is temporary; `environment` names it to every script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(mode=0o700)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's Python keeps what it compiled
        self.environment = {**kept, "TILLBOOK_HOME": str(self.home), "TILLBOOK_ENV": os.devnull}

    def script(self, name: str, *arguments: str, stdin: str = "") -> str:
        """Run a step to its end; what it printed."""
        command = [sys.executable, str(ROOT / "execution" / f"{name}.py"), *arguments]
        done = subprocess.run(
            command, input=stdin, env=self.environment, capture_output=True, text=True, check=True, cwd=self.folder
        )
        return done.stdout

    def begin(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a step and do not wait for it."""
        command = [sys.executable, str(ROOT / "execution" / f"{name}.py"), *arguments]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder
        )

    @contextlib.contextmanager
    def serving(self, file: Path, *arguments: str) -> Iterator[int]:
        """A server as a process of its own; `PORT` among the arguments becomes its free port."""
        port = free_port()
        command = [sys.executable, str(file), *(argument.replace("PORT", str(port)) for argument in arguments)]
        process = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL, cwd=self.folder)
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)

    @property
    def secret(self) -> str:
        """The webhook secret that the simulator made."""
        accounts = json.loads((self.home / "simulator" / "accounts.json").read_text())
        return str(accounts["stripe_webhook_secret"])


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """A stage with a running simulator and one invoice in the ledger."""
    folder = Path(tempfile.mkdtemp(prefix="tillbook-bench-"))
    made = Stage(folder)
    try:
        simulator = ROOT / "execution" / "run_simulator.py"
        with made.serving(simulator, "--port", "PORT", "--deliver-to", ""):
            made.script("create_invoice", "-", stdin=json.dumps(ORDER))
            yield made
    finally:
        shutil.rmtree(folder)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not listen on {port}")
