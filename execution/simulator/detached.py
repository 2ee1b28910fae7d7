"""A simulator in the background: started as a process of its own, found by its address, and told to stop."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import requests

from simulator.server import SimulatorError

_LOOKS = 200
_PAUSE_SECONDS = 0.05
_LAST_LINES = 3


def folder_of(url: str) -> Path | None:
    """Where the simulator at this address keeps its world, or None when none listens there."""
    try:
        answer = requests.get(f"{url}/_control/state", params={"kind": "none"}, timeout=2)
        return Path(answer.json()["folder"]) if answer.ok else None
    except (requests.RequestException, KeyError, TypeError):
        return None


def start(command: Sequence[str], url: str, log: Path) -> None:
    """Run the command in a session of its own until it answers at `url`. What it says goes to `log`.

    Raises SimulatorError with its last words when it ends or stays silent.
    """
    with log.open("w", encoding="utf-8") as words:
        process = subprocess.Popen(  # noqa: S603  our own command
            command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True, close_fds=True
        )
    for _ in range(_LOOKS):
        if folder_of(url):
            process.returncode = 0  # it lives on: nobody waits for it here
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_PAUSE_SECONDS)
            break
    process.kill()
    process.wait()
    said = " ".join(log.read_text(encoding="utf-8").split("\n")[:_LAST_LINES]).strip()
    raise SimulatorError(f"the simulator did not start at {url}: {said or 'it said nothing'}")


def stop(url: str) -> bool:
    """Tell the simulator at `url` to stop, and wait until it has. False when none listens. Raises SimulatorError."""
    if folder_of(url) is None:
        return False
    requests.post(f"{url}/_control/stop", json={}, timeout=5)
    for _ in range(_LOOKS):
        if folder_of(url) is None:
            return True
        threading.Event().wait(_PAUSE_SECONDS)
    raise SimulatorError(f"the simulator at {url} does not stop")
