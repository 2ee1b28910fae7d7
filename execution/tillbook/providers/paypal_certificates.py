"""The certificates that PayPal signs its webhooks with: where one may come from, and whom it must name.

A message says itself where its certificate is, and anybody may send a message. So nothing is asked of any address but
PayPal's own (A5), an answer counts only when trusted authorities vouch for PayPal's name in it (A6), and anything else
is trouble, never consent (A7).
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tillbook.errors import Forged, Unavailable
from tillbook.settings import PAYPAL_API

if TYPE_CHECKING:
    from pathlib import Path

    import requests
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import Certificate
    from cryptography.x509.verification import Store

    from tillbook.clock import Clock
    from tillbook.settings import Settings

CERTIFICATES_PATH = "/v1/notifications/certs/"
ORIGINS = {"test": "https://api.sandbox.paypal.com", "live": "https://api.paypal.com"}
NAMES = {"live": "messageverificationcerts.paypal.com"}
SANDBOX_NAME = "messageverificationcerts.sandbox.paypal.com"

FETCH_SECONDS = 5
"""The most that one fetch may take, whatever the other side does."""
LARGEST_BYTES = 65_536
MOST_FETCHES, PERIOD_SECONDS = 10, 60
MOST_AT_ONCE = 3
REFUSED_SECONDS = 60
"""How long a name that was refused is not asked for again."""

_NAME = re.compile(r"[A-Za-z0-9](?:[._-]?[A-Za-z0-9]){0,119}", re.ASCII)
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
_LONGEST_CHAIN = 8
_LEAST_KEY_BITS = 2048


def certificate_place(settings: Settings) -> tuple[str, str]:
    """Where certificates may come from, as origin and path prefix: PayPal's own host, or a stand-in's address."""
    mode, base = settings.mode, settings.paypal_api_base
    if mode in ORIGINS and (mode == "live" or base == PAYPAL_API[mode]):
        return ORIGINS[mode], CERTIFICATES_PATH
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/") + CERTIFICATES_PATH


def require_certificate_url(url: str, origin: str, path_prefix: str) -> None:
    """Raise Forged unless the address is exactly origin, prefix and one plain name.

    The address is compared, never parsed: no two readers can understand it differently.
    """
    prefix = origin + path_prefix
    if not (url.startswith(prefix) and _NAME.fullmatch(url[len(prefix) :])):
        raise Forged("the certificate's address is not one of PayPal's")


@dataclass(frozen=True, slots=True)
class _Checked:
    """A key that trusted authorities vouch for, from `begins` to `ends` (UTC seconds)."""

    key: RSAPublicKey
    begins: int
    ends: int


class Certificates:
    """PayPal's certificates, each fetched once and kept in TILLBOOK_HOME. Threads may share one of these."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._place = certificate_place(settings)
        self._folder = settings.home / "paypal-certificates"
        self._checked: dict[str, _Checked] = {}
        self._refused: dict[str, int] = {}
        self._fetches: list[int] = []
        self._asking = threading.Lock()
        self._places_in_line = threading.BoundedSemaphore(MOST_AT_ONCE)

    def known(self, url: str) -> bool:
        """Whether `public_key` answers without asking anybody."""
        raise NotImplementedError

    def public_key(self, url: str) -> RSAPublicKey:
        """The key of PayPal's certificate at this address.

        Raises Forged for an address or a certificate that is not PayPal's, Unavailable when it could not be fetched.
        """
        raise NotImplementedError
