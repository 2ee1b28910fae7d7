"""The journal's rules: entries balance, and their sums do not depend on the order of facts."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from helpers.entries import unbalanced
from tillbook.kit.money import Money, total
from tillbook.rules import bookkeeping
from tillbook.rules.accounts import ClearingAccount
from tillbook.rules.allocation import uses
from tillbook.rules.entries import (
    CUSTOMER_CREDIT,
    PROCESSING_FEES,
    RECEIVABLE,
    REVENUE,
    SALES_TAX,
    SUSPENSE,
    Line,
    correction,
)
from tillbook.rules.facts import Fact, InvoiceChanged, InvoiceIssued, PaymentSucceeded, ProcessorFee
from tillbook.rules.uses import Allocation, Use, Uses


def target(fact: Fact, use: Use = None) -> tuple[Line, ...]:
    """The lines of a fact, whose provider's money is on the account "Stripe Clearing"."""
    return bookkeeping.target(fact, use, {"stripe": ClearingAccount("Stripe Clearing", "Stripe")}.__getitem__)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def issued(total_minor: int, tax: int = 0) -> InvoiceIssued:
    return InvoiceIssued(
        provider="quickbooks", key="invoice:1", occurred_at=1, invoice="INV-1", total=usd(total_minor), tax=usd(tax)
    )


def paid(minor: int, key: str = "ch_1", at: int = 10, currency: str = "USD") -> PaymentSucceeded:
    return PaymentSucceeded(
        provider="stripe", key=key, occurred_at=at, payment=f"pi_{key}", charge=key, amount=Money(minor, currency)
    )


def allocate(open_at_first: Money | None, payments: Sequence[PaymentSucceeded]) -> Uses:
    """How payments are used by an invoice of this total; None: the invoice is not known."""
    known = [] if open_at_first is None else [issued(open_at_first.minor)]
    return uses("INV-1", [*known, *payments], {})


def fee(minor: int) -> ProcessorFee:
    return ProcessorFee(provider="stripe", key="txn_1:fee", occurred_at=11, payment="pi_1", amount=usd(minor))


def test_an_invoice_is_owed_and_its_tax_is_not_revenue() -> None:
    """Dr Receivable 108.25, Cr Revenue 100.00, Cr Sales Tax 8.25."""
    assert target(issued(10825, 825)) == (
        Line(RECEIVABLE, usd(10825), "INV-1"),
        Line(REVENUE, usd(-10000), "INV-1"),
        Line(SALES_TAX, usd(-825), "INV-1"),
    )


def test_a_changed_invoice_moves_by_its_difference() -> None:
    """An invoice lowered by 20.00 is that much less owed and earned."""
    fact = InvoiceChanged(
        provider="quickbooks", key="invoice:1:2", occurred_at=2, invoice="INV-1", total=usd(-2000), tax=usd(0)
    )
    assert target(fact) == (Line(RECEIVABLE, usd(-2000), "INV-1"), Line(REVENUE, usd(2000), "INV-1"))


def test_d10_a_payment_settles_its_invoice_and_the_rest_is_credit() -> None:
    """Dr Stripe Clearing 60.00, Cr Receivable 50.00, Cr Customer Credit 10.00."""
    assert target(paid(6000), Allocation("INV-1", usd(5000), usd(1000))) == (
        Line("Stripe Clearing", usd(6000)),
        Line(RECEIVABLE, usd(-5000), "INV-1"),
        Line(CUSTOMER_CREDIT, usd(-1000), "INV-1"),
    )


def test_b15_money_without_an_invoice_waits_in_suspense() -> None:
    """It is recorded at once, and its later match is one correcting entry."""
    waiting = target(paid(6000), None)
    assert waiting == (Line("Stripe Clearing", usd(6000)), Line(SUSPENSE, usd(-6000)))
    matched = target(paid(6000), Allocation("INV-1", usd(6000), usd(0)))
    assert set(correction(matched, waiting)) == {Line(SUSPENSE, usd(6000)), Line(RECEIVABLE, usd(-6000), "INV-1")}


def test_d14_a_fee_is_its_own_entry_and_a_returned_fee_its_reverse() -> None:
    """The payment stays gross; the fee leaves Clearing."""
    assert target(fee(204)) == (Line(PROCESSING_FEES, usd(204)), Line("Stripe Clearing", usd(-204)))
    assert target(fee(-204)) == (Line(PROCESSING_FEES, usd(-204)), Line("Stripe Clearing", usd(204)))
    assert target(fee(0)) == ()


