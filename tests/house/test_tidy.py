"""The house rules. Each test walks the tree and says how to mend what it finds."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

ROOT = Path(__file__).parents[2]
EXECUTION = ROOT / "execution"
PACKAGE = EXECUTION / "tillbook"
TESTS = ROOT / "tests"

# The one ordered list of rooms: a room may use those above it in this list, and its own files. Rooms that share a line
# do not know each other. Every import counts: those inside functions too, and those for type checkers.
ROOMS: tuple[tuple[str, ...], ...] = (
    ("kit",),
    ("rules",),
    ("ledger",),
    ("recording",),
    ("operations",),
    ("vendors",),
    ("till",),
    ("money_in",),
    ("sales",),
    ("refunds",),
    ("books",),
    ("letters",),
    ("web",),
    ("proof",),
    ("cli",),
)
# What a room may not use although it stands above: a door to the outside knows nothing of our memory.
BARRED = {"vendors": ("ledger", "recording")}
PURE = "rules"
SIMULATOR = EXECUTION / "simulator"
STARTS_THE_SIMULATOR = ("run_simulator.py", "run_demo.py")
MOST_FILES = 12
OURS = ("tillbook", "simulator")
_NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# What a pure room may not even import: it would know the time, chance, the machine or the network.
IMPURE = frozenset(
    {
        "os",
        "io",
        "time",
        "random",
        "secrets",
        "socket",
        "ssl",
        "subprocess",
        "threading",
        "asyncio",
        "tempfile",
        "shutil",
        "pathlib",
        "sqlite3",
        "http",
        "urllib",
        "logging",
        "sys",
    }
)
READS_TIME = re.compile(
    r"\btime\.(time|time_ns|monotonic|perf_counter|sleep)\b|\bdatetime\.(now|utcnow|today)\b|\bdate\.today\b"
    r"|\b(gmtime|localtime)\(\)|CURRENT_(TIMESTAMP|TIME|DATE)\b|\bdatetime\('now'",
    re.IGNORECASE,
)
SQL = re.compile(
    r"\b(select\b.+\bfrom|insert\s+into|update\b.+\bset|delete\s+from|create\s+table|pragma)\b\s", re.I | re.S
)
QUICKBOOKS_QUERIES = "vendors/quickbooks/query.py"  # QuickBooks' own query language; this file is its one encoder

# Every float of the product that is not in the simulator, with the reason why it is none of money.
FLOATS = {
    "kit/settings.py": "seconds of a time-out",
    "kit/clock.py": "seconds of the monotonic clock",
    "kit/retries.py": "seconds to wait",
    "kit/errors.py": "seconds to wait",
    "web/commit.py": "seconds to wait",
    "web/limits.py": "seconds to wait",
    "web/receiver.py": "seconds to wait",
    "web/server.py": "seconds to wait",
    "run_demo.py": "seconds between two attempts",
    "vendors/smtp.py": "seconds of a time-out",
    "vendors/quickbooks/errors.py": "seconds to wait",
    "vendors/errors.py": "seconds to wait",
    "vendors/http.py": "seconds of a time-out",
    "vendors/exchange.py": "seconds of a time-out",
}


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def _product() -> list[Path]:
    return sorted(EXECUTION.rglob("*.py"))


def _ours() -> list[Path]:
    """The product without the simulator, which plays other people's systems."""
    return [file for file in _product() if not file.is_relative_to(SIMULATOR)]


def _place(file: Path) -> str:
    """A file as these tests name it: from its package, from `execution`, or from the top."""
    for folder in (PACKAGE, EXECUTION, ROOT):
        if file.is_relative_to(folder):
            return str(file.relative_to(folder))
    raise AssertionError(f"{file} is elsewhere")


