"""Certificate authorities of our own, good and bad, and a server of certificates that counts who asks.

Keys are made once for a run: RSA takes its time. Everything here is made with `cryptography`, from the documented
scheme, and with nothing of the code under test.
"""

from __future__ import annotations

import base64
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SIGNER = "messageverificationcerts.sandbox.paypal.com"
LIVE_SIGNER = "messageverificationcerts.paypal.com"
WEBHOOK_ID = "8PT597110X687430LKGECATA"
ALGORITHM = "SHA256withRSA"
CERTS = "/v1/notifications/certs/"
DAY = 86_400
_RSA_WITH = bytes.fromhex("2a864886f70d0101")  # the object id of RSA with a hash, but for the byte that names the hash
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key of this name, made on its first use."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    """The elliptic key of this name."""
    return ec.generate_private_key(ec.SECP256R1())


def pem(*certificates: x509.Certificate) -> bytes:
    """A chain as PayPal's address sends it, leaf first."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


@dataclass(frozen=True)
class Leaf:
    """How a certificate of a signer differs from a good one. Times are seconds from now."""

    name: str = SIGNER
    names: tuple[str, ...] | None = None
    key: Key | None = None
    begins: int = -30 * DAY
    ends: int = 300 * DAY
    usage: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.SERVER_AUTH
    may_sign: bool = True
    is_authority: bool = False


