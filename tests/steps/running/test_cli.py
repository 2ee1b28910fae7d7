"""How every script meets the world: help, exit codes, JSON or tables, no secret, no escape, no slow import."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from helpers.ledgers import operation_states, rows
from helpers.sale import SCRIPTS, Shop
from tillbook import cli

STEPS = sorted(path.stem for path in SCRIPTS.glob("*.py"))
CHANGES_NOTHING = {"receive_webhooks", "run_simulator", "run_demo", "show_payment", "check_setup", "back_up_ledger"}
CARD = "4242424242424242"
CODES = ("0 done", "1 a bug", "2 usage", "3 refused", "4 unavailable", "5 uncertain", "6 needs", "7 discrepancies")


def help_of(script: str) -> str:
    module = __import__(script)
    result = CliRunner().invoke(module.app, ["--help"])
    assert result.exit_code == 0
    return " ".join(result.stdout.split())


@pytest.mark.parametrize("script", STEPS)
def test_every_help_has_the_exit_codes(script: str) -> None:
    """--help of every script explains 0 to 7 and --json."""
    text = help_of(script)
    for code in CODES:
        assert code in text
    assert "--json" in text


@pytest.mark.parametrize("script", sorted(set(STEPS) - CHANGES_NOTHING))
def test_every_step_that_changes_something_can_be_tried_out(script: str) -> None:
    """--dry-run is there wherever something is changed."""
    assert "--dry-run" in help_of(script)


@pytest.mark.parametrize("script", STEPS)
def test_g3_no_script_takes_a_secret(script: str) -> None:
    """A secret on a command line is in `ps` and in the shell's history."""
    text = help_of(script).lower()
    for word in ("--key", "--secret", "--token", "--password"):
        assert word not in text


