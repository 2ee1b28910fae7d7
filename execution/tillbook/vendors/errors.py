"""What the providers' errors have in common: doubt, what never left us, pauses, and a vendor's words made safe."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping

from tillbook.kit.cards import mask_card_numbers
from tillbook.kit.errors import TillbookError, Unavailable, Uncertain

CHECK_SETUP = "python execution/check_setup.py"

_LONGEST_VENDOR_TEXT = 300
_KEY = re.compile(
    r"\b(?:sk|rk|pk)_(?:live|test)_[^\s,;\"']+|\bwhsec_[^\s,;\"']+"
    r"|\b(?:basic|bearer)\s+[\w.~+/=-]{8,}|\bA2[13]A[\w.~+/=-]{8,}",
    re.IGNORECASE,
)


def doubt(message: str, *, change: bool) -> TillbookError:
    """A change without a clear answer may have happened; a read without one is only unavailable."""
    return Uncertain(message) if change else Unavailable(message)


def no_answer(vendor: str, error: BaseException, *, change: bool) -> TillbookError:
    """What it means that a call to a vendor ended without an answer. `error` is the client's own."""
    if _never_left(error):
        return Unavailable(f"no connection to {vendor} could be made; nothing was sent")
    return doubt(f"the connection to {vendor} broke off or timed out before an answer came", change=change)


def vendor_text(text: str, hidden: Collection[str] = ()) -> str:
    """A vendor's words, safe to show: one short line without control characters, keys, card numbers or `hidden`."""
    line = " ".join(text.split())
    shown = "".join(letter for letter in line if not unicodedata.category(letter).startswith("C"))
    for word in sorted(filter(None, hidden), key=len, reverse=True):
        shown = shown.replace(word, "[key]")
    return mask_card_numbers(_KEY.sub("[key]", shown))[:_LONGEST_VENDOR_TEXT]


def pause_seconds(headers: Mapping[str, str]) -> float:
    """The pause that Retry-After asks for in seconds; one second when it names none that can be read."""
    asked = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return int(asked) if re.fullmatch(r"[0-9]{1,5}", asked, re.ASCII) else 1.0


def _never_left(error: BaseException) -> bool:
    """Whether it failed before a byte of the request was sent: no address, no connection, no trusted certificate."""
    from ssl import SSLCertVerificationError  # noqa: PLC0415  with the SDKs only: start-up time

    from requests import exceptions  # noqa: PLC0415  with the SDKs only: start-up time
    from urllib3.exceptions import NewConnectionError  # noqa: PLC0415  with the SDKs only: start-up time

    before_sending = (
        NewConnectionError,
        SSLCertVerificationError,
        exceptions.ConnectTimeout,
        exceptions.ProxyError,
        exceptions.InvalidURL,
        exceptions.InvalidSchema,
        exceptions.MissingSchema,
    )
    return any(isinstance(cause, before_sending) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what lies under it: requests and urllib3 wrap each other's errors as arguments and `reason`s."""
    seen: list[BaseException] = [error]
    for one in seen:
        inner = (one.__cause__, getattr(one, "reason", None), *one.args)
        seen.extend(cause for cause in inner if isinstance(cause, BaseException) and cause not in seen)
    yield from seen
