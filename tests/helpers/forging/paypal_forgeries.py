"""The forging corpus for PayPal's door: more than a thousand deliveries that must not get in.

They come from somebody who has read everything that is public, has seen one genuine delivery, owns certificates of
other names, and controls every host but PayPal's. Where a row says that it is signed, PayPal's own key signed it. The
twins stand apart: they are genuine by PayPal's scheme (A4), so what they say must not matter.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from helpers.forging import certificate_authority as ca
from helpers.forging.address_tricks import addresses
from helpers.forging.certificate_authority import rsa_key

Json = dict[str, Any]
CANARY = "canary9d1f"  # stands in every body: nothing of a body may be logged
PATH = "/webhooks/paypal"
NAMES = {
    "id": "Paypal-Transmission-Id",
    "time": "Paypal-Transmission-Time",
    "sig": "Paypal-Transmission-Sig",
    "cert": "Paypal-Cert-Url",
    "algo": "Paypal-Auth-Algo",
}
EVENT: Json = {
    "id": "WH-58D329510W468432D-8HN650336L201105X",
    "create_time": "2026-11-18T11:06:40Z",
    "resource_type": "capture",
    "resource_version": "2.0",
    "event_type": "PAYMENT.CAPTURE.COMPLETED",
    "event_version": "1.0",
    "summary": f"Payment completed for $ 60.0 USD, {CANARY}",
    "resource": {
        "id": "42311647XV020574X",
        "status": "COMPLETED",
        "amount": {"currency_code": "USD", "value": "60.00"},
        "supplementary_data": {"related_ids": {"order_id": "5O190127TN364715T"}},
        "create_time": "2026-11-18T11:06:39Z",
    },
    "links": [],
}
BODY = json.dumps(EVENT).encode()
Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Delivery:
    """One request: what it tries, its header lines in order, its body.

    `fetches`: its certificate is at PayPal's own address, so it may be fetched. `only_here`: HTTP cannot carry these
    headers, or carries them changed, so they are tried without it.
    """

    name: str
    lines: Values
    body: bytes = BODY
    fetches: bool = False
    only_here: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """By lower-case name, of doubled ones the last."""
        return {name.lower(): value for name, value in self.lines}

    @property
    def wire(self) -> bytes:
        """The request as it goes over the wire."""
        lines = [f"POST {PATH} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in self.lines]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("utf-8") + self.body


@dataclass(frozen=True)
class Forger:
    """Who makes them, at a time (UTC seconds). `url` is where PayPal's certificate is, `bad` where others are at
    PayPal's own address, `own` is an address of the forger's with a certificate of the forger's."""

    now: int
    url: str
    bad: tuple[str, ...] = ()
    own: str = "http://127.0.0.1:9/v1/notifications/certs/CERT-1"

    def genuine(self, number: int = 1, body: bytes = BODY) -> Delivery:
        """A delivery that is right in everything."""
        sent = ca.headers(body, self.url, self.now, number=number)
        return Delivery(f"genuine {number}", tuple(sent.items()), body)

    def corpus(self) -> list[Delivery]:
        """Every row, all of them different."""
        rows = [
            *self._missing(),
            *self._algorithms(),
            *self._ids(),
            *self._times(),
            *self._signed_for_others(),
            *self._signatures(),
            *self._other_keys(),
            *self._bodies(),
            *self._doubled(),
            *self._addresses(),
            *self._bypasses(),
            *self._certificates(),
        ]
        return list({(row.lines, row.body): row for row in rows}.values())

    def twins(self, count: int = 20) -> list[Delivery]:
        """Deliveries with the genuine headers and another body of the same CRC32: other ids, other amounts (A4)."""
        rows = []
        for number in range(count):
            twin: Json = json.loads(BODY)
            twin["id"] = f"WH-TWIN{number:014d}-8HN650336L201105X"
            twin["resource"] |= {
                "id": f"TWIN{number:013d}",
                "amount": {"currency_code": "USD", "value": f"{number}99.00"},
            }
            twin["resource"]["supplementary_data"]["related_ids"]["order_id"] = f"TWINORDER{number:08d}"
            rows.append(Delivery(f"A4 twin {number}", self.genuine().lines, same_crc(twin, zlib.crc32(BODY))))
        return rows

    # -- tools -------------------------------------------------------------------------------------

    def _with(self, name: str, *, body: bytes = BODY, only_here: bool = False, **changes: str | None) -> Delivery:
        """The genuine delivery with other headers; None leaves one out."""
        values = dict(zip(NAMES, (value for _, value in self.genuine().lines), strict=True)) | changes
        lines = tuple((NAMES[key], value) for key, value in values.items() if value is not None)
        # HTTP strips blanks around a value, and ends it at a line break.
        changed = any(value != value.strip() or not value.isprintable() for _, value in lines)
        return Delivery(name, lines, body, only_here=only_here or changed)

    def _signed(self, name: str, *, webhook: str = ca.WEBHOOK_ID, body: bytes = BODY, **changes: str) -> Delivery:
        """Other headers, and PayPal's own signature over what they say."""
        values = {"id": self.genuine().lines[0][1], "time": ca.stamp(self.now)} | changes
        signed = "|".join((values["id"], values["time"], webhook, str(zlib.crc32(body)))).encode()
        return self._with(name, **{**values, "sig": ca.signature(signed)})

    # -- what the headers may say --------------------------------------------------------------------

    def _missing(self) -> Iterator[Delivery]:
        junk = [
            "",
            " ",
            "\t",
            "null",
            "undefined",
            "None",
            "[]",
            "{}",
            "true",
            "0",
            "-1",
            "\x00",
            "\x7f",
            "é",
            "\u0660",
        ]
        junk += ["x" * 51, "x" * 501, "x" * 5000, "%00", "${x}", "a,b", "a|b", '"', "'", "\\", "..", "\u200b", "\ufeff"]
        for key in NAMES:
            yield self._with(f"A1 without {key}", **{key: None})
            for index, value in enumerate(junk):
                yield self._with(f"A1 {key} is junk {index}", **{key: value})
        yield Delivery("A1 no header", ())
        sent = dict(self.genuine().lines)
        for key, value in sent.items():
            yield Delivery(f"A1 {key} alone", ((key, value),))
            underlined = tuple((name.replace("-", "_") if name == key else name, sent[name]) for name in sent)
            yield Delivery(f"A1 {key} with underscores", underlined)
        values = [value for _, value in self.genuine().lines]
        for turn in range(1, 5):
            swapped = tuple(zip(sent, values[turn:] + values[:turn], strict=True))
            yield Delivery(f"swapped {turn}", swapped)
        for one in range(5):
            for other in range(one):
                pair = list(values)
                pair[one], pair[other] = pair[other], pair[one]
                yield Delivery(f"swapped {one} and {other}", tuple(zip(sent, pair, strict=True)))

    def _algorithms(self) -> Iterator[Delivery]:
        names = [
            "none",
            "None",
            "NONE",
            "HS256",
            "RS256",
            "SHA1withRSA",
            "MD5withRSA",
            "SHA512withRSA",
            "SHA256withDSA",
        ]
        names += ["SHA256withECDSA", "sha256withrsa", "SHA256WITHRSA", "SHA256withRSAandMGF1", "SHA256withRSA/PSS"]
        names += ["RSASSA-PSS", "HmacSHA256", "SHA256", "RSA", "SHA-256withRSA", "SHA256 with RSA", "SHA256withRSA;"]
        names += ["SHA256withRSA,SHA1withRSA", "SHA1withRSA,SHA256withRSA", "SHA224withRSA", "SHA384withRSA", "Ed25519"]
        names += [
            "SHA256withRSA\n",
            " SHA256withRSA",
            "SHA256withRSA ",
            "SHA256withRS\u0410",
            "sha256WithRSAEncryption",
        ]
        names += ["1.2.840.113549.1.1.11", "SHA256withRSA\x00", "SHA3-256withRSA", "NONEwithRSA", "MD2withRSA", "crc32"]
        for name in names:
            yield self._with(f"algorithm {name!r}", algo=name)
        for name, by in (
            ("SHA1withRSA", hashes.SHA1()),  # noqa: S303  that is what is wrong with it
            ("SHA512withRSA", hashes.SHA512()),
            ("MD5withRSA", hashes.MD5()),  # noqa: S303
        ):
            raw = rsa_key("leaf").sign(self._payload(), padding.PKCS1v15(), by)
            yield self._with(f"signed as {name}", algo=name, sig=base64.b64encode(raw).decode())
            yield self._with(f"signed as {name}, not said", sig=base64.b64encode(raw).decode())

    def _ids(self) -> Iterator[Delivery]:
        """Ids that are signed as they stand, so that only their shape can refuse them."""
        good, time = self.genuine().lines[0][1], ca.stamp(self.now)
        texts = ["1" * 20, "12345", "a", "-", "_a", "a" * 51, f"{good}|{time}", f"|{good}", f"{good}|", "a b", "a\tb"]
        texts += [f"{good} ", f" {good}", f"{good}\n", f"{good}\r\nX: y", "a;b", "a'b", 'a"b', "a/b", "a\\b", "a%20b"]
        texts += [
            f"{good},{good}",
            "é" * 10,
            "\u0661" * 9,
            "a\x00b",
            "<script>",
            "../../etc",
            "a.b",
            "$(id)",
            "{}",
            "[1]",
        ]
        for index, text in enumerate(texts):
            yield self._signed(f"id {index}", id=text)
        for end in range(1, 20):
            yield self._with(f"id without its end {end}", id=good[:-end])
        for place in range(0, len(good), 2):
            other = "0" if good[place] != "0" else "1"
            yield self._with(f"id changed at {place}", id=good[:place] + other + good[place + 1 :])

    def _times(self) -> Iterator[Delivery]:
        """Times that are signed as they stand, so that only the window or the grammar can refuse them."""
        away = [310, 320, 400, 600, 900, 3600, 7200, 86_400, 604_800, 2_592_000, 31_536_000, 10**9]
        for seconds in away:
            yield self._signed(f"A10 old {seconds}", time=ca.stamp(self.now - seconds))
            # So far ahead that it is still the future when the last row has been tried.
            yield self._signed(f"A11 future {seconds}", time=ca.stamp(self.now + 600 + seconds))
            yield self._with(f"A10 made new {seconds}", time=ca.stamp(self.now - seconds % 250 - 1))
        good = ca.stamp(self.now)
        day, clock = good[:-1].split("T")
        texts = [str(self.now), f"{self.now}000", "now", "0", "", day, clock, f"{day} {clock}Z", f"{day}t{clock}Z"]
        texts += [f"{day}T{clock}", f"{day}T{clock}z", f"{day}T{clock}+0000", f"{day}T{clock}+00", f"{day}T{clock} Z"]
        texts += [
            f"{day}T{clock}.Z",
            f"{day}T{clock},5Z",
            f"{day}T{clock}.1234567890Z",
            f"{day}T{clock}Z.5",
            f"+{good}",
        ]
        texts += [f"{day}T{clock}-99:00", f"{day}T{clock}+24:00", f"{day}T{clock}+05:99", f"{day}T{clock}+14:00"]
        texts += [f"{day}T24:00:00Z", f"{day}T{clock[:-2]}60Z", f"{day}T{clock[:-2]}61Z", f"{day}T99:99:99Z"]
        texts += [
            "0000-00-00T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "2026-02-30T00:00:00Z",
        ]
        texts += [
            good.replace("2", "\uff12"),
            good.replace("0", "\u0660"),
            f" {good}",
            f"{good} ",
            f"{good}\n",
            good[2:],
        ]
        texts += [f"{good}{good}", f"{good},{good}", f"{good}|{good}", "2026-W47-3T10:00:00Z", "20261118T110640Z"]
        texts += [
            "Wed, 18 Nov 2026 11:06:40 GMT",
            "2026-322T11:06:40Z",
            "T",
            "Z",
            f"{day}T{clock}UTC",
            f"{day}T{clock}[UTC]",
        ]
        for index, text in enumerate(texts):
            yield self._signed(f"time {index}", time=text)
        for seconds in range(1, 40):
            yield self._with(f"time moved by {seconds}", time=ca.stamp(self.now + seconds))

    def _payload(self) -> bytes:
        return ca.payload(self.genuine().lines[0][1], ca.stamp(self.now), BODY)

    def _signed_for_others(self) -> Iterator[Delivery]:
        """PayPal's own signature, but over something else: another webhook, another checksum, another order."""
        others = [
            "",
            " ",
            "WEBHOOK_ID",
            "null",
            "0",
            ca.WEBHOOK_ID.lower(),
            ca.WEBHOOK_ID[:-1],
            ca.WEBHOOK_ID + "1",
            "|",
        ]
        others += [f"{number:017X}" for number in range(20)]
        for webhook in others:
            yield self._signed(f"A14 for webhook {webhook!r}", webhook=webhook)
        one, time, hook = self.genuine().lines[0][1], ca.stamp(self.now), ca.WEBHOOK_ID
        crc = zlib.crc32(BODY)
        sums = [
            f"{crc:08x}",
            f"{crc:08X}",
            f"0x{crc:x}",
            f"0{crc}",
            f"{crc} ",
            f"-{2**32 - crc}",
            f"{zlib.adler32(BODY)}",
        ]
        sums += [f"{zlib.crc32(BODY.strip(b'}'))}", f"{zlib.crc32(BODY + b' ')}", "", "0", f"{crc}.0", f"{crc ^ 1}"]
        payloads = ["|".join((one, time, hook, text)) for text in sums]
        payloads += [between.join((one, time, hook, str(crc))) for between in ("", ",", "||", " | ", ":", "\n", "\x00")]
        payloads += ["|".join(parts) for parts in ((time, one, hook, str(crc)), (one, hook, time, str(crc)))]
        payloads += ["|".join((one, time, hook)), "|".join((one, time, str(crc))), str(crc), BODY.decode(), "", one]
        payloads += ["|".join((one, time, hook, str(crc), "")), "|".join(("", one, time, hook, str(crc))), hook, time]
        for index, text in enumerate(payloads):
            yield self._with(f"another payload {index}", sig=ca.signature(text.encode()))

    # -- signatures ----------------------------------------------------------------------------------

    def _signatures(self) -> Iterator[Delivery]:
        good = self.genuine().lines[2][1]
        raw = base64.b64decode(good)
        for bit in range(0, len(raw) * 8, 8):
            place, mask = bit // 8, 1 << (bit // 8 % 8)
            flipped = raw[:place] + bytes([raw[place] ^ mask]) + raw[place + 1 :]
            yield self._with(f"bit {bit} flipped", sig=base64.b64encode(flipped).decode())
        for length in (1, 2, 3, 4, 8, 16, 32, 64, 128, 255, 256):
            yield self._with(f"without its end {length}", sig=base64.b64encode(raw[:-length]).decode())
            yield self._with(f"without its beginning {length}", sig=base64.b64encode(raw[length:]).decode())
            yield self._with(f"longer by {length}", sig=base64.b64encode(raw + b"\x00" * length).decode())
            yield self._with(f"zeros before {length}", sig=base64.b64encode(b"\x00" * length + raw).decode())
        number = int.from_bytes(raw, "big")
        modulus = rsa_key("leaf").public_key().public_numbers().n
        numbers = [0, 1, 2, modulus - 1, modulus, modulus - number, 2**2048 - 1]
        for index, value in enumerate(numbers):
            yield self._with(f"number {index}", sig=base64.b64encode(value.to_bytes(256, "big")).decode())
        if number + modulus < 2**2048:
            over = (number + modulus).to_bytes(256, "big")
            yield self._with("the same number, beyond the modulus", sig=base64.b64encode(over).decode())
        spelt = [
            good.rstrip("="),
            good + "=",
            good + "==",
            good[:-3] + chr(ord(good[-3]) + 1) + "==",
            good.replace("=", ""),
            raw.hex(),
            good[::-1],
        ]
        spelt += [
            f" {good}",
            f"{good} ",
            f"{good}\n",
            good[:76] + "\n" + good[76:],
            good[:76] + " " + good[76:],
            good * 2,
        ]
        spelt += [
            f"{good},{good}",
            f"sha256={good}",
            f"Bearer {good}",
            f'"{good}"',
            quote(good),
            good.swapcase(),
            "=" * 344,
        ]
        spelt += [base64.b32encode(raw).decode(), base64.b64encode(good.encode()).decode(), "A" * 344, "/" * 344]
        spelt += [good[:40] + symbol + good[41:] for symbol in "-_.,:;!*%~\\"] + [good[:-2] + "!="]
        if "+" in good or "/" in good:
            spelt.append(base64.urlsafe_b64encode(raw).decode())
        for index, text in enumerate(spelt):
            yield self._with(f"signature spelt {index}", sig=text)
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
        yield self._with(
            "PSS", sig=base64.b64encode(rsa_key("leaf").sign(self._payload(), pss, hashes.SHA256())).decode()
        )

    def _other_keys(self) -> Iterator[Delivery]:
        for index, body in enumerate((BODY, b"{}", BODY + b" ")):
            signed = ca.payload(self.genuine().lines[0][1], ca.stamp(self.now), body)
            for name in ("forger", "trusted intermediate", "trusted root", "other intermediate"):
                yield self._with(f"key of {name} {index}", sig=ca.signature(signed, rsa_key(name)), body=body)
            small = rsa_key("weak", 1024).sign(signed, padding.PKCS1v15(), hashes.SHA256())
            yield self._with(f"weak key {index}", sig=base64.b64encode(small).decode(), body=body)

    # -- bodies --------------------------------------------------------------------------------------

    def _bodies(self) -> Iterator[Delivery]:
        """Other bytes under the signature of the genuine body."""
        lines = self.genuine().lines
        for place in range(0, len(BODY), 4):
            yield Delivery(f"byte {place} altered", lines, BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :])
        for place in range(0, len(BODY), 12):
            yield Delivery(f"cut at {place}", lines, BODY[:place])
        for index, body in enumerate(_written_again()):
            yield Delivery(f"A8 written again {index}", lines, body)
        for index, value in enumerate(("6000.00", "0.01", "60.01", "-60.00", "600", "1e9")):
            body = BODY.replace(b'"60.00"', json.dumps(value).encode())
            yield Delivery(f"another amount {index}", lines, body)

    def _doubled(self) -> Iterator[Delivery]:
        """Two headers of one name; the last of them is the forged one."""
        genuine = self.genuine().lines
        forged = self._with("", time=ca.stamp(self.now - 9), id="forged-1", cert=self.own, algo="none").lines
        forged = tuple((name, "A" * 344 if name == NAMES["sig"] else value) for name, value in forged)
        for index, line in enumerate(forged):
            yield Delivery(f"doubled {line[0]}", (*genuine, line))
            yield Delivery(f"doubled {line[0]}, beside it", (*genuine[: index + 1], line, *genuine[index + 1 :]))
            yield Delivery(f"joined {line[0]}", _joined(genuine, index, line[1]))
            yield Delivery(f"joined {line[0]} with itself", _joined(genuine, index, genuine[index][1]))
            yield Delivery(f"empty {line[0]} after it", (*genuine, (line[0], "")))

    # -- where the certificate is ----------------------------------------------------------------------

    def _addresses(self) -> Iterator[Delivery]:
        signed = ca.signature(self._payload(), rsa_key("forger"))
        for index, address in enumerate([*addresses(self.url), *addresses(self.own), self.own]):
            yield self._with(f"A5 address {index}", cert=address)
            yield self._with(f"A5 address {index}, signed by the forger", cert=address, sig=signed)

    def _bypasses(self) -> Iterator[Delivery]:
        """Headers that open other houses (A3), with nothing signed or with a signature of the forger's."""
        signed = ca.signature(self._payload(), rsa_key("forger"))
        lines = self._with("", sig=signed).lines
        for name in (
            "X-Test",
            "X-Debug",
            "X-Skip-Verification",
            "X-Paypal-Simulator",
            "Paypal-Mock-Response",
            "X-Internal",
        ):
            yield Delivery(f"A3 {name}", ((name, "true"),))
            yield Delivery(f"A3 {name} with a signature", (*lines, (name, "true")))
        for webhook in ("WEBHOOK_ID", ca.WEBHOOK_ID):
            yield Delivery(f"A3 webhook id {webhook}", (*lines, ("Paypal-Webhook-Id", webhook)))
        for name in ("Paypal-Auth-Version", "Client_Pid", "Correlation-Id", "Authorization"):
            yield Delivery(f"A3 {name}", (*lines, (name, "v2")))

    def _certificates(self) -> Iterator[Delivery]:
        """Certificates at PayPal's own address that are not PayPal's, and names that are not there."""
        for index, url in enumerate(self.bad):
            for key in ("leaf", "forger"):
                row = self._with(
                    f"A6 certificate {index}, key {key}", cert=url, sig=ca.signature(self._payload(), rsa_key(key))
                )
                yield Delivery(row.name, row.lines, fetches=True)
        for number in range(30):
            row = self._with(f"A6 no such certificate {number}", cert=f"{self.url}-{number}")
            yield Delivery(row.name, row.lines, fetches=True)


