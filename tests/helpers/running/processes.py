"""Real processes, started fast: one process that has imported everything makes a copy of itself for each script.

Run as a program, `processes.py ADDRESS`, it is that process. Who connects hands over the words of the command, its
folder, environment and streams; a copy becomes `python WORD...`, and how it ended is the answer.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

import tillbook
from helpers.running import quick_python
from helpers.running.quick_python import ending, handed_over
from helpers.sale import ROOT, SCRIPTS, Ran
from helpers.torture.boundaries import Watch
from helpers.vendors.simulated_stripe import wait_until

Json = dict[str, Any]
READY = b"."
# What the steps import when they need it, besides our own.
LAZY = ("dotenv", "email.policy", "intuitlib.client", "jinja2.sandbox", "quickbooks.client", "rich.console", "stripe")


@dataclass
class Processes:
    """The process that makes processes, seen from the tests: where it listens."""

    process: subprocess.Popen[bytes]
    address: str

    def run(self, *commands: tuple[str, ...], end_at: int = -1, folder: Path = ROOT, **environment: str) -> list[Ran]:
        """Run every command at once, each in a process of its own; with `end_at` each kills itself (-9) there.

        A command is the name of a step, or the path of another program without `.py`, and its arguments.
        """
        with tempfile.TemporaryDirectory() as words_of, ExitStack() as files:
            gate, opener = os.pipe()
            running = []
            for number, (script, *arguments) in enumerate(commands):
                out, err = (files.enter_context(open(f"{words_of}/{number}.{name}", "w+")) for name in ("out", "err"))
                nothing = files.enter_context(open(os.devnull))
                ask = {
                    "words": [str(SCRIPTS / f"{script}.py"), *arguments],
                    "folder": str(folder),
                    "environment": {**os.environ, **environment},
                    "end_at": end_at,
                }
                streams = [nothing.fileno(), out.fileno(), err.fileno(), gate]
                running.append((handed_over(self.address, ask, streams), out, err))
            os.close(gate)
            assert all(connection.recv(1) == READY for connection, _, _ in running)
            os.close(opener)
            return [Ran(ending(connection), _written(out), _written(err)) for connection, out, err in running]

    def python(self) -> str:
        """A program for the shell that does what `python` does, sooner."""
        return f'#!/bin/sh\nexec "{sys.executable}" -IS "{quick_python.__file__}" "{self.address}" "$@"\n'


def _written(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


@functools.cache
def mother() -> Processes:
    """One such process for all tests of a worker, started when it is first needed; it ends when its stdin does."""
    address = f"{tempfile.mkdtemp(prefix='tillbook-processes-')}/socket"
    path = os.pathsep.join((str(SCRIPTS), str(ROOT / "tests")))
    environment = {**os.environ, "PYTHONPATH": path}
    process = subprocess.Popen([sys.executable, __file__, address], stdin=subprocess.PIPE, env=environment)
    wait_until(Path(address).exists)
    return Processes(process, address)


def pytest_unconfigure() -> None:
    """The tests are over: the process that makes processes ends."""
    if mother.cache_info().currsize:
        with mother().process as process:
            assert process.stdin
            process.stdin.close()
        shutil.rmtree(Path(mother().address).parent)


@pytest.fixture(scope="session")
def processes() -> Processes:
    """The process that makes processes."""
    return mother()


def serve(address: str) -> None:
    """Make processes until the tests hang up."""
    for name in (*LAZY, *(module.name for module in pkgutil.walk_packages(tillbook.__path__, "tillbook."))):
        importlib.import_module(name)
    gc.freeze()
    asked_by: dict[int, socket.socket] = {}
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{address}.new")
        listener.listen(64)
        os.rename(f"{address}.new", address)
        while True:
            ready, _, _ = select.select([sys.stdin, listener, woken], [], [])
            if sys.stdin in ready:
                return
            if woken in ready:
                woken.recv(4096)
                _tell_who_ended(asked_by)
            if listener in ready:
                connection, _ = listener.accept()
                child = os.fork()
                if child == 0:
                    _become(connection)
                asked_by[child] = connection


def _tell_who_ended(asked_by: dict[int, socket.socket]) -> None:
    """Answer for each process that has ended."""
    while asked_by:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        with asked_by.pop(child) as connection, suppress(BrokenPipeError):
            connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
            connection.shutdown(socket.SHUT_RDWR)  # the copies hold it, too


def _become(connection: socket.socket) -> None:
    """In the copy: the script as a program. Never returns."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, streams, _, _ = socket.recv_fds(connection, 65536, 4)
    while piece := connection.recv(65536):
        text += piece
    ask: Json = json.loads(text)
    os.chdir(ask["folder"])
    os.environ.clear()
    os.environ.update(ask["environment"])
    for number, stream in enumerate(streams[:3]):
        os.dup2(stream, number)
        os.close(stream)
    for gate in streams[3:]:
        connection.sendall(READY)
        os.read(gate, 1)  # until whoever asked opens it
    sys.argv = ask["words"]
    home = Path(ask["environment"]["TILLBOOK_HOME"])
    watch = Watch(home, ask["end_at"], lambda: os.kill(os.getpid(), signal.SIGKILL))
    code = 1
    try:
        with watch.on_duty():
            runpy.run_path(sys.argv[0], run_name="__main__")
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001  it ends as a program would
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
