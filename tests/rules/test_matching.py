"""The pure comparison: nothing is missed, nothing is invented, whatever the four streams hold."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbook.kit.money import Money
from tillbook.rules.matching import (
    DISCREPANCIES,
    OTHER,
    SIGNS,
    VOID,
    Discrepancy,
    Movement,
    Tally,
    Window,
    command,
    match,
    merged,
    remedy,
)

NOW = 1_795_000_000
DAY = 86_400
WINDOW = Window(NOW - 35 * DAY, NOW, NOW - 300)
BOOKED = {"PaymentSucceeded": "Payment", "PaymentRefunded": "RefundReceipt", "RefundFailed": "SalesReceipt"}
KINDS = ("PaymentSucceeded", "ProcessorFee", "PaymentRefunded", "RefundFailed")

Streams = tuple[list[Movement], list[Movement], list[Movement], list[Movement]]


def row(key: str = "ch_1", kind: str = "PaymentSucceeded", minor: int = 6000, **changes: object) -> Movement:
    """A movement of yesterday."""
    return Movement(key, kind, minor, "USD", NOW - DAY, f"pi_{key}")._replace(**changes)  # type: ignore[arg-type]  # fields by name


def document(fact: Movement, **changes: object) -> Movement:
    """The posted document that a fact calls for."""
    kind = BOOKED[fact.kind]
    posted = fact._replace(
        kind=kind, subject=f"{kind.lower()}:stripe:{fact.key}", record=f"7{fact.key}", state="posted"
    )
    return posted._replace(**changes)  # type: ignore[arg-type]  # fields by name


def compared(
    processor: list[Movement],
    facts: list[Movement],
    documents: list[Movement] | None = None,
    records: list[Movement] | None = None,
    window: Window = WINDOW,
) -> tuple[list[Discrepancy], Tally]:
    """The discrepancies, and what was counted."""
    tally = Tally()
    found = match(sorted(processor), sorted(facts), sorted(documents or []), sorted(records or []), window, tally)
    return list(found), tally


def agreeing(facts: list[Movement]) -> Streams:
    """Four streams that say the same."""
    wanted = [document(fact) for fact in facts if fact.kind in BOOKED]
    return list(facts), list(facts), wanted, [one._replace(state="") for one in wanted]


facts_of_a_day = st.lists(
    st.builds(
        lambda number, kind, minor, currency, age: Movement(
            f"k{number:06}", kind, minor, currency, NOW - 300 - age, f"pi_{number}"
        ),
        st.integers(0, 10**6 - 1),
        st.sampled_from(KINDS),
        st.integers(1, 10**9),
        st.sampled_from(("USD", "JPY")),
        st.integers(1, 34 * DAY),
    ),
    max_size=30,
    unique_by=lambda one: one.key,
)


@given(facts_of_a_day)
def test_what_agrees_is_matched_completely(facts: list[Movement]) -> None:
    """Every fact is counted once, nothing differs, and both sums are equal."""
    found, tally = compared(*agreeing(facts))
    assert found == []
    assert tally.matched == len(facts)
    assert tally.ledger == tally.processor
    assert not any(tally.explained.values())


@given(facts_of_a_day, st.randoms(use_true_random=False))
def test_planted_differences_are_found_exactly(facts: list[Movement], dice: random.Random) -> None:
    """Each fact is disturbed in one way or none: exactly these are found, by type, subject and amount."""
    streams, wanted = agreeing([]), set()
    for fact in facts:
        single = agreeing([fact])
        disturbance = dice.choice(sorted(_DISTURB if fact.kind in BOOKED else _DISTURB_MONEY))
        expected = {**_DISTURB, **_DISTURB_MONEY}[disturbance](single)
        wanted |= {(kind, subject, minor, fact.currency) for kind, subject, minor in expected}
        for stream, part in zip(streams, single, strict=True):
            stream.extend(part)
    found, _ = compared(*streams)
    seen = [(one.type, one.subject, one.amount.minor, one.amount.currency) for one in found if one.amount]
    assert sorted(seen) == sorted(wanted)


@given(facts_of_a_day, st.randoms(use_true_random=False))
def test_the_balance_is_explained_whatever_differs(facts: list[Movement], dice: random.Random) -> None:
    """Ledger less processor is the sum of the effects that were found, per currency."""
    processor = [one for one in facts if dice.random() < 0.8]
    known = [one for one in facts if dice.random() < 0.8]
    _, tally = compared(processor, known)
    for currency in ("USD", "JPY"):
        sums = [
            sum(SIGNS[one.kind] * one.minor for one in side if one.currency == currency) for side in (known, processor)
        ]
        assert tally.explained.get(currency, 0) == sums[0] - sums[1]


def _nothing(streams: Streams) -> list[tuple[str, str, int]]:
    return []


def _unheard(streams: Streams) -> list[tuple[str, str, int]]:
    (fact,) = streams[1]
    for stream in streams[1:]:
        stream.clear()
    return [("missing_in_ledger", fact.key, fact.minor)]


def _forgotten(streams: Streams) -> list[tuple[str, str, int]]:
    (fact,) = streams[0]
    streams[0].clear()
    return [("missing_at_processor", fact.key, fact.minor)]


def _other_amount(streams: Streams) -> list[tuple[str, str, int]]:
    (fact,) = streams[0]
    streams[0][0] = fact._replace(minor=fact.minor + 7)
    return [("amount_differs", fact.key, 7)]


def _unmapped(streams: Streams) -> list[tuple[str, str, int]]:
    (fact,) = streams[0]
    streams[0].append(Movement(f"{fact.key}x", OTHER, -5, fact.currency, fact.at))
    return [("unmapped_balance_transaction", f"{fact.key}x", -5)]


def _deleted(streams: Streams) -> list[tuple[str, str, int]]:
    (wanted,) = streams[2]
    streams[3].clear()
    return [("missing_in_books", wanted.subject, wanted.minor)]


def _voided(streams: Streams) -> list[tuple[str, str, int]]:
    (wanted,) = streams[2]
    streams[3][0] = wanted._replace(minor=0, state=VOID)
    return [("missing_in_books", wanted.subject, wanted.minor)]


def _copied(streams: Streams) -> list[tuple[str, str, int]]:
    (wanted,) = streams[2]
    streams[3].append(wanted._replace(record="1", state=""))
    return [("duplicate_in_books", f"{wanted.kind} 1", wanted.minor)]


def _rewritten(streams: Streams) -> list[tuple[str, str, int]]:
    (wanted,) = streams[2]
    streams[3][0] = wanted._replace(minor=wanted.minor - 3, state="")
    return [("amount_differs", wanted.subject, -3)]


_DISTURB_MONEY = {
    "nothing": _nothing,
    "unheard": _unheard,
    "forgotten": _forgotten,
    "other amount": _other_amount,
    "unmapped": _unmapped,
}
_DISTURB = {**_DISTURB_MONEY, "deleted": _deleted, "voided": _voided, "copied": _copied, "rewritten": _rewritten}


def test_the_four_streams_are_read_once_and_together() -> None:
    """No stream is gathered: after one key no more than one row of each was taken beyond it."""
    taken = [0, 0]

    def endless(place: int) -> Iterator[Movement]:
        for number in range(10**9):
            taken[place] += 1
            yield row(f"k{number:012}")

    pairs = merged(endless(0), endless(1))
    for _ in range(1000):
        next(pairs)
    assert taken == [1001, 1001]


def test_a_stream_out_of_order_is_a_bug() -> None:
    """Whoever gathers must sort: a silent wrong answer would be worse."""
    with pytest.raises(ValueError, match="not sorted"):
        list(merged([row("b"), row("a")]))


@pytest.mark.parametrize("age", [0, 299])
def test_b26_what_is_too_young_is_no_finding_but_explains_the_balance(age: int) -> None:
    """Inside the vendor's lag nothing negative is said."""
    found, tally = compared([row(at=NOW - age - 1)], [])
    assert (found, tally.explained) == ([], {"USD": -6000})


