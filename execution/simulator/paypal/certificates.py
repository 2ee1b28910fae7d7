"""The authority that vouches for the simulated PayPal's signatures, made up once for each world's folder.

Root and intermediate are on elliptic curves, which are made in no time. The key that signs is RSA, as `SHA256withRSA`
says, and is made only when the first event is signed. All of it outlives a reset.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate, ExtensionType, Name
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulator.world import World, write_file

Key = EllipticCurvePrivateKey | RSAPrivateKey

SIGNER = "messageverificationcerts.sandbox.paypal.com"
PATH = "/paypal/v1/notifications/certs/"
ANCHORS_FILE, ROOT_KEY_FILE = "paypal-ca.pem", "paypal-ca-key.pem"
CHAIN_FILE, SIGNER_KEY_FILE = "paypal-certificates.pem", "paypal-signing-key.pem"

_VALID_FOR = timedelta(days=20 * 365)  # before and after the time at which it was made: the clock may be moved far
_COUNTRY, _COMPANY = "US", "Tillbook Simulator"


class Authority:
    """The keys and certificates of one world. Several threads may use it."""

    def __init__(self, world: World) -> None:
        self._folder = world.folder
        self._now = world.now
        self._lock = threading.Lock()
        self._signer: tuple[RSAPrivateKey, str, str] | None = None

    @property
    def ready(self) -> bool:
        """Whether signing needs no key to be made first."""
        return self._signer is not None

    def make_anchors(self) -> Path:
        """The file with the trust anchor, as PEM. It is made when it is missing."""
        with self._lock:
            return self._root()[0]

    def signer(self) -> tuple[RSAPrivateKey, str, str]:
        """The key that signs, the name of its certificate (`CERT-...`), and the chain without its root, as PEM."""
        with self._lock:
            if self._signer is None:
                self._signer = self._read_signer() or self._make_signer()
            return self._signer

    def public_key(self) -> RSAPublicKey:
        """What a signature is checked with."""
        return self.signer()[0].public_key()

    def _root(self) -> tuple[Path, EllipticCurvePrivateKey, Certificate]:

        anchors = self._folder / ANCHORS_FILE
        if anchors.exists():
            key = _read_key(self._folder / ROOT_KEY_FILE)
            return anchors, cast(EllipticCurvePrivateKey, key), x509.load_pem_x509_certificate(anchors.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        root = self._certify(_name("Test Root"), key, _name("Test Root"), key, authority=1)
        # The certificate comes last: where it is, its key is too.
        write_file(self._folder / ROOT_KEY_FILE, _key_as_pem(key))
        write_file(anchors, _as_pem(root))
        return anchors, key, root

    def _read_signer(self) -> tuple[RSAPrivateKey, str, str] | None:
        if not all((self._folder / name).exists() for name in (ANCHORS_FILE, CHAIN_FILE)):
            return None
        chain = (self._folder / CHAIN_FILE).read_text()
        return cast(RSAPrivateKey, _read_key(self._folder / SIGNER_KEY_FILE)), _label(chain), chain

    def _make_signer(self) -> tuple[RSAPrivateKey, str, str]:

        _anchors, root_key, root = self._root()
        between_key = ec.generate_private_key(ec.SECP256R1())
        between = self._certify(_name("Test Issuing CA"), between_key, root.subject, root_key, authority=0)
        key = rsa.generate_private_key(65_537, 2048)
        leaf = self._certify(_name(SIGNER), key, between.subject, between_key)
        chain = (_as_pem(leaf) + _as_pem(between)).decode()
        write_file(self._folder / SIGNER_KEY_FILE, _key_as_pem(key))
        write_file(self._folder / CHAIN_FILE, chain.encode())
        return key, _label(chain), chain

    def _certify(self, subject: Name, key: Key, issuer: Name, by: Key, *, authority: int | None = None) -> Certificate:
        """A certificate. `authority` is how many authorities may stand below it, None for a signer."""

        now = datetime.fromtimestamp(self._now(), UTC)
        own, over = key.public_key(), by.public_key()
        builder = (
            x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=own)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _VALID_FOR)
            .not_valid_after(now + _VALID_FOR)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(over), critical=False)
        )
        for extension, critical in _purpose(authority):
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(by, SHA256())


_KNOWN: WeakKeyDictionary[World, Authority] = WeakKeyDictionary()
_KNOWING = threading.Lock()


def authority(world: World) -> Authority:
    """The authority of a world: always the same one."""
    with _KNOWING:
        return _KNOWN.setdefault(world, Authority(world))


def _purpose(authority: int | None) -> list[tuple[ExtensionType, bool]]:
    """What a certificate may be used for."""
    issues = authority is not None
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not issues,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )
    both: list[tuple[ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=issues, path_length=authority), True),
        (usage, True),
    ]
    if issues:
        return both
    serves = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    return [*both, (serves, False), (x509.SubjectAlternativeName([x509.DNSName(SIGNER)]), False)]


def _name(common: str) -> Name:

    parts = ((NameOID.COUNTRY_NAME, _COUNTRY), (NameOID.ORGANIZATION_NAME, _COMPANY), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])


def _label(chain: str) -> str:
    """The name under which a chain is served: `CERT-` and twelve bytes of its first certificate's fingerprint."""
    print_ = x509.load_pem_x509_certificates(chain.encode())[0].fingerprint(SHA256()).hex()
    return f"CERT-{print_[:8]}-{print_[8:16]}-{print_[16:24]}"


def _as_pem(certificate: Certificate) -> bytes:

    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_as_pem(key: Key) -> bytes:

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_key(file: Path) -> Any:

    return serialization.load_pem_private_key(file.read_bytes(), None)
