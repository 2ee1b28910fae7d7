"""How the money of one invoice is used: the same for any order of its facts, and exact to the cent."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.ledgers import NOW, payment, usd
from tillbook.kit.money import Money
from tillbook.rules.allocation import uses
from tillbook.rules.facts import Fact, InvoiceChanged, InvoiceIssued, PaymentRefunded, RefundFailed
from tillbook.rules.uses import Allocation, Return


def issued(total: int, tax: int = 0) -> InvoiceIssued:
    """An invoice of INV-1, in cents."""
    return InvoiceIssued(
        provider="quickbooks", key="invoice:1", occurred_at=NOW, invoice="INV-1", total=usd(total), tax=usd(tax)
    )


def changed(total: int, tax: int = 0) -> InvoiceChanged:
    """A later change of its total, in cents."""
    return InvoiceChanged(
        provider="quickbooks", key="invoice:1:2", occurred_at=NOW + 9, invoice="INV-1", total=usd(total), tax=usd(tax)
    )


def refunded(name: str, minor: int, at: int = NOW + 1, *, of: str = "1", operation: str = "") -> PaymentRefunded:
    """A refund of the payment `pi_<of>`; without an operation it was made in the dashboard."""
    return PaymentRefunded(
        provider="stripe",
        key=f"txn_{name}",
        occurred_at=at,
        payment=f"pi_{of}",
        refund=f"re_{name}",
        operation=operation,
        amount=usd(minor),
    )


def failed(name: str, minor: int, at: int = NOW + 5, *, of: str = "1") -> RefundFailed:
    """The refund of that name came back."""
    return RefundFailed(
        provider="stripe",
        key=f"txn_f{name}",
        occurred_at=at,
        payment=f"pi_{of}",
        refund=f"re_{name}",
        amount=usd(minor),
    )


def returned(sale: int = 0, tax: int = 0, credit: int = 0, reopened: int = 0) -> Return:
    return Return("INV-1", usd(sale), usd(tax), usd(credit), usd(reopened))


def used(facts: list[Fact], purposes: dict[str, str] | None = None) -> dict[str, Any]:
    """The uses by key alone; every fact here is Stripe's."""
    return {key: use for (_, key), use in uses("INV-1", facts, purposes or {}).items()}


# -- figures by hand -------------------------------------------------------------------------------


def test_c22_three_parts_of_ten_dollars_with_five_cents_of_tax() -> None:
    """10.05 in three parts of 3.35: the tax so far is 0.0167, 0.0333, 0.05, so it goes back as 0.02, 0.01, 0.02."""
    facts = [issued(1005, 5), payment("1", 1005), *(refunded(str(n), 335, NOW + n) for n in (1, 2, 3))]
    found = used(facts)
    assert found["ch_1"] == Allocation("INV-1", usd(1005), usd(0))
    assert [found[f"txn_{n}"] for n in (1, 2, 3)] == [returned(333, 2), returned(334, 1), returned(333, 2)]


def test_a_full_refund_gives_back_all_of_the_tax() -> None:
    """175.98 with 1.98 of tax (8.25 % of 24.00), at once."""
    found = used([issued(17598, 198), payment("1", 17598), refunded("1", 17598)])
    assert found["txn_1"] == returned(17400, 198)


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [("sale", returned(2000)), ("credit", returned(credit=2000)), ("payment", returned(reopened=2000))],
)
def test_our_own_refund_says_what_it_gives_back(purpose: str, expected: Return) -> None:
    """60.00 invoiced, 100.00 paid, 20.00 given back: of the sale, the credit or the payment, as was asked."""
    found = used([issued(6000), payment("1", 10000), refunded("1", 2000, operation="op1")], {"op1": purpose})
    assert found["ch_1"] == Allocation("INV-1", usd(6000), usd(4000))
    assert found["txn_1"] == expected


def test_a_dashboard_refund_gives_back_credit_first_and_the_sale_after_it() -> None:
    """60.00 invoiced, 100.00 paid: 70.00 from the dashboard are 40.00 of credit and 30.00 of the sale."""
    found = used([issued(6000, 600), payment("1", 10000), refunded("1", 7000)])
    assert found["txn_1"] == returned(2700, 300, credit=4000)


def test_a_dashboard_refund_takes_the_credit_of_its_own_payment_only() -> None:
    """Paid twice: the second payment is credit; the refund of the first one is the sale."""
    paid = [payment("1", 6000, NOW + 1), payment("2", 6000, NOW + 2)]
    first = used([issued(6000), *paid, refunded("1", 6000, NOW + 3)])
    second = used([issued(6000), *paid, refunded("2", 6000, NOW + 3, of="2")])
    assert first["txn_1"] == returned(6000)
    assert second["txn_2"] == returned(credit=6000)


def test_what_a_refund_opened_again_the_next_payment_settles() -> None:
    """The payment went back, the sale stands: the customer pays once more, and nothing becomes credit."""
    facts = [
        issued(6000),
        payment("1", 6000),
        refunded("1", 6000, NOW + 1, operation="op1"),
        payment("2", 6000, NOW + 2),
    ]
    found = used(facts, {"op1": "payment"})
    assert found["txn_1"] == returned(reopened=6000)
    assert found["ch_2"] == Allocation("INV-1", usd(6000), usd(0))