def _room(file: Path) -> str:
    """The room that a file of the package belongs to: its folder, or its own name."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _floor(room: str) -> int:
    """How far down the list a room stands; it may use what stands above."""
    return next(floor for floor, rooms in enumerate(ROOMS) if room in rooms)


def _files_of(room: str) -> list[Path]:
    return [file for file in PACKAGE.rglob("*.py") if _room(file) == room]


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every module that is imported anywhere in a file: its line and its dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: import by the whole name, not relatively"
            yield node.lineno, node.module or ""
            if node.module == "tillbook":
                yield from ((node.lineno, f"tillbook.{alias.name}") for alias in node.names)


def _modules(file: Path) -> set[str]:
    return {name for _, name in _imports(_tree(file))}


def _may_use(room: str, other: str) -> bool:
    return _floor(other) < _floor(room) and other not in BARRED.get(room, ())


def _wrong_arrows(room: str, tree: ast.AST) -> list[str]:
    """The imports of a file in `room` that the list of rooms does not allow."""
    named = ((line, name, name.split(".")) for line, name in _imports(tree))
    return [
        f"line {line}: {room} may not use {name}"
        for line, name, parts in named
        if parts[0] == "tillbook" and len(parts) > 1 and parts[1] != room and not _may_use(room, parts[1])
    ]


def _found(files: list[Path], look: Callable[[ast.AST], bool]) -> list[str]:
    """Where a look is true, as file:line."""
    return [
        f"{_place(file)}:{getattr(node, 'lineno', 0)}" for file in files for node in ast.walk(_tree(file)) if look(node)
    ]


def _lines(files: list[Path], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{_place(file)}:{number} {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


# -- rooms and arrows ----------------------------------------------------------------------------------


def test_every_room_is_in_the_list() -> None:
    """A new room gets its place in ROOMS and in ARCHITECTURE.md."""
    rooms = {_room(file) for file in PACKAGE.rglob("*.py")} - {"__init__"}
    assert rooms == {room for rooms in ROOMS for room in rooms}


@pytest.mark.parametrize("room", [room for rooms in ROOMS for room in rooms])
def test_arrows_point_one_way(room: str) -> None:
    """A room uses the rooms above it in ROOMS: move the rule up the list, or the call down."""
    wrong = [f"{_place(file)} {arrow}" for file in _files_of(room) for arrow in _wrong_arrows(room, _tree(file))]
    assert wrong == []


WRONG_ARROWS = {
    "at the top": "from tillbook.sales import invoices",
    "inside a function": "def step():\n    from tillbook.sales import invoices",
    "for type checkers": "if TYPE_CHECKING:\n    from tillbook.sales.invoices import Issued",
    "of the package": "from tillbook import sales",
    "as a whole module": "import tillbook.sales.invoices",
    "barred by name": "import tillbook.ledger",
}


@pytest.mark.parametrize("source", WRONG_ARROWS.values(), ids=list(WRONG_ARROWS))
def test_a_wrong_arrow_is_seen_wherever_it_stands(source: str) -> None:
    """The test above would fail for each of these in a file of `vendors`."""
    assert len(_wrong_arrows("vendors", ast.parse(source))) == 1
    assert _wrong_arrows("cli", ast.parse(source)) == []


@pytest.mark.parametrize("file", _files_of(PURE), ids=_place)
def test_pure_rooms_know_values_only(file: Path) -> None:
    """A rule imports the standard library's pure parts, rules and kit: pass what it needs as a value."""
    modules = _modules(file)
    foreign = {name for name in modules if name.split(".")[0] not in {*sys.stdlib_module_names, "tillbook"}}
    assert foreign == set(), "a pure room needs no library: move the call to a door"
    assert {name for name in modules if name.split(".")[0] in IMPURE} == set(), "pass the value in instead"
    assert {name for name in modules if name in ("tillbook.kit.clock", "tillbook.kit.settings")} == set()
    assert not _found([file], lambda node: isinstance(node, ast.Name) and node.id in ("open", "print", "input"))


def test_the_package_never_imports_a_script() -> None:
    """What two scripts need moves into the package; neither it nor the simulator reaches up."""
    scripts = {file.stem for file in EXECUTION.glob("*.py")}
    wrong = [
        f"{_place(file)} imports {name}"
        for file in [*PACKAGE.rglob("*.py"), *SIMULATOR.rglob("*.py")]
        for name in _modules(file)
        if name.split(".")[0] in scripts
    ]
    assert wrong == []