def _joined(lines: Values, index: int, value: str) -> Values:
    name, first = lines[index]
    return (*lines[:index], (name, f"{first}, {value}"), *lines[index + 1 :])


def _written_again() -> Iterator[bytes]:
    """The same value as other bytes (A8)."""
    value = json.loads(BODY)
    for indent in (0, 1, 2, 3, 4, 8):
        yield json.dumps(value, indent=indent).encode()
    yield json.dumps(value, separators=(",", ":")).encode()
    yield json.dumps(value, sort_keys=True).encode()
    yield from (BODY + end for end in (b" ", b"\n", b"\r\n", b"\t", b"\x00"))
    yield from (begin + BODY for begin in (b" ", b"\n", b"\xef\xbb\xbf"))
    yield BODY.replace(b"60.0 ", b"60.00 ")
    yield BODY.decode().encode("utf-16")
    yield base64.b64encode(BODY)
    yield b"[" + BODY + b"]"
    yield BODY * 2


def same_crc(value: Json, crc: int) -> bytes:
    """An object as JSON with this CRC32. One more name in it takes up the slack.

    CRC32 is linear: each bit that may change changes the sum by a number of its own, whatever the others do. So 64
    letters that may be `a` or `c` are enough to reach any sum; which of them, is 32 equations.
    """
    text = json.dumps({**value, "slack": "a" * 64}).encode()
    start = text.index(b"a" * 64)
    base = zlib.crc32(text)
    rows: dict[int, tuple[int, int]] = {}  # highest bit -> (what it does to the sum, which letters do it)
    for place in range(64):
        changed = text[: start + place] + b"c" + text[start + place + 1 :]
        effect, letters = _reduced(zlib.crc32(changed) ^ base, 1 << place, rows)
        if effect:
            rows[effect.bit_length()] = (effect, letters)
    left, letters = _reduced(base ^ crc, 0, rows)
    assert left == 0
    slack = bytes(b"ac"[letters >> place & 1] for place in range(64))
    return text[:start] + slack + text[start + 64 :]


def _reduced(effect: int, letters: int, rows: dict[int, tuple[int, int]]) -> tuple[int, int]:
    while effect and effect.bit_length() in rows:
        other, with_them = rows[effect.bit_length()]
        effect, letters = effect ^ other, letters ^ with_them
    return effect, letters
