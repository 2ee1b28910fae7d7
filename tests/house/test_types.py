"""What the type checker refuses of a kind of operation, before anything runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mypy import api

EXECUTION = Path(__file__).parents[2] / "execution"

# A comment says which error its line must be; the other lines must be none.
SOURCE = """\
from __future__ import annotations
from tillbook.ledger import Ledger
from tillbook.operations.kinds.base import Kind
from tillbook.operations.kinds.quickbooks import InQuickBooks, Made, Posting
from tillbook.operations.kinds.registry import registered
from tillbook.operations.kinds.sales.close_checkout import CheckoutClosed, CloseCheckout
from tillbook.operations.kinds.sales.create_checkout import CreateCheckout
from tillbook.operations.perform import Desk, perform
from tillbook.rules.operations import Evidence, Operation, Stored

class Whole(Kind[Made], frozen=True):
    @staticmethod
    def subject(name: str) -> str: return name
    def assumed(self, operation: Stored) -> Made: return Made("")
    def record(self, ledger: Ledger, operation: Stored, result: Made, now: int) -> None: ...

class WithoutSubject(Kind[Made], frozen=True):
    def assumed(self, operation: Stored) -> Made: return Made("")
    def record(self, ledger: Ledger, operation: Stored, result: Made, now: int) -> None: ...

class WithoutAssumed(Kind[Made], frozen=True):
    @staticmethod
    def subject(name: str) -> str: return name
    def record(self, ledger: Ledger, operation: Stored, result: Made, now: int) -> None: ...

class WithoutRecord(Kind[Made], frozen=True):
    @staticmethod
    def subject(name: str) -> str: return name
    def assumed(self, operation: Stored) -> Made: return Made("")

class WithoutEvidence(InQuickBooks[Made], frozen=True):
    @staticmethod
    def subject(name: str) -> str: return name
    def assumed(self, operation: Stored) -> Made: return Made("")
    def record(self, ledger: Ledger, operation: Stored, result: Made, now: int) -> None: ...

class WithoutEntity(Posting[Made], frozen=True):
    def assumed(self, operation: Stored) -> Made: return Made("")
    def record(self, ledger: Ledger, operation: Stored, result: Made, now: int) -> None: ...

class AnotherResult(Kind[Made], frozen=True):
    def assumed(self, operation: Stored) -> int: return 1  # override

registered(Whole)
registered(WithoutSubject)  # type-abstract
registered(WithoutAssumed)  # type-abstract
registered(WithoutRecord)  # type-abstract
registered(WithoutEvidence)  # type-abstract
registered(WithoutEntity)  # type-abstract

def send(operation: Operation[CloseCheckout]) -> CheckoutClosed:
    return CheckoutClosed(operation.params.checkout_id, "expired")

def misread(operation: Operation[CloseCheckout]) -> None:
    operation.params.url  # attr-defined

def look_for_another(operation: Operation[CreateCheckout]) -> None: ...

EVIDENCE = Evidence("", "", 0, 0)
CloseCheckout.handler(send, misread, EVIDENCE)
CloseCheckout.handler(send, look_for_another, EVIDENCE)  # arg-type
CloseCheckout.handler(misread, misread, EVIDENCE)  # arg-type
CloseCheckout.handler(send, misread)  # call-arg
CloseCheckout()  # call-arg

def step(desk: Desk) -> None:
    perform(desk, CloseCheckout("cs_1").plan("stripe")).result.status
    perform(desk, CloseCheckout("cs_1").plan("stripe")).result.url  # attr-defined
"""


def test_a_part_that_is_missing_is_a_type_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind without a part, a door that handles another kind, a parameter or result that does not exist: each is
    refused, and nothing else of these lines."""
    file = tmp_path / "kinds.py"
    file.write_text(SOURCE, "utf-8")
    monkeypatch.setenv("MYPYPATH", str(EXECUTION))
    said, trouble, _ = api.run(["--strict", "--config-file=", "--no-pretty", f"--cache-dir={tmp_path}", str(file)])
    assert trouble == ""
    found = {(int(line), code) for line, code in re.findall(r":(\d+): error: .*\[([a-z-]+)\]$", said, re.M)}
    lines = enumerate(SOURCE.splitlines(), 1)
    assert found == {(number, line.partition("  # ")[2]) for number, line in lines if "  # " in line}, said