def test_the_simulator_shares_no_rule_with_the_rest() -> None:
    """It may not prove our rules by our rules: it imports itself only, and only two scripts start it."""
    inside = {name.split(".")[0] for file in SIMULATOR.rglob("*.py") for name in _modules(file)}
    assert "tillbook" not in inside, "write the vendor's own rule in the simulator instead"
    users = {file.name for file in _ours() if "simulator" in {name.split(".")[0] for name in _modules(file)}}
    assert users <= set(STARTS_THE_SIMULATOR), "the product must not know whether a vendor is simulated"


# -- one place for each thing --------------------------------------------------------------------------


def test_only_the_clock_reads_time() -> None:
    """Ask `till.clock`: a simulated world has its own time. The simulator asks World.now()."""
    allowed = {"kit/clock.py", "simulator/world.py"}
    files = [*_product(), *PACKAGE.rglob("*.sql")]
    assert _lines([file for file in files if _place(file) not in allowed], READS_TIME) == []


def test_only_the_ledger_speaks_sql() -> None:
    """Write a named query in ledger/queries/ and a method beside it. (The World is the simulator's own store.)"""
    allowed = ("ledger/", "simulator/world.py", "simulator/quickbooks/", QUICKBOOKS_QUERIES)
    assert [where for where, _ in _sql_texts() if not where.startswith(allowed)] == []
    users = {_place(file) for file in _product() if "apsw" in _modules(file)}
    assert {place for place in users if not place.startswith("ledger/")} <= {"simulator/world.py"}


def test_no_query_is_built_from_strings() -> None:
    """A value goes into a query as a parameter (`:name`), never by an f-string, + or format."""
    assert [where for where, built in _sql_texts() if built and not where.startswith(QUICKBOOKS_QUERIES)] == []


def _sql_texts() -> Iterator[tuple[str, bool]]:
    """Texts that look like SQL, docstrings apart: where, and whether values are put into them."""
    for file in _product():
        tree = _tree(file)
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value.strip()):
                parent = parents[node]
                if not isinstance(parent, ast.Expr):
                    built = isinstance(parent, ast.JoinedStr | ast.BinOp | ast.Attribute)
                    yield f"{_place(file)}:{node.lineno}", built


def test_only_settings_read_the_environment() -> None:
    """Add a setting to settings.NAMES and .env.example. (run_demo.py hands a clean one to its processes.)"""
    allowed = {"kit/settings.py", "run_demo.py"}
    pattern = re.compile(r"\bos\.(environ|getenv|putenv)\b|from os import .*environ|dotenv")
    assert _lines([file for file in _product() if _place(file) not in allowed], pattern) == []


def test_a12_signatures_are_compared_in_constant_time() -> None:
    """Compare signatures, digests and tokens with hmac.compare_digest, never with == or `in`."""
    secret = re.compile(r"signature|digest|hmac|(?<!params_)\bmac\b|secret|\bstate\b.*\bgiven\b", re.I)
    compares = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)

    def leaks(node: ast.AST) -> bool:
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], compares):
            return False
        sides = [node.left, *node.comparators]
        plain = any(isinstance(side, ast.Constant) for side in sides)
        return not plain and any(secret.search(ast.unparse(side)) for side in sides)

    assert _found(_ours(), leaks) == []
    assert _found(_files_of("vendors"), lambda node: _names(node, "compare_digest")) != []