@pytest.mark.parametrize("script", ["create_invoice", "show_payment", "run_demo", "run_simulator"])
def test_help_from_another_folder_in_a_process(shop: Shop, script: str) -> None:
    """A direct run works from any folder."""
    ran = shop.start(script, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "Exit codes" in ran.out


# -- a terminal ------------------------------------------------------------------------------------


def on_a_terminal(script: str, *arguments: str) -> tuple[int, str]:
    """Run a script with a terminal as stdout: its exit code and what appeared."""
    master, slave = pty.openpty()
    command = [sys.executable, str(SCRIPTS / f"{script}.py"), *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160"}
    with subprocess.Popen(
        command, stdout=slave, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment
    ) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # the other end was closed: this is how Linux says so
                break
            if not part:
                break
            shown += part
    os.close(master)
    return process.returncode, shown.decode()


def test_a_terminal_shows_a_panel_and_a_table(shop: Shop) -> None:
    """A person sees boxes and amounts with their currency, not JSON."""
    shop.finished()
    assert shop.run("connect_quickbooks").code == 0
    code, shown = on_a_terminal("show_payment", "INV-1001")
    assert code == 0
    assert "60.00 USD" in shown
    assert '"chain"' not in shown
    code, shown = on_a_terminal("check_setup")
    assert code == 0
    assert "┏" in shown
    assert '"checks"' not in shown


def test_a_panel_for_a_single_result(shop: Shop) -> None:
    """A result without lists is one panel."""
    shop.invoiced()
    code, shown = on_a_terminal("create_invoice", shop.order())
    assert code == 0
    assert "╭" in shown
    assert "quickbooks id" in shown
    assert "60.00 USD" in shown


def test_json_on_a_terminal_when_asked_for(shop: Shop) -> None:
    """--json forces JSON there too, without colours."""
    shop.invoiced()
    code, shown = on_a_terminal("show_payment", "INV-1001", "--json")
    assert code == 0
    assert "\x1b" not in shown
    assert json.loads(shown)["chain"][0]["what"] == "order"


# -- text from outside -----------------------------------------------------------------------------

ESCAPES = "Evil\x1b]52;c;Y3VybA==\x07\x1b[2J\u202eDTL\u200b\x9b31m Ltd"


def disguised(shop: Shop) -> None:
    """A customer whose name holds terminal escapes and a direction mark, as QuickBooks could deliver one."""
    shop.finished()
    with shop.till.ledger.transaction():
        (row,) = shop.till.ledger.sales.customers_by_email("grace@example.com")
        shop.till.ledger.sales.save_customer(**{**row, "name": ESCAPES})


def test_g7_no_escape_reaches_stdout_as_json(shop: Shop) -> None:
    """No control character and no invisible one in what is printed. The letters stay."""
    disguised(shop)
    ran = shop.spawn("show_payment", "INV-1001")
    assert ran.code == 0
    assert "Evil" in ran.out
    for character in "\x1b\x07\x9b\u202e\u200b":
        assert character not in ran.out
        assert json.dumps(character)[1:-1] not in ran.out


def test_g7_no_escape_reaches_a_terminal(shop: Shop) -> None:
    """Our own colours may, what the name brought may not."""
    disguised(shop)
    _, shown = on_a_terminal("show_payment", "INV-1001")
    assert "Evil" in shown
    for forbidden in ("\x1b]52", "\x07", "\x1b[2J", "\x9b", "\u202e", "\u200b"):
        assert forbidden not in shown


def test_g7_no_escape_reaches_stderr(shop: Shop) -> None:
    """A hostile argument is repeated in an error without its escapes."""
    ran = shop.spawn("show_payment", "x\x1b[2J\u202ey")
    assert ran.code == 3
    for character in "\x1b\u202e":
        assert character not in ran.err


def holds(folder: Path, text: str, *, but: str = "") -> list[str]:
    """The files below a folder that hold a text, in any encoding of digits."""
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and path.name != but and text.encode() in path.read_bytes()
    ]


def test_g8_a_card_number_is_nowhere(shop: Shop) -> None:
    """Refused in an order, given as an argument by mistake: not in the ledger, its WAL, stdout or stderr."""
    order = shop.order(memo=f"Please use {CARD}")
    runs = [shop.spawn("create_invoice", order)]
    runs += [shop.spawn(script, CARD) for script in ("show_payment", "create_checkout", "send_invoice")]
    runs.append(shop.spawn("create_invoice", f"{CARD}.json"))
    runs.append(shop.spawn("post_to_books", "--again", CARD))
    for ran in runs:
        assert ran.code == 3
        assert CARD not in ran.out + ran.err
    assert holds(shop.home, CARD, but=Path(order).name) == []
    assert holds(shop.home, "not to be found") == []


def test_g1_no_secret_is_in_what_is_printed_or_kept(shop: Shop) -> None:
    """Keys are in no output and not in the ledger, also when the vendor refuses them."""
    secret = "sk_test_" + "canary" * 4
    ran = shop.spawn("poll_events", STRIPE_SECRET_KEY=secret)
    assert ran.code == 3
    assert "canary" not in ran.out + ran.err
    assert holds(shop.home, "canary") == []


# -- failures --------------------------------------------------------------------------------------


def test_a_bug_is_exit_1_with_its_place_and_no_traceback() -> None:
    """What nobody foresaw: the kind and the place of the error, never its values."""

    @cli.command
    def app() -> None:
        """A step with a bug."""
        secret = "sk_test_canary"
        raise ZeroDivisionError(secret)

    result = CliRunner().invoke(app, [])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "bug: ZeroDivisionError at test_cli.py:" in result.stderr
    assert "canary" not in result.stderr


def test_ctrl_c_is_130_in_words() -> None:
    """Interrupted: what was begun is in the ledger, and the command may be run again."""

    @cli.command
    def app() -> None:
        """A step that is stopped."""
        raise KeyboardInterrupt

    result = CliRunner().invoke(app, [])
    assert (result.exit_code, result.stdout) == (130, "")
    assert "Run the same command again" in result.stderr


def test_f18_ctrl_c_in_the_middle_of_a_call(shop: Shop) -> None:
    """A real process, waiting for QuickBooks: Ctrl-C ends it in words, and the same command finishes the work."""
    order = shop.order()
    shop.fail("quickbooks", "*/invoice", "slow", method="POST", times=1, seconds=30)
    command = [sys.executable, str(SCRIPTS / "create_invoice.py"), order]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            while not any(row["path"].endswith("/invoice") for row in shop.requests("quickbooks", "POST")):
                assert process.poll() is None
                if "sent" in operation_states(shop.till.settings.ledger) and shop.books("Invoice"):
                    break
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    for _ in range(2):
        shop.later(60)
        ended = shop.run("create_invoice", order)
    assert ended.code == 0, ended.err
    assert len(shop.books("Invoice")) == 1


def test_a_reader_that_went_away_is_no_failure(shop: Shop) -> None:
    """`show_payment | head -1` closes the pipe early: no traceback."""
    shop.finished()
    line = f"{sys.executable} {SCRIPTS / 'show_payment.py'} INV-1001 | true"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, timeout=30)
    assert "Traceback" not in done.stderr


