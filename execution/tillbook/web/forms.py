"""A submitted form, from the wire to an order: signature, the field names of other form products, validation."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from tillbook.kit.errors import Forged
from tillbook.kit.strict_json import loads
from tillbook.rules.orders import Order, order_number, parse_order
from tillbook.web.mapping import FormProduct, not_billed, translated, unescaped

PREFIX = "sha256="


@dataclass(frozen=True, slots=True)
class NotBilled:
    """A form that the mapping leaves out, as one that is paid or cancelled already, and why. `number` may be empty."""

    number: str
    reason: str


def read_form(headers: Mapping[str, str], body: bytes, *, secret: str, product: FormProduct) -> Order | NotBilled:
    """The order in a signed form. Raises Forged, or Refused naming every field that is wrong."""
    require_signature(headers.get(product.header, ""), body, secret, product.encoding)
    raw = loads(body)
    if product.html_entities:
        raw = unescaped(raw)
    content = translated(raw, product) if product.fields or product.fixed else raw
    if reason := not_billed(raw, product):
        return NotBilled(order_number(content), f"not to be billed: {reason}")
    return parse_order(content)


def require_signature(given: str, body: bytes, secret: str, encoding: str) -> None:
    """HMAC-SHA256 of the raw body under the shared secret: `sha256=...`. Raises Forged, also without a secret."""
    if not secret:
        raise Forged("FORM_SECRET is empty, so no form can be verified")
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    expected = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    if not hmac.compare_digest(given.removeprefix(PREFIX).encode(), expected.encode()):
        raise Forged("the form's signature is missing or wrong")