def _names(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name


# -- size and words ------------------------------------------------------------------------------------


def test_functions_are_short() -> None:
    """At most 70 lines: give a part of it a name of its own."""

    def is_long(node: ast.AST) -> bool:
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        return function and (node.end_lineno or 0) - node.lineno >= 70  # type: ignore[attr-defined]  # it is a function

    assert _found([*_product(), *TESTS.rglob("*.py")], is_long) == []


def test_files_are_about_one_idea() -> None:
    """At most 400 lines, tests 600: move one of its ideas to a file of its own."""
    limits = [*((file, 400) for file in _product()), *((file, 600) for file in TESTS.rglob("*.py"))]
    long = {
        _place(file): len(file.read_text(encoding="utf-8").splitlines()) for file, limit in limits if _over(file, limit)
    }
    assert long == {}


def _over(file: Path, limit: int) -> bool:
    return len(file.read_text(encoding="utf-8").splitlines()) > limit


def test_no_folder_is_crowded() -> None:
    """A folder lists at most twelve files: give a part of them a folder of its own. Only the counter has more."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = Counter(str(Path(name).parent) for name in tracked if not name.endswith("__init__.py"))
    assert {folder: number for folder, number in folders.items() if number > MOST_FILES and folder != "execution"} == {}


def test_every_module_says_what_it_is_for() -> None:
    """A module says in its docstring what it is for."""
    assert [_place(file) for file in [*_product(), *TESTS.rglob("*.py")] if not ast.get_docstring(_tree(file))] == []


def test_every_public_name_has_its_sentence() -> None:
    """Say in plain words what it is, its units and what it raises. What a library calls is described by the library."""
    silent = [
        f"{_place(file)}:{node.lineno} {node.name}"
        for file in PACKAGE.rglob("*.py")
        for node in _public(_tree(file), _foreign(_tree(file)))
        if not ast.get_docstring(node)
    ]
    assert silent == []


def _foreign(tree: ast.Module) -> set[str]:
    """The names that a file takes from libraries."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").split(".")[0] not in {*OURS, *sys.stdlib_module_names}
        for alias in node.names
    }


def _public(
    body: ast.Module | ast.ClassDef, foreign: set[str]
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions and classes, and their methods, except those of a class that a library's class stands behind."""
    for node in body.body:
        if isinstance(node, _NAMED) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef) and not {ast.unparse(base) for base in node.bases} & foreign:
                yield from _public(node, foreign)


def test_a_sentence_of_the_package_has_one_idea() -> None:
    """Two sentences say it better than a semicolon, and what `the same` is a reader has not met yet."""
    wrong = [
        f"{_place(file)}:{getattr(node, 'lineno', 1)}"
        for file in (*PACKAGE.rglob("*.py"), *EXECUTION.glob("*.py"))
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Module | _NAMED) and _joined(ast.get_docstring(node) or "")
    ]
    assert wrong == []


def _joined(text: str) -> bool:
    return ";" in text or text.startswith("The same")


def test_comments_say_their_reason() -> None:
    """The code names no entry of a list that stands elsewhere: say the reason. Tests cite docs/failures.md."""
    files = [*_product(), *PACKAGE.rglob("*.sql"), *PACKAGE.rglob("*.html")]
    assert _lines(files, re.compile(r"\([A-F]\d{1,2}(, [A-F]\d{1,2})*\)")) == []


def test_nothing_is_printed_past_the_command_line() -> None:
    """Return a result or use cli.say: stdout carries results only."""
    assert _found(_product(), lambda node: isinstance(node, ast.Call) and ast.unparse(node.func) == "print") == []


def test_d6_no_float_is_near_money() -> None:
    """Amounts are Money, quantities Decimal. A float that measures seconds is listed in FLOATS with its reason."""

    def floats(node: ast.AST) -> bool:
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        return literal or (isinstance(node, ast.Call) and ast.unparse(node.func) == "float")

    with_floats = {_place(file) for file in _ours() if _found([file], floats)}
    assert with_floats <= set(FLOATS), "use Money or Decimal; seconds go into FLOATS with a reason"


def test_the_list_of_floats_is_not_longer_than_needed() -> None:
    """An exception that nobody needs any more is struck out."""
    known = {_place(file): file.read_text(encoding="utf-8") for file in _ours()}
    assert [place for place in FLOATS if not re.search(r"\bfloat\b|\b\d+\.\d", known.get(place, ""))] == []


