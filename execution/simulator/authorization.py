"""Who asks: the `Authorization` header of a request."""

from __future__ import annotations

import base64


def credentials(header: str) -> tuple[str, str]:
    """The scheme in lower case, and what it brings: a token, or `name:password`. Both are empty for broken Base64."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return scheme.lower(), value.strip()
    try:
        return "basic", base64.b64decode(value, validate=True).decode()
    except ValueError:
        return "", ""