def test_d10_payments_take_the_open_amount_by_vendor_time_then_id() -> None:
    """The earliest payment is applied first, whichever arrived first."""
    late, early, same = paid(6000, "ch_a", at=20), paid(5000, "ch_b", at=10), paid(500, "ch_c", at=20)
    used = allocate(usd(10000), [late, same, early])
    assert used[("stripe", "ch_b")] == Allocation("INV-1", usd(5000), usd(0))
    assert used[("stripe", "ch_a")] == Allocation("INV-1", usd(5000), usd(1000))
    assert used[("stripe", "ch_c")] == Allocation("INV-1", usd(0), usd(500))


def test_b5_payments_of_an_unknown_or_foreign_invoice_are_not_allocated() -> None:
    """Without the invoice's total, or in another currency, nothing is guessed."""
    assert allocate(None, [paid(100)]) == {("stripe", "ch_1"): None}
    assert allocate(usd(100), [paid(100, currency="EUR")]) == {("stripe", "ch_1"): None}


def test_an_invoice_lowered_below_zero_takes_nothing() -> None:
    """The whole payment is the customer's credit."""
    used = allocate(usd(-5), [paid(100)])
    assert used[("stripe", "ch_1")] == Allocation("INV-1", usd(0), usd(100))


PAYMENTS = st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 5)), max_size=6).map(
    lambda items: [paid(minor, f"ch_{index}", at) for index, (minor, at) in enumerate(items)]
)


def posted_in_order(facts: Sequence[Fact]) -> dict[str, list[Line]]:
    """What a ledger holds when facts arrive one by one and each arrival corrects what stands."""
    posted: dict[str, list[Line]] = {}
    for count in range(1, len(facts) + 1):
        known = facts[:count]
        invoice = next((fact for fact in known if isinstance(fact, InvoiceIssued)), None)
        payments = [fact for fact in known if isinstance(fact, PaymentSucceeded)]
        used = allocate(invoice.total if invoice else None, payments)
        for fact in known:
            entry = correction(target(fact, used.get((fact.provider, fact.key))), posted.setdefault(fact.key, []))
            assert unbalanced(entry) == {}
            posted[fact.key] += entry
    return posted


def balances(posted: dict[str, list[Line]]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for line in (line for lines in posted.values() for line in lines):
        sums[line.account, line.invoice] = sums.get((line.account, line.invoice), 0) + line.amount.minor
    return {place: minor for place, minor in sums.items() if minor}


@given(st.data(), PAYMENTS, st.integers(1, 10**6), st.integers(-500, 500))
def test_b7_balances_are_equal_for_any_order_of_facts(
    data: st.DataObject, payments: list[PaymentSucceeded], invoice_minor: int, fee_minor: int
) -> None:
    """Invoice, payments and fee may arrive in any order, and every entry on the way balances."""
    facts: list[Fact] = [issued(invoice_minor, invoice_minor // 20), fee(fee_minor), *payments]
    shuffled = data.draw(st.permutations(facts))
    assert balances(posted_in_order(facts)) == balances(posted_in_order(shuffled))


@given(PAYMENTS, st.integers(0, 10**6))
def test_d8_an_allocation_uses_each_payment_wholly_and_the_invoice_once(
    payments: list[PaymentSucceeded], invoice_minor: int
) -> None:
    """Applied and credit make the payment; all applied together never exceed the invoice."""
    used = allocate(usd(invoice_minor), payments)
    known = [use for use in used.values() if isinstance(use, Allocation)]
    assert len(known) == len(payments)
    for payment in payments:
        use = used[payment.provider, payment.key]
        assert isinstance(use, Allocation)
        assert use.applied + use.credit == payment.amount
    applied = total((use.applied for use in known), "USD")
    assert applied.minor == min(invoice_minor, sum(payment.amount.minor for payment in payments))


LINES = st.lists(
    st.builds(
        Line,
        st.sampled_from(["A", "B", "C"]),
        st.builds(Money, st.integers(-99, 99), st.sampled_from(["USD", "EUR"])),
        st.sampled_from(["", "INV-1"]),
    ),
    max_size=8,
)


@given(LINES, LINES)
def test_a_correction_leads_from_what_is_posted_to_what_is_wanted(wanted: list[Line], posted: list[Line]) -> None:
    """After it nothing is left to correct, and it holds no empty lines."""
    entry = correction(wanted, posted)
    assert all(line.amount for line in entry)
    assert correction(wanted, [*posted, *entry]) == ()
    assert correction(wanted, wanted) == ()