def test_nothing_is_left_for_later() -> None:
    """Do it, or tell the people who plan: the code holds no reminders."""
    files = [*_product(), *TESTS.rglob("*.py"), *PACKAGE.rglob("*.sql"), *PACKAGE.rglob("*.html")]
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b")
    assert _lines(files, marks) == []


def test_no_error_is_swallowed() -> None:
    """Catch what you expect by its class, and do something about it."""

    def swallows(node: ast.AST) -> bool:
        broad = isinstance(node, ast.ExceptHandler) and (
            node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
        )
        return broad and all(isinstance(line, ast.Pass) for line in node.body)  # type: ignore[attr-defined]  # a handler

    assert _found([*_product(), *TESTS.rglob("*.py")], swallows) == []


def test_every_exception_from_the_checkers_has_its_reason() -> None:
    """`# type: ignore[code]  # why` and `# noqa: CODE`: never for everything, and types never without a reason."""
    wrong = []
    for file in [*_product(), *TESTS.rglob("*.py")]:
        with tokenize.open(file) as source:
            for token in tokenize.generate_tokens(source.readline):
                if token.type == tokenize.COMMENT and not _reasoned(token.string):
                    wrong.append(f"{_place(file)}:{token.start[0]} {token.string}")
    assert wrong == []


def _reasoned(comment: str) -> bool:
    if "type: " + "ignore" in comment:
        return bool(re.search(r"type: ignore\[[\w, -]+\]\s+# \S", comment))
    return "noqa" not in comment or bool(re.search(r"noqa: [A-Z]+\d+", comment))


def test_nothing_names_the_machine_that_it_was_written_on() -> None:
    """A document or a file works in every clone: name no folder of one machine, no tracker's number, no registry."""
    suffixes = {".py", ".md", ".sql", ".toml", ".html", ".txt", ".json"}
    folders = ("execution", "tests", "directives", "skills", "docs")
    files = [file for name in folders for file in (ROOT / name).rglob("*") if file.suffix in suffixes]
    elsewhere = re.compile(
        r"/(wo" + r"rk|ho" + r"me/\w+|ro" + r"ot)/|\bsha" + r"red/|py" + r"pi\.org|\bissue" + r" #?\d"
    )
    assert _lines([*files, *ROOT.glob("*.md"), ROOT / "pyproject.toml", ROOT / "Makefile"], elsewhere) == []


# -- scripts and tests ---------------------------------------------------------------------------------


@pytest.mark.parametrize("script", sorted(EXECUTION.glob("*.py")), ids=lambda file: file.stem)
def test_every_script_is_one_step(script: Path) -> None:
    """verb_noun.py holds a plain function of the same name and a short Typer command, `app`, with help."""
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", script.stem), "name it verb_noun.py"
    module = importlib.import_module(script.stem)
    assert isinstance(module.app, typer.Typer)
    command = typer.main.get_command(module.app)
    assert command.help, "the docstring of `app` is the help"
    assert "Exit codes" in (command.epilog or ""), "make `app` with @cli.command"
    assert callable(getattr(module, script.stem)), "the step itself is a function that other scripts may import"
    unexplained = [param.name for param in command.params if param.name != "port" and not getattr(param, "help", "")]
    assert unexplained == [], "give each option its help"


def test_every_test_has_its_sentence() -> None:
    """A test's docstring says what must be true, in one sentence or a few."""

    def silent(node: ast.AST) -> bool:
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        return function and node.name.startswith("test_") and not ast.get_docstring(node)  # type: ignore[attr-defined,arg-type]  # it is a function

    assert _found(list(TESTS.rglob("*.py")), silent) == []


def test_no_test_is_marked_away() -> None:
    """A test that may fail is no test: mend it, or the code. Skips name a program that the machine lacks."""
    assert _lines(list(TESTS.rglob("*.py")), re.compile(r"pytest\.(mark\.)?xf" + r"ail|mark\.sk" + r"ip\b")) == []
