"""Results for a person at a terminal: a panel of the facts, a table for each list. Imported only then.

What a person copies (ids, addresses) is never broken by a border. What is wide goes below, not into a narrow column.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tillbook.kit.money import Money

_GOOD = ("done", "paid", "posted", "sent", "applied", "ok")
_WARNINGS = ("waiting", "open", "unknown", "parked", "processing", "new")
_TROUBLE = ("failed", "refused", "problem")
_COLOURS = {
    **dict.fromkeys(_GOOD, "green"),
    **dict.fromkeys(_WARNINGS, "yellow"),
    **dict.fromkeys(_TROUBLE, "red"),
}
_LONG_WORD = 60
_INDENT = 4


def show_on_terminal(plain: dict[str, Any]) -> None:
    """Print a result as `cli.as_plain` made it."""
    console = Console()
    facts = Table.grid(padding=(0, 2))
    below: list[Text] = []
    for name, value in plain.items():
        label = name.replace("_", " ")
        if _is_long_word(value):
            below.append(Text.assemble((f"{label}: ", "bold"), value))
        elif not _is_table(value):
            facts.add_row(Text(label, style="bold"), _cell(value))
    if facts.row_count:
        console.print(Panel(facts, expand=False, border_style="cyan"))
    for line in below:
        console.print(line, soft_wrap=True)
    for name, value in plain.items():
        if _is_table(value):
            console.print(_LISTS.get(name, _table)(name, value))


# -- lists -----------------------------------------------------------------------------------------


def _table(name: str, rows: list[dict[str, Any]]) -> RenderableType:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=name.replace("_", " "), title_justify="left", title_style="bold")
    for column in columns:
        numeric = all(_is_money(row.get(column)) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_checked(row[column]) if column == "ok" else _cell(row.get(column)) for column in columns))
    return table


def _chain(name: str, links: list[dict[str, Any]]) -> RenderableType:
    """One line for each link, what is known about it below, and an entry's lines below their fact."""
    table = Table.grid(padding=(0, 2))
    table.title, table.title_justify, table.title_style = name, "left", "bold"
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for link in links:
        if link["what"] == "entry":
            table.add_row(_indented(link["detail"]), Text(str(_cell(link["amount"])), style="dim"))
        else:
            head = Text.assemble((link["what"], "bold cyan"), " ", link["id"])
            about = ", ".join(part for part in (_moment(link["at"]), link["detail"]) if part)
            table.add_row(Group(head, _indented(about)), _cell(link["amount"]), _cell(link["status"]))
    return table


def _entries(name: str, rows: list[dict[str, Any]]) -> RenderableType:
    """What a dry run would post: debits and credits in columns of their own."""
    table = Table(title=name, title_justify="left", title_style="bold")
    table.add_column("account")
    table.add_column("invoice")
    table.add_column("debit", justify="right", no_wrap=True)
    table.add_column("credit", justify="right", no_wrap=True)
    for row in rows:
        minor, currency = row["amount"]["minor"], row["amount"]["currency"]
        posted = Text(str(Money(abs(minor), currency)))
        table.add_row(_cell(row["account"]), _cell(row["invoice"]), *((posted, "") if minor > 0 else ("", posted)))
    return table


def _plan(name: str, rows: list[dict[str, Any]]) -> RenderableType:
    """What a dry run would send: each operation, its parameters below."""
    return Group(Text(name, style="bold"), *_steps(rows))


def _steps(rows: list[dict[str, Any]]) -> Iterator[RenderableType]:
    for number, row in enumerate(rows, start=1):
        yield Text.assemble(f"{number}. ", (row["kind"], "bold cyan"), f" {row['subject']} at {row['door']}")
        parameters = Table.grid(padding=(0, 2))
        for key, value in row["params"].items():
            if value not in ("", [], {}, None):
                parameters.add_row(Text(key.replace("_", " "), style="dim"), _cell(value))
        yield Padding(parameters, (0, 0, 0, _INDENT))


_LISTS = {"chain": _chain, "plan": _plan, "entries": _entries}


# -- values ----------------------------------------------------------------------------------------


def _cell(value: Any) -> Text:
    """A value as text, never as markup: it may come from outside."""
    if _is_money(value):
        return Text(str(Money(value["minor"], value["currency"])), no_wrap=True)
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, dict):
        return Text(", ".join(f"{key} {_cell(item)}" for key, item in value.items() if item not in ("", None)))
    if isinstance(value, list):
        return Text("\n".join(str(_cell(item)) for item in value) or "none")
    return Text("" if value is None else str(value), style=_COLOURS.get(value, ""))


def _checked(ok: bool) -> Text:
    return Text("yes", style="green") if ok else Text("no", style="bold red")


def _indented(text: str) -> Padding:
    return Padding(Text(text, style="dim"), (0, 0, 0, _INDENT))


def _moment(at: str) -> str:
    """An RFC 3339 time in UTC, easier to read."""
    return at.replace("T", " ").replace("Z", " UTC")


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _is_long_word(value: Any) -> bool:
    """An address, say: nothing that a line could be broken at without harm."""
    return isinstance(value, str) and len(value) > _LONG_WORD and " " not in value


def _is_money(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"minor", "currency"}
