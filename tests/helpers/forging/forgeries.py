"""The forging corpus: more than a thousand requests that must not get in, as they go over the wire.

Every row says what its answer may be; `CLOSED` stands for a connection that is closed without one. The rows come in
an order and with bytes that depend on nothing but the secret and the time, which no file could hold.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
CLOSED = 0
CANARY = "canary9d1f"  # stands in every body: nothing of a body may be logged
PATH = "/webhooks/stripe"
NOT_SIGNED = frozenset({400})
NO_SUCH = frozenset({404, 405})
NOT_HTTP = frozenset({400, 404, 405, CLOSED})
TOO_LARGE = frozenset({413, CLOSED})
HEADERS_TOO_LARGE = frozenset({431, 414, 400, CLOSED})
EVENT: Json = {
    "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy",
    "object": "event",
    "type": "payment_intent.succeeded",
    "api_version": "2026-10-28.endive",
    "created": 1_795_000_000,
    "livemode": False,
    "data": {"object": {"id": "pi_3MtwBwLkdIwHu7ix28a3tqPa", "object": "payment_intent", "description": CANARY}},
}
BODY = json.dumps(EVENT, indent=2).encode()


@dataclass(frozen=True)
class Forgery:
    """One request: what it tries, its bytes, and the statuses that are right for it."""

    name: str
    wire: bytes
    allowed: frozenset[int]


@dataclass(frozen=True)
class Forger:
    """Somebody who knows everything but the secret; `secret` is used where a row says that it was signed."""

    secret: str
    now: int

    def corpus(self) -> list[Forgery]:
        """Every row, all of them different."""
        rows = [
            *self._signatures(),
            *self._keys(),
            *self._times(),
            *self._digests(),
            *self._bodies(),
            *self._doors(),
            *self._senseless(),
            *self._misspelt_events(),
            *self._bytes_that_are_no_text(),
            *self._sizes(),
            *self._smuggled(),
            *self._forms(),
        ]
        return list({row.wire: row for row in rows}.values())

    # -- tools -------------------------------------------------------------------------------------

    def digest(self, body: bytes, *, stamp: object = None, key: str | None = None, by: str = "sha256") -> str:
        payload = f"{self.now if stamp is None else stamp}.".encode() + body
        return hmac.new((self.secret if key is None else key).encode(), payload, by).hexdigest()

    def genuine(self, body: bytes = BODY) -> str:
        """A header that is right in everything."""
        return f"t={self.now},v1={self.digest(body)}"

    def signed(self, name: str, body: bytes, allowed: frozenset[int] = NOT_SIGNED) -> Forgery:
        """Bytes under a genuine signature that are still nothing to keep."""
        return Forgery(name, wire(body=body, signature=self.genuine(body)), allowed)

    def _with(self, name: str, header: str | None) -> Forgery:
        return Forgery(name, wire(signature=header), NOT_SIGNED)

    # -- what a header may say ----------------------------------------------------------------------

    def _signatures(self) -> Iterator[Forgery]:
        good, now = self.digest(BODY), self.now
        headers: list[str | None] = [None, "", " ", ",", "=", "t", "v1", "t=", "v1=", "t=,v1=", "null", "{}", "true"]
        headers += [f"t={now}", f"v1={good}", f"t={now},v1", f"t={now},v1=", f"t={now};v1={good}", f"t={now}&v1={good}"]
        headers += [f"t={now} v1={good}", f"t={now},v0={good}", f"t={now},v2={good}", f"t={now},V1={good}", good]
        headers += [f"T={now},v1={good}", f"t={now},v1 ={good}", f"t={now}, v1={good}", f"t={now},sha256={good}"]
        headers += [f"t ={now},v1={good}", f"t={now},v1={good} x", f"t={now},v1=sha256={good}", f'"t={now},v1={good}"']
        headers += [f"t={now},t={now},v1={good}", f"t={now - 9},t={now},v1={good}", f"t={now},v1={good},t={now}"]
        headers += [f"v1={good},v1={good}", f"t={now},scheme=v1,{good}", f"t={now},v1[]={good}", f"t[]={now},v1={good}"]
        headers += [f"t={now},v1='{good}'", f"t={now},v1=%{good}", f"t={now}%2Cv1={good}", f"Bearer {good}"]
        headers += [f"t={now}," + ",".join(["v1=" + "0" * 64] * 40) + f",v1={good}", "v1=" * 400, "t=1," * 400]
        headers += [f"t={now},v1={good}é", f"t={now},v1=" + "\xff" * 64, f"t={now},v1={good}\t.", "\xe9" * 20]
        for index, header in enumerate(headers):
            yield self._with(f"A1 header {index}", header)

    def _keys(self) -> Iterator[Forgery]:
        secret = self.secret
        keys = [
            "",
            " ",
            "0",
            "None",
            "null",
            "undefined",
            "false",
            "secret",
            "whsec_",
            "whsec_test",
            "changeme",
            "test",
        ]
        keys += [secret[:-1], secret[1:], secret + " ", " " + secret, secret + "\n", secret.upper(), secret[::-1]]
        keys += [
            secret.removeprefix("whsec_"),
            secret * 2,
            secret + ",",
            "," + secret,
            base64.b64encode(secret.encode()).decode(),
        ]
        keys += [hashlib.sha256(secret.encode()).hexdigest(), "sk_test_123", "\0", "[]", "STRIPE_WEBHOOK_SECRET"]
        keys += [f"whsec_{number:032x}" for number in range(60)]
        for index, key in enumerate(keys):
            yield self._with(f"A2 key {index}", f"t={self.now},v1={self.digest(BODY, key=key)}")

    def _times(self) -> Iterator[Forgery]:
        """Times that are signed as they stand, so that only the window or the grammar can refuse them."""
        away = [310, 320, 400, 600, 900, 3600, 7200, 86_400, 604_800, 2_592_000, 31_536_000, 10**9]
        for seconds in away:
            for name, stamp in (("A10 old", self.now - seconds), ("A11 future", self.now + seconds)):
                yield self._with(f"{name} {seconds}", f"t={stamp},v1={self.digest(BODY, stamp=stamp)}")
        texts = ["0", "-1", "-0", f"-{self.now}", f"+{self.now}", f"{self.now}.0", f"{self.now}e0", f"{self.now}000"]
        texts += [hex(self.now), f"0{self.now}00", "nan", "inf", "-inf", "now", "true", "9" * 12, "9" * 13, "9" * 400]
        texts += ["1e9", "1_795_000_000", f"{self.now} ", f" {self.now}", f"{self.now}L", f"{self.now}\t", "2026-11-23"]
        texts += [
            "2026-11-23T20:00:00Z",
            "${now}",
            "0b1",
            f"{self.now}=",
            f"{self.now}:",
            "null",
            "''",
            "1,795,000,000",
        ]
        for index, text in enumerate(texts):
            yield self._with(f"time {index}", f"t={text},v1={self.digest(BODY, stamp=text)}")
        for index, zero in enumerate(("\uff10", "\u0660", "\u0966")):
            digits = "".join(chr(ord(zero) + int(digit)) for digit in str(self.now))
            header = f"t={digits},v1={self.digest(BODY, stamp=digits)}".encode()
            yield Forgery(f"time in another script {index}", wire(signature=header), NOT_SIGNED)

    def _digests(self) -> Iterator[Forgery]:
        good, now = self.digest(BODY), self.now
        for place in range(64):
            other = "0123456789abcdef"[(int(good[place], 16) + 1) % 16]
            yield self._with(f"A12 digit {place}", f"t={now},v1={good[:place]}{other}{good[place + 1 :]}")
            yield self._with(f"shortened to {place}", f"t={now},v1={good[:place]}.")
        for length in range(1, 33):
            yield self._with(f"without its end {length}", f"t={now},v1={good[:-length]}")
            yield self._with(f"without its beginning {length}", f"t={now},v1={good[length:]}")
        others = [good[::-1], good * 2, "0" * 64, "f" * 64, f"0x{good}", base64.b64encode(bytes.fromhex(good)).decode()]
        others += [self.digest(BODY, by=name) for name in ("md5", "sha1", "sha224", "sha384", "sha512")]
        others += [hashlib.sha256(part + BODY).hexdigest() for part in (b"", self.secret.encode(), b"%d." % now)]
        others += [hmac.new(self.secret.encode(), part, "sha256").hexdigest() for part in self._other_payloads()]
        changed = good.upper()
        others += [changed, changed[:32] + good[32:]] if changed[:32] != good[:32] else [changed]
        for index, digest in enumerate(others):
            yield self._with(f"another digest {index}", f"t={now},v1={digest}")

    def _other_payloads(self) -> list[bytes]:
        stamp = str(self.now).encode()
        joined = [stamp + between + BODY for between in (b"", b",", b":", b"\n", b" . ", b"..")]
        return [*joined, BODY, stamp, stamp + b".", BODY + b"." + stamp, stamp + b"." + BODY.strip() + b"\n"]

    # -- what a body may be -------------------------------------------------------------------------

    def _bodies(self) -> Iterator[Forgery]:
        """Other bytes under the signature of the genuine body."""
        signature = self.genuine()
        for place in range(0, len(BODY), 2):
            altered = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
            yield Forgery(f"byte {place} altered", wire(body=altered, signature=signature), NOT_SIGNED)
        for place in range(0, len(BODY), 6):
            yield Forgery(f"cut at {place}", wire(body=BODY[:place], signature=signature), NOT_SIGNED)
        for index, body in enumerate(written_again()):
            yield Forgery(f"A8 written again {index}", wire(body=body, signature=signature), NOT_SIGNED)

    def _senseless(self) -> Iterator[Forgery]:
        """JSON that is signed and still no event, or that two readers could understand differently (A18)."""
        texts = [
            "",
            " ",
            "null",
            "true",
            "0",
            "1e5",
            '""',
            "[]",
            "{}",
            "[{}]",
            "[[]]",
            '"event"',
            "{",
            "}",
            "[",
            '{"a"}',
        ]
        texts += [
            "NaN",
            "Infinity",
            "-Infinity",
            '{"a": NaN}',
            '{"a": 1,}',
            "{'a': 1}",
            '{"a": 1} x',
            "// x\n{}",
            "{a: 1}",
        ]
        texts += ["[" * depth + "]" * depth for depth in (65, 100, 1000, 20_000)]
        texts += ['{"a":' * depth + "1" + "}" * depth for depth in (65, 100, 1000, 20_000)]
        texts += [
            "[" * 5000,
            '{"a":' * 5000,
            '"' + "x" * 5000,
            "1" * 5000,
            "-",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "\\u0031",
        ]
        for index, text in enumerate(texts):
            yield self.signed(f"A18 text {index}", text.encode())
        whole = BODY.decode()
        for name in EVENT:
            copy = f'"{name}": {json.dumps(EVENT[name])}'
            yield self.signed(f"A18 {name} twice", whole.replace("{", "{" + copy + ",", 1).encode())
            escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
            yield self.signed(f"A18 {name} twice, escaped", whole.replace("{", f'{{"{escaped}": 1,', 1).encode())
        for literal in (
            "NaN",
            "Infinity",
            "-Infinity",
            "1e9999999999999999999",
            "9" * 5000,
            '{"a":1,"a":1}',
            "[" * 70 + "]" * 70,
        ):
            yield self.signed(f"A18 inside {literal[:9]}", whole.replace(f'"{CANARY}"', literal).encode())

    def _misspelt_events(self) -> Iterator[Forgery]:
        """Signed objects in which one field of the envelope is missing or of another kind."""
        wrong: dict[str, list[Any]] = {
            "id": [None, "", 1, True, [], {}, "e" * 256, "evt_\n", "evt_\u200b", "évt"],
            "object": [None, "", 1, "Event", "event ", "charge", "v1.event", ["event"], {}],
            "type": [None, "", 1, [], {}, "t" * 256, "payment_intent.succeeded\0", "påid"],
            "api_version": [1, True, [], {}, "v" * 256, "2026\n"],
            "created": [None, "", "1795000000", True, -1, 2**40, 2**63, 10**30, [], {}, 1.0, 1795000000.5],
            "livemode": [None, "", "false", 0, 1, [], {}],
            "data": [None, "", 1, [], {}, {"object": None}, {"object": []}, {"object": "pi_1"}, {"Object": {}}],
            "account": [1, True, [], {}, "a" * 256, "acct_\t"],
        }
        for name, values in wrong.items():
            for index, value in enumerate(values):
                event = json.dumps({**EVENT, name: value}, ensure_ascii=False)
                yield self.signed(f"{name} is wrong {index}", event.encode())
            if name in EVENT and name != "api_version":
                rest = {key: value for key, value in EVENT.items() if key != name}
                yield self.signed(f"{name} is missing", json.dumps(rest).encode())
        for index, created in enumerate((None, 5, "", "yesterday", "2026-13-01T00:00:00Z", "1960-01-01T00:00:00Z")):
            thin = {**EVENT, "object": "v2.core.event", "created": created}
            yield self.signed(f"B18 thin {index}", json.dumps(thin).encode())

    def _bytes_that_are_no_text(self) -> Iterator[Forgery]:
        parts = [b"\xff", b"\xfe", b"\x80", b"\xc0\xaf", b"\xc1\x81", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xed\xbf\xbf"]
        parts += [
            b"\xf0\x80\x80\xaf",
            b"\xf5\x80\x80\x80",
            b"\xf8\x88\x80\x80\x80",
            b"\xe2\x82",
            b"\xf0\x9f\x92",
            b"\x00",
            b"\x1f",
            b"\n",
        ]
        for index, part in enumerate(parts):
            yield self.signed(f"A18 bytes {index}", BODY.replace(CANARY.encode(), CANARY.encode() + part))
        for code in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-7"):
            yield self.signed(f"A18 {code}", BODY.decode().replace("{", "{ +", 1).encode(code))
        for index, packed in enumerate((gzip.compress(BODY, mtime=0), gzip.compress(b" " * 10**6, mtime=0))):
            yield self.signed(f"A16 gzip, not said {index}", packed)
            said = wire(body=packed, signature=self.genuine(packed), headers=("Content-Encoding: gzip",))
            yield Forgery(f"A16 gzip {index}", said, NOT_SIGNED)

    # -- other doors --------------------------------------------------------------------------------

    def _doors(self) -> Iterator[Forgery]:
        """The genuine body with its genuine signature, brought to another door; and keys that open other houses."""
        for method in (
            "GET",
            "HEAD",
            "PUT",
            "PATCH",
            "DELETE",
            "OPTIONS",
            "TRACE",
            "PROPFIND",
            "PURGE",
            "LOCK",
            "MKCOL",
        ):
            yield Forgery(f"A21 {method}", wire(method=method, signature=self.genuine()), NOT_HTTP)
        for method in ("post", "Post", "POSTX", "P", "GET POST", "", "PÖST"):
            yield Forgery(f"A21 method {method}", wire(method=method, signature=self.genuine()), NOT_HTTP)
        for path in _paths():
            yield Forgery(f"A21 path {path}", wire(path=path, signature=self.genuine()), NOT_HTTP)
        for line in _BYPASSES:
            yield Forgery(f"A3 {line}", wire(headers=(line,)), NOT_SIGNED)
            bad = f"t={self.now},v1={'0' * 64}"
            yield Forgery(f"A3 {line} with a signature", wire(headers=(line,), signature=bad), NOT_SIGNED)
            name = line.partition(":")[0]
            yield Forgery(f"A3 {name} as a parameter", wire(path=f"{PATH}?{name}=true", signature=bad), NOT_SIGNED)
        for kind in (
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "*",
        ):
            yield Forgery(f"type {kind}", wire(kind=kind), NOT_SIGNED)
            body = f"payload={CANARY}".encode()
            yield Forgery(f"signed {kind}", wire(kind=kind, body=body, signature=self.genuine(body)), NOT_SIGNED)

    def _forms(self) -> Iterator[Forgery]:
        """The form's own door, with everything that may sign another one."""
        plain, key = hmac.new(self.secret.encode(), BODY, "sha256"), hmac.new(b"", BODY, "sha256")
        signatures = ["", "sha256=", "sha256", plain.hexdigest(), f"sha256={plain.hexdigest()}", key.hexdigest()]
        signatures += [f"sha256={key.hexdigest()}", base64.b64encode(key.digest()).decode(), self.genuine(), "0" * 64]
        signatures += ["null", "\xff" * 64, "sha1=" + "0" * 40, f"sha256={'0' * 64}", "sha256=" * 3, "x" * 5000]
        for index, signature in enumerate(signatures):
            line = f"X-Tillbook-Signature: {signature}"
            yield Forgery(f"form {index}", wire(path="/forms/sales", headers=(line,)), NOT_SIGNED)
        yield Forgery("form, Stripe's header", wire(path="/forms/sales", signature=self.genuine()), NOT_SIGNED)
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
            yield Forgery(f"form {method}", wire(method=method, path="/forms/sales"), NO_SUCH)

    # -- sizes and smuggling ------------------------------------------------------------------------

    def _sizes(self) -> Iterator[Forgery]:
        for mebibytes in (1, 2, 4):
            body = BODY.ljust((mebibytes << 20) + 1)
            yield Forgery(f"A16 {mebibytes} MiB", wire(body=body), TOO_LARGE)
            yield Forgery(f"A16 {mebibytes} MiB, signed", wire(body=body, signature=self.genuine(body)), TOO_LARGE)
            yield Forgery(f"A16 {mebibytes} MiB in chunks", wire(body=chunked(body, 65_536), chunks=True), TOO_LARGE)
        yield Forgery("A16 a declared terabyte", wire(headers=(f"Content-Length: {10**30}",), length=False), NOT_HTTP)
        yield Forgery("A16 a chunk of an exabyte", wire(body=b"f" * 17 + b"\r\nx", chunks=True), NOT_HTTP)
        yield Forgery("A16 many tiny chunks", wire(body=chunked(BODY * 100, 1), chunks=True), NOT_SIGNED)
        for size in (70_000, 200_000, 1_000_000):
            yield Forgery(f"A16 header of {size}", wire(headers=("X-Long: " + "x" * size,)), HEADERS_TOO_LARGE)
            yield Forgery(f"A16 address of {size}", wire(path="/" + "x" * size), HEADERS_TOO_LARGE)
            yield Forgery(f"A16 name of {size}", wire(headers=("x" * size + ": x",)), HEADERS_TOO_LARGE)
            many = tuple(f"X-{index}: {'x' * 40}" for index in range(size // 50))
            yield Forgery(f"A16 headers of {size}", wire(headers=many), HEADERS_TOO_LARGE)
            trailer = chunked(BODY, 99)[:-2] + b"X-Long: " + b"x" * size + b"\r\n\r\n"
            yield Forgery(f"A16 trailer of {size}", wire(body=trailer, chunks=True), NOT_HTTP)

    def _smuggled(self) -> Iterator[Forgery]:
        """Two readers of these would not agree where the request ends (A21); the signature is genuine in all."""
        inner = wire(signature=self.genuine())
        lengths = [("5", "5"), ("5", "6"), ("0", str(len(BODY))), (str(len(BODY)), "0")]
        doubled = [(f"Content-Length: {one}", f"Content-Length: {two}") for one, two in lengths]
        odd = ["-1", "+5", "0x10", "5, 5", "5,6", "5 5", "\u0665", "", "1e2", "5;", '"5"', "0b1"]
        codings = ["chunked, identity", "xchunked", "x", "chunked\x0b", "identity, x", "chunkedchunked", "\x0bchunked"]
        both = [
            (f"Content-Length: {len(BODY)}", f"Transfer-Encoding: {coding}")
            for coding in ("chunked", "Chunked", "gzip, chunked")
        ]
        sets = [*doubled, *((f"Content-Length: {value}",) for value in odd), *both]
        sets += [(f"Content-Length: {len(BODY)}", f"Transfer-Encoding: {coding}") for coding in codings]
        sets += [
            ("Content-Length : 5",),
            ("Transfer-Encoding : chunked",),
            ("Content-Length\x00: 5",),
            ("A: b\x00c",),
            (" folded: x",),
        ]
        for index, lines in enumerate(sets):
            smuggling = wire(headers=lines, signature=self.genuine(), length=False)
            yield Forgery(f"A21 lengths {index}", smuggling, NOT_HTTP)
            yield Forgery(f"A21 lengths {index} and another", smuggling + inner.replace(b"v1=", b"v0="), NOT_HTTP)
        starts = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60),
            b"\x00" * 64,
        ]
        starts += [
            b"POST " + PATH.encode() + version
            for version in (b" HTTP/9.9\r\n\r\n", b" HTP/1.1\r\n\r\n", b" HTTP/1.1x\r\n\r\n")
        ]
        starts += [
            b"hello\r\n\r\n",
            b"{}",
            b"\r\n\r\n{}\r\n\r\n",
            b"POST  HTTP/1.1\r\n\r\n",
            b"SSH-2.0-x\r\n",
            b"\xff\xfe\xfd\r\n\r\n",
        ]
        for index, start in enumerate(starts):
            yield Forgery(f"not HTTP {index}", start, NOT_HTTP)


