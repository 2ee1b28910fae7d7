"""What a vendor's answer or its silence means: one set of rules for all of them, and their words made safe."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tillbook.kit import strict_json
from tillbook.kit.cards import mask_card_numbers
from tillbook.kit.errors import NotAllowed, Refused, Throttled, TillbookError, Unavailable, Uncertain
from tillbook.kit.text import clean
from tillbook.rules.operations import Json

CHECK_SETUP = "python execution/check_setup.py"
PENDING_HINT = "Run python execution/run_pending.py, or exactly the same command again."
LATER_HINT = "Run the same command again later."
LARGEST_BYTES = 8 * 1024 * 1024
"""A page of 500 transactions has about one; more than this is no answer of a vendor's."""

_TOO_MANY = 429
_NOT_ALLOWED = (401, 403)
# Time-out at the edge, a conflict with another call, a dependency of the vendor's that failed.
_MAY_HAVE_ACTED = (408, 409, 424)
_CLIENT_ERRORS = range(400, 500)

_LONGEST_VENDOR_TEXT = 300
_KEY = re.compile(
    r"\b(?:sk|rk|pk)_(?:live|test)_[^\s,;\"']+|\bwhsec_[^\s,;\"']+"
    r"|\b(?:basic|bearer)\s+[\w.~+/=-]{8,}|\bA2[13]A[\w.~+/=-]{8,}",
    re.IGNORECASE,
)
# Client ids, secrets and tokens look like nothing else. As long are only addresses and the ids of pages.
_LONG = re.compile(r"(?<![\w~+/=.-])(?!//|cs_(?:live|test)_)[\w~+/=.-]{64,}", re.ASCII)


class NoAnswer(Exception):
    """A request ended without a whole answer. The text says why, with the vendor as its subject.

    `sent` is whether a byte of the request may have left this machine.
    """

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


def unreadable(why: str) -> NoAnswer:
    """For an answer that came whole and is none."""
    return NoAnswer(f"sent an answer that cannot be read ({why})", sent=True)


def json_object(content: bytes) -> Json:
    """The JSON object of an answer. Raises NoAnswer for anything else."""
    why = "it is no JSON object"
    try:
        value = strict_json.loads(content, limit_bytes=LARGEST_BYTES)
    except Refused as error:
        value, why = None, error.message
    if not isinstance(value, dict):
        raise unreadable(why)
    return value


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a vendor did not do something, in its own words, made safe to show.

    `code` is its word for a program and may be empty. The three marks stand for words that outweigh the HTTP status:
    it asks for a pause, it does not take our credentials, it does not know itself what became of the call.
    """

    code: str
    text: str
    hint: str = ""
    throttled: bool = False
    not_allowed: bool = False
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class Vendor:
    """How a vendor is spoken of. `pause_seconds` is its usual pause, for a throttle that names none."""

    name: str
    credentials_hint: str = CHECK_SETUP
    pause_seconds: float = 1.0

    def silence(self, error: NoAnswer, *, change: bool) -> TillbookError:
        """The error for a request without an answer. What never left us did nothing, not even a change."""
        what = f"{self.name} {error}"
        return doubt(what, change=change) if error.sent else Unavailable(what, hint=LATER_HINT)

    def refusal(self, status: int, headers: Mapping[str, str], fault: Fault | None, *, change: bool) -> TillbookError:
        """The error for an answer that is no success. Only the vendor's own words prove that nothing happened.

        `fault` is None when the answer was not the vendor's own: a proxy's page, half an answer.
        """
        pause = _pause_seconds(headers, self.pause_seconds)
        if fault is None:
            if status == _TOO_MANY and not change:
                return Throttled(f"something before {self.name} asked for a pause", retry_after_seconds=pause)
            return doubt(f"something other than {self.name} answered (HTTP {status})", change=change)
        if status == _TOO_MANY or fault.throttled:
            return Throttled(f"{self.name} asked for a pause: {fault.text}", retry_after_seconds=pause)
        if status in _NOT_ALLOWED or fault.not_allowed:
            said = f"{self.name} does not accept our credentials: {fault.text}"
            return NotAllowed(said, hint=self.credentials_hint, code=fault.code)
        if status in _MAY_HAVE_ACTED or status not in _CLIENT_ERRORS or fault.undecided:
            return doubt(f"{self.name} could not finish (HTTP {status}): {fault.text}", change=change)
        return Refused(f"{self.name} refused: {fault.text}", hint=fault.hint, code=fault.code)

    def no_token(self, error: TillbookError) -> TillbookError:
        """The error of a call that got no token for this one: a refusal there is one of our credentials."""
        if isinstance(error, Refused):
            return NotAllowed(error.message, hint=self.credentials_hint, code=error.code)
        return error


def doubt(message: str, *, change: bool) -> TillbookError:
    """A change without a clear answer may have happened. A read without one is only unavailable."""
    if change:
        return Uncertain(f"{message}; it may have been done", hint=PENDING_HINT)
    return Unavailable(message, hint=LATER_HINT)


def vendor_text(text: str, hidden: Collection[str] = ()) -> str:
    """A vendor's words, safe to show: one short line without control characters, keys, card numbers or `hidden`."""
    shown = clean(" ".join(text.split()))
    for word in sorted(filter(None, hidden), key=len, reverse=True):
        shown = shown.replace(word, "[key]")
    return mask_card_numbers(_LONG.sub("[key]", _KEY.sub("[key]", shown)))[:_LONGEST_VENDOR_TEXT]


def _pause_seconds(headers: Mapping[str, str], usual: float) -> float:
    """The pause that Retry-After asks for, in seconds or as a date, or the usual one when it names none.

    A date is counted from the answer's own Date, so that no clock of ours has to agree with the vendor's.
    """
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  for a throttle only: start-up time

    named = {name.lower(): value for name, value in headers.items()}
    asked = named.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,5}", asked, re.ASCII):
        return int(asked)
    try:
        pause = parsedate_to_datetime(asked) - parsedate_to_datetime(named.get("date", ""))
    except (TypeError, ValueError):  # no date, or one with a zone and one without
        return usual
    return max(0, int(pause.total_seconds()))
