"""What a client sent, checked field by field as PayPal does it. The place of a field is its JSON pointer."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from simulator.paypal.wire.errors import invalid
from simulator.world import Json


def check_text(value: Any, longest: int, field: str) -> None:
    """Refuse what is not a text of 1 to `longest` characters. Raises PayPalError."""
    if not isinstance(value, str):
        raise invalid("INVALID_PARAMETER_SYNTAX", field=field)
    if not 1 <= len(value) <= longest:
        raise invalid("INVALID_STRING_LENGTH", field=field, value=value[:100])


def get_object(holder: Json, name: str, place: str) -> Json:
    """The object in this field, {} without it. Raises PayPalError for anything else."""
    found = holder.get(name, {})
    if not isinstance(found, dict):
        raise invalid("INVALID_PARAMETER_SYNTAX", field=f"{place}/{name}")
    return found


def check_names(given: Json, names: Collection[str], place: str) -> None:
    """Refuse what the simulator does not act out: a typing error is no silent success. Raises PayPalError."""
    for name in given:
        if name not in names:
            raise invalid("NOT_SUPPORTED", field=f"{place}/{name}")
