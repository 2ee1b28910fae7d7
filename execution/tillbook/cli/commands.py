"""How every script meets the world: results, words, exit codes, and a row of activity for each command.

stdout carries the result: tables on a terminal, JSON otherwise or with `--json`. stderr carries words and progress.
"""

from __future__ import annotations

import functools
import gc
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from tillbook.kit.errors import REPORT_HINT, TillbookError, Unavailable, place_of
from tillbook.kit.text import clean

if TYPE_CHECKING:
    from tillbook.till import Till

EXIT_CODES = """Exit codes: 0 done or already done, 1 a bug, 2 usage, 3 refused (change something), 4 unavailable
(nothing happened, run again), 5 uncertain (run_pending.py or exactly the same command), 6 needs a person's approval,
7 discrepancies found."""

_WORDS = {1: "error", 3: "refused", 4: "unavailable", 5: "uncertain", 6: "needs approval"}

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done, with debits and credits; send nothing.")
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="How many to handle at most.")]


def provider_option(words: str) -> Any:
    """`--provider`, with these words in the help: the name of one of PROVIDERS."""
    from tillbook.vendors.providers import PROVIDERS  # noqa: PLC0415  only three scripts have the option

    return typer.Option(help=words, parser=_provider, metavar=f"<{'|'.join(PROVIDERS)}>")


def _provider(name: str) -> str:
    from tillbook.vendors.providers import PROVIDERS  # noqa: PLC0415  only three scripts have the option

    if name not in PROVIDERS:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, PROVIDERS))}.")
    return name


class _Command(TyperCommand):
    """A command that takes no word that is not text, and no empty one where that would mean not to have said it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """An empty word is an unset variable of somebody's shell, never what they meant."""
        for word in args:
            if any("\ud800" <= letter <= "\udfff" for letter in word):
                raise typer.BadParameter(f"{clean(ascii(word))} is not UTF-8 text.")
        rest: list[str] = super().parse_args(ctx, args)
        for option in self.params:
            if ctx.params.get(option.name) == "" and _means_nothing(option) and _was_given(ctx, option.name):
                raise typer.BadParameter(f"{option.opts[0]} is empty; give it a value, or leave it out.")
        return rest


def _means_nothing(option: Any) -> bool:
    """Whether an empty value would be the same as none."""
    return bool(option.required or option.default == "")


def _was_given(ctx: Any, name: str | None) -> bool:
    """Whether a person wrote it, and it is not the default."""
    return bool(ctx.get_parameter_source(name).name == "COMMANDLINE")


class _Program(typer.Typer):
    """A script's app. Called, as a script or an entry point does, it has the process for itself."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # What was imported lives as long as the process. Without this the collector walks through all of it again,
        # above all when the process ends: a tenth of the time of a command that only looks.
        gc.freeze()
        return super().__call__(*args, **kwargs)


def command(main: Callable[..., Any], *, looks: bool = False, founds: bool = False) -> typer.Typer:
    """Turn a script's `main` into its Typer app.

    One that only `looks` at the ledger works while nobody can write to it. One that `founds` makes a new ledger.
    A parameter named `till` is not an option: it gets the open till, or with `--dry-run` one that sends nothing. What
    `main` returns is printed. A field `exit_code` in it is the script's exit code.
    """
    app = _Program(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    options = _options(main)
    wants_till = "till" in inspect.signature(main).parameters

    @functools.wraps(main)
    def run(*, as_json: bool, **options: Any) -> None:
        with _told():
            result = _with_till(main, options, looks=looks, founds=founds) if wants_till else main(**options)
            if result is not None:
                show(result, as_json=as_json)
            raise typer.Exit(getattr(result, "exit_code", 0))

    run.__signature__ = inspect.Signature([*options, _JSON])  # type: ignore[attr-defined]  # Typer reads it
    run.__annotations__ = {option.name: option.annotation for option in (*options, _JSON)}
    del run.__wrapped__
    app.command(cls=_Command, epilog=EXIT_CODES)(run)
    return app


def look(main: Callable[..., Any]) -> typer.Typer:
    """Turn a script's `main` that only looks at the ledger into its Typer app."""
    return command(main, looks=True)


def found(main: Callable[..., Any]) -> typer.Typer:
    """Turn the `main` of the script that makes a new ledger into its Typer app."""
    return command(main, founds=True)


_JSON = inspect.Parameter(
    "as_json",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--json", help="JSON on stdout, also on a terminal.")],
)


def _options(main: Callable[..., Any]) -> list[inspect.Parameter]:
    """Its parameters but `till`, with their annotations evaluated (those of `till` and the result need not exist)."""
    return [
        parameter.replace(annotation=eval(parameter.annotation, main.__globals__))  # noqa: S307  our own annotations
        for name, parameter in inspect.signature(main).parameters.items()
        if name != "till"
    ]


