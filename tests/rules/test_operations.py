"""The rules of operations: their identity, when another generation may start, and whether to send or to look."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbook.kit.errors import Refused
from tillbook.rules.operations import (
    Evidence,
    Move,
    Operation,
    Plan,
    canonical,
    key,
    next_generation,
    next_move,
    operation_id,
    proven_absent,
)

DAY = 24 * 3600
STRIPE_LIKE = Evidence("metadata", "a list", window_seconds=DAY, read_lag_seconds=60)
QUICKBOOKS_LIKE = Evidence("DocNumber", "a query", window_seconds=0, read_lag_seconds=30)
TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
VALUES = st.recursive(TEXT | st.integers() | st.booleans() | st.none(), lambda inner: st.lists(inner, max_size=3))
PARAMS = st.dictionaries(TEXT, VALUES, max_size=6)


def plan(**params: Any) -> Plan:
    return Plan("create_checkout", "stripe/INV-1", "stripe", params)


def operation(state: str = "sent", **changes: Any) -> Operation:
    asked = plan(amount="60.00")
    values: dict[str, Any] = {
        "id": operation_id(asked.kind, asked.subject, 1),
        "kind": asked.kind,
        "subject": asked.subject,
        "generation": 1,
        "door": asked.door,
        "params": asked.params,
        "params_hash": asked.params_hash,
        "state": state,
        "result": None,
        "reason": "",
        "prepared_at": 1000,
        "sent_at": None if state == "prepared" else 1000,
        "absent_since": None,
    }
    return Operation(**{**values, **changes})


# -- identity ------------------------------------------------------------------------------------------


def test_c3_c6_the_key_is_kind_subject_and_generation() -> None:
    """Written out by hand: the key and the id are the same in every process, year and version."""
    assert key("create_checkout", "stripe/INV-1", 1) == "create_checkout:stripe/INV-1:1"
    assert operation_id("create_checkout", "stripe/INV-1", 1) == "opzxwe3srhhghsszbvo"
    assert operation().key == "create_checkout:stripe/INV-1:1"


@given(TEXT, TEXT, st.integers(1, 10_000))
def test_an_id_fits_where_vendors_carry_it(kind: str, subject: str, generation: int) -> None:
    """At most 21 characters for QuickBooks' DocNumber, and only letters and digits that no vendor changes."""
    name = operation_id(kind, subject, generation)
    assert len(name) == 19
    assert name.isascii()
    assert name.isalnum()
    assert name == name.lower() == operation_id(kind, subject, generation)


@given(PARAMS)
def test_equal_parameters_are_equal_bytes_in_any_order(params: dict[str, Any]) -> None:
    """The hash does not depend on the order in which a step filled in the parameters."""
    turned = dict(reversed(params.items()))
    assert canonical(params) == canonical(turned)
    assert plan(**{"x": params}).params_hash == plan(**{"x": turned}).params_hash
    assert canonical(params).isascii()