@dataclass(frozen=True)
class Authority:
    """A root and the intermediate that signs for it, at a time of their own."""

    name: str
    now: int
    limits: tuple[int, int] = (-3000, 3000)

    @property
    def root(self) -> x509.Certificate:
        return self._made("root", "root", self.limits)

    @property
    def intermediate(self) -> x509.Certificate:
        return self._made("intermediate", "root", self.limits)

    def intermediate_of(self, begins: int, ends: int) -> x509.Certificate:
        """The intermediate with other limits, in days from now."""
        return self._made("intermediate", "root", (begins, ends))

    def chain(self, leaf: Leaf | None = None) -> bytes:
        """A leaf with its intermediate."""
        return pem(self.leaf(leaf), self.intermediate)

    def leaf(self, leaf: Leaf | None = None, *, issuer: str = "intermediate") -> x509.Certificate:
        """A signer's certificate; `issuer` is `intermediate`, `root` or `itself`."""
        leaf = leaf or Leaf()
        key = leaf.key or rsa_key("leaf")
        itself = issuer == "itself"
        signing_key = key if itself else rsa_key(f"{self.name} {issuer}")
        builder = (
            x509.CertificateBuilder()
            .subject_name(_called(leaf.name))
            .issuer_name(_called(leaf.name) if itself else _called(f"{self.name} {issuer}"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_at(self.now + leaf.begins))
            .not_valid_after(_at(self.now + leaf.ends))
            .add_extension(x509.BasicConstraints(ca=leaf.is_authority, path_length=None), critical=True)
            .add_extension(_usage(sign=leaf.may_sign, authority=leaf.is_authority), critical=True)
            .add_extension(_issuer_id(signing_key), critical=False)
        )
        names = (leaf.name,) if leaf.names is None else leaf.names
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False)
        if leaf.usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([leaf.usage]), critical=False)
        return builder.sign(signing_key, hashes.SHA256())

    def old_fashioned_leaf(self, by: hashes.MD5 | hashes.SHA1) -> x509.Certificate:
        """A good leaf under a signature that nobody makes any more: put together by hand, since no library does it."""
        good = self.leaf()
        new = _RSA_WITH + (b"\x05" if isinstance(by, hashes.SHA1) else b"\x04")
        content = good.tbs_certificate_bytes.replace(_RSA_WITH + b"\x0b", new)
        proof = rsa_key(f"{self.name} intermediate").sign(content, padding.PKCS1v15(), by)
        whole = good.public_bytes(serialization.Encoding.DER)
        head = whole[: whole.index(good.tbs_certificate_bytes)]
        tail = whole[len(head) + len(content) : -len(proof)].replace(_RSA_WITH + b"\x0b", new)
        return x509.load_der_x509_certificate(head + content + tail + proof)

    def _made(self, role: str, issuer: str, days: tuple[int, int]) -> x509.Certificate:
        key, signing_key = rsa_key(f"{self.name} {role}"), rsa_key(f"{self.name} {issuer}")
        return (
            x509.CertificateBuilder()
            .subject_name(_called(f"{self.name} {role}"))
            .issuer_name(_called(f"{self.name} {issuer}"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_at(self.now + days[0] * DAY))
            .not_valid_after(_at(self.now + days[1] * DAY))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(sign=False, authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_issuer_id(signing_key), critical=False)
            .sign(signing_key, hashes.SHA256())
        )


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _at(seconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _issuer_id(key: Key) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(*, sign: bool, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=not authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def bad_chains(good: Authority) -> dict[str, bytes]:
    """Certificates that must not be trusted, by what is wrong with them."""
    other, day = Authority("other", good.now), DAY
    leaf, between = good.leaf(), good.intermediate
    return {
        "self-signed": pem(good.leaf(issuer="itself")),
        "self-signed, with the good chain": pem(good.leaf(issuer="itself"), leaf, between),
        "another authority": other.chain(),
        "another authority, with its root": other.chain() + pem(other.root),
        "another authority's leaf under our intermediate": pem(other.leaf(), between),
        "expired": good.chain(Leaf(begins=-90 * day, ends=-1)),
        "not yet valid": good.chain(Leaf(begins=60, ends=90 * day)),
        "for another name": good.chain(Leaf(name="www.paypal.com")),
        "for the live name": good.chain(Leaf(name=LIVE_SIGNER)),
        "for a name that only begins like it": good.chain(Leaf(name=SIGNER + ".example.com")),
        "named in the subject only": good.chain(Leaf(names=())),
        "the name in the subject, another one beside it": good.chain(Leaf(names=("www.paypal.com",))),
        "for every name": good.chain(Leaf(names=("*.sandbox.paypal.com",))),
        "for clients": good.chain(Leaf(usage=ExtendedKeyUsageOID.CLIENT_AUTH)),
        "for code": good.chain(Leaf(usage=ExtendedKeyUsageOID.CODE_SIGNING)),
        "for no use": good.chain(Leaf(usage=None)),
        "not for signing": good.chain(Leaf(may_sign=False)),
        "an authority itself": good.chain(Leaf(is_authority=True)),
        "elliptic": good.chain(Leaf(key=ec_key("leaf"))),
        "weak": good.chain(Leaf(key=rsa_key("weak", 1024))),
        "SHA-1": pem(good.old_fashioned_leaf(hashes.SHA1()), between),  # noqa: S303  that is what is wrong with it
        "MD5": pem(good.old_fashioned_leaf(hashes.MD5()), between),  # noqa: S303
        "chain cut": pem(leaf),
        "wrong intermediate": pem(leaf, other.intermediate),
        "root instead of intermediate": pem(leaf, good.root),
        "in the wrong order": pem(between, leaf),
        "intermediate expired": pem(leaf, good.intermediate_of(-900, -1)),
        "intermediate not yet valid": pem(leaf, good.intermediate_of(1, 900)),
    }


# -- what PayPal sends ---------------------------------------------------------------------------------


def payload(transmission: str, time: str, body: bytes, webhook: str = WEBHOOK_ID) -> bytes:
    """What is signed, written down from PayPal's own description."""
    return "|".join((transmission, time, webhook, str(zlib.crc32(body)))).encode()


def signature(signed: bytes, key: rsa.RSAPrivateKey | None = None) -> str:
    """The signature header for what is signed; by the good leaf's key unless another is given."""
    return base64.b64encode((key or rsa_key("leaf")).sign(signed, padding.PKCS1v15(), hashes.SHA256())).decode()


def stamp(seconds: int) -> str:
    """A time as PayPal writes it."""
    return _at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def headers(
    body: bytes, url: str, now: int, *, number: int = 1, key: rsa.RSAPrivateKey | None = None, webhook: str = WEBHOOK_ID
) -> dict[str, str]:
    """The five headers of a genuine delivery, by lower-case name."""
    transmission, time = f"69cd13f0-d67a-11e5-baa3-{number:012x}", stamp(now)
    return {
        "paypal-transmission-id": transmission,
        "paypal-transmission-time": time,
        "paypal-transmission-sig": signature(payload(transmission, time, body, webhook), key),
        "paypal-cert-url": url,
        "paypal-auth-algo": ALGORITHM,
    }


# -- where its certificates are ------------------------------------------------------------------------

Behaviour = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class CertificateServer:
    """An address that serves what tests put there, and remembers every request."""

    url: str
    served: dict[str, bytes | Behaviour] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def put(self, name: str, what: bytes | Behaviour) -> str:
        """Serve content, or behave in a way of your own, under a certificate's name: its address."""
        self.served[CERTS + name] = what
        return self.url + CERTS + name


def answers(status: int, content: bytes = b"", **more: str) -> Behaviour:
    """A behaviour: this status with this content and these headers (`location` ...)."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        for name, value in more.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@contextmanager
def serving_certificates() -> Iterator[CertificateServer]:
    """A server on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place.asked.append(self.path)
            what = place.served.get(self.path, b"")
            behaviour = what if callable(what) else answers(200 if what else 404, what or b"not found")
            try:
                behaviour(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # whoever asked gave up

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    place = CertificateServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield place
    finally:
        place.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


def written(folder: Path, authority: Authority) -> str:
    """The file of the authorities to trust, as a path."""
    file = folder / f"{authority.name}.pem"
    file.write_bytes(pem(authority.root))
    return str(file)
