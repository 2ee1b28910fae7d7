"""receive_webhooks.py as the process that a user starts, its output in a file, and raw sockets that speak to it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sale import SCRIPTS, Till
from simulated_stripe import wait_until
from tillbook.simulator.server import free_port

HOST = "127.0.0.1"
CLOSED = 0
_STATUS = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ")


@dataclass(frozen=True)
class Served:
    """A receiver in a process of its own. `output` is what it wrote to stdout and stderr."""

    pid: int
    port: int
    output: Path

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def resident_bytes(self) -> int:
        """Its memory, as the kernel counts it."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+([0-9]+) kB", status)[0]) * 1024


@contextmanager
def served(till: Till, **environment: str) -> Iterator[Served]:
    """Start the script and stop it as a service manager would."""
    port, output = free_port(), till.home / "receiver.log"
    command = [sys.executable, str(SCRIPTS / "receive_webhooks.py"), "--port", str(port)]
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env={**os.environ, **environment})
    try:
        wait_until(lambda: _listens(port) or process.poll() is not None)
        assert process.poll() is None, output.read_text()
        yield Served(process.pid, port, output)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def answered(port: int, wire: bytes, *, seconds: float = 12) -> int:
    """Send bytes over a connection of their own: the status of the first answer, or CLOSED when there was none."""
    with socket.create_connection((HOST, port), timeout=seconds) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # cut off; an answer may be here all the same
            connection.sendall(wire)
        return first_status(connection)


def first_status(connection: socket.socket) -> int:
    """The status of the next answer on a connection that is not 'go on' (100)."""
    received = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            piece = b""
        received += piece
        final = [int(status) for status in _STATUS.findall(received) if not status.startswith(b"1")]
        if final or not piece:
            return final[0] if final else CLOSED


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
