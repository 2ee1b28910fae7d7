"""The load client: wrk, written in C, so that it is not itself what is measured."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 32
SCRIPT = Path(__file__).parent / "replay.lua"


class Missing(Exception):
    """wrk is not installed."""


@dataclass(frozen=True, slots=True)
class Load:
    """One run: requests per second, median and 99th percentile in milliseconds."""

    rate: float
    p50: float
    p99: float
    requests: int


def client() -> str:
    found = shutil.which("wrk")
    if found is None:
        raise Missing("wrk is not installed (Debian, Ubuntu: apt install wrk; macOS: brew install wrk)")
    return found


def replay(url: str, requests: Path, *, seconds: int, again: bool = False) -> Load:
    """Send the requests of the file over 32 connections for `seconds`, each once or `again`; every answer is 200."""
    command = [
        client(),
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "--timeout",
        "10s",
        "-s",
        str(SCRIPT),
        url,
        "--",
        str(requests),
    ]
    command.append("again" if again else "once")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    assert not result["refused"] + result["broken"], f"not every request was taken: {result}"
    assert not result["exhausted"], f"the file holds too few requests: {result}"
    return Load(
        result["requests"] * 1e6 / result["microseconds"],
        result["p50"] / 1000,
        result["p99"] / 1000,
        result["requests"],
    )
