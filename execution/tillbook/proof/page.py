"""The result of a reconciliation as one HTML page for people: the proofs, what differs, and the command for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tillbook.kit.errors import Refused
from tillbook.kit.text import clean

if TYPE_CHECKING:
    from tillbook.proof.reconcile import Reconciled

_TEMPLATES = Path(__file__).parent / "templates"


def write(file: Path, result: Reconciled) -> None:
    """Write the page. Every value in it is escaped. Raises Refused for a place that cannot be written."""
    pages = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    pages.filters["clean"] = clean
    html = pages.get_template("reconciliation.html").render(result=result)
    try:
        file.write_text(html, encoding="utf-8")
    except OSError as error:
        raise Refused(f"the report {file} cannot be written: {error.strerror}", hint="Name another file.") from error
