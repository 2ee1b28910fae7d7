"""Results for a person at a terminal: a panel of the facts, a table for each list. Imported only then."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tillbook.money import Money

_COLOURS = {"done": "green", "paid": "green", "posted": "green", "sent": "green", "applied": "green", "ok": "green"}
_WARNINGS = ("waiting", "open", "unknown", "parked", "processing", "new")
_TROUBLE = ("failed", "refused", "problem")


def show_on_terminal(plain: dict[str, Any]) -> None:
    """Print a result as `cli.as_plain` made it."""
    console = Console()
    facts = Table.grid(padding=(0, 2))
    for name, value in plain.items():
        if not _is_table(value):
            facts.add_row(Text(name.replace("_", " "), style="bold"), _cell(value))
    if facts.row_count:
        console.print(Panel(facts, expand=False, border_style="cyan"))
    for name, value in plain.items():
        if _is_table(value):
            console.print(_table(name, value))


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _table(name: str, rows: list[dict[str, Any]]) -> Table:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=name.replace("_", " "), title_justify="left", title_style="bold")
    for column in columns:
        numeric = all(_is_money(row.get(column)) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column, "")) for column in columns))
    return table


def _cell(value: Any) -> Text:
    """A value as text, never as markup: it may come from outside."""
    if _is_money(value):
        return Text(str(Money(value["minor"], value["currency"])))
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, dict):
        return Text("\n".join(f"{key}: {_cell(item)}" for key, item in value.items()))
    if isinstance(value, list):
        return Text("\n".join(str(_cell(item)) for item in value) or "none")
    return Text("" if value is None else str(value), style=_style(value))


def _style(value: Any) -> str:
    if value in _COLOURS:
        return _COLOURS[value]
    if value in _WARNINGS:
        return "yellow"
    return "red" if value in _TROUBLE else ""


def _is_money(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"minor", "currency"}
