"""Small mistakes in a provider's adapter: the conformance suite fails for each of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.running.tally import LONG
from helpers.sale import ROOT
from helpers.torture.mutants import FOLDERS, KINDS, Mutant, mutants

SUITE = "tests/doors/providers"
FAILED = 1


def test_every_mutant_is_one_change_of_code_that_is_there() -> None:
    """Code that moves on takes its mutants with it, or they would prove nothing."""
    every = mutants()
    for mutant in every:
        assert mutant.source.count(mutant.right) == 1, f"{mutant}: {mutant.right!r}"
        assert mutant.right != mutant.wrong
        compile(mutant.mutated, mutant.file, "exec")
    assert len({(mutant.file, mutant.right, mutant.wrong) for mutant in every}) == len(every)


def test_every_kind_of_mistake_is_made_at_every_provider() -> None:
    """A suite that sees a mistake at one provider only knows that provider, not the protocol."""
    made = Counter((mutant.provider, mutant.kind) for mutant in mutants())
    assert set(made) == {(name, kind) for name in FOLDERS for kind in KINDS}


if LONG:  # some twenty minutes: each of them runs the suite once

    @pytest.fixture(scope="module")
    def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
        """A copy of the repository, for one mutant after the other."""
        copy = tmp_path_factory.mktemp("mutants") / "copy"
        for folder in ("execution", "tests"):
            shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        yield copy
        shutil.rmtree(copy)

    @pytest.mark.parametrize("provider", FOLDERS)
    @pytest.mark.timeout(900)
    def test_without_a_mistake_the_suite_passes(copy: Path, provider: str) -> None:
        """Else a failure says nothing of the mutant."""
        ran = _conformed(copy, provider)
        assert ran.returncode == 0, ran.stdout[-4000:]

    @pytest.mark.parametrize("mutant", mutants(), ids=str)
    @pytest.mark.timeout(900)
    def test_the_suite_sees_the_mistake(copy: Path, mutant: Mutant, capsys: pytest.CaptureFixture[str]) -> None:
        """It ends with a test that failed, not with code that cannot be run."""
        file, right = copy / mutant.file.relative_to(ROOT), mutant.source
        file.write_text(mutant.mutated, encoding="utf-8")
        try:
            ran = _conformed(copy, mutant.provider)
        finally:
            file.write_text(right, encoding="utf-8")
        assert ran.returncode == FAILED, f"it survives: {KINDS[mutant.kind]}\n{ran.stdout[-2000:]}"
        seen = re.search(r"^FAILED \S+?::(\S+)", ran.stdout, re.M)
        assert seen, ran.stdout[-2000:]
        with capsys.disabled():
            sys.stdout.write(f"\n{mutant!s:<60} {seen[1]}")


def _conformed(copy: Path, provider: str) -> subprocess.CompletedProcess[str]:
    """The conformance suite for a provider in the copy, up to its first failure."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", SUITE, "-k", provider]
    ours = ("PYTEST_", "TILLBOOK_TEST_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=800)
