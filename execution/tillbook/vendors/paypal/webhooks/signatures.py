"""Is a message from PayPal, and from now? Its scheme: base64 RSA-SHA256 of `id|time|webhook id|CRC32 of the body`.

Written with `cryptography` rather than with the SDK's own check, which answers False to everything. The CRC32 does not
bind the body: another body with the same one is made in a moment. So a message that passes here is a hint like any
other event: of its body only ids are used, and what they name is read from PayPal.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tillbook.kit.errors import Forged, Refused, Unavailable, Uncertain
from tillbook.kit.strict_json import loads
from tillbook.vendors.paypal.declaration import WEBHOOK_CHECK, WEBHOOK_ID
from tillbook.vendors.paypal.webhooks.certificates import Certificates, certificate_place, require_certificate_url

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings
    from tillbook.rules.operations import Json

WINDOW_SECONDS = 300
"""How far a message's time may lie from ours, before or after: not a setting, so that nobody can switch it off."""

ALGORITHM = "SHA256withRSA"
HEADERS = {
    "transmission_id": "paypal-transmission-id",
    "transmission_time": "paypal-transmission-time",
    "transmission_sig": "paypal-transmission-sig",
    "cert_url": "paypal-cert-url",
    "auth_algo": "paypal-auth-algo",
}
"""PayPal's names of the five values, in its API and as headers."""

# No `|` in any of them: it is what parts the values where they are signed, and one value must not pass for two.
_GRAMMAR = {
    "transmission_id": re.compile(r"(?![0-9]+\Z)[0-9A-Za-z][0-9A-Za-z_-]{1,49}", re.ASCII),
    "transmission_time": re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})",
        re.ASCII,
    ),
    "transmission_sig": re.compile(r"[0-9A-Za-z+/]{300,1400}={0,2}", re.ASCII),
    "cert_url": re.compile(r"[!-~]{1,500}", re.ASCII),
    "auth_algo": re.compile(ALGORITHM),
}


@dataclass(frozen=True, slots=True)
class Transmission:
    """The five headers of one delivery, each of the documented shape. `proof` is the signature's bytes."""

    id: str
    time: str
    proof: bytes
    cert_url: str
    sent_at: int

    def signed(self, webhook_id: str, body: bytes) -> bytes:
        """What PayPal signs for a webhook of ours."""
        return f"{self.id}|{self.time}|{webhook_id}|{zlib.crc32(body)}".encode("ascii")


def read_transmission(headers: Mapping[str, str], *, now: int) -> Transmission:
    """The headers (lower-case names) of a delivery within five minutes of `now` (UTC seconds), else raise Forged.

    Nothing is asked of anybody. The message of the error repeats nothing of what was received.
    """
    values = {}
    for name, header in HEADERS.items():
        values[name] = headers.get(header, "")
        if not values[name]:
            raise Forged(f"the message has no {header} header")
        if not _GRAMMAR[name].fullmatch(values[name]):
            raise Forged(f"the {header} header is not one that PayPal sends")
    sent_at = _seconds(values["transmission_time"])
    if abs(now - sent_at) > WINDOW_SECONDS:
        raise Forged(f"the message's time lies more than {WINDOW_SECONDS} seconds from ours")
    proof = _bytes(values["transmission_sig"])
    return Transmission(values["transmission_id"], values["transmission_time"], proof, values["cert_url"], sent_at)


def require_signature(transmission: Transmission, body: bytes, webhook_id: str, key: RSAPublicKey) -> None:
    """Raise Forged unless the owner of the key signed this transmission of this body to this webhook."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  start-up time
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415  start-up time
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415  start-up time

    try:
        key.verify(transmission.proof, transmission.signed(webhook_id, body), PKCS1v15(), SHA256())
    except InvalidSignature:
        failure = Forged("the signature does not match PayPal's certificate and our webhook id")
    else:
        return
    raise failure


class WebhookCheck:
    """Whether a delivery is PayPal's: by its certificate, or by asking PayPal, as the settings say.

    `ask` sends the bytes of a JSON object to PayPal's `verify-webhook-signature` and returns its answer. It may raise
    as in `errors.py`. It is not called when the settings say `certificate`.
    """

    def __init__(self, settings: Settings, clock: Clock, ask: Callable[[bytes], Json]) -> None:
        self._settings = settings
        self._clock = clock
        self._ask = ask
        self._place = certificate_place(settings)
        self._certificates = Certificates(settings, clock)

    def ready(self) -> None:
        """Raise Refused when no event could be verified: a receiver must not even start then."""
        if not self._settings[WEBHOOK_ID].strip():
            raise Refused(
                "PAYPAL_WEBHOOK_ID is empty, so no event could be verified",
                hint="Set it to the id of the webhook of your app at PayPal Developer, then run: "
                "python execution/check_setup.py",
            )

    def asks_first(self, headers: Mapping[str, str]) -> bool:
        """Whether `check` has to ask PayPal before it can answer. What it can refuse by itself needs no answer."""
        try:
            transmission = self._read(headers)
        except Forged:
            return False
        return self._by_call or not self._certificates.known(transmission.cert_url)

    def check(self, headers: Mapping[str, str], body: bytes) -> str:
        """The transmission id of a delivery that is PayPal's. `headers` have lower-case names, `body` is as it came.

        Raises Forged, Unavailable when PayPal could not be asked, Refused without a webhook id.
        """
        self.ready()
        transmission = self._read(headers)
        if self._by_call:
            self._require_word(headers, body)
        else:
            key = self._certificates.public_key(transmission.cert_url)
            require_signature(transmission, body, self._settings[WEBHOOK_ID], key)
        return transmission.id

    @property
    def _by_call(self) -> bool:
        return self._settings[WEBHOOK_CHECK] == "call"

    def _read(self, headers: Mapping[str, str]) -> Transmission:
        """Everything that can be refused without asking anybody."""
        transmission = read_transmission(headers, now=self._clock.now())
        require_certificate_url(transmission.cert_url, *self._place)
        return transmission

    def _require_word(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise Forged unless PayPal itself says that the message is its own."""
        question = _question(headers, body, self._settings[WEBHOOK_ID])
        try:
            answer = self._ask(question)
        except Refused:
            answer = {"verification_status": "FAILURE"}
        except Uncertain as error:  # asking again changes nothing
            raise Unavailable(error.message, hint=error.hint) from error
        status = answer.get("verification_status") if isinstance(answer, dict) else None
        if status == "FAILURE":
            raise Forged("PayPal says that the message is not its own")
        if status != "SUCCESS":
            raise Unavailable("PayPal did not say whether the message is its own")


def _question(headers: Mapping[str, str], body: bytes, webhook_id: str) -> bytes:
    """The request that asks PayPal. The event's bytes stand in it as they came: written again they fail."""
    try:
        is_object = isinstance(loads(body), dict) and body.lstrip()[:1] == b"{"  # a byte order mark cannot stand inside
    except Refused:
        is_object = False
    if not is_object:  # it could close the object around it and say things of its own
        raise Forged("the body is not a JSON object")
    known = {**{name: headers[header] for name, header in HEADERS.items()}, "webhook_id": webhook_id}
    return json.dumps(known).encode("ascii")[:-1] + b', "webhook_event": ' + body + b"}"


def _seconds(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):  # a day that no month has, a minute beyond 59
        failure = Forged("the message's time is no time")
    raise failure


def _bytes(text: str) -> bytes:
    """The bytes of base64 in its one right spelling: no second header stands for the same signature."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if not raw or base64.b64encode(raw) != text.encode("ascii"):
        raise Forged("the signature is not base64")
    return raw
