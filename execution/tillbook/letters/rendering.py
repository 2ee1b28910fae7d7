"""Letters: what a message says, from a template of the user's own or of this folder.

`<kind>.txt` holds the subject and the plain text, `<kind>.html` the page for programs that show HTML.
Most commands write no letter, so this file and Jinja2 with it are imported when one is due.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType

import jinja2
from jinja2 import FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tillbook.kit.errors import Refused, TillbookError
from tillbook.kit.text import refuse_unprintable
from tillbook.vendors.smtp import Letter

_PACKAGED = Path(__file__).parent / "templates"


def render(kind: str, context: Mapping[str, object], *, overrides: Path) -> Letter:
    """Fill `<kind>.txt` (its first line is 'Subject: ...') and `<kind>.html`, from `overrides` before the package.

    Every value is plain text that the caller prepared. Amounts have no currency ("60.00"). Every key of the
    kind must be there. Where the table says (empty), '' leaves that part out. So does a zero amount.

    `refund` takes company, customer_name, number, currency, and amount_refunded, refunded_on, refund. `payout` takes
    company, provider, amount, currency, paid_out_on, payout.

        key            invoice  confirmation  owner   what it is
        company           x          x          x     the seller
        customer_name     x          x          x     the buyer
        number            x          x          x     the invoice number
        currency          x          x          x     ISO 4217 code
        lines             x                     x     [{description, quantity, unit_price, amount}], may be []
        subtotal          x                           before discount and tax
        discount          x                           positive (empty)
        tax               x                           sales tax (empty)
        total             x                           what is to be paid
        due               x                           a date
        pay_url           x                           where to pay (empty: a sentence says how it will come)
        memo              x                           the seller's words, may have several lines (empty)
        amount_paid                  x          x     this payment
        paid_on                      x          x     a date
        remaining                    x          x     still open on the invoice (empty: paid in full)
        payment                      x          x     the processor's id of the payment

    The .html templates also get `subject`. Raises Refused naming the file and the line of a template that fails.
    """
    if not kind.isidentifier():
        raise Refused(f"{kind!r} is not the name of a template")
    environment = _environment(overrides)
    subject, text = _text_part(environment, overrides, f"{kind}.txt", context)
    with _named_errors(f"{kind}.html", overrides):
        file, source = _source(overrides, f"{kind}.html")
        html = _filled(environment, source, file, {**context, "subject": subject})
    return Letter(subject, text, html)


def _environment(overrides: Path) -> jinja2.Environment:
    # Not kept: a template that the user adds while the receiver runs is used at once.
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([overrides, _PACKAGED], encoding="utf-8-sig"),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _text_part(
    environment: jinja2.Environment, overrides: Path, name: str, context: Mapping[str, object]
) -> tuple[str, str]:
    """(subject, text). The subject is filled on its own: a line break in a value cannot end it early."""
    with _named_errors(name, overrides):
        file, source = _source(overrides, name)
        head, _, body = source.partition("\n")
        if not head.startswith("Subject: "):
            raise Refused(
                f"template {file}, line 1: expected 'Subject: ' and then the subject", hint=_hint(file, overrides)
            )
        subject = _filled(environment, head.removeprefix("Subject: "), file, context).strip()
        refuse_unprintable("the subject", subject)
        # The empty line stands for the subject's, so that a line number in an error is the file's.
        text = _filled(environment, "\n" + body, file, context).strip("\n") + "\n"
    return subject, text


def _source(overrides: Path, name: str) -> tuple[Path, str]:
    """The user's own template if there is one, else the package's: (file, text)."""
    file = next((place / name for place in (overrides, _PACKAGED) if (place / name).is_file()), _PACKAGED / name)
    return file, file.read_text(encoding="utf-8-sig")


def _filled(environment: jinja2.Environment, source: str, file: Path, context: Mapping[str, object]) -> str:
    code = _compiled(source, file)
    return environment.template_class.from_code(environment, code, environment.make_globals(None)).render(context)


@functools.lru_cache(maxsize=64)
def _compiled(source: str, file: Path) -> CodeType:
    """Compiled once for all letters of a run: compiling takes ten times as long as filling."""
    return _environment(_PACKAGED).compile(source, file.name, str(file))


@contextlib.contextmanager
def _named_errors(name: str, overrides: Path) -> Iterator[None]:
    """Whatever a template raises becomes Refused, with its file, its line and what to do."""
    try:
        yield
    except TillbookError:
        raise
    except Exception as error:  # a template runs what its author wrote: any exception is possible
        file, line = _place(error, name)
        where = f"template {file}, line {line}" if line else f"template {file}"
        words = getattr(error, "message", None) or str(error) or type(error).__name__
        raise Refused(f"{where}: {words}", hint=_hint(Path(file), overrides)) from error


def _place(error: Exception, name: str) -> tuple[str, int]:
    """(file, line) of the template code that raised, with line 0 when no line did."""
    line = getattr(error, "lineno", None)
    if line is not None:
        return str(getattr(error, "filename", None) or name), int(line)
    found = (name, 0)
    step = error.__traceback__
    while step:
        file = step.tb_frame.f_code.co_filename
        if file.endswith((".txt", ".html")):
            found = (file, step.tb_lineno)
        step = step.tb_next
    return found


def _hint(file: Path, overrides: Path) -> str:
    if file.is_relative_to(overrides):
        return f"Correct {file}, or delete it: then Tillbook's own template is used."
    return "The names that a template may use are in the table at `render` in execution/tillbook/letters/rendering.py."