def test_what_lies_outside_the_window_is_left_alone() -> None:
    """The margin exists so that pairs are whole: nothing is said about it."""
    found, tally = compared([row(at=WINDOW.since - 1)], [row("ch_2", at=NOW + 5)])
    assert (found, tally) == ([], Tally())


def test_a_pair_across_the_edge_is_whole() -> None:
    """A charge just before midnight, its row just after: matched in the window of the charge."""
    found, tally = compared([row(at=WINDOW.since - 2)], [row(at=WINDOW.since + 2)])
    assert (found, tally.matched) == ([], 1)


def test_two_rows_of_one_charge_are_one_payment() -> None:
    """A partial capture is two rows on a statement that sum up to the fact."""
    found, _ = compared([row(minor=10_000), row(minor=-4000)], [row(minor=6000)])
    assert found == []


def test_a_refund_may_need_two_documents() -> None:
    """RefundReceipt and Purchase of one fact are compared each on its own."""
    fact = row("txn_1", "PaymentRefunded")
    receipt = document(fact, minor=4000)
    purchase = document(fact, kind="Purchase", subject="purchase:stripe:txn_1", record="88", minor=2000)
    found, _ = compared([fact], [fact], [receipt, purchase], [purchase._replace(state="")])
    assert [(one.type, one.subject, one.amount) for one in found] == [
        ("missing_in_books", receipt.subject, Money(4000, "USD"))
    ]


def test_a_charge_settled_in_another_currency() -> None:
    """The statement is in the account's currency: both sides are named, nothing is added up across currencies."""
    found, _ = compared([row(currency="EUR", minor=5500)], [row()])
    assert [(one.type, one.amount) for one in found] == [
        ("settled_in_another_currency", Money(6000, "USD")),
        ("settled_in_another_currency", Money(5500, "EUR")),
    ]


def test_of_two_records_the_known_one_is_kept() -> None:
    """Also when the copy has the lower id; without a known one the oldest stays."""
    fact = row()
    wanted = document(fact, record="20")
    held = [wanted._replace(record=number, state="") for number in ("9", "20", "100")]
    found, _ = compared([fact], [fact], [wanted], held)
    assert [one.subject for one in found] == ["Payment 9", "Payment 100"]
    found, _ = compared([fact], [fact], [wanted._replace(record="", state="waiting")], held)
    assert [one.subject for one in found] == ["Payment 20", "Payment 100"]


def test_a_subject_is_quoted_in_its_command() -> None:
    """Whatever a vendor calls a thing, the command stays one command."""
    odd = Discrepancy(type="missing_in_books", place="failed", subject="x; rm -rf $HOME", amount=None, at=NOW)
    assert command(odd) == "python execution/post_to_books.py --again 'x; rm -rf $HOME'"
    found = Discrepancy(type="missing_in_books", subject="x", amount=None, at=NOW)
    assert command(found, " --from 2026-01-01") == ("python execution/reconcile_payments.py --repair --from 2026-01-01")


@pytest.mark.parametrize("place", sorted(DISCREPANCIES), ids=" ".join)
def test_every_type_has_a_sentence_and_a_way_out(place: tuple[str, str]) -> None:
    """A new type is one new row of the table: a command that is safe to run, or a person."""
    found = Discrepancy(type=place[0], place=place[1], subject="s", amount=None, at=NOW)
    assert remedy(found).sentence
    assert command(found).startswith("python execution/") or (command(found) == "" and remedy(found).by_person)
