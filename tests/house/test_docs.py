"""What documents say of the code: every name, file, table and commit in them is there."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from helpers.house import failures_page, operations_table
from helpers.house.documents import ROOT, documents, sections

PACKAGE = ROOT / "execution/tillbook"
ROOMS = {file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in PACKAGE.rglob("*.py")} - {"__init__"}
OUTSIDE = ("execution", "simulator", "tests", "docs", "directives", "skills")
MOST_LINES = {"README.md": 120, "ARCHITECTURE.md": 200, "AGENTS.md": 80}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MOST_LINES)
def test_a_page_that_everybody_reads_is_short(name: str) -> None:
    """People and agents read these before they begin: what is longer goes into docs/ with a link."""
    assert len(_text(name).splitlines()) <= MOST_LINES[name]


@pytest.mark.parametrize("document", documents(), ids=lambda file: file.name)
def test_every_place_that_a_document_names_is_in_the_code(document: Path) -> None:
    """Between backticks, `room/file.py` is a file, `room/` a folder, and `room/file.name` a name of that file."""
    wrong = [place for place in _places(document) if not _exists(place)]
    assert wrong == []


@pytest.mark.parametrize("place", ["rules/entries.balanced_wrongly", "rules/entry.py", "sales/nothing/", "tests/no.py"])
def test_a_place_that_is_not_there_is_seen(place: str) -> None:
    """The test above would fail for each of these."""
    assert not _exists(place)


def _places(document: Path) -> Iterator[str]:
    for quoted in re.findall(r"`([a-z_]+/[\w/.]*)`", document.read_text(encoding="utf-8")):
        if quoted.split("/")[0] in {*ROOMS, *OUTSIDE}:
            yield quoted
    for quoted in re.findall(r"`([a-z_]+\.[\w.]+)`", document.read_text(encoding="utf-8")):
        if (PACKAGE / f"{quoted.partition('.')[0]}.py").is_file():
            yield quoted


def _exists(place: str) -> bool:
    if any((folder / place).exists() for folder in (PACKAGE, ROOT / "execution", ROOT)):
        return True
    path, *names = place.split(".")
    if not any((PACKAGE / f"{path}{end}").is_file() for end in (".py", "/__init__.py")):
        return False
    found: object = importlib.import_module(f"tillbook.{path.replace('/', '.')}")
    for name in names:
        found = getattr(found, name, None)
    return found is not None


def test_every_trigger_and_index_that_a_document_names_is_in_the_schema() -> None:
    """What the database itself refuses is named as it is called there."""
    schema = "".join(file.read_text(encoding="utf-8") for file in PACKAGE.rglob("migrations/*.sql"))
    for document in documents():
        for kind, name in re.findall(r"\b(trigger|index)\s+`(\w+)`", document.read_text(encoding="utf-8")):
            assert re.search(rf"create (unique )?{kind} {name}\b", schema), f"{document.name}: {kind} {name}"


def test_the_architecture_lists_the_rooms_in_their_order() -> None:
    """The table of rooms is the list of test_tidy.ROOMS."""
    tree = ast.parse(_text("tests/house/test_tidy.py"))
    (listed,) = (node.value for node in tree.body if isinstance(node, ast.AnnAssign) and _is_rooms(node.target))
    assert listed is not None
    order = [room for floor in ast.literal_eval(listed) for room in floor]
    assert re.findall(r"^\| `(\w+)` \|", sections(ROOT / "ARCHITECTURE.md")["Rooms"], re.M) == order


def _is_rooms(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "ROOMS"


def test_every_dependency_has_its_sentence() -> None:
    """ARCHITECTURE.md says of each dependency why it is there, and of nothing else."""
    dependencies = tomllib.loads(_text("pyproject.toml"))["project"]["dependencies"]
    wanted = [re.split(r"[<>=]", line)[0] for line in dependencies]
    section = sections(ROOT / "ARCHITECTURE.md")["Dependencies"]
    assert re.findall(r"^\* `([\w-]+)`: ", section, re.M) == wanted


def test_every_library_that_is_imported_is_a_dependency() -> None:
    """What another library happens to bring today may be gone with its next version."""
    declared = tomllib.loads(_text("pyproject.toml"))["project"]["dependencies"]
    wanted = {re.split(r"[<>=]", line)[0] for line in declared}
    ours = {file.stem for file in (ROOT / "execution").iterdir()} | set(sys.stdlib_module_names)
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "execution").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    tops = {name.partition(".")[0] for name in imported} - ours
    assert tops >= {"anyio", "stripe", "urllib3"}
    distributions = packages_distributions()
    assert {top for top in tops if not wanted & {name.lower() for name in distributions[top]}} == set()


def test_the_table_of_operations_is_that_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of operation has its row for each door that carries it out, as the code declares it."""
    monkeypatch.setenv("TILLBOOK_MODE", "test")
    assert operations_table.written() == operations_table.table(), f"run python {operations_table.__file__}"


def test_the_page_of_failures_is_that_of_the_tests() -> None:
    """Every id that a test cites has its sentence and its tests by name; every test named there cites it."""
    stated = {one: names for one, (_, names) in failures_page.stated().items()}
    assert stated == failures_page.cited(), f"run python {failures_page.__file__}"


def test_a_test_cites_by_its_name_and_by_its_docstring() -> None:
    """Ids stand at the head of a name, and anywhere in a docstring."""
    assert failures_page.ids_of("test_c1_c2_a_doubt_b3_ends", "E4: as there.") == {"C1", "C2", "E4"}
    assert failures_page.ids_of("test_a_page", "A page, on 2026-11-27.") == set()


def test_every_commit_that_a_document_names_exists() -> None:
    """`commit` and a hash between backticks is a commit, where the whole history is here: a copy may lack it."""
    named = re.findall(r"\bcommit\s+`([0-9a-f]{7,40})`", _text("CONTRIBUTING.md"))
    assert named, "each thing that is added has a commit to look at"
    if _git("rev-parse", "--is-shallow-repository", "--show-toplevel") == f"false\n{ROOT.resolve()}":
        assert [one for one in named if _git("cat-file", "-t", one) != "commit"] == []


def _git(*words: str) -> str:
    """What git says of this repository, or nothing."""
    try:
        done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
