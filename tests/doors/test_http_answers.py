"""What the vendors answer, at every door: their own words have one meaning, and a good answer may come in any coat."""

from __future__ import annotations

import traceback
from email.utils import formatdate
from pathlib import Path

import pytest

from helpers.vendors.doors import (
    DOORS,
    At,
    Door,
    Outcome,
    all_of,
    always,
    at_path,
    doubt,
    every_door_opens,
    of,
)
from helpers.vendors.misbehaving import (
    Behaviour,
    answer,
    packed,
    raw,
)
from tillbook.kit.errors import NotAllowed, Refused, Throttled, Unavailable, Uncertain


@pytest.fixture(scope="module", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every door opens, so that a test shows what closes it."""
    assert every_door_opens(tmp_path_factory.mktemp("warm"))


# -- what the vendor says --------------------------------------------------------------------------------

MEANS: dict[int, Outcome] = {
    400: Refused,
    401: NotAllowed,
    403: NotAllowed,
    404: Refused,
    408: Uncertain,
    409: Uncertain,
    422: Refused,
    424: Uncertain,
    429: Throttled,
    500: Uncertain,
    502: Uncertain,
    503: Uncertain,
    504: Uncertain,
}


def _expected(door: Door, status: int, means: Outcome) -> Outcome:
    if status in door.instead:
        return door.instead[status][0]
    return Unavailable if means is Uncertain and not door.changes else means


def _says(door: Door, word: str, sentence: str, status: int, **headers: str) -> Behaviour:
    body = door.refusal(word, sentence) if door.refusal else b"Not found"
    return answer(body, status, **headers)


@pytest.mark.parametrize("status", MEANS)
def test_the_vendors_own_words_have_one_meaning(tmp_path: Path, status: int) -> None:
    """A no is a no, a pause is a pause, and what the vendor does not know itself is doubt."""
    every = at_path(tmp_path, lambda door, _whole: _says(door, "WORD", "A sentence.", status))
    assert of(every) == {door.name: _expected(door, status, MEANS[status]) for door in DOORS}


@pytest.mark.parametrize("status", MEANS)
def test_c2_a_page_of_something_between_us_proves_nothing(tmp_path: Path, status: int) -> None:
    """A proxy or a gateway does not know what the vendor did. A read may take its word for a pause."""
    every = at_path(tmp_path, always(answer(b"<html>Sorry</html>", status)))
    expected = doubt(Throttled if status == 429 else Unavailable)
    if status in (404, 429):  # a certificate's address has no words of its own
        expected["PayPal, certificate"] = next(door for door in DOORS if door.name == "PayPal, certificate").instead[
            status
        ][0]
    assert of(every) == expected


SENT_AT = 1_795_683_900


@pytest.mark.parametrize(
    ("asked_for", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        (formatdate(SENT_AT + 7, usegmt=True), 7),
        (formatdate(SENT_AT - 7, usegmt=True), 0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("\u0663", None),
        ("9999999", None),
        ("Thu, 26 Nov 2026", None),
    ],
)
def test_c23_c32_a_pause_is_as_long_as_was_asked(tmp_path: Path, asked_for: str | None, seconds: float | None) -> None:
    """In seconds, or until a date by the vendor's own clock; what names no time is the vendor's usual pause."""
    headers = {"Date": formatdate(SENT_AT, usegmt=True)}
    if asked_for is not None:
        headers["Retry_After"] = asked_for.encode().decode("latin-1")
    every = at_path(tmp_path, lambda door, _whole: _says(door, "WORD", "Slowly.", 429, **headers))
    pauses = {asked.door.name: asked.error.retry_after_seconds for asked in every if isinstance(asked.error, Throttled)}
    usual = {
        door.name: door.usual_pause if seconds is None else seconds
        for door in DOORS
        if door.name != "PayPal, certificate"
    }
    assert pauses == usual


OTHER_SECRETS = (
    "sk_live_51HxQhILkdIwHu7",
    "whsec_Zb7xYq",
    "Bearer abcdefgh12345",
    "A21AAFEpH4PsADK7qSS7pSRsg",
    "4242 4242 4242 4242",
    "4242424242424242",
    "Ab1-Cd2_Ef3.Gh4" * 5,
)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a19_g19_a_vendors_words_are_made_safe(tmp_path: Path, status: int) -> None:
    """No key, token, card number, customer or terminal escape comes through in an error or its traceback."""

    def talkative(door: Door, _whole: bytes) -> Behaviour:
        secrets = " ".join((*door.secrets, *OTHER_SECRETS))
        return _says(door, door.secrets[0], f"Bad \x1b[31mthing\u202e {secrets}\n" + "x " * 5000, status)

    for asked in at_path(tmp_path, talkative):
        error = asked.error
        assert error, asked.door.name
        shown = f"{error.message} {error.hint} {getattr(error, 'code', '')}"
        assert shown.isprintable()
        assert len(shown) < 800
        for secret in (*asked.door.secrets, *OTHER_SECRETS):
            assert secret.lower() not in shown.lower(), asked.door.name
            assert secret not in "".join(traceback.format_exception(error)), asked.door.name


# -- a good answer in an odd coat --------------------------------------------------------------------------


def _in_chunks(_door: Door, whole: bytes) -> Behaviour:
    chunk = b"%x\r\n" % len(whole) + whole + b"\r\n0\r\n\r\n"
    return lambda line, _seen: line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)


GOOD: dict[str, At] = {
    "packed": lambda _door, whole: packed(whole),
    "in chunks": _in_chunks,
    "a charset that it is not in": lambda _door, whole: answer(whole, Content_Type="application/json; charset=utf-16"),
    "no charset, not even a type": lambda _door, whole: raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(whole), whole
    ),
    "until the connection ends": lambda _door, whole: raw(b"HTTP/1.0 200 OK\r\n\r\n", whole),
    "with a cookie": lambda _door, whole: answer(whole, Set_Cookie="a=b; Path=/"),
}


@pytest.mark.parametrize("how", GOOD)
def test_a_good_answer_is_taken_however_it_comes(tmp_path: Path, how: str) -> None:
    """HTTP has several ways to say the same. A cookie is not brought back."""
    every = at_path(tmp_path, GOOD[how], times=2)
    assert of(every) == all_of(None)
    assert {name for asked in every if asked.server for seen in asked.server.seen for name in seen.headers} & {
        "cookie"
    } == set()
