"""The certificates that PayPal signs its webhooks with: where one may come from, and whom it must name.

A message says itself where its certificate is, and anybody may send a message. So nothing is asked of any address but
PayPal's own, an answer counts only when trusted authorities vouch for PayPal's name in it, and anything else
is trouble, never consent.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import warnings
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tillbook.kit.errors import Forged, Throttled, TillbookError, Unavailable
from tillbook.vendors.errors import NoAnswer
from tillbook.vendors.paypal.declaration import API_BASE, TRUST_ANCHORS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import Certificate

    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings
    from tillbook.vendors.http import Session

CERTIFICATES_PATH = "/v1/notifications/certs/"
ORIGINS = {"test": "https://api.sandbox.paypal.com", "live": "https://api.paypal.com"}
SIGNER, SANDBOX_SIGNER = "messageverificationcerts.paypal.com", "messageverificationcerts.sandbox.paypal.com"

FETCH_SECONDS = 5
"""The most that one fetch may take, whatever the other side does."""
LARGEST_BYTES = 65_536
MOST_FETCHES, PERIOD_SECONDS = 10, 60
"""Made-up names must not turn us against PayPal: beyond this the sender is told to come again."""
MOST_AT_ONCE = 3
REFUSED_SECONDS = 60
"""How long a name that was refused is not asked for again."""

_NAME = re.compile(r"[A-Za-z0-9](?:[._-]?[A-Za-z0-9]){0,119}", re.ASCII)
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
_LONGEST_CHAIN = 8
_LEAST_KEY_BITS = 2048
_OK, _NO_SUCH = 200, (404, 410)
_PARSING = threading.Lock()


def certificate_place(settings: Settings) -> tuple[str, str]:
    """Where certificates may come from, as origin and path prefix: PayPal's own host, or a stand-in's address."""
    mode, base = settings.mode, settings[API_BASE]
    if mode in ORIGINS and (mode == "live" or base == API_BASE.addresses[mode]):
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
        self._signer = SIGNER if settings.mode == "live" else SANDBOX_SIGNER
        self._folder = settings.home / "paypal-certificates"
        self._checked: dict[str, _Checked] = {}
        self._refused: dict[str, int] = {}
        self._fetched_at: list[float] = []
        self._line = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._fetching = threading.Lock()

    def known(self, url: str) -> bool:
        """Whether `public_key` answers without asking anybody."""
        return self._valid(url) is not None or self._is_refused(url)

    def public_key(self, url: str) -> RSAPublicKey:
        """The key of PayPal's certificate at this address.

        Raises Forged for an address or a certificate that is not PayPal's, Unavailable when it could not be fetched.
        """
        require_certificate_url(url, *self._place)
        found = self._valid(url)
        if found:
            return found.key
        self._require_not_refused(url)
        if not self._line.acquire(blocking=False):  # a crowd with made-up names must not hold every thread
            raise Throttled("other certificates of PayPal's are being fetched")
        try:
            with self._fetching:
                return self._anew(url).key
        finally:
            self._line.release()

    # -- what is here already ------------------------------------------------------------------------

    def _valid(self, url: str) -> _Checked | None:
        """What was checked before and is valid now, from memory or else from its file."""
        found, now = self._checked.get(url), self._clock.now()
        if found and found.begins <= now <= found.ends:
            return found
        try:
            with self._file(url).open("rb") as file:
                found = self._vouched(_certificates(file.read(LARGEST_BYTES)))
        except (OSError, ValueError, TillbookError):  # none, damaged, expired, or of other authorities: fetch it anew
            self._checked.pop(url, None)
            return None
        self._checked[url] = found
        return found

    def _is_refused(self, url: str) -> bool:
        at = self._refused.get(url)
        return at is not None and 0 <= self._clock.now() - at < REFUSED_SECONDS

    def _require_not_refused(self, url: str) -> None:
        if self._is_refused(url):
            raise Forged("the certificate was refused a moment ago")

    def _refuse(self, url: str) -> None:
        self._refused = {other: at for other, at in self._refused.items() if self._is_refused(other)}
        self._refused[url] = self._clock.now()

    def _file(self, url: str) -> Path:
        return self._folder / f"{hashlib.sha256(url.encode()).hexdigest()}.pem"

    def _keep(self, url: str, content: bytes) -> None:
        """Into a file, whole or not at all. A disk that takes nothing costs another fetch and no message."""
        file = self._file(url)
        draft = file.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.unlink(missing_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
                opened.write(content)
            draft.replace(file)

    # -- what has to be fetched ----------------------------------------------------------------------

    def _anew(self, url: str) -> _Checked:
        found = self._valid(url)  # the one before us in the line may have brought it
        if found:
            return found
        self._require_not_refused(url)
        self._count()
        try:
            content = self._fetch(url)
            chain = _certificates(content)
            found = self._vouched(chain)
        except Forged:
            self._refuse(url)
            raise
        except ValueError:
            found = None
        if not found:
            raise Unavailable("PayPal's address answered with something that is no certificate")
        self._checked[url] = found
        self._keep(url, content)
        return found

    def _count(self) -> None:
        """Raise Throttled when there were enough fetches for now."""
        now = self._clock.monotonic()
        self._fetched_at = [at for at in self._fetched_at if now - at < PERIOD_SECONDS]
        if len(self._fetched_at) >= MOST_FETCHES:
            raise Throttled("too many certificates were asked for; PayPal is not asked again for a moment")
        self._fetched_at.append(now)

    def _fetch(self, url: str) -> bytes:
        """What the address answers, within FETCH_SECONDS in all."""
        failure: TillbookError
        try:
            answer = self._session.get(url)
            if answer.status_code == _OK:
                return answer.content
            if answer.status_code in _NO_SUCH:
                raise Forged("PayPal has no such certificate")
            failure = Unavailable(f"PayPal's address for certificates answered {answer.status_code}")
        except NoAnswer as error:
            failure = Unavailable(f"PayPal's address for certificates {error}")
        raise failure

    @cached_property
    def _session(self) -> Session:
        from tillbook.vendors.http import Session  # noqa: PLC0415  start-up time

        seconds = min(self._settings.timeout_seconds, FETCH_SECONDS)
        return Session(self._settings, self._clock, seconds=seconds, largest_bytes=LARGEST_BYTES)

    # -- who vouches for it --------------------------------------------------------------------------

    def _vouched(self, chain: list[Certificate]) -> _Checked:
        """The key of the first certificate. Raises Forged unless trusted authorities vouch for it, now, as PayPal's."""
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  start-up time
        from cryptography.x509 import DNSName, DuplicateExtension, UnsupportedGeneralNameType  # noqa: PLC0415
        from cryptography.x509.verification import PolicyBuilder, Store, VerificationError  # noqa: PLC0415

        store = Store(self._anchors())
        policy = PolicyBuilder().store(store).time(datetime.fromtimestamp(self._clock.now(), UTC))
        try:
            verifier = policy.build_server_verifier(DNSName(self._signer))
            path = verifier.verify(chain[0], chain[1:])
            key = _signing_key(chain[0], self._signer)
        except (
            VerificationError,
            ValueError,
            UnsupportedAlgorithm,
            DuplicateExtension,
            UnsupportedGeneralNameType,
        ):
            key = None
        if not key:
            raise Forged("no trusted authority vouches for the certificate as PayPal's")
        return _Checked(
            key,
            begins=max(int(one.not_valid_before_utc.timestamp()) for one in path),
            ends=min(int(one.not_valid_after_utc.timestamp()) for one in path),
        )

    def _anchors(self) -> list[Certificate]:
        """The certificate authorities to trust. Raises Unavailable when there are none to be read: our own trouble."""
        from requests.utils import DEFAULT_CA_BUNDLE_PATH  # noqa: PLC0415  start-up time

        file = Path(self._settings[TRUST_ANCHORS] or DEFAULT_CA_BUNDLE_PATH)
        try:
            content = file.read_bytes()
        except OSError as error:
            raise Unavailable(f"the file of certificate authorities cannot be read: {error.strerror}") from error
        anchors = []
        for one in _PEM.findall(content):
            with suppress(ValueError):  # the list of authorities holds some that are too old-fashioned to be read
                anchors += _certificates(one)
        if not anchors:
            raise Unavailable("the file of certificate authorities holds none")
        return anchors


