"""What documents promise: every command in them is run, every option and link in them exists."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from helpers.house.documents import (
    ROOT,
    SCRIPTS,
    Fence,
    Stage,
    as_text,
    directives,
    documents,
    fences,
    missing_programs,
    results,
    sections,
    value_at,
)
from helpers.running.processes import Processes
from helpers.running.tally import LONG

HEADINGS = ["Goal", "When to use", "Inputs", "Steps", "Outputs", "When it goes wrong", "Practice", "Learnings"]
FRONTMATTER = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
FENCES = {"sh", "sh work", "sh test-mode", "sh live-mode", "ini", "crontab"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHON = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
WITH_COMMANDS = [file for file in documents() if any(fence.info == "sh" for fence in fences(file))]


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.skipif(bool(missing_programs()), reason=f"not on this machine: {', '.join(missing_programs())}")
@pytest.mark.parametrize("document", WITH_COMMANDS, ids=_name)
def test_every_command_works_as_its_document_says(document: Path, tmp_path: Path, processes: Processes) -> None:
    """Each `sh` fence, in its order, ends with the promised exit code and has the promised keys and values.

    In the short form its scripts are copies of a process that has imported everything.
    """
    with Stage.opened(tmp_path, PYTHON if LONG else processes.python()) as stage:
        for fence in fences(document):
            if fence.info == "sh":
                _check(stage, fence)


def _check(stage: Stage, fence: Fence) -> None:
    done = stage.run(fence)
    if done is None:
        assert not fence.promises, f"nothing is run here that could be compared:\n{fence.text}"
        return
    story = f"{fence.text}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == fence.exit_code, f"ended with {done.returncode}, not {fence.exit_code}:\n{story}"
    if not fence.keys:
        return
    result = results(done.stdout)[-1]
    for key, value in fence.keys.items():
        found = as_text(value_at(result, key))
        assert value is None or found == value, f"{key} is {found}, the document says {value}:\n{story}"


@pytest.mark.parametrize("document", documents(), ids=_name)
def test_every_option_that_a_document_names_exists(document: Path) -> None:
    """Every quoted command names a script that exists and options that its help lists, in every mode."""
    for fence in fences(document):
        assert fence.info in FENCES, f"unknown kind of fence {fence.info!r}; say which of {sorted(FENCES)} it is"
        for script, options in _commands(fence.text):
            known = _options(script)
            assert set(options) <= known, f"{script} has {sorted(known)}, not {sorted(set(options) - known)}"
    for quoted in re.findall(r"`python execution/([^`]+)`", document.read_text(encoding="utf-8")):
        script, *words = quoted.split()
        options = [word for word in words if word.startswith("--")]
        assert script == "STEP.py" or set(options) <= _options(script), quoted


def _commands(text: str) -> list[tuple[str, list[str]]]:
    found = []
    for line in text.splitlines():
        if "execution/" in line:
            words = shlex.split(line.replace("ExecStart=", "").split(">>")[0])
            at = next(place for place, word in enumerate(words) if "execution/" in word)
            found.append((Path(words[at]).name, [word for word in words[at:] if word.startswith("--")]))
    return found


def _options(script: str) -> set[str]:
    assert (SCRIPTS / script).is_file(), f"there is no execution/{script}"
    command = get_command(importlib.import_module(script.removesuffix(".py")).app)
    return {"--help", *(option for parameter in command.params for option in parameter.opts)}


@pytest.mark.parametrize("document", [*directives(), ROOT / "directives/_template.md"], ids=_name)
def test_every_directive_has_the_headings_in_order(document: Path) -> None:
    """A reader finds the same headings in every directive, and a title above them. Only Practice may be missing."""
    found = list(sections(document))
    assert found == [heading for heading in HEADINGS if heading != "Practice" or heading in found]
    assert document.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("document", directives(), ids=_name)
def test_every_step_of_a_directive_says_what_to_expect(document: Path) -> None:
    """After each command of a directive stands what it ends with; servers and credentials are the exceptions."""
    for fence in fences(document):
        if fence.info == "sh" and "receive_webhooks.py" not in fence.text:
            assert fence.promises, f"no line `Expect:` below:\n{fence.text}"


@pytest.mark.parametrize("document", directives(), ids=_name)
def test_what_a_person_fills_in_is_practised(document: Path) -> None:
    """Each command of a fence `sh work` is run by a fence of that directive, with the same options."""
    of_kind = {
        kind: {
            (script, *sorted(options))
            for fence in fences(document)
            if fence.info == kind
            for script, options in _commands(fence.text)
        }
        for kind in ("sh", "sh work")
    }
    assert of_kind["sh work"] <= of_kind["sh"]


@pytest.mark.parametrize("document", directives(), ids=_name)
def test_every_directive_says_how_to_see_what_runs(document: Path) -> None:
    """How the simulator is started and how to see what is ready stand before or among the steps."""
    steps = sections(document)["Steps"]
    assert "python execution/run_simulator.py --detach" in steps
    assert "python execution/check_setup.py" in steps


@pytest.mark.parametrize("document", [*directives(), ROOT / "directives/_template.md"], ids=_name)
def test_every_learning_is_dated_and_names_its_test(document: Path) -> None:
    """Learnings are one line each, newest first, and the test that each became exists."""
    lines = [line for line in sections(document)["Learnings"].splitlines() if line.startswith("* ")]
    tests = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    dates = []
    for line in lines:
        found = re.fullmatch(r"\* (\d{4}-\d{2}-\d{2}): .+ `(test_\w+)`", line)
        assert found, f"not of the form '* 2026-11-23: what was learned. `test_name`': {line}"
        assert f"def {found[2]}(" in tests, f"there is no test {found[2]}"
        dates.append(found[1])
    assert lines
    assert dates == sorted(dates, reverse=True)


@pytest.mark.parametrize("skill", sorted(ROOT.glob("skills/*")), ids=_name)
def test_every_skill_can_be_loaded(skill: Path) -> None:
    """A skill's frontmatter has the known keys within their limits; it is short, and holds no scripts."""
    text = (skill / "SKILL.md").read_text(encoding="utf-8")
    head = re.match(r"---\n(.+?)\n---\n", text, re.S)
    assert head, "the file begins with frontmatter between two lines of ---"
    fields = dict(line.split(": ", 1) for line in head[1].splitlines())
    assert fields.keys() <= FRONTMATTER
    assert re.fullmatch(r"[a-z0-9-]{1,64}", fields["name"])
    assert fields["name"] == skill.name
    assert 1 <= len(fields["description"]) <= 1024
    assert len(text.splitlines()) < 500
    others = [file for file in skill.rglob("*") if file.is_file() and file.name != "SKILL.md"]
    assert all(file.parent == skill / "references" and file.suffix == ".md" for file in others)


