"""run_simulator.py: a world of its own on this machine, found by every other script of the same home."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from helpers.sale import SCRIPTS
from helpers.vendors.simulated_stripe import wait_until
from simulator.rough.habits import HABITS
from simulator.server import free_port


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "TILLBOOK_HOME": str(home)}


@contextmanager
def simulating(home: Path, port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The script as a process, until it answers."""
    command = [sys.executable, str(SCRIPTS / "run_simulator.py"), "--port", str(port), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(home)
    ) as process:
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/_control/state"))
            yield process
        finally:
            process.kill()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def step(home: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / f"{script}.py"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=30, env=environment(home), cwd=home
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_is_found_and_stops(tmp_path: Path, number: signal.Signals) -> None:
    """No keys, no settings but the home: another script finds it; Ctrl-C ends it without a traceback."""
    port = free_port()
    with simulating(tmp_path, port) as process:
        ran = step(tmp_path, "connect_quickbooks")
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["company"] == "Harbor Lane Studio LLC"
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert f"The simulator listens on http://127.0.0.1:{port}" in err
    assert "Traceback" not in err
    ran = step(tmp_path, "poll_events")
    assert (ran.returncode, ran.stdout) == (4, "")


def test_the_world_is_kept_between_two_runs(tmp_path: Path) -> None:
    """Accounts and invoices are there again after a restart."""
    order = {
        "number": "INV-1",
        "currency": "USD",
        "due": "2027-01-31",
        "customer": {"name": "Grace Ltd", "email": "grace@example.com"},
        "lines": [{"description": "Consulting", "sku": "CONSULT", "quantity": "1", "unit_price": "120.00"}],
    }
    (tmp_path / "order.json").write_text(json.dumps(order))
    answered = []
    for _ in range(2):
        with simulating(tmp_path, free_port()) as process:
            ran = step(tmp_path, "create_invoice", "order.json")
            assert ran.returncode == 0, ran.stderr
            answered.append(json.loads(ran.stdout))
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
    assert answered[1] == {**answered[0], "already_done": True}


def test_it_runs_in_the_background_until_it_is_stopped(tmp_path: Path) -> None:
    """--detach returns when it answers, and once more changes nothing; --stop ends it, and once more is no error."""
    port = str(free_port())
    told = []
    try:
        for option in ("--detach", "--detach"):
            ran = step(tmp_path, "run_simulator", option, "--port", port)
            assert ran.returncode == 0, ran.stderr
            told.append(json.loads(ran.stdout))
        assert [one["already_done"] for one in told] == [False, True]
        assert answers(f"{told[0]['url']}/_control/state")
        assert step(tmp_path, "connect_quickbooks").returncode == 0
        other = tmp_path / "other"
        other.mkdir()
        ran = step(other, "run_simulator", "--detach", "--port", port)
        assert ran.returncode == 3
        assert str(tmp_path / "simulator") in ran.stderr
    finally:
        for already_done in (False, True):
            ran = step(tmp_path, "run_simulator", "--stop", "--port", port)
            assert (ran.returncode, json.loads(ran.stdout)["already_done"]) == (0, already_done)
    assert not answers(f"{told[0]['url']}/_control/state")


def test_one_that_cannot_start_in_the_background_says_why(tmp_path: Path) -> None:
    """Its last words are told, and where the rest is."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        ran = step(tmp_path, "run_simulator", "--detach", "--port", str(port))
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "cannot listen" in ran.stderr
    assert "simulator.log" in ran.stderr


def test_rough_switches_every_habit_on(tmp_path: Path) -> None:
    """With its seed, and still after a reset. Without the option there is none."""
    port = free_port()
    rough = f"http://127.0.0.1:{port}/_control"
    with simulating(tmp_path, port, "--rough", "--seed", "7"):
        requests.post(f"{rough}/reset", timeout=5)
        assert requests.get(f"{rough}/rough", timeout=5).json() == {"habits": list(HABITS), "seed": 7}
    with simulating(tmp_path, port):
        assert requests.get(f"{rough}/rough", timeout=5).json()["habits"] == []


def test_a_port_that_is_taken_is_exit_3(tmp_path: Path) -> None:
    """In words, with what to do."""
    port = free_port()
    with simulating(tmp_path, port):
        ran = step(tmp_path, "run_simulator", "--port", str(port), "--state", str(tmp_path / "second"))
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "--port" in ran.stderr
    assert "Traceback" not in ran.stderr