def show(result: Any, *, as_json: bool) -> None:
    """Print a result: a dataclass or a dict of texts, numbers, Money and lists of the same."""
    plain = as_plain(result)
    if as_json or not sys.stdout.isatty():
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        from tillbook.cli.display import show_on_terminal  # noqa: PLC0415  rich is slow to import

        show_on_terminal(plain)


def as_plain(value: Any) -> Any:
    """A result as JSON knows it: Money as {"minor", "currency"}, texts without control characters, no `exit_code`."""
    if _is_money(value):
        return {"minor": value.minor, "currency": value.currency}
    if is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in fields(value) if field.name != "exit_code")
        return {name: as_plain(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    return clean(value) if isinstance(value, str) else value


def _is_money(value: Any) -> bool:
    """Whether it is Money, told without importing its module for a result that holds none (start-up time)."""
    money = sys.modules.get("tillbook.kit.money")
    return money is not None and isinstance(value, money.Money)


def say(text: str) -> None:
    """Words for the person, on stderr."""
    typer.echo(clean(text), err=True)


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr where somebody looks, silence elsewhere. Yields a function that moves it on."""
    if not sys.stderr.isatty() or total < 2:  # noqa: PLR2004
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415  rich is slow to import
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda steps: bar.advance(task, steps)


def _with_till(main: Callable[..., Any], options: dict[str, Any], *, looks: bool, founds: bool) -> Any:
    """Run a step in an open till. Its row of activity is written whatever happens, also in a dry run.

    A step that only looks goes without its row while the disk is full or somebody else is writing.
    """
    from tillbook.till import open_till  # noqa: PLC0415  after the settings' errors have their words

    till = open_till(founds=founds)
    if till.is_new:
        say(f"A new ledger was made: {till.settings.ledger}")
    if looks:
        till.ledger.never_wait()
    try:
        with _activity(till, Path(sys.argv[0]).stem, options, must_be_written=not looks) as note:
            run = _try_out if options.get("dry_run") else _carry_out
            result = run(main, till, options)
            note(getattr(result, "exit_code", 0))
            return result
    finally:
        till.close()


def _carry_out(main: Callable[..., Any], till: Till, options: dict[str, Any]) -> Any:
    return main(till=till, **options)


def _try_out(main: Callable[..., Any], till: Till, options: dict[str, Any]) -> dict[str, Any]:
    """The step on a ledger that forgets: its result, with what would be sent and what would be posted."""
    bench, dry_run = till.for_dry_run()
    with closing(bench):
        before = bench.ledger.facts.last_entry()
        result = main(till=bench, **options)
        entries = [
            {
                "account": row["account"],
                "invoice": row["invoice"],
                "amount": {"minor": row["amount_minor"], "currency": row["currency"]},
            }
            for row in bench.ledger.facts.lines_after(before)
        ]
    plan = {"dry_run": True, "plan": dry_run.plan, "mails": dry_run.mails, "entries": entries}
    return {**as_plain(result), **plan}


@contextmanager
def _activity(
    till: Till, script: str, options: dict[str, Any], *, must_be_written: bool
) -> Iterator[Callable[[int], None]]:
    needed = nullcontext() if must_be_written else suppress(Unavailable)
    row = 0
    with needed, till.ledger.transaction():
        row = till.ledger.activity.begin(script, options, till.asked_by, till.clock.now())
    ended = (1, "interrupted")

    def note(exit_code: int) -> None:
        nonlocal ended
        ended = (exit_code, "done")

    try:
        yield note
    except TillbookError as error:
        ended = (error.exit_code, error.message)
        raise
    except Exception as error:
        ended = (1, type(error).__name__)
        raise
    finally:
        with needed, till.ledger.transaction():
            till.ledger.activity.end(row, *ended, till.clock.now())


@contextmanager
def _told() -> Iterator[None]:
    """Errors as words on stderr and the right exit code, never a traceback, which could show a secret."""
    try:
        yield
    except typer.Exit:
        raise
    except TillbookError as error:
        _end(_WORDS[error.exit_code], error.message, error.hint, error.exit_code)
    except KeyboardInterrupt:
        _end("stopped", "interrupted; what was begun is in the ledger", "Run the same command again.", 130)
    except BrokenPipeError:
        raise typer.Exit(0) from None
    except Exception as error:  # noqa: BLE001  the last resort: a bug still gets its words and its exit code
        _end("bug", f"{type(error).__name__} at {place_of(error)}", REPORT_HINT, 1)


def _end(kind: str, message: str, hint: str, exit_code: int) -> NoReturn:
    from tillbook.kit.cards import mask_card_numbers  # noqa: PLC0415

    say(f"{kind}: {mask_card_numbers(message)}")
    if hint:
        say(f"  {hint}")
    raise typer.Exit(exit_code)
