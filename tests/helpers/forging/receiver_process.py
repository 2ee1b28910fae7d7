"""receive_webhooks.py as the process that a user starts, its output in a file, and raw sockets that speak to it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from helpers.sale import SCRIPTS, Shop
from helpers.vendors.simulated_stripe import wait_until
from simulator.server import free_port

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


class Customer:
    """Sends genuine messages, one after the other, while others attack; each must be taken within a second.

    `deliver` makes the nth message: its body and headers.
    """

    def __init__(self, url: str, deliver: Callable[[int], tuple[bytes, dict[str, str]]]) -> None:
        self._url = url
        self._deliver = deliver
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self.taken = 0
        self.trouble: list[str] = []

    def __enter__(self) -> Customer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _send(self) -> None:
        while not self._stop.wait(0.02):
            body, headers = self._deliver(self.taken + 1)
            try:
                answer = requests.post(self._url, body, headers=headers, timeout=1)
            except requests.RequestException as error:
                self.trouble.append(f"message {self.taken + 1}: {type(error).__name__}")
                return
            if answer.status_code != 200:
                self.trouble.append(f"message {self.taken + 1}: {answer.status_code} {answer.text}")
                return
            self.taken += 1


@contextmanager
def served(shop: Shop, **environment: str) -> Iterator[Served]:
    """Start the script and stop it as a service manager would."""
    port, output = free_port(), shop.home / "receiver.log"
    command = [sys.executable, str(SCRIPTS / "receive_webhooks.py"), "--port", str(port)]
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env={**os.environ, **environment})
    try:
        wait_until(lambda: listens(port) or process.poll() is not None)
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


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