def test_every_command_leaves_a_row_of_activity(shop: Shop) -> None:
    """Script, arguments, outcome and exit code, for failures too."""
    shop.spawn("process_inbox")
    shop.spawn("create_checkout", "INV-404")
    asked = "select script, exit_code from activity order by id desc limit 2"
    assert sorted(rows(shop.till.settings.ledger, asked)) == [("create_checkout", 3), ("process_inbox", 0)]


def test_the_app_is_a_typer_app() -> None:
    """Entry points name `script:app`."""
    assert all(isinstance(__import__(script).app, typer.Typer) for script in STEPS)


# -- start-up --------------------------------------------------------------------------------------

SLOW = ("stripe", "quickbooks", "intuitlib", "requests", "rich", "pydantic", "jinja2", "starlette", "dotenv", "uvicorn")


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [(["show_payment", "INV-1001"], SLOW), (["process_inbox"], SLOW), (["send_messages"], SLOW)],
)
def test_start_up_imports_no_vendor(shop: Shop, arguments: list[str], unwanted: tuple[str, ...]) -> None:
    """A step that asks nobody imports no vendor SDK, no rich, no web framework, and no dotenv without a file; what was
    imported is kept from the collector."""
    shop.finished()
    driver = (
        "import gc, sys, runpy\n"
        "before = set(sys.modules)\n"
        f"sys.argv = {arguments!r}\n"
        "try:\n"
        f"    runpy.run_path({str(SCRIPTS / (arguments[0] + '.py'))!r}, run_name='__main__')\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code, ended.code\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        f"sys.stderr.write(' '.join(sorted(names & set({unwanted!r}))))\n"
        "assert gc.get_freeze_count() > 0\n"
    )
    environment = {**os.environ, "TILLBOOK_ENV": os.devnull, "PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run(
        [sys.executable, "-c", driver],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env=environment,
    )
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("refund_payment", ("INV-1001", "--amount", "")),
        ("refund_payment", ("INV-1001", "--amount=")),
        ("refund_payment", ("INV-1001", "--reference", "")),
        ("refund_payment", ("",)),
        ("reconcile_payments", ("--accept", "", "--because", "")),
        ("post_to_books", ("--again", "")),
        ("show_payment", ("\udcff",)),
    ],
)
def test_an_empty_word_is_never_what_was_meant(shop: Shop, script: str, arguments: tuple[str, ...]) -> None:
    """An unset variable of a shell must not give back everything: usage, exit 2, and nothing was done."""
    shop.finished()
    before = shop.requests()
    ran = shop.run(script, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "is empty" in ran.err or "not UTF-8" in ran.err
    assert shop.requests() == before


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
@pytest.mark.parametrize(
    "script", ["reconcile_payments", "run_pending", "check_setup", "show_payment", "back_up_ledger"]
)
def test_a_ledger_that_should_be_there_is_not_made_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, left: str
) -> None:
    """With real accounts a lost ledger, or another user's home, is refused: nothing would be proven against nothing."""
    home = tmp_path / "another"
    home.mkdir()
    if left == "an empty file":
        (home / "ledger.db").touch()
    for name, value in {
        "TILLBOOK_HOME": str(home),
        "TILLBOOK_MODE": "test",
        "STRIPE_SECRET_KEY": "sk_test_x",
        "QUICKBOOKS_CLIENT_ID": "x",
        "QUICKBOOKS_CLIENT_SECRET": "x",
    }.items():
        monkeypatch.setenv(name, value)
    ran = shop.run(script, *{"show_payment": ["INV-1001"], "back_up_ledger": [str(home / "copy.db")]}.get(script, []))
    assert (ran.code, ran.out) == (3, "")
    assert "there is no ledger" in ran.err
    assert "connect_quickbooks.py" in ran.err
    assert not (home / "ledger.db").exists() or (home / "ledger.db").stat().st_size == 0