@pytest.mark.parametrize("document", documents(), ids=_name)
def test_every_link_leads_somewhere(document: Path) -> None:
    """A relative link names a file or folder that is there, and after a # a heading of it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        place, _, anchor = target.partition("#")
        file = (document.parent / place).resolve() if place else document
        assert file.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in _anchors(file), f"{file.name} has no heading for #{anchor}"


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_script_is_an_entry_point() -> None:
    """`create_invoice.py` is installed as `create-invoice`, and nothing else is."""
    scripts = {file.stem for file in SCRIPTS.glob("*.py")}
    assert PROJECT["scripts"] == {name.replace("_", "-"): f"{name}:app" for name in scripts}


def test_every_script_is_used_by_a_directive_or_the_readme() -> None:
    """A step that no document runs would be found by nobody."""
    texts = [fence.text for file in [*directives(), ROOT / "README.md"] for fence in fences(file)]
    unused = [file.name for file in SCRIPTS.glob("*.py") if not any(f"execution/{file.name}" in text for text in texts)]
    assert unused == []


@pytest.mark.parametrize("document", documents(), ids=_name)
def test_every_script_that_a_document_names_exists(document: Path) -> None:
    """Whatever looks like a script between backticks is one."""
    named = re.findall(r"`(?:execution/)?([a-z]+_[a-z_]+\.py)\b", document.read_text(encoding="utf-8"))
    known = {file.name for file in [*SCRIPTS.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]}
    assert set(named) <= known


def test_the_events_to_subscribe_to_are_those_that_mean_something() -> None:
    """Per provider docs/run-it.md names each type of event that a read may follow, and no other."""
    steps = sections(ROOT / "docs/run-it.md")["Test mode: the vendors' own test systems"]
    for provider in ("stripe", "paypal"):
        step = re.split(r"^\d+\. ", steps.partition(f"/webhooks/{provider}`")[2], maxsplit=1, flags=re.M)[0]
        named = re.findall(r"`([a-z]+(?:[._][a-z]+)+|[A-Z]+(?:\.[A-Z]+)+)`", step)
        wanted = importlib.import_module(f"tillbook.vendors.{provider}.webhooks.events").RELEVANT
        assert {name for name in named if not name.endswith(".py")} == set(wanted)


def test_every_discrepancy_has_its_row() -> None:
    """The directive of the nightly proof says of each type what it means and what ends it, and of nothing else."""
    from tillbook.rules.matching import DISCREPANCIES

    outputs = sections(ROOT / "directives/nightly-reconciliation.md")["Outputs"]
    assert set(re.findall(r"^\| `(\w+)`", outputs, re.M)) == {kind for kind, _ in DISCREPANCIES}