def wire(
    *,
    method: str = "POST",
    path: str = PATH,
    headers: tuple[str, ...] = (),
    signature: str | bytes | None = None,
    body: bytes = BODY,
    kind: str = "application/json",
    length: bool = True,
    chunks: bool = False,
) -> bytes:
    """A request as bytes. Header lines go out as they stand."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}", *headers]
    head = "\r\n".join(lines).encode("utf-8")
    if signature is not None:
        head += b"\r\nStripe-Signature: " + (signature if isinstance(signature, bytes) else signature.encode("latin-1"))
    if chunks:
        head += b"\r\nTransfer-Encoding: chunked"
    elif length:
        head += b"\r\nContent-Length: %d" % len(body)
    return head + b"\r\n\r\n" + body


def chunked(body: bytes, size: int) -> bytes:
    """A body in chunks of `size` bytes."""
    parts = [body[place : place + size] for place in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def written_again() -> list[bytes]:
    """The same value in other bytes: what a middleware that parses first would verify."""
    texts = [json.dumps(EVENT, indent=indent) for indent in (None, 0, 1, 3, 4, "\t")]
    texts += [json.dumps(EVENT, separators=pair) for pair in ((",", ":"), (", ", ":"), (",", ": "))]
    texts += [json.dumps(EVENT, indent=2, sort_keys=True), json.dumps(dict(reversed(EVENT.items())), indent=2)]
    text = BODY.decode()
    texts += [text + end for end in ("\n", " ", "\r\n", "\0", "\t", "{}", ",")] + [
        start + text for start in ("\ufeff", " ", "\n")
    ]
    texts += [text.replace("\n", "\r\n"), text.replace("payment", "\\u0070ayment"), text.replace("/", "\\/") + " " * 9]
    return [text.encode() for text in texts]


def _paths() -> list[str]:
    spelt = [
        "/webhooks/stripe/",
        "//webhooks/stripe",
        "/webhooks//stripe",
        "/webhooks/./stripe",
        "/webhooks/x/../stripe",
    ]
    spelt += [
        "/webhooks/stripe%2f",
        "/webhooks/stripe%00",
    ]
    spelt += [
        "/%2e/webhooks/stripe",
        "/webhooks/%2e%2e/webhooks/stripe",
        "/webhooks/stripe%20",
        "/webhooks/stripe;x",
        "/webhooks",
    ]
    spelt += [
        "/webhooks/STRIPE",
        "/Webhooks/stripe",
        "/webhooks/stripe.json",
        "/webhooks/stripe/x",
        "/stripe",
        "/",
        "*",
        "/webhooks/",
    ]
    spelt += [
        "/webhooks/paypal2",
        "/webhooks/quickbooks2",
        "/webhooks/stripe,",
        "/webhooks/stripe\\",
        "/webhook/stripe",
        "/api/webhooks/stripe",
    ]
    spelt += [
        "/webhooks/stripe%0d%0aX:y",
        "/webhooks/str\u0131pe",
        "\\webhooks\\stripe",
        "webhooks/stripe",
        "/webhooks/stripe%",
        "/healthz",
        "/debug",
    ]
    spelt += [
        "/admin",
        "/test",
        "/webhooks/test",
        "/webhooks/debug",
        "/.env",
        "/docs",
        "/openapi.json",
        "/metrics",
        "/forms/sales/",
        "/pay",
        "/pay/",
    ]
    return spelt


_BYPASSES = (
    "X-Debug: 1",
    "X-Test: true",
    "X-Skip-Verification: true",
    "X-Skip-Signature: 1",
    "X-Webhook-Test: true",
    "X-Stripe-Test: true",
    "Stripe-Livemode: false",
    "Stripe-Account: acct_1",
    "X-Stripe-Signature: skip",
    "Authorization: Bearer admin",
    "Authorization: Basic YWRtaW46YWRtaW4=",
    "X-Api-Key: test",
    "X-Internal: true",
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-For: 3.18.12.63",
    "X-Real-IP: 127.0.0.1",
    "Forwarded: for=127.0.0.1",
    "X-Original-URL: /healthz",
    "X-Rewrite-URL: /healthz",
    "X-HTTP-Method-Override: GET",
    "X-Environment: development",
    "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    "Referer: https://dashboard.stripe.com",
    "Origin: http://localhost",
    "Cookie: admin=true",
    "X-Verified: true",
    "Connection: Stripe-Signature",
    "Upgrade: h2c",
    "Expect: 100-continue",
    "Prefer: return=minimal",
)
