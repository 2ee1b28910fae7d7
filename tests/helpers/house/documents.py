"""Markdown as the tests see it: fences with what they promise, and a world in which their commands are run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from simulator import detached
from simulator.server import free_port

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "execution"
SERVERS = ("run_simulator.py", "receive_webhooks.py")
SIMULATOR, RECEIVER = "127.0.0.1:4242", "127.0.0.1:8080"  # as documents write them
PATIENCE_SECONDS = 30

_FENCE = re.compile(
    r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```[^\S\n]*\n(?P<after>\s*Expect:.*?(?:\n\n|\Z))?", re.S | re.M
)
_WANTED = re.compile(r"`(?P<key>[\w.]+)`(?: = `(?P<value>[^`]*)`)?")


@dataclass(frozen=True)
class Fence:
    """A block of a document. `exit_code` and `keys` are what the line `Expect:` below it promises."""

    info: str
    text: str
    exit_code: int
    keys: dict[str, str | None]
    promises: bool


def fences(document: Path) -> list[Fence]:
    """Every fence that begins at the left edge, in its order; indented ones are examples."""
    return [_fence(found) for found in _FENCE.finditer(document.read_text(encoding="utf-8"))]


def _fence(found: re.Match[str]) -> Fence:
    expect = found["after"] or ""
    code = re.search(r"exit (\d)", expect)
    assert bool(expect) == bool(code), f"an Expect line without an exit code: {expect!r}"
    keys = {wanted["key"]: wanted["value"] for wanted in _WANTED.finditer(expect)}
    return Fence(found["info"].strip(), found["text"], int(code[1]) if code else 0, keys, bool(expect))


def documents() -> list[Path]:
    """Every document of the project."""
    folders = ("*.md", "docs/*.md", "directives/*.md", "skills/**/*.md")
    return sorted(file for folder in folders for file in ROOT.glob(folder))


def directives() -> list[Path]:
    """Every directive but the template."""
    return [file for file in sorted(ROOT.glob("directives/*.md")) if not file.name.startswith("_")]


def sections(document: Path) -> dict[str, str]:
    """The text under each heading of the second level."""
    parts = re.split(r"^## (.+)$", document.read_text(encoding="utf-8"), flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@dataclass
class Stage:
    """A folder that looks like the repository, a home, and the servers that a document starts."""

    folder: Path
    environment: dict[str, str]
    simulator: str
    receiver: str
    record: Path
    servers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @staticmethod
    @contextmanager
    def opened(folder: Path, python: str) -> Iterator[Stage]:
        """Ports of its own, `python` with this text; every server is stopped at the end."""
        for name in ("execution", "directives", "skills", "tests"):
            (folder / name).symlink_to(ROOT / name)
        simulator, receiver = (f"127.0.0.1:{free_port()}" for _ in range(2))
        stage = Stage(folder, _environment(folder, python, simulator, receiver), simulator, receiver, _record())
        try:
            yield stage
        finally:
            for server in stage.servers.values():
                server.terminate()
                server.wait(timeout=PATIENCE_SECONDS)
            detached.stop(f"http://{simulator}")

    def run(self, fence: Fence) -> subprocess.CompletedProcess[str] | None:
        """Run a fence as a shell would; None for what is only prepared or started in the background."""
        script = next((name for name in SERVERS if name in fence.text), "")
        if script and not _returns(fence.text):
            self.start(script, fence.text)
            return None
        lines = [line for line in fence.text.splitlines() if not _prepares(line)]
        if not lines:
            return None
        runs = self.servers or _answers(f"http://{self.simulator}/_control/clock")
        if not runs and not _returns(fence.text):  # this document is about a simulator that runs already
            self.start("run_simulator.py", "python execution/run_simulator.py")
        text = self._located("\n".join(lines)).replace("--detach", f"--detach --record {self.record}")
        command = ["bash", "-euo", "pipefail", "-c", text]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=100
        )
        self._learn(done.stdout)
        self._settle()
        return done

    def start(self, script: str, command: str) -> None:
        """Start a server in the background and wait until it answers."""
        assert len(command.strip().splitlines()) == 1, f"{script} runs until stopped: it stands alone in its fence"
        if script == "run_simulator.py":
            command, address = f"{command.strip()} --record {self.record}", f"http://{self.simulator}/_control/clock"
        else:
            command, address = f"{command.strip()} --port {self.receiver[10:]}", f"http://{self.receiver}/healthz"
            if not _answers(f"http://{self.simulator}/_control/clock"):
                self.start("run_simulator.py", "python execution/run_simulator.py")
        words = self.folder / f"{script}.words"
        with words.open("w") as stderr:
            self.servers[script] = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        _wait_until(lambda: _answers(address), f"{script} to answer; its words are in {words}")

    def _located(self, text: str) -> str:
        return text.replace(SIMULATOR, self.simulator).replace(RECEIVER, self.receiver)

    def _learn(self, stdout: str) -> None:
        """`checkout_id` of a result is `$CHECKOUT_ID` from now on."""
        for result in results(stdout):
            for key, value in result.items():
                if isinstance(value, str):
                    self.environment[key.upper()] = value

    def _settle(self) -> None:
        """Wait until what the simulator sends has arrived, where somebody listens: a person is not faster."""
        if "receive_webhooks.py" in self.servers:
            address = f"http://{self.simulator}/_control/deliveries"
            _wait_until(
                lambda: not requests.post(address, json={}, timeout=5).json()["pending"], "the webhooks to arrive"
            )


def results(stdout: str) -> list[dict[str, Any]]:
    """Every JSON object in what commands printed one after the other."""
    found, decoder, rest = [], json.JSONDecoder(), stdout.strip()
    while rest.startswith("{"):
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found


def value_at(result: dict[str, Any], path: str) -> Any:
    """`outer.inner` of a result. Raises KeyError."""
    value: Any = result
    for name in path.split("."):
        value = value[name]
    return value


def as_text(value: Any) -> str:
    """A value as documents write it between backticks."""
    return value if isinstance(value, str) else json.dumps(value)


def _environment(folder: Path, text: str, simulator: str, receiver: str) -> dict[str, str]:
    binaries = folder / "bin"
    binaries.mkdir()
    python = binaries / "python"
    python.write_text(text)
    python.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "TILLBOOK_HOME": str(folder / "home"),
        "TILLBOOK_SIMULATOR_URL": f"http://{simulator}",
        "TILLBOOK_BASE_URL": f"http://{receiver}",
    }


def _record() -> Path:
    return Path(os.environ["TILLBOOK_TEST_WIRE"]) / f"{uuid.uuid4().hex}.jsonl"


def _prepares(line: str) -> bool:
    """Lines about the working copy itself: their targets are checked, they are not run."""
    if line.startswith("make "):
        for target in line.split()[1:]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M), f"the Makefile has no {target}"
        return True
    if line.startswith("source "):
        assert line == "source .venv/bin/activate", "the Makefile prepares .venv and nothing else"
        return True
    return False


def _returns(text: str) -> bool:
    """Whether this starts or stops a simulator in the background."""
    return "run_simulator.py --detach" in text or "run_simulator.py --stop" in text


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.RequestException:
        return False


def _wait_until(condition: Any, what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE_SECONDS} s for {what}"
        time.sleep(0.05)


def missing_programs() -> list[str]:
    """What documents use besides Python and is not on this machine."""
    return [name for name in ("bash", "curl") if shutil.which(name) is None]
