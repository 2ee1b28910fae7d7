"""Is a message from the vendor, and from now? Stripe's scheme: `t=UTC seconds,v1=hex HMAC-SHA256 of "t.body"`.

Written with `hmac` rather than with the SDK's own check: that one decodes the body before it has verified it, reads
the machine's clock instead of ours, accepts any time in the future, and needs the whole SDK imported to do so.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable

from tillbook.kit.errors import Forged

WINDOW_SECONDS = 300
"""How far a message's time may lie from ours, before or after: not a setting, so that nobody can switch it off."""

_LONGEST_HEADER = 2048
_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)


def require_signature(header: str, body: bytes, secrets: Iterable[str], *, now: int) -> None:
    """Raise Forged unless one of the secrets signed these bytes within five minutes of `now` (UTC seconds).

    An empty secret never signs anything. The message of the error repeats nothing of what was received.
    """
    stamp, signatures = _parts(header)
    payload = stamp.encode("ascii") + b"." + body
    # Every secret and signature is compared, so that the time it takes tells nothing about which one came close.
    matches = [
        hmac.compare_digest(hmac.digest(secret.encode(), payload, "sha256").hex(), signature)
        for secret in secrets
        if secret.strip()
        for signature in signatures
    ]
    if not any(matches):
        raise Forged("the signature does not match any of our webhook secrets")
    if abs(now - int(stamp)) > WINDOW_SECONDS:
        raise Forged(f"the signature's time lies more than {WINDOW_SECONDS} seconds from ours")


def _parts(header: str) -> tuple[str, list[str]]:
    """The time stamp as it was signed, and every v1 signature."""
    if not header:
        raise Forged("the message has no signature header")
    if len(header) > _LONGEST_HEADER or not header.isascii():
        raise Forged("the signature header is not one that Stripe sends")
    pairs = [part.partition("=")[::2] for part in header.split(",")]
    stamps = [value for name, value in pairs if name == "t"]
    signatures = [value for name, value in pairs if name == "v1"]
    if len(stamps) != 1 or not _TIME.fullmatch(stamps[0]) or not signatures:
        raise Forged("the signature header holds no time with a v1 signature")
    return stamps[0], signatures