@pytest.mark.parametrize("purpose", ["sale", "credit", "payment"])
def test_c14_a_failed_refund_is_the_mirror_of_its_refund(purpose: str) -> None:
    """What went out comes back line for line, and the same can be given back again."""
    facts = [
        issued(6000, 600),
        payment("1", 10000),
        refunded("1", 2000, operation="op1"),
        failed("1", 2000),
        refunded("2", 2000, NOW + 9, operation="op2"),
    ]
    found = used(facts, {"op1": purpose, "op2": purpose})
    assert found["txn_f1"] == -found["txn_1"]
    assert found["txn_2"] == found["txn_1"]


def test_c14_a_failure_frees_the_tax_that_its_refund_took() -> None:
    """Parts 1 and 3 of three, part 2 failed in between: 0.02 + 0.01 - 0.01 + 0.01, as if part 2 had never been."""
    facts = [
        issued(1005, 5),
        payment("1", 1005),
        refunded("1", 335, NOW + 1),
        refunded("2", 335, NOW + 2),
        failed("2", 335, NOW + 3),
        refunded("3", 335, NOW + 4),
    ]
    found = used(facts)
    assert found["txn_f2"] == returned(-334, -1)
    assert found["txn_3"] == returned(334, 1)


def test_within_a_second_money_comes_before_it_goes_back() -> None:
    """Payment, refund and failure of one second keep their natural turns, whatever their ids."""
    facts = [issued(6000), failed("0", 3000, NOW, of="z"), refunded("0", 3000, NOW, of="z"), payment("z", 10000, NOW)]
    found = used(facts)
    assert found["txn_0"] == returned(credit=3000)
    assert found["txn_f0"] == returned(credit=-3000)


def test_money_of_nobody_or_of_another_currency_waits() -> None:
    """No invoice, or euros for an invoice in dollars: no use, so it stays in Suspense."""
    euros = PaymentRefunded(
        provider="stripe",
        key="txn_1",
        occurred_at=NOW,
        payment="pi_1",
        refund="re_1",
        operation="",
        amount=Money(100, "EUR"),
    )
    assert used([payment("1", 6000), refunded("1", 6000)]) == {"ch_1": None, "txn_1": None}
    assert used([issued(6000), euros]) == {"txn_1": None}


def test_a_failure_whose_refund_is_not_known_waits() -> None:
    """It cannot be mirrored yet."""
    assert used([issued(6000), failed("1", 100)])["txn_f1"] is None


# -- properties ------------------------------------------------------------------------------------


@st.composite
def stories(draw: st.DrawFn) -> tuple[int, int, list[Fact]]:
    """An invoice of some total and tax, paid at once and given back in parts that fill it exactly."""
    total = draw(st.integers(1, 10**9))
    tax = draw(st.integers(0, total))
    cuts = sorted(draw(st.sets(st.integers(1, total), max_size=8)) | {total})
    parts = [end - start for start, end in zip([0, *cuts], cuts, strict=False)]
    refunds = [refunded(str(n), part, NOW + n) for n, part in enumerate(parts, 1)]
    return total, tax, [issued(total, tax), payment("1", total), *refunds]


@given(stories())
def test_c22_all_parts_together_give_back_exactly_total_and_tax(story: tuple[int, int, list[Fact]]) -> None:
    """Whatever the parts: the taxes are the tax, the sales are the rest, and each part is exact."""
    total, tax, facts = story
    given_back = [use for use in used(facts).values() if isinstance(use, Return)]
    assert sum(one.tax.minor for one in given_back) == tax
    assert sum(one.sale.minor for one in given_back) == total - tax
    assert all(one.tax.minor >= 0 for one in given_back)
    for fact, one in zip(facts[2:], given_back, strict=True):
        assert isinstance(fact, PaymentRefunded)
        assert one.sale + one.tax == fact.amount


@given(stories(), st.lists(st.integers(0, 7), max_size=4), st.integers(0, 2**32), st.sampled_from([0, 1, 500, -1]))
def test_any_order_gives_the_same_uses(
    story: tuple[int, int, list[Fact]], fails: list[int], seed: int, change: int
) -> None:
    """Facts come in by webhook, poll and reconciliation in any order: the view of them is one."""
    total, _, facts = story
    refunds = [fact for fact in facts if isinstance(fact, PaymentRefunded)]
    failures = [
        failed(refunds[n].refund[3:], refunds[n].amount.minor, NOW + 20 + n) for n in set(fails) if n < len(refunds)
    ]
    everything: list[Fact] = [*facts, *failures, payment("2", 700, NOW + 3)]
    if total + change > 0:
        everything.append(changed(change))
    shuffled = everything[:]
    random.Random(seed).shuffle(shuffled)
    assert used(shuffled) == used(everything)


@given(stories(), st.integers(0, 7))
def test_c14_a_refund_that_failed_changes_nothing_for_the_others(
    story: tuple[int, int, list[Fact]], which: int
) -> None:
    """All uses but its own add up as if it had not been; its own two cancel out."""
    _, _, facts = story
    refunds = [fact for fact in facts if isinstance(fact, PaymentRefunded)]
    chosen = refunds[which % len(refunds)]
    failure = failed(chosen.refund[3:], chosen.amount.minor, NOW + 100)
    found = used([*facts, failure])
    assert found[failure.key] == -found[chosen.key]
