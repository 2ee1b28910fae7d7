"""JSON from strangers is read in one way or refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbook.kit.errors import Refused
from tillbook.kit.strict_json import LIMIT_BYTES, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_ordinary_json_is_read_as_it_was_written(value: object, ascii_only: bool) -> None:
    """Text and bytes, escaped or not, give the same value."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert loads(text) == loads(text.encode()) == loads(b"\xef\xbb\xbf" + text.encode()) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 2}', "given twice"),
        ('{"x": {"a": 1, "\\u0061": 2}}', "given twice"),
        ("NaN", "NaN"),
        ("[-Infinity]", "Infinity"),
        ("[1e99999999999999999999]", "beyond reason"),
        ("9" * 5000, "beyond reason"),
        ("[" * 65 + "]" * 65, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        ('"' + "x" * LIMIT_BYTES + '"', "at most 1048576"),
        (b'"\xff"', "UTF-8"),
        (b'"\xed\xa0\x80"', "UTF-8"),
        ('"\ud800"', "UTF-8"),
        ("", "line 1, column 1"),
        ("{'a': 1}", "not JSON"),
        ('{"a": 1,}', "not JSON"),
        ("[1] x", "not JSON"),
        ('{"4242424242424242": 1, "4242424242424242": 2}', r"\[card ending 4242\]"),
    ],
)
def test_a18_what_two_readers_could_understand_differently_is_refused(text: str | bytes, reason: str) -> None:
    """Duplicates, NaN, giants, depth, size and bad bytes are refused with the reason."""
    with pytest.raises(Refused, match=reason):
        loads(text)


def test_d7_numbers_with_a_point_stay_exact() -> None:
    """No float is made on the way."""
    assert loads("[0.1, 9007199254740993.01, 1e2]") == [Decimal("0.1"), Decimal("9007199254740993.01"), Decimal(100)]


def test_brackets_inside_strings_are_no_nesting() -> None:
    """Depth counts objects and arrays only, and 64 levels are allowed."""
    text = "[" * 100 + '\\"' + "{" * 100
    assert loads(json.dumps([text])) == [text]
    assert loads("[" * 64 + "]" * 64)
