"""JSON from strangers is read in one way or refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbook.kit.errors import Refused
from tillbook.kit.strict_json import LIMIT_BYTES, loads
from tillbook.vendors.quick_json import loads_quickly

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


@given(VALUES, st.booleans(), st.binary(max_size=3), st.integers(0, 200))
def test_the_quick_way_says_what_the_slow_way_says(value: object, ascii_only: bool, noise: bytes, place: int) -> None:
    """The same value for good JSON, and a refusal wherever there is one, also when a few bytes are damaged."""
    good = json.dumps(value, ensure_ascii=ascii_only).encode()
    damaged = good[:place] + noise + good[place:]
    for body in (good, damaged, good + b"\xff", b'"\xff"'):
        try:
            expected = loads(body)
        except Refused:
            with pytest.raises(Refused):
                loads_quickly(body)
        else:
            assert loads_quickly(body) == expected


@pytest.mark.parametrize("body", [b'{"a":1,"a":1}', b'{"x":[{"a":"","a":""}]}', b'{"a":1,"b":{"c":2,"c":3}}'])
def test_a18_the_quick_way_finds_a_name_that_stands_twice(body: bytes) -> None:
    """Decoding would keep the last one in silence."""
    with pytest.raises(Refused, match="given twice"):
        loads_quickly(body)