@given(PARAMS, PARAMS)
def test_other_parameters_are_another_hash(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two plans have the same hash only when they ask for the same."""
    same = canonical(one) == canonical(other)
    assert (Plan("k", "s", "d", one).params_hash == Plan("k", "s", "d", other).params_hash) == same


# -- the next generation -------------------------------------------------------------------------------


def test_the_first_operation_is_generation_one() -> None:
    """Nothing was asked for yet."""
    assert next_generation(None, plan()) == 1


@pytest.mark.parametrize("state", ["prepared", "sent", "unknown"])
@pytest.mark.parametrize("renew", ["", "a person asked with --again"])
def test_an_unfinished_operation_is_finished_first(state: str, renew: str) -> None:
    """Whoever asks for another one, with whatever content: the unfinished one stands for it."""
    assert next_generation(operation(state), plan(amount="60.00"), renew=renew) is None
    assert next_generation(operation(state), plan(amount="99.00"), renew=renew) is None


def test_a_refused_operation_makes_room_for_the_next() -> None:
    """The vendor said no, or it is proven absent: a new key, also with other content."""
    refused = operation("refused", generation=3)
    assert next_generation(refused, plan(amount="60.00")) == 4
    assert next_generation(refused, plan(amount="99.00")) == 4


def test_a_done_operation_stands_for_the_same_content() -> None:
    """Asking again is already done; asking for something else under the same subject is refused."""
    done = operation("done", result={})
    assert next_generation(done, plan(amount="60.00")) is None
    with pytest.raises(Refused, match="already done with other content"):
        next_generation(done, plan(amount="60.01"))


def test_a_done_operation_is_renewed_only_for_a_reason() -> None:
    """A dead page or a person's --again opens the next generation, with any content."""
    done = operation("done", result={}, generation=2)
    assert next_generation(done, plan(amount="60.00"), renew="checkout cs_1 is expired") == 3
    assert next_generation(done, plan(amount="30.00"), renew="checkout cs_1 is expired") == 3


# -- send or look --------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", [1000, 1000 + DAY, 1000 + 400 * DAY, 0])
def test_what_never_left_is_sent_however_old(now: int) -> None:
    """A prepared operation did nothing yet, so no key can have been forgotten."""
    for evidence in (STRIPE_LIKE, QUICKBOOKS_LIKE):
        assert next_move(operation("prepared"), evidence, now) is Move.SEND


@pytest.mark.parametrize("state", ["sent", "unknown"])
@pytest.mark.parametrize(
    ("age", "move"),
    [
        (0, Move.SEND),
        (DAY // 2 - 1, Move.SEND),
        (DAY // 2, Move.LOOK),
        (DAY // 2 + 1, Move.LOOK),
        (25 * 3600, Move.LOOK),
        (400 * DAY, Move.LOOK),
    ],
)
def test_c7_beyond_half_the_window_it_looks_first(state: str, age: int, move: Move) -> None:
    """The vendor surely remembers the key for half its window; later a repeated key may act again."""
    assert next_move(operation(state), STRIPE_LIKE, 1000 + age) is move


@pytest.mark.parametrize("age", [0, 1, DAY])
def test_c26_without_a_documented_window_it_always_looks_first(age: int) -> None:
    """QuickBooks does not say how long it remembers: not even in the same second is it asked again blindly."""
    assert next_move(operation("unknown"), QUICKBOOKS_LIKE, 1000 + age) is Move.LOOK


@pytest.mark.parametrize("back", [1, 3600, 30 * DAY])
def test_f16_a_clock_that_was_set_back_is_no_proof_of_youth(back: int) -> None:
    """Sent in what is now the future: the age is not known, so it looks."""
    assert next_move(operation("unknown"), STRIPE_LIKE, 1000 - back) is Move.LOOK


def test_after_a_look_that_found_nothing_it_is_never_sent_again() -> None:
    """A request under way between two looks would make both worthless, also while the vendor remembers the key."""
    assert next_move(operation("unknown", absent_since=1001), STRIPE_LIKE, 1002) is Move.LOOK


def test_c25_absence_is_proven_by_two_reads_further_apart_than_the_lag() -> None:
    """One read proves nothing, nor do two within the lag."""
    once = operation("unknown", absent_since=2000)
    assert not proven_absent(operation("unknown"), STRIPE_LIKE, 10**9)
    assert not proven_absent(once, STRIPE_LIKE, 2000)
    assert not proven_absent(once, STRIPE_LIKE, 2060)
    assert proven_absent(once, STRIPE_LIKE, 2061)
    assert not proven_absent(once, STRIPE_LIKE, 1000), "a clock that was set back proves nothing"


def test_an_operation_cannot_be_changed_in_memory() -> None:
    """What is asked for is frozen here as it is in the ledger."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        operation().state = "done"  # type: ignore[misc]  # that it is refused is the point