def _certificates(content: bytes) -> list[Certificate]:
    """Every certificate of a PEM file. Raises ValueError for anything else, and for more than a chain can have."""
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415  start-up time

    # Filters of warnings belong to the whole process: one thread at a time, or they would not be put back.
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about oddities of certificates; who vouches for them decides
        chain = load_pem_x509_certificates(content)
    if content.count(b"-----BEGIN") > len(chain):
        raise ValueError("a certificate that is cut off")
    if len(chain) > _LONGEST_CHAIN:
        raise ValueError("more certificates than a chain can have")
    return chain


def _signing_key(certificate: Certificate, signer: str) -> RSAPublicKey | None:
    """The key, if the certificate is for exactly this name (no wildcard) and its key may sign for a server, else None.

    Its path is verified before. This is what the rules of the web leave open.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415  start-up time
    from cryptography.x509 import DNSName, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

    said = {type(one.value): one.value for one in certificate.extensions}
    names, uses, usage = said.get(SubjectAlternativeName), said.get(ExtendedKeyUsage), said.get(KeyUsage)
    for_it = isinstance(names, SubjectAlternativeName) and signer in names.get_values_for_type(DNSName)
    for_a_server = isinstance(uses, ExtendedKeyUsage) and ExtendedKeyUsageOID.SERVER_AUTH in uses
    may_sign = not isinstance(usage, KeyUsage) or usage.digital_signature
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_KEY_BITS:
        return None
    return key if for_it and for_a_server and may_sign else None
