"""The table of rules: complete by kind, and the account of a line is the account of its document."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from helpers.entries import unbalanced
from tillbook.kit.money import Money
from tillbook.operations.kinds.registry import POSTINGS
from tillbook.rules.accounts import ClearingAccount
from tillbook.rules.bookkeeping import RULES, documents_for, rule_of, target
from tillbook.rules.documents import RECORDS, Purpose
from tillbook.rules.facts import (
    KINDS,
    Fact,
    InvoiceChanged,
    InvoiceIssued,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutPaid,
    ProcessorFee,
    RefundFailed,
)
from tillbook.rules.matching import OTHER, SIGNS
from tillbook.rules.uses import Allocation, Return, Use

CLEARING = "Acorn Clearing"
ACCOUNTS = {"stripe": ClearingAccount(CLEARING, "Acorn")}
TEN, THREE, NOTHING = Money(1000, "USD"), Money(300, "USD"), Money(0, "USD")
GIVEN = Return("INV-1", sale=Money(600, "USD"), tax=Money(100, "USD"), credit=THREE, reopened=NOTHING)
COMMON: dict[str, Any] = {"key": "k", "occurred_at": 1}
INVOICE: dict[str, Any] = {"provider": "quickbooks", **COMMON, "invoice": "INV-1", "total": TEN, "tax": THREE}
PAYMENT: dict[str, Any] = {"provider": "stripe", **COMMON, "payment": "pi_1", "amount": TEN}
EXAMPLES: tuple[tuple[Fact, Use], ...] = (
    (InvoiceIssued(**INVOICE), None),
    (InvoiceChanged(**INVOICE), None),
    (PaymentSucceeded(**PAYMENT, charge="ch_1"), Allocation("INV-1", Money(700, "USD"), THREE)),
    (ProcessorFee(**PAYMENT), None),
    (PaymentRefunded(**PAYMENT, refund="re_1", operation=""), GIVEN),
    (RefundFailed(**PAYMENT, refund="re_1"), -GIVEN),
    (PayoutPaid(provider="stripe", **COMMON, payout="po_1", amount=TEN), None),
)


def _kind(example: tuple[Fact, Use]) -> str:
    return example[0].kind


def test_every_kind_of_fact_has_its_row() -> None:
    """The table knows each kind and no other; so do the kinds that are read back, and the examples here."""
    assert set(RULES) == set(get_args(Fact)) == set(KINDS.values()) == {type(fact) for fact, _ in EXAMPLES}
    assert set(SIGNS) == {*KINDS, OTHER}


@pytest.mark.parametrize("example", EXAMPLES, ids=_kind)
def test_the_row_of_a_fact_is_the_row_of_its_kind(example: tuple[Fact, Use]) -> None:
    """What type checkers see to and what is looked up by kind are the same row."""
    fact, _ = example
    assert rule_of(fact) is RULES[type(fact)]


@pytest.mark.parametrize("example", EXAMPLES, ids=_kind)
def test_an_entry_balances_and_moves_the_clearing_account_as_the_sign_says(example: tuple[Fact, Use]) -> None:
    """Debits equal credits, and the processor's money changes by the sign times the amount."""
    fact, use = example
    lines = target(fact, use, lambda name: ACCOUNTS[name])
    assert unbalanced(lines) == {}
    moved = sum(line.amount.minor for line in lines if line.account == CLEARING)
    assert moved == RULES[type(fact)].sign * 1000


@pytest.mark.parametrize("example", EXAMPLES, ids=_kind)
def test_documents_move_as_much_as_the_entry(example: tuple[Fact, Use]) -> None:
    """Where documents are made, together they carry the whole amount; keys and records are those of the purpose."""
    fact, use = example
    documents = documents_for(fact, "INV-1", use)
    assert sum(document.amount.minor for document in documents) in (0, 1000)
    assert all(document.kind == RECORDS[document.purpose] for document in documents)
    assert all(document.key == f"{document.kind.lower()}:stripe:k" for document in documents)
    assert all(document.facts == ("k",) for document in documents)


def test_each_purpose_is_made_by_one_kind_of_fact_and_posted_by_one_kind_of_operation() -> None:
    """A purpose that nobody makes or nobody posts would wait for ever."""
    made = [document.purpose for fact, use in EXAMPLES for document in documents_for(fact, "INV-1", use)]
    assert sorted(made) == sorted(Purpose)
    assert set(POSTINGS) == set(Purpose) == set(RECORDS)
    assert {purpose: kind.entity() for purpose, kind in POSTINGS.items()} == RECORDS


def test_nothing_comes_back_before_it_came() -> None:
    """Within one second a payment has its turn before its refund, and that before its failure."""
    turns = [RULES[kind].turn for kind in (PaymentSucceeded, PaymentRefunded, RefundFailed)]
    assert turns == sorted(set(turns))
